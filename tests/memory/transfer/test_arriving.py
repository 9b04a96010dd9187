"""An import under way: it is no part of an export, and taking it away leaves every other row as it was."""

import json
import zipfile
from pathlib import Path

from sqlalchemy.orm import Session

from memory.transfer import arriving
from memory.transfer.archives import open_archive
from memory.transfer.foreign_import import ForeignImport
from memory.transfer.recognition import recognise
from memory.transfer.watching import Watch
from tests.memory.transfer import foreign_archives as made
from tests.memory.transfer.profiles import Profile

NOTHING = arriving.Known(frozenset(), frozenset())


def counts(session: Session) -> dict[str, int]:
    connection = session.connection()
    tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
    return {
        name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in [*tables]
    }


def exported(profile: Profile, path: Path) -> dict[str, int]:
    profile.export(path)
    with zipfile.ZipFile(path) as bag:
        return dict(json.loads(bag.read("data/export.json"))["counts"])


def begin(profile: Profile, path: Path) -> str:
    """Write all of an archive with files and many messages, but do not finish."""
    pointer = {"content_type": "image_asset_pointer", "asset_pointer": "sediment://file_1"}
    nodes = [made.node("0", None, "user", {"content_type": "multimodal_text", "parts": [pointer]}, 5.0)]
    nodes += [made.node(str(number), str(number - 1), "user", "Words", 5.0) for number in range(1, 2_500)]
    members = {
        "conversations.json": [made.chatgpt(nodes, "2499"), made.branched(2)],
        "file_1.png": made.PICTURE,
    }
    with open_archive(made.zipped(path, members)) as archive:
        reading = ForeignImport(archive, recognise(archive), Watch(), profile.store)
        import_id = profile.database.write_now(arriving.begin, "chatgpt", archive.name)
        while batch := reading.take():
            for one in reading.new_ones(batch, NOTHING):
                for rows in reading.rows(one, import_id, NOTHING):
                    profile.database.write_now(arriving.write, rows)
    return import_id


def test_an_export_meanwhile_holds_none_of_it(office: Profile, tmp_path: Path) -> None:
    before = exported(office, tmp_path / "before.aofx")
    begin(office, tmp_path / "x.zip")
    assert exported(office, tmp_path / "meanwhile.aofx") == before


def test_taking_it_away_leaves_everything_else(office: Profile, tmp_path: Path) -> None:
    before, files = office.database.write_now(counts), {*(office.home / "blobs").iterdir()}
    import_id = begin(office, tmp_path / "x.zip")
    assert office.database.write_now(counts)["message"] > before["message"] + 2_500
    steps, more = 0, True
    while more:
        more, blobs = office.database.write_now(arriving.undo, import_id)
        steps += 1
        for blob_id in blobs:
            office.store.delete(blob_id)
    assert steps > 4
    assert office.database.write_now(counts) == before
    assert {*(office.home / "blobs").iterdir()} == files
