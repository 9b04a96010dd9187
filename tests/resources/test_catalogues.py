"""The catalogues hold every sentence of the code, whole, in every language that Settings offers."""

import gettext
import json
import shutil
from pathlib import Path

import pytest
import translations
from babel.messages.catalog import Catalog

from memory import settings
from resources.language import NAMES


def test_every_sentence_is_translated_and_compiled() -> None:
    assert list(translations.faults()) == []


def test_settings_offers_what_is_shipped() -> None:
    offered = [code for code, _name in _language_setting().choices]

    assert offered == ["", *NAMES]
    assert sorted(offered[2:]) == translations.languages()


def _language_setting() -> settings.Setting:
    return next(each for each in settings.declared() if each.key == "appearance.language")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project of its own, whose one sentence is translated into Polish."""
    for package in translations.CODE:
        (tmp_path / package).mkdir()
    code = 'print(_("Saved in {place}."), ngettext("{count} file", "{count} files", 2))\n'
    (tmp_path / "desktop" / "page.py").write_text(code, "utf-8")
    folder = tmp_path / "resources" / "i18n"
    monkeypatch.setattr(translations, "FOLDER", folder)
    monkeypatch.setattr(translations, "TEMPLATE", folder / "bureau.pot")
    monkeypatch.setattr(
        translations, "sentences", lambda root=tmp_path, real=translations.sentences: real(root)
    )
    polish = translations.new_catalogue("pl", "# Polish")
    translations.write(translations.po_file("pl"), translations.po_text(polish))
    _run("extract", "merge")
    _fill(
        {
            "Saved in {place}.": "Zapisano w {place}.",
            "{count} file": ["{count} plik", "{count} pliki", "{count} plików"],
        }
    )
    _run("compile")
    return tmp_path


def _run(*commands: str) -> None:
    for command in commands:
        assert translations.main([command]) == 0


def _fill(words: dict[str, list[str] | str]) -> None:
    assert translations.fill("pl", words) == []


def test_a_new_sentence_is_found_and_keeps_what_was_translated(tree: Path) -> None:
    assert list(translations.faults()) == []
    with (tree / "desktop" / "page.py").open("a", encoding="utf-8") as page:
        page.write('print(_("New here"))\n')

    assert [fault for fault in translations.faults() if "packaging/translations.py extract" in fault]
    _run("extract", "merge", "compile")

    assert translations.missing("pl") == {"New here": ""}
    assert list(translations.faults()) == ["pl: not translated: 'New here'"]
    assert translations.main(["check"]) == 1


def test_a_lost_sentence_leaves_the_catalogue(tree: Path) -> None:
    (tree / "desktop" / "page.py").write_text('print(_("Saved in {place}."))\n', "utf-8")

    _run("extract", "merge", "compile")

    assert "plików" not in translations.po_file("pl").read_text("utf-8")
    assert list(translations.faults()) == []


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ({"Saved in {place}.": "Zapisano w {miejsce}."}, "other placeholders"),
        ({"Saved in {place}.": "Zapisano w {place."}, "other placeholders"),
        ({"Saved in {place}.": "Zapisano w {place}. "}, "other spaces"),
        ({"{count} file": ["{count} plik", "", "{count} plików"]}, "not translated"),
        ({"{count} file": ["plik", "{count} pliki", "{count} plików"]}, "other placeholders"),
    ],
)
def test_a_wrong_translation_is_named(tree: Path, words: dict[str, list[str] | str], fault: str) -> None:
    _fill(words)
    _run("compile")

    assert [each for each in translations.faults() if fault in each]


def test_an_uncompiled_translation_is_named(tree: Path) -> None:
    _fill({"Saved in {place}.": "W {place} zapisano."})

    assert [each for each in translations.faults() if each.endswith("translations.py compile.")]


def test_writing_twice_changes_nothing(tree: Path) -> None:
    before = {path: path.read_bytes() for path in translations.FOLDER.rglob("bureau.*")}
    shutil.copytree(tree / "desktop", tree / "agents", dirs_exist_ok=True)

    _run("extract", "merge", "compile")

    assert {path: path.read_bytes() for path in translations.FOLDER.rglob("bureau.*")} == before
    assert not [path for path, content in before.items() if str(tree).encode() in content]


def test_a_form_for_one_alone_may_leave_the_number_out() -> None:
    for code, allowed in {"de": True, "pl": True, "ru": False, "uk": False}.items():
        catalogue = Catalog(locale=code)
        forms = ["once", *["{count} times"] * (catalogue.num_plurals - 1)]
        catalogue.add(("used once", "used {count} times"), forms)

        assert (list(translations.catalogue_faults(catalogue)) == []) is allowed


def test_missing_is_json_that_fill_takes(
    tree: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tree / "desktop" / "page.py").write_text('print(_("Two\\nlines"))\n', "utf-8")
    _run("extract", "merge")
    capsys.readouterr()
    translations.main(["missing", "pl"])
    words = json.loads(capsys.readouterr().out)
    (tmp_path / "words.json").write_text(json.dumps(words | dict.fromkeys(words, "Dwa\nwiersze")), "utf-8")

    assert translations.main(["fill", "pl", str(tmp_path / "words.json")]) == 0
    _run("compile")

    assert list(translations.faults()) == []


@pytest.mark.parametrize(
    ("code", "forms"),
    [
        ("de", {1: "1 Seite", 2: "2 Seiten", 5: "5 Seiten", 21: "21 Seiten"}),
        ("uk", {1: "1 сторінка", 2: "2 сторінки", 5: "5 сторінок", 11: "11 сторінок", 21: "21 сторінка"}),
        ("ru", {1: "1 страница", 3: "3 страницы", 5: "5 страниц", 12: "12 страниц", 101: "101 страница"}),
        ("pl", {1: "1 strona", 4: "4 strony", 5: "5 stron", 12: "12 stron", 21: "21 stron", 22: "22 strony"}),
    ],
)
def test_plurals(code: str, forms: dict[int, str]) -> None:
    with translations.po_file(code).with_suffix(".mo").open("rb") as file:
        catalogue = gettext.GNUTranslations(file)

    for count, words in forms.items():
        assert catalogue.ngettext("{count} page", "{count} pages", count).format(count=count) == words
