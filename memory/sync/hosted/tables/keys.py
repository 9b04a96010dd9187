"""What opens records, together with a key that only devices have. Destroyed first, backed up for a day at most."""

from sqlalchemy import Index, MetaData, Table

from memory.sync.hosted.tables.columns import id_, number, octets

metadata = MetaData()

record_keys = Table(
    "record_keys",
    metadata,
    id_("space_id", primary_key=True),
    id_("rid", primary_key=True),
    id_("rev", primary_key=True),
    id_("account_id"),
    number("wrap_epoch"),
    octets("dek"),
    Index("record_keys_by_epoch", "space_id", "wrap_epoch"),
    Index("record_keys_by_account", "account_id"),
)

space_wraps = Table(
    "space_wraps",
    metadata,
    id_("space_id", primary_key=True),
    number("epoch", primary_key=True),
    id_("recipient_id", primary_key=True),
    id_("account_id", index=True),
    id_("by"),
    octets("output"),
    octets("sig"),
)

account_keys = Table(
    "account_keys",
    metadata,
    id_("account_id", primary_key=True),
    octets("data_key"),
)

backup_keys = Table(
    "backup_keys",
    metadata,
    number("day", primary_key=True, autoincrement=False),
    octets("backup_key"),
)
