"""Settings: from a file and the environment, refused with a sentence, and with a promise that can be kept."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from memory.sync.hosted.errors import SettingsInvalid
from memory.sync.hosted.service_keys import load_keys
from memory.sync.hosted.settings import Settings, checked, load

COMMAND = [sys.executable, "-m", "memory.sync.hosted.entry"]


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    file = tmp_path / "hosted.toml"
    file.write_text('port = 1\nregion = "Frankfurt"\nmetrics = true\n')
    environment = {"BUREAU_HOSTED_PORT": "2", "BUREAU_HOSTED_SETTINGS": str(file)}
    found = load(None, environment)
    assert (found.port, found.region, found.metrics) == (2, "Frankfurt", True)
    assert load(None, environment, port=3).port == 3


@pytest.mark.req("R144")
def test_a_promise_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="36 days"):
        load(None, {}, grace_days=34)
    assert load(None, {}, grace_days=33).grace_days == 33


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"port": "many"}, "whole number"),
        ({"metrics": "perhaps"}, "true or false"),
        ({"public_url": "sync.example.org"}, "public_url"),
        ({"push_ops": "0"}, "too small"),
        ({"records_url": "sqlite://"}, "postgresql"),
        ({"s3_endpoint": "http://127.0.0.1"}, "s3_bucket"),
        ({"attachment_bytes": "9999999999"}, "5 GiB"),
        ({"smtp_tls": "maybe"}, "smtp_tls"),
    ],
)
def test_wrong_values_are_refused_with_a_sentence(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said):
        load(None, {f"BUREAU_HOSTED_{name.upper()}": value for name, value in wrong.items()})


def test_three_stores_are_three_databases() -> None:
    one = "postgresql+asyncpg://a@h/one"
    with pytest.raises(SettingsInvalid, match="three databases"):
        checked(Settings(records_url=one, keys_url=one, ledger_url="postgresql+asyncpg://a@h/two"))


@pytest.mark.req("R179")
def test_the_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "hosted")
    keys = load_keys(settings)
    assert load_keys(settings).key_id == keys.key_id
    path = tmp_path / "hosted" / "service.key"
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("ab")
    with pytest.raises(SettingsInvalid, match="damaged"):
        load_keys(settings)


def test_the_command_refuses_with_a_sentence_and_two(tmp_path: Path) -> None:
    file = tmp_path / "hosted.toml"
    file.write_text("promised_days = 3\n")
    ended = subprocess.run(
        [*COMMAND, "--settings", str(file), "serve"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert "promised_days is 3" in ended.stderr and "Traceback" not in ended.stderr
    file.write_text("colour = 3\n")
    ended = subprocess.run(
        [*COMMAND, "--settings", str(file), "settings"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2 and "no setting colour" in ended.stderr


def test_replicas_that_start_at_once_share_one_whole_secret(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    settings = Settings(data=tmp_path / "data")
    with ThreadPoolExecutor(16) as pool:
        found = {keys.secret for keys in pool.map(lambda _: load_keys(settings), range(64))}
    assert len(found) == 1
    assert [path.name for path in settings.data.iterdir()] == ["service.key"]
