"""The data map against an office in use: nothing rests anywhere that the map does not name."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from agents.office import Office
from memory.lifecycle.data_map import EraseRule, Retention, covers, data_map, exported_tables
from memory.tables import Base
from tests.agents.conftest import until

_FULL_TEXT_PARTS = ("_data", "_idx", "_content", "_docsize", "_config")


def _columns(session: Session) -> dict[str, set[str]]:
    connection = session.connection()
    tables = [
        name
        for (name,) in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    ]
    found = {
        table: {row[1] for row in connection.exec_driver_sql(f'PRAGMA table_info("{table}")')}
        for table in tables
    }
    full_text = [table for table in tables if f"{table}_data" in tables and f"{table}_idx" in tables]
    shadows = {table + part for table in full_text for part in _FULL_TEXT_PARTS}
    return {table: columns for table, columns in found.items() if table not in shadows}


@pytest.mark.req("R090")
async def test_every_column_of_the_database_is_mapped_once(office: Office) -> None:
    columns = await office.database.read(_columns)
    entries = [entry for entry in data_map() if entry.table]
    assert len(entries) == len({entry.table for entry in entries})
    mapped = {entry.table: [*entry.exported, *entry.left_out] for entry in entries}
    assert mapped.keys() == columns.keys()
    for table, names in mapped.items():
        assert sorted(names) == sorted(columns[table]), table


async def test_every_file_of_an_office_in_use_is_mapped(
    offices: Callable[..., Awaitable[Office]], tmp_path: Path
) -> None:
    office = await offices()
    conversation = await office.create_conversation(agent_id=None)
    source = tmp_path / "lease.txt"
    source.write_text("The rent is due on the third of each month.")
    await office.attach(conversation.id, source)
    await office.warm()
    await office.recall.settled()
    sent = await office.send(conversation.id, "@Librarian When is the rent due?")
    await until(lambda: not office.runs.busy(conversation.id))
    assert sent.runs
    await office.new_recovery_key()
    home = office.locations.home
    _assert_mapped(home)
    await office.close()
    _assert_mapped(home)


def _assert_mapped(home: Path) -> None:
    names = [path.relative_to(home).as_posix() for path in home.rglob("*") if not path.is_dir()]
    assert "office.db" in names
    assert [name for name in names if covers(name) is None] == []


@pytest.mark.req("R153")
def test_every_entry_says_why_how_long_and_how_it_goes() -> None:
    for entry in data_map():
        assert entry.purpose.endswith("."), entry.place
        assert entry.category.words
        assert isinstance(entry.retention, Retention)
        assert isinstance(entry.erase, EraseRule)
        assert all(reason.endswith(".") for reason in entry.left_out.values()), entry.place


def test_what_is_exported_has_a_record_type_of_its_own_and_no_secret_column() -> None:
    entries = exported_tables()
    assert len({entry.record for entry in entries}) == len(entries)
    for entry in entries:
        assert not {"key", "secret", "vector"} & set(entry.exported) or entry.table == "setting"
    assert {entry.table for entry in entries} <= set(Base.metadata.tables)
