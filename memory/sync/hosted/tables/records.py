"""What devices sent and what is known about an account. Backed up for 30 days."""

from typing import Any

from sqlalchemy import Connection, Index, MetaData, Table, event, text

from memory.sync.hosted.tables.columns import id_, long_text, number, octets, words

metadata = MetaData()

accounts = Table(
    "accounts",
    metadata,
    id_("account_id", primary_key=True),
    octets("address", nullable=True),
    octets("address_lookup", nullable=True, unique=True),
    words("state", 20),
    number("created_day"),
    number("bytes_used", default=0),
    number("records_used", default=0),
    number("warned_percent", default=0),
    words("legal_hold", 400, default=""),
    words("policy_version", 40),
)

devices = Table(
    "devices",
    metadata,
    id_("device_id", primary_key=True),
    id_("account_id", index=True),
    octets("sign"),
    octets("hpke"),
    number("added"),
    number("revoked", nullable=True),
    number("last_seen_day"),
    words("versions", 80, default=""),
)

log_entries = Table(
    "log_entries",
    metadata,
    id_("account_id", primary_key=True),
    number("n", primary_key=True, autoincrement=False),
    long_text("entry"),
)

sessions = Table(
    "sessions",
    metadata,
    id_("session_id", primary_key=True),
    id_("account_id", index=True),
    id_("device_id", nullable=True, index=True),
    words("kind", 12),
    octets("access_hash", unique=True),
    number("access_until"),
    octets("refresh_hash", nullable=True, unique=True),
    octets("former_refresh_hash", nullable=True, unique=True),
    number("refresh_until"),
    number("signed_at"),
    number("last_seen_day"),
)

challenges = Table("challenges", metadata, octets("challenge", primary_key=True), number("until"))

magic_links = Table(
    "magic_links",
    metadata,
    octets("token_hash", primary_key=True),
    octets("address_lookup", index=True),
    octets("address"),
    octets("verifier_hash"),
    number("asked_at"),
    number("until"),
    number("used", default=0),
)

mail_codes = Table(
    "mail_codes",
    metadata,
    id_("account_id", primary_key=True),
    octets("code_hash"),
    number("until"),
    number("tries"),
)

enrolments = Table(
    "enrolments",
    metadata,
    id_("enrolment_id", primary_key=True),
    id_("account_id", index=True),
    id_("session_id"),
    words("commitment", 64),
    long_text("answer", default=""),
    long_text("reveal", default=""),
    number("until"),
)

spaces = Table(
    "spaces",
    metadata,
    id_("space_id", primary_key=True),
    id_("account_id", index=True),
    id_("generation"),
    number("head"),
    number("horizon"),
    number("epoch"),
    number("rotating"),
    words("state", 20),
)

records = Table(
    "records",
    metadata,
    id_("space_id", primary_key=True),
    id_("rid", primary_key=True),
    id_("account_id"),
    id_("rev"),
    number("seq"),
    number("exp_day"),
    octets("hdr"),
    octets("kc"),
    octets("ct"),
    octets("sig"),
    octets("blobs"),
    Index("records_by_seq", "space_id", "seq", unique=True),
    Index("records_by_day", "exp_day"),
    Index("records_by_account", "account_id"),
)

markers = Table(
    "markers",
    metadata,
    id_("space_id", primary_key=True),
    id_("rid", primary_key=True),
    id_("account_id", index=True),
    number("seq"),
    number("day"),
    octets("hdr"),
    octets("kc"),
    octets("ct_sha256"),
    octets("sig"),
    octets("expiry"),
    Index("markers_by_seq", "space_id", "seq", unique=True),
    Index("markers_by_day", "day"),
)

record_blobs = Table(
    "record_blobs",
    metadata,
    id_("space_id", primary_key=True),
    id_("rid", primary_key=True),
    words("sha256", 64, primary_key=True),
    id_("account_id"),
    Index("record_blobs_by_hash", "account_id", "sha256"),
)

blobs = Table(
    "blobs",
    metadata,
    id_("account_id", primary_key=True),
    words("sha256", 64, primary_key=True),
    number("size"),
    number("stored"),
    number("at"),
)

op_results = Table(
    "op_results",
    metadata,
    id_("device_id", primary_key=True),
    id_("op_id", primary_key=True),
    id_("account_id", index=True),
    octets("envelope_hash"),
    number("seq"),
    number("day", index=True),
)

consents = Table(
    "consents",
    metadata,
    id_("consent_id", primary_key=True),
    id_("account_id", index=True),
    words("purpose", 80),
    words("text_version", 40),
    number("given_at"),
    number("withdrawn_at", nullable=True),
)

audit = Table(
    "audit",
    metadata,
    words("subject", 80, primary_key=True),
    number("n", primary_key=True, autoincrement=False),
    number("at"),
    words("action", 60),
    long_text("details"),
    words("prev", 80),
    words("hash", 80),
)

access_log = Table(
    "access_log",
    metadata,
    id_("line_id", primary_key=True),
    number("day", index=True),
    number("at"),
    words("network", 64),
    words("route", 200),
    number("status"),
    words("device", 80),
    words("subject", 80, index=True),
)

jobs = Table(
    "jobs",
    metadata,
    id_("job_id", primary_key=True),
    id_("account_id", nullable=True, index=True),
    words("kind", 40),
    words("key", 120, unique=True),
    long_text("payload"),
    words("state", 12),
    number("due_at"),
    number("asked_at"),
    number("tries"),
    number("locked_until"),
    words("error", 400, default=""),
    Index("jobs_by_due", "state", "due_at"),
)

exports = Table(
    "exports",
    metadata,
    id_("export_id", primary_key=True),
    id_("account_id", index=True),
    words("kind", 12),
    words("state", 12),
    number("asked_at"),
    number("until"),
    number("hours"),
    number("downloads"),
    number("size"),
    octets("token_hash", unique=True),
    words("object", 80),
    words("error", 400, default=""),
)

deletions = Table(
    "deletions",
    metadata,
    id_("scope_id", primary_key=True),
    id_("account_id", index=True),
    words("scope", 12),
    words("mode", 12),
    number("requested_at"),
    number("grace_until"),
)

policies = Table(
    "policies",
    metadata,
    words("version", 40, primary_key=True),
    words("effective", 20),
    words("sha256", 64),
    number("announced_at"),
)

incidents = Table(
    "incidents",
    metadata,
    id_("incident_id", primary_key=True),
    number("detected_at"),
    long_text("nature"),
    long_text("data"),
    long_text("measures"),
    number("authority_told_at", nullable=True),
    number("people_told_at", nullable=True),
)

rate_limits = Table("rate_limits", metadata, octets("bucket", primary_key=True), number("spent_until"))
"""How often somebody called of late: a keyed hash of who, and the microsecond until which that counts."""


@event.listens_for(rate_limits, "after_create")
def _keep_out_of_the_log(_table: Any, connection: Connection, **_more: Any) -> None:
    """Spare PostgreSQL the log of what is written so often: a crash loses a few minutes of counting."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE rate_limits SET UNLOGGED"))


tides = Table("tides", metadata, number("tide", primary_key=True, autoincrement=False))
