"""Which language is spoken: what is asked for, else the system's, else English."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop import first_look
from desktop.first_look import FirstLook
from desktop.wording import money
from memory.locations import Locations
from memory.readers.workers import ReadingWorkers
from resources import language
from resources.language import choose_language, chosen_language, gettext, ngettext

ROOT = Path(__file__).resolve().parents[2]
BUREAU = "from desktop.command_line import program; program()"


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    choose_language("en")


@pytest.mark.parametrize(
    ("codes", "chosen"),
    [
        (["de"], "de"),
        (["de_AT.UTF-8"], "de"),
        (["uk-UA"], "uk"),
        (["PL"], "pl"),
        (["ru_RU@euro"], "ru"),
        (["C"], "en"),
        (["POSIX"], "en"),
        (["C.UTF-8"], "en"),
        (["en_GB"], "en"),
        (["", None, "pl"], "pl"),
        (["xx", "de"], "de"),
        (["../../de"], "en"),
    ],
)
def test_codes(codes: list[str | None], chosen: str) -> None:
    assert choose_language(*codes) == chosen
    assert chosen_language() == chosen


@pytest.mark.parametrize(
    ("environment", "chosen"),
    [
        ({"LC_ALL": "", "LANG": "de_DE.UTF-8"}, "de"),
        ({"LC_ALL": "pl_PL.UTF-8", "LANG": "de_DE.UTF-8"}, "pl"),
        ({"LC_ALL": "", "LC_MESSAGES": "uk_UA", "LANG": "de_DE"}, "uk"),
        ({"LC_ALL": "", "LANG": "en_US.UTF-8", "LANGUAGE": "xx:ru:de"}, "ru"),
        ({"LC_ALL": "", "LANG": "de_DE", "LANGUAGE": "en:de"}, "en"),
        ({"LC_ALL": "C", "LANGUAGE": "de"}, "en"),
        ({"LC_ALL": "ja_JP.UTF-8"}, "en"),
        ({"LC_ALL": ""}, "en"),
    ],
)
def test_the_system_decides_where_nothing_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], chosen: str
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert choose_language(None, "") == chosen


def test_a_sentence_and_its_plural() -> None:
    choose_language("de")

    assert gettext("Save") == "Speichern"
    assert ngettext("{count} page", "{count} pages", 2) == "{count} Seiten"
    assert gettext("This is in no catalogue") == "This is in no catalogue"


def test_a_missing_catalogue_of_a_shipped_language_is_no_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(language, "_FOLDER", tmp_path)

    with pytest.raises(FileNotFoundError):
        choose_language("de")


def test_numbers_stay_as_they_are() -> None:
    english = money(1_234_500)
    choose_language("de")

    assert money(1_234_500) == english


def _bureau(*words: str, **environment: str) -> str:
    outcome = subprocess.run(
        [sys.executable, "-c", BUREAU, *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    return outcome.stdout


def test_help_in_german() -> None:
    text = _bureau("ask", "--help", BUREAU_LANGUAGE="de")

    assert "Eine Datei, die gelesen werden soll; darf wiederholt werden." in " ".join(text.split())
    assert "Stell dem Büro eine Frage" in text
    assert "A file to read" not in text


@pytest.mark.parametrize(
    ("setting", "environment", "said"),
    [
        ("pl", {}, "Odpowiada"),
        ("pl", {"LC_ALL": "de_DE.UTF-8"}, "Odpowiada"),
        ("pl", {"BUREAU_LANGUAGE": "de"}, "Antwortet"),
        ("", {"LC_ALL": "uk_UA.UTF-8"}, "Відповідає"),
        ("", {"LC_ALL": "C.UTF-8"}, "Answering"),
    ],
)
def test_the_setting_counts_in_the_terminal(
    tmp_path: Path, setting: str, environment: dict[str, str], said: str
) -> None:
    first_look.write(Locations(tmp_path), FirstLook(language=setting))
    probe = "from resources.language import gettext; print(gettext('Answering…'))"
    code = f"from desktop.command_line import main; main(['--help', '--home', {str(tmp_path)!r}]); {probe}"
    outcome = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )

    assert said in outcome.stdout.splitlines()[-1]


def test_an_older_first_look_has_no_language(tmp_path: Path) -> None:
    (tmp_path / "window.json").write_text(json.dumps({"width": 900, "scheme": "dark"}), "utf-8")

    assert first_look.read(Locations(tmp_path)) == FirstLook(width=900, scheme="dark")


async def test_reading_workers_speak_it_too() -> None:
    readers = ReadingWorkers(count=1, language="de")
    try:
        letter = await readers.read(
            "Grüße aus Köln, schöne Straße, müde Füße.".encode("latin-1"), "brief.txt"
        )
    finally:
        await readers.close()

    assert letter.note.startswith("Als ")
