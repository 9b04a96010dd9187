"""What of the office its owner's other devices may have, column by column, and why the rest stays on this one."""

from dataclasses import dataclass, field

from resources.language import gettext as _

EVERYTHING = "*"
"""Stands for every column of a table that stays here."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What syncs of one table; ``stays`` says for each other column why it stays."""

    table: str
    type: str = ""
    """The type of its records, empty where the whole table stays."""
    key: str = "id"
    columns: tuple[str, ...] = ()
    stays: dict[str, str] = field(default_factory=dict)
    when: str = ""
    """A condition in SQL on the ``new`` row: before it holds, the row is not ready to be sent."""
    only: tuple[str, ...] = ()
    """The keys of the rows that sync, where not all do."""
    reappears: bool = False
    """Whether a row that was deleted may come again, as a setting does: then that is an edit, and no erasure."""
    begins: dict[str, str] = field(default_factory=dict)
    """What stands in columns that stay here when a row arrives, where that is not their default."""


def synced() -> tuple[Synced, ...]:
    """Return what syncs of every table, reasons in the owner's language."""
    return (*_content(), *_own(), *_staying())


def synced_tables() -> tuple[Synced, ...]:
    """Return the tables of which something syncs; what others refer to stands before them."""
    return tuple(each for each in synced() if each.type)


def _content() -> tuple[Synced, ...]:
    account = _("Each device has its own accounts and models.")
    own_view = _("How this device shows it.")
    run = _("The work of agents stays on the device where it was done.")
    read = _("Each device reads a file itself, once it has arrived.")
    counted = _("Counted on each device.")
    return (
        Synced(
            "agent",
            "agent",
            columns=(
                *("id", "name", "role", "avatar", "personality", "language", "time_zone", "instructions"),
                *("temperature", "max_tokens", "effort", "tools", "memory_scopes", "recipients"),
                *(
                    "accepts_own_notes",
                    "run_cap",
                    "day_cap",
                    "librarian",
                    "created_at",
                    "updated_at",
                    "archived_at",
                    "trashed_at",
                ),
            ),
            stays={
                **dict.fromkeys(("connection_id", "model"), account),
                "position": own_view,
                "revision": counted,
            },
        ),
        Synced(
            "conversation",
            "conversation",
            columns=(
                *("id", "title", "title_source", "active_leaf_id", "agent_id", "effort", "created_at"),
                *("updated_at", "pinned_at", "archived_at", "trashed_at", "held_at", "restricted"),
            ),
            stays={
                **dict.fromkeys(("connection_id", "model"), account),
                "draft": _("What you have not sent yet stays where you write it."),
                "scroll": own_view,
                "arriving_import_id": _("Set only while an import is under way."),
            },
            when="new.arriving_import_id IS NULL",
        ),
        Synced(
            "message",
            "message",
            columns=(
                *("id", "conversation_id", "parent_id", "batch_id", "position", "ordinal", "shown_batch_id"),
                *("role", "agent_id", "agent_name", "model", "text", "thinking", "citations", "state"),
                *("attachment_ids", "created_at", "pinned_at", "trashed_at", "held_at", "hidden"),
                "restricted",
            ),
            stays={"run_id": run},
            when="new.state NOT IN ('queued', 'streaming')",
        ),
        Synced(
            "attachment",
            "file",
            columns=(
                *("id", "conversation_id", "message_id", "name", "size", "content", "created_at"),
                *("pinned_at", "trashed_at", "held_at", "restricted"),
            ),
            stays={
                "blob_id": _("Each device encrypts its files under keys of its own."),
                **dict.fromkeys(
                    ("kind", "media_type", "pages", "characters", "state", "reason", "note"), read
                ),
            },
            # A file of a draft stays where it is written, and one whose pieces are not there yet waits for them.
            when="new.message_id IS NOT NULL AND new.content IS NOT NULL",
            begins={"state": "arriving"},
        ),
        Synced(
            "note",
            "note",
            columns=(
                *("id", "kind", "scope", "scope_id", "text", "state", "source_message_id"),
                *("source_attachment_id", "agent_id", "model", "created_at", "valid_from", "valid_to"),
                *("supersedes_id", "pinned_at", "trashed_at", "held_at", "restricted"),
            ),
            stays=dict.fromkeys(("uses", "last_used_at"), counted),
        ),
    )


def _own() -> tuple[Synced, ...]:
    return (
        Synced(
            "setting",
            "setting",
            key="key",
            columns=("key", "value", "updated_at"),
            only=(
                *("runs.effort", "budget.run_cap", "budget.day_cap", "recall.enabled", "trash.days"),
                "erasure.deep",
            ),
            reappears=True,
        ),
        Synced("device_name", "device_name", columns=("id", "name", "system")),
    )


def _staying() -> tuple[Synced, ...]:
    reasons = {
        _("The work of agents stays on the device where it was done."): ("run", "run_event"),
        _("Each device encrypts its files under keys of its own."): ("blob",),
        _("Each device has its own accounts and models."): ("connection",),
        _("Earlier forms stay on the device where they were changed."): ("agent_revision",),
        _("What was agreed to, kept and recorded on this device."): (
            *("usage", "outbox", "audit", "consent", "retention_rule", "erased", "erase_report"),
        ),
        _("Copies and imports belong to the device where they were made."): (
            *("export_record", "backup", "import", "provenance"),
        ),
        _("Made on each device from what it has."): (
            *("passage", "embedding", "index_snapshot", "passage_text", "passage_context"),
            "passage_trigram",
        ),
        _("Belongs to this device alone."): (
            *("office", "alembic_version", "sync_space", "sync_record", "sync_change", "sync_outbox"),
            *("sync_conflict", "sync_awaited", "sync_receipt", "sync_transfer"),
        ),
    }
    return tuple(
        Synced(table, stays={EVERYTHING: reason}) for reason, tables in reasons.items() for table in tables
    )
