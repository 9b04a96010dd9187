"""Each check of packaging/check.py finds what it is for."""

from pathlib import Path

import check
import pytest

# Put together here, so that this file itself holds nothing that looks like a key.
KEYS = {
    "Anthropic key": "sk-ant-" + "api03-" + "aB3_" * 8,
    "OpenAI key": "sk-" + "proj-" + "aB3_" * 8,
    "Google key": "AI" + "za" + "b" * 35,
    "GitHub token": "gh" + "p_" + "a1B2" * 9,
    "Slack token": "xo" + "xb-" + "1234567890-abc",
    "Telegram token": "12345678" + ":" + "a" * 35,
}


@pytest.mark.parametrize("kind", KEYS)
def test_a_key_is_found_and_not_printed(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "settings.py"
    file.write_text(f'VALUE = "{KEYS[kind]}"\n')
    (problem,) = check.known_keys([file])
    assert kind in problem and "settings.py:1" in problem
    assert KEYS[kind] not in problem


def test_detect_secrets_finds_a_private_key(tmp_path: Path) -> None:
    file = tmp_path / "id.pem"
    file.write_text("-----BEGIN " + "RSA PRIVATE KEY-----\n")
    (problem,) = check.detected_secrets([file])
    assert "Private Key" in problem


def test_a_long_file_is_named(tmp_path: Path) -> None:
    short, long = tmp_path / "short.py", tmp_path / "long.py"
    short.write_text("a = 1\n" * 400)
    long.write_text("a = 1\n" * 401)
    (problem,) = check.long_files([short, long])
    assert "long.py: 401 lines" in problem


@pytest.mark.parametrize(
    "line",
    ["--index-url somewhere", "six @ file:///tmp/six.whl", '"resolved": "https://host/six.tgz"', "-e ."],
)
def test_an_address_in_a_lock_file_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "run.txt"
    file.write_text(f"six==1.17.0 \\\n    --hash=sha256:{'0' * 64}\n{line}\n")
    (problem,) = check.addresses([file])
    assert "run.txt:3" in problem


def test_the_real_lock_files_are_looked_at() -> None:
    names = {str(file.relative_to(check.ROOT)) for file in check.lock_files(check.repository_files())}
    assert names >= {"packaging/lock/run.txt", "packaging/lock/develop.txt", "tests/peers/package-lock.json"}


def test_a_failing_tool_is_reported_with_what_it_said() -> None:
    (problem,) = check.tool("-c", "import sys; print('two lines too long'); sys.exit(1)")()
    assert problem == "two lines too long"
    assert check.tool("-c", "")() == []
