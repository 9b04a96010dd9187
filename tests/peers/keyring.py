"""A private D-Bus session with a real gnome-keyring, usable as root and without a screen.

with secret_service(tmp_path) as session:            # unlocked
    subprocess.run([...], env={**os.environ, **session})
with secret_service(tmp_path, unlocked=False) as session:   # same folder again: there, but locked
    ...

The folder keeps the stored secrets, so a second session on the same folder finds them again. A folder never
used before and `unlocked=False` give the third case: a service that would have to ask, and nobody is there.
"No keyring at all" needs nothing started: `NO_SECRET_SERVICE` is that environment.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection

PASSWORD = "correct horse battery staple"

# An address nothing listens on. Without the variable a client would fall back to the desktop's own session.
NO_SECRET_SERVICE = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"}

_PATIENCE_SECONDS = 15.0
_BUS = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")


class Session(dict[str, str]):
    """The environment variables that lead a process to this session, and power over its daemon."""

    def __init__(self, environment: dict[str, str]) -> None:
        super().__init__(environment)
        self._daemon: subprocess.Popen[bytes] | None = None

    @property
    def daemon_pid(self) -> int:
        """The process to stop (SIGSTOP) where a test needs a keyring that does not answer."""
        assert self._daemon is not None
        return self._daemon.pid

    def start_daemon(self, password: str | None) -> None:
        """Start gnome-keyring; `password` unlocks its login keyring (made if absent), None leaves it locked.

        A wrong password is not reported here, as in reality: the keyring just stays locked.
        """
        arguments = ["gnome-keyring-daemon", "--foreground", "--components=secrets"]
        if password is not None:
            arguments.append("--unlock")
        daemon = subprocess.Popen(
            arguments,
            env={**os.environ, **self},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert daemon.stdin is not None
        daemon.stdin.write((password or "").encode())
        daemon.stdin.close()
        self._daemon = daemon
        _wait_until_owned(self["DBUS_SESSION_BUS_ADDRESS"], "org.freedesktop.secrets")

    def kill_daemon(self) -> None:
        """End gnome-keyring with SIGKILL, as a crash would; the bus starts a new, locked one when asked."""
        self._end(signal.SIGKILL)

    def stop_daemon(self) -> None:
        """End gnome-keyring in order, so that everything stored is on disk."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._daemon is not None:
            self._daemon.send_signal(number)
            self._daemon.wait(_PATIENCE_SECONDS)
            self._daemon = None


@contextmanager
def secret_service(folder: Path, *, unlocked: bool = True, password: str = PASSWORD) -> Iterator[Session]:
    """Run a private session bus with gnome-keyring whose secrets rest under `folder`.

    Yields the environment (DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR, XDG_DATA_HOME) for the processes that
    shall use it. With `unlocked=False` the daemon runs and its keyring, if the folder has one, is locked.
    Raises RuntimeError if the bus or the daemon does not come up.
    """
    runtime = Path(tempfile.mkdtemp(prefix="bus-"))  # socket addresses have a limit of about 100 bytes
    data = folder / "secret-service"
    data.mkdir(parents=True, exist_ok=True)
    session = Session(
        {
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime / 'bus'}",
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_DATA_HOME": str(data),
        }
    )
    bus = _start_bus(session)
    try:
        session.start_daemon(password if unlocked else None)
        yield session
    finally:
        session.stop_daemon()
        bus.terminate()  # a daemon the bus itself started leaves with it
        bus.wait(_PATIENCE_SECONDS)
        shutil.rmtree(runtime, ignore_errors=True)


@pytest.fixture
def unlocked_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """This test's own process, and every child it starts, uses a real, unlocked gnome-keyring."""
    with secret_service(tmp_path / "keyring") as session:
        for name, value in session.items():
            monkeypatch.setenv(name, value)
        yield session


def _start_bus(session: Session) -> subprocess.Popen[bytes]:
    address = session["DBUS_SESSION_BUS_ADDRESS"]
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}"],
        env={**os.environ, **session},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    path = Path(session["XDG_RUNTIME_DIR"]) / "bus"
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _listens(path):
        if bus.poll() is not None or time.monotonic() > deadline:
            bus.kill()
            bus.wait()
            raise RuntimeError("dbus-daemon did not start; `make test` installs it (package dbus-x11).")
        time.sleep(0.01)
    return bus


def _listens(path: Path) -> bool:
    """Tell whether the bus accepts connections; its socket has a name a moment before."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True


def _wait_until_owned(address: str, name: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with open_dbus_connection(address) as connection:
        while True:
            reply = connection.send_and_get_reply(new_method_call(_BUS, "NameHasOwner", "s", (name,)))
            if reply.body[0]:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"Nothing answered as {name} on the private session bus.")
            time.sleep(0.01)
