"""The data map of what the office keeps about itself: ledgers, audit, settings, copies, erasure, files, keys."""

from memory.lifecycle.data_map.between_devices import between_devices
from memory.lifecycle.data_map.entries import PROVIDER, Category, Entry, EraseRule, Retention
from resources.language import gettext as _


def office() -> tuple[Entry, ...]:
    """Return the entries of ledgers, of the office's own tables and of the places outside the database."""
    return (*_ledgers(), *_own(), *_copies(), *between_devices(), *_outside())


def _ledgers() -> tuple[Entry, ...]:
    return (
        Entry(
            place="table:usage",
            category=Category.USAGE,
            purpose=_("Tokens and cost of each request."),
            retention=Retention.MONTHS_24,
            erase=EraseRule.UNNAMED,
            record="usage",
            exported=(
                *("id", "at", "day", "run_id", "agent_id", "connection_id", "model", "input_tokens"),
                *("output_tokens", "cache_read_tokens", "cache_write_tokens", "cost", "counted"),
            ),
        ),
        Entry(
            place="table:outbox",
            category=Category.OUTBOX,
            purpose=_("Every request that left this machine: when, to whom, what kinds of data."),
            retention=Retention.MONTHS_24,
            erase=EraseRule.UNNAMED,
            record="outbox",
            exported=(
                *("id", "at", "host", "purpose", "connection_id", "agent_id", "run_id", "categories"),
                *("bytes_sent", "bytes_received", "input_tokens", "output_tokens", "cost", "status", "error"),
                "finished_at",
            ),
        ),
        Entry(
            place="table:audit",
            category=Category.AUDIT,
            purpose=_("What was done to keys, settings and data; each entry is chained to the one before."),
            retention=Retention.MONTHS_24,
            erase=EraseRule.HASH_ONLY,
            record="audit",
            exported=("number", "at", "kind", "subject", "detail", "previous_hash", "hash"),
        ),
    )


def _own() -> tuple[Entry, ...]:
    return (
        Entry(
            place="table:office",
            category=Category.SETTINGS,
            purpose=_("Which office this is."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
            left_out={
                "id": _("Names this office on this machine; another profile has its own."),
                "created_at": _("When this office was made on this machine."),
                "change_mark": _("A counter of the search index."),
            },
        ),
        Entry(
            place="table:alembic_version",
            category=Category.SETTINGS,
            purpose=_("Which version of Bureau this database has the form of."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
            left_out={"version_num": _("The export names its own version.")},
        ),
        Entry(
            place="table:setting",
            category=Category.SETTINGS,
            purpose=_("What you changed in Settings."),
            retention=Retention.OFFICE,
            erase=EraseRule.ROW,
            record="settings",
            exported=("key", "value", "updated_at"),
        ),
        Entry(
            place="table:retention_rule",
            category=Category.SETTINGS,
            purpose=_("How long you want things kept."),
            retention=Retention.OFFICE,
            erase=EraseRule.ROW,
            record="retention_rules",
            exported=("id", "scope", "scope_id", "days", "created_at"),
        ),
        Entry(
            place="table:consent",
            category=Category.CONSENTS,
            purpose=_("What you agreed to, and until when."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
            record="consents",
            exported=("id", "purpose", "text_version", "given_at", "withdrawn_at"),
        ),
    )


def _copies() -> tuple[Entry, ...]:
    return (
        Entry(
            place="table:export_record",
            category=Category.COPIES,
            purpose=_("Which exports were made, and where they were put."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
            record="exports",
            exported=(
                *("id", "at", "path", "sha256", "size", "encrypted", "filters", "counts", "removed_at"),
            ),
        ),
        Entry(
            place="table:backup",
            category=Category.COPIES,
            purpose=_("Which backups were made, and where they were put."),
            retention=Retention.PARENT,
            erase=EraseRule.OFFICE,
            left_out=dict.fromkeys(
                ("id", "at", "path", "occasion", "sha256", "size", "verified_at", "removed_at"),
                _("Backups belong to this machine."),
            ),
        ),
        Entry(
            place="table:import",
            category=Category.COPIES,
            purpose=_("What was brought in, and from where."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
            record="imports",
            exported=("id", "at", "source", "name", "counts", "problems", "finished_at"),
            left_out={"indexed_at": _("The index is made again after an import.")},
        ),
        Entry(
            place="table:provenance",
            category=Category.COPIES,
            purpose=_("Where each imported item comes from, and what of it has no place here."),
            retention=Retention.PARENT,
            erase=EraseRule.CASCADE,
            record="provenance",
            exported=("record_type", "record_id", "import_id", "original_id", "extra"),
        ),
        Entry(
            place="table:erased",
            category=Category.ERASURE,
            purpose=_("Hashes of what was erased, so that nothing brings it back."),
            retention=Retention.OFFICE,
            erase=EraseRule.HASH_ONLY,
            left_out=dict.fromkeys(
                ("record_hash", "kind", "at", "reason"), _("Guards this office; another has its own.")
            ),
        ),
        Entry(
            place="table:erase_report",
            category=Category.ERASURE,
            purpose=_("What each erasure removed and what the search for traces found."),
            retention=Retention.MONTHS_24,
            erase=EraseRule.HASH_ONLY,
            left_out=dict.fromkeys(
                ("id", "at", "level", "state", "counts", "proof", "copies"),
                _("The proof of this office; it can be saved by itself."),
            ),
        ),
    )


def _outside() -> tuple[Entry, ...]:
    return (*_profile_files(), *_other_places())


def _profile_files() -> tuple[Entry, ...]:
    return tuple(
        Entry(place=f"file:{pattern}", category=category, purpose=purpose, retention=retention, erase=erase)
        for pattern, category, purpose, retention, erase in (
            (
                *("office.db*", Category.CONVERSATIONS),
                _("The encrypted database with its log of latest changes."),
                *(Retention.OFFICE, EraseRule.OFFICE),
            ),
            (
                *("blobs/*", Category.FILES, _("Your files, each encrypted with its own key.")),
                *(Retention.PARENT, EraseRule.KEY_AND_FILE),
            ),
            (
                *("workspace/**", Category.FILES, _("The agents' files, plain because tools use them.")),
                *(Retention.RULE, EraseRule.OFFICE),
            ),
            (
                *(".incoming-*", Category.FILES),
                _("Files of an import that wait until it is complete."),
                *(Retention.PARENT, EraseRule.OFFICE),
            ),
            (
                *("keyslots*.json", Category.SECRETS),
                _("Which store keeps the master keys, and the slots of passphrase and recovery key."),
                *(Retention.OFFICE, EraseRule.OFFICE),
            ),
            (
                *("erasing.json", Category.SECRETS, _("Notes that everything is being erased, until it is.")),
                *(Retention.DERIVED, EraseRule.OFFICE),
            ),
            (
                *("sealed/*", Category.SECRETS, _("Keys too long for the keyring, encrypted.")),
                *(Retention.PARENT, EraseRule.KEY_AND_FILE),
            ),
            (
                *("chroma.sealed*", Category.INDEX, _("The sealed search index.")),
                *(Retention.DERIVED, EraseRule.REBUILT),
            ),
            (
                *("backups/*", Category.COPIES, _("Encrypted backups and snapshots before upgrades.")),
                *(Retention.RULE, EraseRule.OFFICE),
            ),
            (
                *("audit.seal", Category.AUDIT, _("Where the audit trail ended, so that a cut shows.")),
                *(Retention.OFFICE, EraseRule.OFFICE),
            ),
            (
                *("restoring/*", Category.COPIES, _("A backup that is being put in place.")),
                *(Retention.DERIVED, EraseRule.OFFICE),
            ),
            (
                *(
                    "replaced/*",
                    Category.COPIES,
                    _("What a restored backup takes the place of, for a moment."),
                ),
                *(Retention.DERIVED, EraseRule.OFFICE),
            ),
            (
                *("logs/*", Category.LOGS, _("What went wrong, without content and without keys.")),
                *(Retention.DAYS_30, EraseRule.OFFICE),
            ),
            (
                *("window.json", Category.SETTINGS),
                _("Size, theme and language of the window, read before the office is open."),
                *(Retention.OFFICE, EraseRule.OFFICE),
            ),
            (
                *("office.lock", Category.SETTINGS, _("Tells which process owns the office now.")),
                *(Retention.OFFICE, EraseRule.OFFICE),
            ),
            (
                *("office.sock", Category.SETTINGS, _("The door for commands while the office is open.")),
                *(Retention.OFFICE, EraseRule.OFFICE),
            ),
        )
    )


def _other_places() -> tuple[Entry, ...]:
    return (
        Entry(
            place="keyring:office",
            category=Category.SECRETS,
            purpose=_("The master keys of this office, in your system's keyring."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
        ),
        Entry(
            place="keyring:key",
            category=Category.SECRETS,
            purpose=_("One key per connection, in your system's keyring."),
            retention=Retention.PARENT,
            erase=EraseRule.KEY_AND_FILE,
            recipients=PROVIDER,
        ),
        Entry(
            place="keyring:sync",
            category=Category.SECRETS,
            purpose=_("The keys with which this device signs and opens what your devices share."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
        ),
        Entry(
            place="keyring:sync-session",
            category=Category.SECRETS,
            purpose=_("The session of this device at the service through which your devices sync."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
        ),
        Entry(
            place="keyring:sync-begun",
            category=Category.SECRETS,
            purpose=_("The keys of this device for sync, until it has joined your others."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
        ),
        Entry(
            place="keyring:sync-recovery",
            category=Category.SECRETS,
            purpose=_("The public part of a new recovery key of sync, until the account has it."),
            retention=Retention.OFFICE,
            erase=EraseRule.OFFICE,
        ),
        Entry(
            place="memory file system:index",
            category=Category.INDEX,
            purpose=_("The open search index, in memory and never on a disk."),
            retention=Retention.DERIVED,
            erase=EraseRule.REBUILT,
        ),
        Entry(
            place="clipboard",
            category=Category.CONVERSATIONS,
            purpose=_("What you copied last from Bureau."),
            retention=Retention.PARENT,
            erase=EraseRule.CASCADE,
        ),
    )
