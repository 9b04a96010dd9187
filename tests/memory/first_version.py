"""Builds an office as revision 0001 had it, with a row or more of every subject, for upgrades to be tested on.

It names tables and columns as they were, in plain SQL, so it stays as it is when the mapped tables change.
"""

from pathlib import Path

from memory.database import engine
from memory.migrations import upgrade

ROWS = {
    "office": {"id": "0f" * 16, "created_at": 1, "change_mark": 0},
    "connection": {
        "id": "c0" * 16, "kind": "anthropic", "preset": "", "label": "Work", "base_url": "https://a.invalid",
        "default_model": "", "proxy": "", "mask": "", "fingerprint": "", "position": 0, "created_at": 1,
        "models": "[]", "price_overrides": "{}",
    },
    "agent": {
        "id": "a0" * 16, "name": "Ada", "role": "", "avatar": "", "personality": "", "language": "",
        "time_zone": "", "instructions": "Be brief.", "connection_id": "c0" * 16, "model": "",
        "effort": "normal", "tools": "[]", "memory_scopes": "[]", "recipients": "[]", "accepts_own_notes": 0,
        "librarian": 0, "position": 1, "revision": 1, "created_at": 1, "updated_at": 1,
    },
    "conversation": {
        "id": "cc" * 16, "title": "Rent", "title_source": "rule", "active_leaf_id": "b1" * 16,
        "agent_id": "a0" * 16, "model": "", "effort": "", "draft": "{}", "scroll": "{}", "created_at": 1,
        "updated_at": 2, "restricted": 0,
    },
    "message": {
        "id": "b1" * 16, "conversation_id": "cc" * 16, "batch_id": "b1" * 16, "position": 0, "ordinal": 1,
        "role": "owner", "agent_name": "", "model": "", "text": "What is the rent? 🏠", "thinking": "",
        "citations": "[]", "attachment_ids": "[]", "state": "complete", "created_at": 1, "hidden": 0, "restricted": 0,
    },
    "run": {
        "id": "d0" * 16, "conversation_id": "cc" * 16, "agent_id": "a0" * 16, "model": "m", "effort": "normal",
        "state": "done", "reason": "", "context": "[]", "reserved": 0, "spent": 7, "created_at": 1,
    },
    "note": {
        "id": "e0" * 16, "kind": "fact", "scope": "office", "text": "Rent is 900 €", "state": "accepted",
        "source_message_id": "b1" * 16, "model": "", "created_at": 1, "valid_from": 1, "uses": 0,
        "restricted": 0,
    },
    "setting": {"key": "appearance.theme", "value": '"dark"', "updated_at": 1},
}  # fmt: skip


def build(path: Path, key: bytes) -> None:
    """Make the database file with the rows above."""
    upgrade.run_revision(path, key, "0001")
    made = engine(path, key)
    with made.begin() as connection:
        for table, row in ROWS.items():
            columns, marks = ", ".join(row), ", ".join("?" * len(row))
            connection.exec_driver_sql(
                f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values())
            )
    made.dispose()


def rows_of(path: Path, key: bytes) -> dict[str, dict[str, object]]:
    """Return the rows as they are now, by table, with the columns that the first version had."""
    made = engine(path, key)
    with made.connect() as connection:
        found = {
            table: dict(connection.exec_driver_sql(f"SELECT {', '.join(row)} FROM {table}").mappings().one())
            for table, row in ROWS.items()
        }
    made.dispose()
    return found
