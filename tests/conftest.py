"""What holds for every test: an empty home, no screen, nothing beyond this machine, nothing left running."""

import contextlib
import ctypes
import gc
import itertools
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Both look at the clock: where others use the machine too, they fail what is well.
settings.register_profile("bureau", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bureau")

pytest_plugins = [
    "tests.peers.aimock",
    "tests.peers.browser",
    "tests.peers.keyring",
    "tests.peers.moto",
    "tests.peers.postgres",
]

_GRACE_SECONDS = 3.0
_FULL_COLLECTION_EVERY = 25
"""Tests between two collections of all garbage, each of which takes some tenths of a second."""
_SET_CHILD_SUBREAPER = 36
_MEMORY_FOLDER = Path("/dev/shm")

# What the person who runs the tests has set must neither reach a test nor be reached by one.
_FORGOTTEN = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_ORG_ID",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XDG_CURRENT_DESKTOP",
    "PYTHON_KEYRING_BACKEND",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "LANGUAGE",
    "BUREAU_LANGUAGE",
]

for _name in _FORGOTTEN:
    os.environ.pop(_name, None)
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["LC_ALL"] = "C.UTF-8"


class BeyondThisMachine(BaseException):
    """A test tried to reach an address that is not on loopback. No `except Exception` may swallow it."""


def _is_here(host: object) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        address = ip_address(host.decode() if isinstance(host, bytes) else str(host).split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _forbid_the_world(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.bind"):
        endpoint, address = arguments[0], arguments[1]
        if endpoint.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise BeyondThisMachine(f"{event} to {address!r}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and not _is_here(arguments[0]):
        raise BeyondThisMachine(f"{event} of {arguments[0]!r}")


sys.addaudithook(_forbid_the_world)


_ended = itertools.count(1)


def pytest_runtest_setup() -> None:
    """Collect garbage on this thread only, as the window does (`desktop.collector`).

    A stream that was broken off is a ring of generators. A database's thread that collects it ends one of them while
    the loop, which that thread has just told of the outer one, ends the same.
    """
    gc.disable()


def pytest_runtest_logfinish() -> None:
    """Collect what the test has left."""
    gc.collect(2 if next(_ended) % _FULL_COLLECTION_EVERY == 0 else 1)


@pytest.fixture(scope="session")
def _runtime_folder() -> Iterator[Path]:
    parent = _MEMORY_FOLDER if _MEMORY_FOLDER.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="b-", dir=parent))  # short: sockets stand in it
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def own_home(
    tmp_path_factory: pytest.TempPathFactory, _runtime_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """An empty home with its XDG folders; BUREAU_HOME names an office folder in it that is not made yet."""
    home = tmp_path_factory.mktemp("home")
    for variable, folder in {
        "XDG_DATA_HOME": ".local/share",
        "XDG_CONFIG_HOME": ".config",
        "XDG_CACHE_HOME": ".cache",
        "XDG_STATE_HOME": ".local/state",
    }.items():
        (home / folder).mkdir(parents=True)
        monkeypatch.setenv(variable, str(home / folder))
    runtime = Path(tempfile.mkdtemp(dir=_runtime_folder))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("BUREAU_HOME", str(home / "office"))
    yield home
    shutil.rmtree(runtime, ignore_errors=True)


def _children() -> dict[int, str]:
    """The command lines of this process's children, by pid, "" for an ended one (Linux; elsewhere none)."""
    found: dict[int, str] = {}
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            pids = [int(word) for word in listing.read_text().split()]
        except OSError:
            continue  # that thread ended meanwhile
        for pid in pids:
            try:
                state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
                command = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
            except OSError:
                continue  # ended meanwhile
            # multiprocessing keeps its resource tracker for the whole session, by design.
            if "resource_tracker" not in command:
                found[pid] = "" if state == "Z" else command or "starting"
    return found


def _let_orphans_go(children: set[int]) -> None:
    """Undo what an office does to its process, adopting orphans, and bury those that ended meanwhile."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    for pid, command in _children().items():
        if pid not in children and not command:
            with contextlib.suppress(ChildProcessError):  # its own waiter was faster
                os.waitpid(pid, os.WNOHANG)


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if not thread.daemon}


@pytest.fixture(autouse=True)
def nothing_left_running(own_home: Path) -> Iterator[None]:
    """Fail a test that leaves a child process or a thread that would keep the process alive."""
    threads, children = _threads(), set(_children())
    yield
    deadline = time.monotonic() + _GRACE_SECONDS
    while True:
        now = {pid: command for pid, command in _children().items() if command and pid not in children}
        left = [f"process {pid}: {command}" for pid, command in now.items()]
        left += [f"thread {thread.name}" for thread in _threads() - threads]
        if not left:
            _let_orphans_go(children)
            return
        if time.monotonic() > deadline:
            for pid in now:
                os.kill(pid, signal.SIGKILL)  # or every later test would be blamed
            pytest.fail("left running: " + "; ".join(left))
        time.sleep(0.02)
