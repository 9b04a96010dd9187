"""No planted secret appears on any path on which Python prints by itself."""

import logging
import os
import re
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

from tests.vault.canaries import PATHS
from vault.redaction import MARK, RedactingFilter, install
from vault.secret import Secret

SECRET = "planted/secret+word" + "=1234567890"
# A crash prints names and line numbers only; what Qt says is cleaned before it reaches any logger.
SILENT, CLEAN = {"crash"}, {"qt"}


def _run(path: str, folder: Path, *, protected: bool = True) -> str:
    crash_file = folder / "logs" / "crash.log"
    done = subprocess.run(
        [sys.executable, "-m", "tests.vault.canaries", path, str(crash_file), "yes" if protected else "no"],
        input=SECRET,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
    )
    written = crash_file.read_text() if crash_file.exists() else ""
    return done.stdout + done.stderr + written


def _leaks(output: str) -> bool:
    return "planted" in output or SECRET[9:] in output or re.search("cGxhbnRlZ|%2Fsecret", output) is not None


@pytest.mark.req("R026")
@pytest.mark.req("R174")
@pytest.mark.parametrize("path", PATHS)
def test_a_planted_secret_does_not_appear(path: str, tmp_path: Path) -> None:
    output = _run(path, tmp_path)
    assert "canary" in output
    assert not _leaks(output)
    assert MARK in output or path in SILENT


@pytest.mark.parametrize("path", sorted(set(PATHS) - SILENT - CLEAN))
def test_without_protection_the_same_path_shows_it(path: str, tmp_path: Path) -> None:
    """Otherwise the test above would prove nothing."""
    assert _leaks(_run(path, tmp_path, protected=False))


@pytest.mark.req("R082")
def test_a_crash_leaves_the_stack_in_the_crash_file(tmp_path: Path) -> None:
    _run("crash", tmp_path)
    written = (tmp_path / "logs" / "crash.log").read_text()
    assert "Fatal Python error: Aborted" in written
    assert "canaries.py" in written


def test_installing_twice_is_once_and_removing_restores() -> None:
    before = (
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        warnings.showwarning,
        logging.getLogRecordFactory(),
        [list(handler.filters) for handler in logging.getLogger().handlers],
    )
    first = install()
    try:
        assert install() is first
        assert sys.excepthook is not before[0]
    finally:
        first.remove()
    after = (
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        warnings.showwarning,
        logging.getLogRecordFactory(),
        [list(handler.filters) for handler in logging.getLogger().handlers],
    )
    assert after == before


def test_plain_arguments_stay_apart_for_formatters_that_read_them() -> None:
    secret = Secret(SECRET)
    record = logging.makeLogRecord(
        {"msg": '%s - "%s %s" %d', "args": ("127.0.0.1:5", "GET", f"/v1?key={SECRET}", 200)}
    )
    assert RedactingFilter().filter(record)
    assert record.args == ("127.0.0.1:5", "GET", f"/v1?key={MARK}", 200)
    assert record.getMessage() == f'127.0.0.1:5 - "GET /v1?key={MARK}" 200'
    assert secret.reveal() == SECRET
