"""The data map of what sync keeps of an office: nothing of it is exported, for all of it belongs to one device."""

from memory.lifecycle.data_map.entries import Category, Entry, EraseRule, Retention
from resources.language import gettext as _


def between_devices() -> tuple[Entry, ...]:
    """Return the entries of the tables of sync, sentences in the owner's language."""
    return (
        _of_this_device(
            "sync_space",
            _("Where this device meets your others, what syncs, how far it has read, and what stopped it."),
            (
                *("id", "device_id", "place", "enabled", "applying", "types", "epoch", "log_n"),
                *("log_head", "clock_ms", "clock_counter", "naming", "position"),
                *("round_at", "fault", "fault_at"),
                *("head", "compared_at", "lacking", "marking", "service_keys", "other_keys"),
                "clock_ahead",
            ),
            Category.SETTINGS,
            Retention.OFFICE,
            EraseRule.OFFICE,
        ),
        _of_this_device(
            "sync_record",
            _("Which of your items your other devices have, and when each field was last changed."),
            (
                *("rid", "type", "local_id", "state", "seq", "rev", "stamps", "beside", "own"),
                *("base", "former_seq", "former", "waiting", "exp_day", "aside_at", "aside_by"),
            ),
            retention=Retention.PARENT,
            erase=EraseRule.UNNAMED,
        ),
        _of_this_device(
            "sync_awaited",
            _("What an item refers to and has not arrived from your other devices."),
            ("rid", "target", "arrived"),
        ),
        _of_this_device(
            "sync_change",
            _("Which items were changed and are about to be sealed."),
            ("type", "local_id", "at"),
        ),
        _of_this_device(
            "sync_outbox",
            _("Sealed changes that wait to be sent to your other devices."),
            ("rid", "op_id", "erases", "rev", "epoch", "envelope", "base"),
        ),
        _of_this_device(
            "sync_transfer",
            _("How far the pieces of a file have gone to your other devices, or come from them."),
            ("attachment_id", "arrives", "key", "blob_id", "content_id", "addresses", "pieces", "fault"),
        ),
        _of_this_device(
            "sync_conflict",
            _("Words that lost where two of your devices changed the same place."),
            ("id", "rid", "field", "lost", "digest", "reason", "at"),
            retention=Retention.PARENT,
        ),
        Entry(
            place="table:sync_receipt",
            category=Category.ERASURE,
            purpose=_("What a service proves to have destroyed, with its signature."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
            left_out=dict.fromkeys(
                ("id", "scope", "at", "key", "receipt"),
                _("Names nothing of yours; “bureau sync receipts --save” writes it as a file."),
            ),
        ),
        _of_this_device(
            "device_name",
            _("How you call the devices that share this office."),
            ("id", "name", "system"),
            Category.SETTINGS,
            Retention.OFFICE,
            EraseRule.OFFICE,
        ),
    )


def _of_this_device(
    table: str,
    purpose: str,
    columns: tuple[str, ...],
    category: Category = Category.COPIES,
    retention: Retention = Retention.DERIVED,
    erase: EraseRule = EraseRule.CASCADE,
) -> Entry:
    """Return the entry of a table of which nothing is exported, because another device makes its own."""
    left_out = dict.fromkeys(columns, _("Belongs to this device; another one makes its own."))
    return Entry(f"table:{table}", category, purpose, retention, erase, left_out=left_out)
