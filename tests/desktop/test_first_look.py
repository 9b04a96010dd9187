"""The window's place and look before the office is open."""

import pytest

from desktop import first_look
from desktop.first_look import FirstLook
from memory.locations import Locations


@pytest.fixture
def locations(tmp_path):
    return Locations(tmp_path)


def test_what_was_written_is_read_again(locations):
    state = FirstLook(5, 6, 700, 800, True, "dark", 1.25, True)
    first_look.write(locations, state)
    assert first_look.read(locations) == state
    assert (locations.home / "window.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["", "[]", "null", '{"width": "wide"}', '{"zoom": null}', "\x00"])
def test_whatever_stands_there_the_window_opens(locations, text):
    (locations.home / "window.json").write_text(text)
    assert first_look.read(locations) == FirstLook()


def test_no_office_no_file(tmp_path):
    first_look.write(Locations(tmp_path / "none"), FirstLook(width=500))
    assert not (tmp_path / "none").exists()
    assert first_look.read(Locations(tmp_path / "none")) == FirstLook()
