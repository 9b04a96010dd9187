"""What the service can see, for what, how long, and on which ground: the list that is published and that a test holds
against the tables and against a dump of the databases.
"""

from dataclasses import dataclass

from fastapi.responses import HTMLResponse

from memory.sync.hosted.settings import Settings
from memory.sync.hosted.web import markup
from resources.language import gettext as _


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of data. ``columns`` are ``store.table.column`` or ``store.table.*``."""

    key: str
    name: str
    purpose: str
    basis: str
    kept: str
    columns: tuple[str, ...]


def categories() -> tuple[Category, ...]:
    """Return every kind of data that the service holds, in the language of the service."""
    contract, security, law = _("contract"), _("security of the service"), _("legal duty")
    life = _("until the account is deleted")
    return (
        Category(
            "address",
            _("mail address, encrypted, and a keyed hash to find it"),
            _("signing in and notices"),
            contract,
            life,
            ("records.accounts.address", "records.accounts.address_lookup", "keys.account_keys.*"),
        ),
        Category(
            "account",
            _("state of the account, day of its making, room used, warnings, policy version, a legal hold"),
            _("keeping the service"),
            contract,
            life,
            (
                "records.accounts.account_id",
                "records.accounts.state",
                "records.accounts.created_day",
                "records.accounts.bytes_used",
                "records.accounts.records_used",
                "records.accounts.warned_percent",
                "records.accounts.legal_hold",
                "records.accounts.policy_version",
                "records.deletions.*",
            ),
        ),
        Category(
            "devices",
            _("public keys of devices, day last seen, version of the app, and the signed log of devices"),
            _("letting only your devices in"),
            contract,
            life,
            ("records.devices.*", "records.log_entries.*", "records.enrolments.*"),
        ),
        Category(
            "sessions",
            _("hashes of sessions and of mailed codes, with their times"),
            _("signing in"),
            contract,
            _("until they end, 30 days at most"),
            ("records.sessions.*", "records.challenges.*", "records.magic_links.*", "records.mail_codes.*"),
        ),
        Category(
            "spaces",
            _("number of offices, their counters and key generations"),
            _("syncing"),
            contract,
            life,
            ("records.spaces.*",),
        ),
        Category(
            "records",
            _("encrypted records: padded size, order, author device, time of writing, day of expiry"),
            _("syncing"),
            contract,
            _("until erased"),
            ("records.records.*", "records.op_results.*"),
        ),
        Category(
            "markers",
            _("that a record was erased, when and by which device"),
            _("erasing on every device"),
            contract,
            _("180 days"),
            ("records.markers.*",),
        ),
        Category(
            "chunks",
            _("encrypted pieces of files: size, and which record they belong to"),
            _("syncing"),
            contract,
            _("until the record is erased"),
            ("records.blobs.*", "records.record_blobs.*"),
        ),
        Category(
            "keys",
            _("keys of records, sealed to your devices"),
            _("syncing"),
            contract,
            _("until erased; one day in backups"),
            ("keys.record_keys.*", "keys.space_wraps.*", "keys.backup_keys.*"),
        ),
        Category(
            "consents",
            _("what you agreed to and when"),
            _("proof of consent"),
            law,
            life,
            ("records.consents.*",),
        ),
        Category(
            "audit",
            _("what was done to the account"),
            _("your insight, finding abuse"),
            security,
            _("12 months, after a deletion under a pseudonym"),
            ("records.audit.*",),
        ),
        Category(
            "access_log",
            _("shortened network address, route, status and pseudonyms of requests"),
            _("finding abuse and faults"),
            security,
            _("30 days"),
            ("records.access_log.*",),
        ),
        Category(
            "counting",
            _("keyed hashes of networks, devices and accounts that called of late, and how often"),
            _("limits that keep the service usable"),
            security,
            _("a day at most"),
            ("records.rate_limits.*",),
        ),
        Category(
            "jobs",
            _("work that waits, exports and their links as hashes"),
            _("mails, exports, deletions"),
            contract,
            _("30 days at most"),
            ("records.jobs.*", "records.exports.*"),
        ),
        Category(
            "ledger",
            _("keyed hashes of erased records and deleted accounts, and receipts"),
            _("proof of deletion, and that nothing returns from a backup"),
            law,
            _("for good, under a pseudonym"),
            ("ledger.*",),
        ),
        Category(
            "service",
            _("versions of the policy, security incidents, marks of backups; nothing of a person"),
            _("keeping the service"),
            law,
            _("for good"),
            ("records.policies.*", "records.incidents.*", "records.tides.*"),
        ),
    )


def category_of(column: str) -> str | None:
    """Return the key of the category that a column ``store.table.column`` is published under."""
    for category in categories():
        for pattern in category.columns:
            if pattern == column or (pattern.endswith("*") and column.startswith(pattern[:-1])):
                return category.key
    return None


def privacy_page(settings: Settings) -> HTMLResponse:
    """Return what anybody may read before signing in."""
    head = (_("What"), _("For what"), _("On which ground"), _("How long"))
    rows = [(each.name, each.purpose, each.basis, each.kept) for each in categories()]
    return markup.page(
        _("What this service can see"),
        markup.paragraph(
            _("Version {version}, in force since {day}.").format(
                version=settings.policy_version, day=settings.policy_effective
            )
        ),
        markup.paragraph(
            _(
                "Everything you sync is encrypted on your devices. The service sees no names, texts, prompts, keys, "
                "contacts, file names or models, and cannot."
            ),
            "note",
        ),
        markup.table(rows, head),
        markup.heading(_("Where and by whom")),
        markup.table(
            [
                (_("Operator"), settings.operator),
                (_("Contact"), settings.operator_contact),
                (_("Region"), settings.region),
            ]
        ),
        markup.link("/subprocessors.json", _("Who works for the operator")),
        markup.heading(_("Deleting")),
        markup.paragraph(
            _(
                "A deleted account can be restored for {grace} days and is gone after {promised} days at the latest. "
                "Its keys are destroyed first; encrypted remains leave the backups after {records} days and cannot "
                "be opened."
            ).format(
                grace=settings.grace_days,
                promised=settings.promised_days,
                records=settings.records_backup_horizon_days,
            )
        ),
        markup.paragraph(
            _("What your devices and exported files hold is out of the service’s reach: delete it there.")
        ),
        markup.heading(_("Cookies")),
        markup.paragraph(
            _("One, while you are signed in here; none otherwise, and nothing from other hosts.")
        ),
    )
