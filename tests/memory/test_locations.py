"""Where an office is: the option before the variable before the user's data folder; private to its owner."""

import os
import stat
from pathlib import Path

import pytest

from memory.identifiers import new_id
from memory.locations import Locations


def test_the_option_comes_before_the_variable(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Locations.find("~/elsewhere").home == own_home / "elsewhere"
    assert Locations.find().home == Path(os.environ["BUREAU_HOME"])
    monkeypatch.delenv("BUREAU_HOME")
    assert Locations.find().home == own_home / ".local/share/bureau"
    monkeypatch.chdir(own_home)
    assert Locations.find("here").home == own_home / "here"


@pytest.mark.req("R179")
def test_folders_are_private_even_where_they_were_not(tmp_path: Path) -> None:
    locations = Locations.find(tmp_path / "with space" / "дім \u202e 'quoted'")
    locations.home.mkdir(parents=True, mode=0o755)
    locations.create()
    for folder in (locations.home, locations.blobs, locations.workspace, locations.backups, locations.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = (locations.database, locations.keyslots, locations.snapshot, locations.lock, locations.socket)
    assert {path.parent for path in files} == {locations.home} and len(set(files)) == 5


def test_identifiers_say_nothing() -> None:
    made = {new_id() for _n in range(1_000)}
    assert len(made) == 1_000 and all(len(bytes.fromhex(each)) == 16 for each in made)
