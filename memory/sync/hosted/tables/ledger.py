"""What was erased and purged. Rows are only ever added; no backup of the records brings anything of it back."""

from sqlalchemy import MetaData, Table

from memory.sync.hosted.tables.columns import id_, long_text, number, octets, words

metadata = MetaData()

erased = Table("erased", metadata, id_("space_id", primary_key=True), octets("tag", primary_key=True))
"""Erased records: 16 bytes of HMAC each. ``space_id`` is of no use once the space is gone."""

purge_steps = Table(
    "purge_steps",
    metadata,
    words("subject", 80, primary_key=True),
    number("n", primary_key=True, autoincrement=False),
    words("step"),
    number("at"),
    long_text("outcome"),
)
"""Each step of a purge, before it is done and after; ``outcome`` is JSON, empty before."""

receipts = Table(
    "receipts",
    metadata,
    number("n", primary_key=True, autoincrement=False),
    id_("receipt_id", unique=True),
    words("subject", 80, index=True),
    long_text("receipt"),
)

gone = Table("gone", metadata, words("subject", 80, primary_key=True), id_("receipt_id"))
"""Devices, spaces and accounts that were purged, by pseudonym, so that what returns is told."""

tides = Table("tides", metadata, number("tide", primary_key=True, autoincrement=False), number("at"))
"""Marks that the records carry too: records that lack the last one came out of a backup."""
