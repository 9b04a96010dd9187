"""What Bureau is installed with may be passed on under the Apache licence, and the notices name all of it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| ([\w.-]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def locked(name: str) -> set[tuple[str, str]]:
    text = (ROOT / "packaging" / "lock" / f"{name}.txt").read_text("utf-8")
    return set(re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE))


def noticed() -> dict[str, tuple[str, str]]:
    rows = ROW.findall((ROOT / "THIRD-PARTY-NOTICES.md").read_text("utf-8"))
    return {library: (version, licence) for library, version, licence in rows}


@pytest.mark.parametrize("name", ["run", "develop"])
def test_notices_name_every_locked_library_in_its_version(name: str) -> None:
    notices, entries = noticed(), locked(name)
    assert entries
    missing = {
        f"{library} {version}"
        for library, version in entries
        if version not in notices.get(library, ("", ""))[0].split(" or ")
    }
    assert not missing, "run `make lock`"


def test_no_library_of_the_app_is_under_the_gpl_alone() -> None:
    for library, _version in locked("run"):
        licence = noticed()[library][1]
        alternatives = re.split(r"\bOR\b|/", licence)
        free = [choice for choice in alternatives if not re.search(r"(?<!L)GPL", choice)]
        assert free, f"{library}: {licence}"
        assert "AGPL" not in licence


def test_bundled_files_stand_beside_their_licences() -> None:
    fonts = ROOT / "resources" / "fonts"
    for font in fonts.glob("*.[ot]tf"):
        family = font.stem.partition("-")[0]
        assert "SIL OPEN FONT LICENSE" in (fonts / f"{family}-LICENSE.txt").read_text("utf-8")
    assert "Apache License" in (ROOT / "resources" / "models" / "LICENSE.txt").read_text("utf-8")
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
