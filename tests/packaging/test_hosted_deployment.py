"""What deploys the hosted service really starts: the units and what they run, the commands of compose.yaml."""

import contextlib
import ctypes
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2
import pytest
import yaml

from tests.peers import moto
from tests.peers.postgres import Postgres

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "packaging" / "hosted"
UNITS = ("bureau-hosted.service", "bureau-hosted-backup.service", "bureau-hosted-backup.timer")
_INSTALLED = "/opt/bureau/.venv/bin/python"
_FORBID_WRITABLE_CODE = (65, 1)
"""prctl's PR_SET_MDWE: what MemoryDenyWriteExecute demands of a process."""
_INVALID = -1


def _confine() -> None:
    os.umask(0o077)
    # Kernels before 6.3 do not know it; there the process runs with more rights than under systemd.
    assert ctypes.CDLL(None).prctl(*_FORBID_WRITABLE_CODE, 0, 0, 0) in (0, _INVALID)


@contextlib.contextmanager
def _serving(command: list[str], environment: Mapping[str, str]) -> Iterator[str]:
    """Run a command until it says where it answers; give that address, and stop it."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_confine,
    ) as process:
        assert process.stderr is not None
        said: list[str] = []
        for line in iter(process.stderr.readline, ""):
            said.append(line)
            if found := re.search(r"running on (http://[\w.:]+)", line):
                break
        else:
            raise AssertionError("".join(said))
        try:
            yield found[1]
        finally:
            process.send_signal(signal.SIGTERM)
            rest = process.stderr.read()
            assert process.wait(30) in (0, -signal.SIGTERM), rest


def _command_of(unit: str, places: Mapping[str, str]) -> list[str]:
    line = re.search(r"^ExecStart=(.*)$", (FOLDER / unit).read_text(), re.MULTILINE)
    assert line is not None
    words = shlex.split(line[1])
    for installed, here in places.items():
        words = [word.replace(installed, here) for word in words]
    return words


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        (tmp_path / unit).write_text((FOLDER / unit).read_text().replace(_INSTALLED, sys.executable))
    verify = ["systemd-analyze", "verify", *(str(tmp_path / unit) for unit in UNITS)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.slow
def test_what_the_units_run_serves_and_backs_up(tmp_path: Path) -> None:
    places = {
        _INSTALLED: sys.executable,
        "/etc/bureau-hosted/hosted.toml": str(tmp_path / "hosted.toml"),
        "/var/lib/bureau-hosted": str(tmp_path / "data"),
    }
    text = (FOLDER / "hosted.toml").read_text().replace("port = 8460", "port = 0")
    (tmp_path / "hosted.toml").write_text(
        text.replace("/var/lib/bureau-hosted", places["/var/lib/bureau-hosted"])
    )
    with _serving(_command_of("bureau-hosted.service", places), {}) as url:
        assert httpx2.get(f"{url}/healthz").json()["status"] == "well"
        backup = _command_of("bureau-hosted-backup.service", places)
        done = subprocess.run(
            backup, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=_confine
        )
        assert done.returncode == 0, done.stderr
    kept = sorted(path.name.partition("-")[0] for path in (tmp_path / "data" / "backup").iterdir())
    assert kept == ["keys.backup", "records"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "data" / "backup").iterdir())


@pytest.mark.slow
def test_the_commands_of_compose_serve_with_its_settings(tmp_path: Path, postgres: Postgres, s3: str) -> None:
    composed = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    entry = re.search(r"^ENTRYPOINT (.*)$", (FOLDER / "Dockerfile").read_text(), re.MULTILINE)
    assert entry is not None
    program = [sys.executable, *json.loads(entry[1])[1:]]
    (tmp_path / "s3.key").write_text(moto.SECRET)
    variables = {"HOST": "sync.example.org", "MAIL_FROM": "sync@example.org", "SMTP_HOST": "127.0.0.1"}
    variables |= {
        "S3_ENDPOINT": s3,
        "S3_BUCKET": "bureau",
        "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY": moto.ACCESS_KEY,
    }
    environment = {
        name: re.sub(r"\$\{(\w+):\?\}", lambda found: variables.get(found[1], "password"), value)
        for name, value in composed["answers"]["environment"].items()
    }
    for name, url in postgres.databases().items():
        assert environment[f"BUREAU_HOSTED_{name.upper()}"].startswith(
            "postgresql+asyncpg://bureau:password@"
        )
        environment[f"BUREAU_HOSTED_{name.upper()}"] = url
    environment |= {
        "BUREAU_HOSTED_DATA": str(tmp_path / "data"),
        "BUREAU_HOSTED_PORT": "0",
        "BUREAU_HOSTED_S3_SECRET_FILE": str(tmp_path / "s3.key"),
    }
    with (
        _serving([*program, *composed["answers"]["command"]], environment) as answers,
        _serving([*program, *composed["works"]["command"]], environment) as works,
    ):
        for url in (answers, works):
            assert httpx2.get(f"{url}/healthz").json()["status"] == "well"
        assert httpx2.get(f"{answers}/.well-known/officesync").json()["server"] == "sync.example.org"
