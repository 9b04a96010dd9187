"""The data map of what sync keeps of an office: nothing of it is exported, for all of it belongs to one device."""

from memory.lifecycle.data_map.entries import Category, Entry, EraseRule, Retention
from resources.language import gettext as _


def between_devices() -> tuple[Entry, ...]:
    """Return the entries of the tables of sync, sentences in the owner's language."""
    here = _("Belongs to this device; another one makes its own.")
    return (
        Entry(
            place="table:sync_space",
            category=Category.SETTINGS,
            purpose=_(
                "Where this device meets your others, what syncs, how far it has read, and what stopped it."
            ),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
            left_out=dict.fromkeys(
                (
                    *("id", "device_id", "place", "enabled", "applying", "types", "epoch", "log_n"),
                    *("log_head", "clock_ms", "clock_counter", "naming", "position"),
                    *("round_at", "fault", "fault_at"),
                    *("head", "compared_at", "lacking", "marking", "service_keys", "other_keys"),
                    "clock_ahead",
                ),
                here,
            ),
        ),
        Entry(
            place="table:sync_record",
            category=Category.COPIES,
            purpose=_("Which of your items your other devices have, and when each field was last changed."),
            retention=Retention.PARENT,
            erase=EraseRule.UNNAMED,
            left_out=dict.fromkeys(
                (
                    *("rid", "type", "local_id", "state", "seq", "rev", "stamps", "beside", "own"),
                    *("base", "former_seq", "former", "waiting", "exp_day", "aside_at", "aside_by"),
                ),
                here,
            ),
        ),
        Entry(
            place="table:sync_awaited",
            category=Category.COPIES,
            purpose=_("What an item refers to and has not arrived from your other devices."),
            retention=Retention.DERIVED,
            erase=EraseRule.CASCADE,
            left_out=dict.fromkeys(("rid", "target", "arrived"), here),
        ),
        Entry(
            place="table:sync_change",
            category=Category.COPIES,
            purpose=_("Which items were changed and are about to be sealed."),
            retention=Retention.DERIVED,
            erase=EraseRule.CASCADE,
            left_out=dict.fromkeys(("type", "local_id", "at"), here),
        ),
        Entry(
            place="table:sync_outbox",
            category=Category.COPIES,
            purpose=_("Sealed changes that wait to be sent to your other devices."),
            retention=Retention.DERIVED,
            erase=EraseRule.CASCADE,
            left_out=dict.fromkeys(("rid", "op_id", "erases", "rev", "epoch", "envelope", "base"), here),
        ),
        Entry(
            place="table:sync_transfer",
            category=Category.COPIES,
            purpose=_("How far the pieces of a file have gone to your other devices, or come from them."),
            retention=Retention.DERIVED,
            erase=EraseRule.CASCADE,
            left_out=dict.fromkeys(
                (
                    *("attachment_id", "arrives", "key", "blob_id", "content_id", "addresses"),
                    *("pieces", "fault"),
                ),
                here,
            ),
        ),
        Entry(
            place="table:sync_conflict",
            category=Category.COPIES,
            purpose=_("Words that lost where two of your devices changed the same place."),
            retention=Retention.PARENT,
            erase=EraseRule.CASCADE,
            left_out=dict.fromkeys(("id", "rid", "field", "lost", "digest", "reason", "at"), here),
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
        Entry(
            place="table:device_name",
            category=Category.SETTINGS,
            purpose=_("How you call the devices that share this office."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
            left_out=dict.fromkeys(("id", "name", "system"), here),
        ),
    )
