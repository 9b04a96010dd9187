"""What deploys the hosted service names settings, files and commands that exist."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from memory.sync.hosted.command_line import commands
from memory.sync.hosted.settings import PREFIX, Settings, load

FOLDER = Path(__file__).parents[2] / "packaging" / "hosted"
NAMES = {each.name for each in fields(Settings)}


def test_the_settings_file_is_accepted_with_and_without_what_is_for_many(tmp_path: Path) -> None:
    assert load(FOLDER / "hosted.toml", {}).promised_days == 35
    text = re.sub(r"^# (\w+ = )", r"\1", (FOLDER / "hosted.toml").read_text(), flags=re.MULTILINE)
    (tmp_path / "all.toml").write_text(text)
    assert len(tomllib.loads(text)) > len(tomllib.loads((FOLDER / "hosted.toml").read_text()))
    assert load(tmp_path / "all.toml", {}).s3_bucket == "bureau"


@pytest.mark.req("R176")
def test_compose_names_known_settings_and_shows_no_database_to_the_outside() -> None:
    composed = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    services = composed["services"]
    settings = services["answers"]["environment"]
    assert {name.removeprefix(PREFIX).lower() for name in settings} <= NAMES
    assert [name for name, service in services.items() if "ports" in service] == ["proxy"]
    assert composed["networks"]["stores"] == {"internal": True}
    for name in ("records", "keys", "ledger"):
        assert services[name]["networks"] == ["stores"]


def test_every_command_that_is_told_of_exists() -> None:
    told = "".join(path.read_text() for path in FOLDER.iterdir())
    named = set(re.findall(r"bureau-hosted (\w+)", told)) | set(re.findall(r"hosted\.toml (\w+)", told))
    known = set(commands.commands)
    assert {
        "serve",
        "backup",
        "restore",
        "drill",
        "incident",
        "account",
        "announce",
        "settings",
    } <= named & known
    for line in re.findall(r"bureau-hosted incident ([\w-]+)", told):
        assert line in commands.commands["incident"].commands  # type: ignore[attr-defined]  # a group
