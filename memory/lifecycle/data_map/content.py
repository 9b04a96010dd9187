"""The data map of what the owner and the agents make: conversations, files, notes, team."""

from memory.lifecycle.data_map.entries import PROVIDER, Category, Entry, EraseRule, Retention
from resources.language import gettext as _


def content() -> tuple[Entry, ...]:
    """Return the entries of the tables that hold content, sentences in the owner's language."""
    return (*_conversations(), *_files(), *_derived(), *_team())


def _conversations() -> tuple[Entry, ...]:
    return (
        Entry(
            place="table:conversation",
            category=Category.CONVERSATIONS,
            purpose=_("The list of chats: title, state and draft of each."),
            retention=Retention.RULE,
            erase=EraseRule.ROW,
            record="conversations",
            exported=(
                *("id", "title", "title_source", "active_leaf_id", "agent_id", "connection_id"),
                *(
                    "model",
                    "effort",
                    "draft",
                    "scroll",
                    "created_at",
                    "updated_at",
                    "pinned_at",
                    "archived_at",
                    "trashed_at",
                    "held_at",
                ),
                "restricted",
            ),
            left_out={"arriving_import_id": _("Set only while an import is under way.")},
        ),
        Entry(
            place="table:message",
            category=Category.CONVERSATIONS,
            purpose=_("What you and the agents said, with every branch."),
            retention=Retention.RULE,
            erase=EraseRule.ROW,
            recipients=PROVIDER,
            record="messages",
            exported=(
                *("id", "conversation_id", "parent_id", "batch_id", "position", "ordinal", "shown_batch_id"),
                *("role", "agent_id", "agent_name", "model", "run_id", "text", "thinking", "citations"),
                *("attachment_ids", "state", "created_at", "pinned_at", "trashed_at", "held_at", "hidden"),
                "restricted",
            ),
        ),
        Entry(
            place="table:run",
            category=Category.CONVERSATIONS,
            purpose=_("Each piece of work of an agent: what was sent, what it cost, how it ended."),
            retention=Retention.PARENT,
            erase=EraseRule.CASCADE,
            recipients=PROVIDER,
            record="runs",
            exported=(
                *("id", "conversation_id", "parent_run_id", "task_id", "agent_id", "connection_id", "model"),
                *(
                    "effort",
                    "state",
                    "reason",
                    "context",
                    "history",
                    "cap",
                    "reserved",
                    "spent",
                    "created_at",
                ),
                *("started_at", "finished_at"),
            ),
        ),
        Entry(
            place="table:run_event",
            category=Category.CONVERSATIONS,
            purpose=_("What happened in each piece of work, in order."),
            retention=Retention.PARENT,
            erase=EraseRule.CASCADE,
            record="run_events",
            exported=("run_id", "seq", "parent_run_id", "task_id", "agent_id", "at", "kind", "body"),
            left_out={"number": _("A counter of this database; the order within a run is exported.")},
        ),
        Entry(
            place="table:note",
            category=Category.NOTES,
            purpose=_("What agents remember, with where they know it from."),
            retention=Retention.RULE,
            erase=EraseRule.ROW,
            recipients=PROVIDER,
            record="memory",
            exported=(
                *("id", "kind", "scope", "scope_id", "text", "state", "source_message_id"),
                *("source_attachment_id", "agent_id", "model", "created_at", "valid_from", "valid_to"),
                *(
                    "supersedes_id",
                    "uses",
                    "last_used_at",
                    "pinned_at",
                    "trashed_at",
                    "held_at",
                    "restricted",
                ),
            ),
        ),
    )


def _files() -> tuple[Entry, ...]:
    return (
        Entry(
            place="table:attachment",
            category=Category.FILES,
            purpose=_("The files given to conversations: names, kinds and how far they are read."),
            retention=Retention.RULE,
            erase=EraseRule.ROW,
            recipients=PROVIDER,
            record="files",
            exported=(
                *("id", "conversation_id", "message_id", "blob_id", "name", "kind", "media_type", "size"),
                *(
                    "pages",
                    "characters",
                    "state",
                    "reason",
                    "note",
                    "created_at",
                    "pinned_at",
                    "trashed_at",
                    "held_at",
                    "restricted",
                ),
            ),
            left_out={"content": _("Opens the pieces of the file among your devices only.")},
        ),
        Entry(
            place="table:blob",
            category=Category.FILES,
            purpose=_("The key and checksum of each encrypted file."),
            retention=Retention.PARENT,
            erase=EraseRule.KEY_AND_FILE,
            record="blobs",
            exported=("id", "size", "sha256", "created_at"),
            left_out={
                "key": _("Opens the file on this disk only; the export holds the file itself."),
                "chunks": _("How the file is cut on this disk."),
            },
        ),
    )


def _derived() -> tuple[Entry, ...]:
    """Return what is made of conversations, files and notes, and made again from them after an import."""
    return (
        Entry(
            place="table:passage",
            category=Category.INDEX,
            purpose=_("Pieces of messages, files and notes, by which they are found again."),
            retention=Retention.DERIVED,
            erase=EraseRule.CASCADE,
            left_out=dict.fromkeys(
                (
                    *("number", "message_id", "attachment_id", "note_id", "source_kind", "source_id"),
                    *("conversation_id", "ordinal", "place", "heading", "speaker", "at", "text", "context"),
                ),
                _("Cut from the texts again after an import."),
            ),
        ),
        Entry(
            place="table:embedding",
            category=Category.INDEX,
            purpose=_("The meaning of each piece as numbers, computed on this machine."),
            retention=Retention.DERIVED,
            erase=EraseRule.CASCADE,
            left_out=dict.fromkeys(
                ("passage_number", "view", "embedder", "vector", "random_id"),
                _("Computed again after an import."),
            ),
        ),
        Entry(
            place="table:index_snapshot",
            category=Category.INDEX,
            purpose=_("The key of the sealed search index."),
            retention=Retention.DERIVED,
            erase=EraseRule.REBUILT,
            left_out=dict.fromkeys(
                ("id", "embedder", "key", "change_mark", "chunks", "vectors", "created_at"),
                _("Belongs to the index on this disk."),
            ),
        ),
        *(
            Entry(
                place=f"table:{table}",
                category=Category.INDEX,
                purpose=_("The words and word pieces of each piece, for finding by words."),
                retention=Retention.DERIVED,
                erase=EraseRule.CASCADE,
                left_out={column: _("Made from the pieces again after an import.")},
            )
            for table, column in (
                *(("passage_text", "text"), ("passage_context", "context"), ("passage_trigram", "text")),
            )
        ),
    )


def _team() -> tuple[Entry, ...]:
    return (
        Entry(
            place="table:agent",
            category=Category.TEAM,
            purpose=_("Who works here: instructions, model, tools and limits of each agent."),
            retention=Retention.OFFICE,
            erase=EraseRule.ROW,
            recipients=PROVIDER,
            record="agents",
            exported=(
                *("id", "name", "role", "avatar", "personality", "language", "time_zone", "instructions"),
                *("connection_id", "model", "temperature", "max_tokens", "effort", "tools", "memory_scopes"),
                *(
                    "recipients",
                    "accepts_own_notes",
                    "run_cap",
                    "day_cap",
                    "librarian",
                    "position",
                    "revision",
                ),
                *("created_at", "updated_at", "archived_at", "trashed_at"),
            ),
        ),
        Entry(
            place="table:agent_revision",
            category=Category.TEAM,
            purpose=_("Earlier forms of each agent."),
            retention=Retention.PARENT,
            erase=EraseRule.CASCADE,
            record="agent_revisions",
            exported=("agent_id", "revision", "at", "markdown"),
        ),
        Entry(
            place="table:connection",
            category=Category.CONNECTIONS,
            purpose=_("Provider accounts: address, label, mask and last check; never the key."),
            retention=Retention.OFFICE,
            erase=EraseRule.ROW,
            record="connections",
            exported=(
                *("id", "kind", "preset", "label", "base_url", "default_model", "proxy", "mask"),
                *("fingerprint", "position", "created_at", "rotated_at", "last_used_at", "last_checked_at"),
                *("last_check", "models", "price_overrides"),
            ),
        ),
    )
