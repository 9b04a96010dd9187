"""New offices, older ones, newer ones, and upgrades that fail or are killed half-way."""

import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from memory import chats, integrity, office_store, settings
from memory.database import Database, engine
from memory.errors import DatabaseDamaged, DatabaseNewer, MigrationFailed
from memory.locations import Locations
from memory.migrations import HEAD, REVISIONS, schema, upgrade
from tests.memory import first_schema, first_version
from tests.memory.conftest import KEY

SECOND = '''
"""A second revision."""

import os, signal
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.execute("ALTER TABLE conversation ADD COLUMN colour VARCHAR")
    with op.batch_alter_table("message") as batch:
        batch.alter_column("text", nullable=True)
    op.execute("UPDATE conversation SET colour = 'teal', title = 'changed'")
    how = os.environ.get("HOW")
    if how == "raise":
        raise RuntimeError("no")
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "lose":
        op.execute("DELETE FROM conversation")
'''


@pytest.fixture
def locations(tmp_path: Path) -> Locations:
    made = Locations.find(tmp_path / "office")
    made.create()
    return made


@pytest.fixture
def second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of revisions with one after today's."""
    folder = tmp_path / "migrations"
    shutil.copytree(upgrade.FOLDER, folder)
    (folder / "versions" / "revision_0002.py").write_text(SECOND)
    monkeypatch.setattr(upgrade, "FOLDER", folder)
    for module in (upgrade, schema):
        monkeypatch.setattr(module, "REVISIONS", ("0001", "0002"))
    monkeypatch.setattr(office_store, "HEAD", "0002")
    return folder


def schema_of(path: Path) -> set[tuple[str, str, str]]:
    made = engine(path, KEY)
    with made.connect() as connection:
        rows = connection.exec_driver_sql(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        ).all()
    made.dispose()
    return {(kind, name, " ".join(sql.split()).replace("( ", "(")) for kind, name, sql in rows}


def colours(path: Path) -> list[object]:
    made = engine(path, KEY)
    with made.connect() as connection:
        columns = {column["name"] for column in inspect(connection).get_columns("conversation")}
        found = (
            connection.scalars(text("SELECT colour FROM conversation")).all() if "colour" in columns else []
        )
    made.dispose()
    return list(found)


def test_migrations_end_at_the_mapped_tables(locations: Locations, tmp_path: Path) -> None:
    office_store.open_database(locations, KEY).close()
    migrated = tmp_path / "migrated.db"
    for revision in REVISIONS:
        upgrade.run_revision(migrated, KEY, revision)
    assert schema_of(migrated) == schema_of(locations.database)


def test_the_first_revision_is_written_from_the_tables() -> None:
    written = (upgrade.FOLDER / "versions" / "revision_0001.sql").read_text()
    assert written == first_schema.rendered(), "run python -m tests.memory.first_schema"


def test_alembic_knows_the_same_revisions() -> None:
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(upgrade.FOLDER))
    assert tuple(step.revision for step in reversed(list(script.walk_revisions()))) == REVISIONS
    assert script.get_current_head() == HEAD


def test_a_new_office_is_made_once(locations: Locations) -> None:
    database = office_store.open_database(locations, KEY)
    first = database.write_now(office_store.office_id)
    chat = database.write_now(chats.create_conversation, title="kept")
    database.close()
    database = office_store.open_database(locations, KEY)
    assert database.write_now(office_store.office_id) == first
    assert database.write_now(chats.conversation, chat.id).title == "kept"
    assert database.write_now(integrity.check) == ()
    database.close()
    assert "alembic" not in fresh_modules(locations)
    assert list(locations.backups.iterdir()) == []


def fresh_modules(locations: Locations) -> list[str]:
    program = (
        "import sys; from memory import office_store; from memory.locations import Locations;"
        f"office_store.open_database(Locations.find({str(locations.home)!r}), bytes(range(32))).close();"
        "print(*sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()


def test_an_office_of_the_first_version_opens(locations: Locations) -> None:
    first_version.build(locations.database, KEY)
    database = office_store.open_database(locations, KEY)
    (chat,) = database.write_now(chats.conversations)
    assert chat.title == "Rent" and database.write_now(settings.value, "appearance.theme") == "dark"
    database.close()
    assert first_version.rows_of(locations.database, KEY) == first_version.ROWS


def test_a_newer_office_is_left_alone(locations: Locations) -> None:
    def age(session: Session) -> None:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    database = office_store.open_database(locations, KEY)
    database.write_now(age)
    database.close()
    before = locations.database.read_bytes()
    with pytest.raises(DatabaseNewer, match="update Bureau"):
        office_store.open_database(locations, KEY)
    assert locations.database.read_bytes() == before


def test_a_database_that_is_no_office_is_refused(locations: Locations) -> None:
    database = Database.open(locations.database, KEY)

    def make(session: Session) -> None:
        session.execute(text("CREATE TABLE other (a)"))

    database.write_now(make)
    database.close()
    with pytest.raises(DatabaseDamaged, match="not one of Bureau's"):
        office_store.open_database(locations, KEY)


def test_an_upgrade_keeps_rows_and_a_snapshot(locations: Locations, second: Path) -> None:
    first_version.build(locations.database, KEY)
    office_store.open_database(locations, KEY).close()
    assert colours(locations.database) == ["teal"]
    kept = first_version.rows_of(locations.database, KEY)
    assert kept["message"] == first_version.ROWS["message"]  # its table was rebuilt
    (snapshot,) = locations.backups.iterdir()
    assert snapshot.stat().st_mode & 0o077 == 0
    assert first_version.rows_of(snapshot, KEY) == first_version.ROWS
    assert b"What is the rent" not in snapshot.read_bytes()


@pytest.mark.parametrize("how", ["raise", "lose"])
def test_a_failed_upgrade_leaves_the_office_as_it_was(
    locations: Locations, second: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOW", how)
    first_version.build(locations.database, KEY)
    with pytest.raises(MigrationFailed, match="left as it was"):
        office_store.open_database(locations, KEY)
    assert first_version.rows_of(locations.database, KEY) == first_version.ROWS
    assert colours(locations.database) == []
    database = Database.open(locations.database, KEY)
    assert database.write_now(integrity.check) == ()
    database.close()


def test_an_upgrade_killed_half_way_starts_over(locations: Locations, second: Path) -> None:
    first_version.build(locations.database, KEY)
    program = (
        "import sys; from pathlib import Path; from memory.migrations import upgrade;"
        "upgrade.FOLDER = Path(sys.argv[1]); upgrade.REVISIONS = ('0001', '0002');"
        "upgrade.upgrade(Path(sys.argv[2]), bytes(range(32)), Path(sys.argv[3]), revision='0001')"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(second), str(locations.database), str(locations.backups)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "HOW": "kill"},
        check=False,
    )
    assert killed.returncode == -9
    assert first_version.rows_of(locations.database, KEY) == first_version.ROWS
    upgrade.upgrade(locations.database, KEY, locations.backups, revision="0001")
    assert colours(locations.database) == ["teal"]


def test_an_upgrade_killed_at_any_moment_is_done_or_was_not_begun(
    locations: Locations, second: Path, tmp_path: Path
) -> None:
    program = (
        "import sys; from pathlib import Path; import alembic.command, alembic.op;"
        "from memory.migrations import upgrade;"
        "upgrade.FOLDER = Path(sys.argv[1]); upgrade.REVISIONS = ('0001', '0002'); print('ready', flush=True);"
        "upgrade.upgrade(Path(sys.argv[2]), bytes(range(32)), Path(sys.argv[3]), revision='0001');"
        "import time; time.sleep(60)"
    )
    chance, done = random.Random(12), 0
    for moment in range(12):
        fresh = Locations.find(tmp_path / f"office {moment}")
        fresh.create()
        first_version.build(fresh.database, KEY)
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(second), str(fresh.database), str(fresh.backups)],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        time.sleep(chance.uniform(0.0, 0.4))
        process.kill()
        assert process.wait() == -9
        process.stdout.close()
        if colours(fresh.database):
            done += 1
        else:
            assert first_version.rows_of(fresh.database, KEY) == first_version.ROWS
            upgrade.upgrade(fresh.database, KEY, fresh.backups, revision="0001")
        assert colours(fresh.database) == ["teal"]
        database = Database.open(fresh.database, KEY)
        assert database.write_now(integrity.check) == ()
        database.close()
    assert done < 12


def test_no_upgrade_without_a_sound_snapshot(locations: Locations, second: Path) -> None:
    first_version.build(locations.database, KEY)
    content = bytearray(locations.database.read_bytes())
    content[4096 * 6 + 50] ^= 1
    locations.database.write_bytes(content)
    with pytest.raises(DatabaseDamaged):
        upgrade.upgrade(locations.database, KEY, locations.backups, revision="0001")
    assert locations.database.read_bytes() == content
    assert list(locations.backups.iterdir()) == []


def test_snapshots_of_earlier_upgrades_are_few(locations: Locations, second: Path) -> None:
    for number in range(5):
        old = locations.backups / f"before-0000-{number}.db"
        old.write_bytes(b"old")
        os.utime(old, (number, number))
    first_version.build(locations.database, KEY)
    upgrade.upgrade(locations.database, KEY, locations.backups, revision="0001")
    names = sorted(path.name for path in locations.backups.iterdir())
    assert len(names) == 3 and names[:2] == ["before-0000-3.db", "before-0000-4.db"]
