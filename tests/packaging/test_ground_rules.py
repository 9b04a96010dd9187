"""The rules of tests/conftest.py hold, and the real keyring shows the states the vault has to tell apart."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from keyring.backends.SecretService import Keyring
from keyring.errors import InitError, KeyringLocked

from tests.conftest import BeyondThisMachine
from tests.peers.keyring import Session, secret_service


def use(session: Session, monkeypatch: pytest.MonkeyPatch) -> Keyring:
    for name, value in session.items():
        monkeypatch.setenv(name, value)
    return Keyring()


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("2001:db8::1", 443, 0, 0)])
def test_no_address_beyond_loopback_can_be_reached(address: tuple[object, ...]) -> None:
    family = socket.AF_INET if len(address) == 2 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as endpoint, pytest.raises(BeyondThisMachine):
        endpoint.connect(address)


def test_no_name_is_looked_up() -> None:
    with pytest.raises(BeyondThisMachine):
        socket.getaddrinfo("provider.invalid", 443)


def test_loopback_and_local_sockets_stay_open(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as visitor,
    ):
        accepted, address = server.accept()
        accepted.close()
        assert address == visitor.getsockname()
    with socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "s"))
        assert (tmp_path / "s").is_socket()


def test_home_is_private(own_home: Path) -> None:
    assert Path.home() == own_home
    assert Path(os.environ["BUREAU_HOME"]).parent == own_home
    assert not Path(os.environ["BUREAU_HOME"]).exists()
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"


def test_a_process_left_running_fails_its_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(pytestconfig.rootpath))
    pytester.makeconftest("from tests.conftest import _runtime_folder, nothing_left_running, own_home\n")
    pytester.makepyfile(
        """
        import subprocess, threading

        def test_leaves_a_process():
            subprocess.Popen(["sleep", "30"], stdout=subprocess.DEVNULL)

        def test_leaves_nothing():
            subprocess.run(["true"], check=True)
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*left running: process *: sleep 30*"])


@pytest.mark.keyring
def test_a_stored_secret_outlives_its_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with secret_service(tmp_path) as session:
        use(session, monkeypatch).set_password("Bureau", "item", "a value")
    with secret_service(tmp_path) as session:
        assert use(session, monkeypatch).get_password("Bureau", "item") == "a value"


@pytest.mark.keyring
@pytest.mark.parametrize("how", ["not unlocked", "wrong password", "killed"])
def test_a_locked_keyring_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    with secret_service(tmp_path) as session:
        use(session, monkeypatch).set_password("Bureau", "item", "a value")
        if how == "killed":
            session.kill_daemon()
            with pytest.raises(KeyringLocked):
                Keyring().get_password("Bureau", "item")
    password = "not the one" if how == "wrong password" else "correct horse battery staple"
    with (
        secret_service(tmp_path, unlocked=how == "wrong password", password=password) as session,
        pytest.raises(KeyringLocked),
    ):
        use(session, monkeypatch).get_password("Bureau", "item")


@pytest.mark.keyring
def test_a_keyring_that_would_have_to_ask_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with secret_service(tmp_path, unlocked=False) as session, pytest.raises(InitError):
        use(session, monkeypatch).set_password("Bureau", "item", "a value")


@pytest.mark.keyring
def test_a_child_process_reaches_the_same_keyring(unlocked_keyring: Session) -> None:
    Keyring().set_password("Bureau", "item", "a value")
    program = "import keyring.backends.SecretService as s; print(s.Keyring().get_password('Bureau', 'item'))"
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert child.stdout.strip() == "a value"


ORPHAN = "import subprocess; print(subprocess.Popen(['sleep', '0.3']).pid)"


def test_an_office_may_adopt_orphans(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    pytester.makeconftest("from tests.conftest import _runtime_folder, nothing_left_running, own_home\n")
    pytester.makepyfile(
        f"""
        import os, subprocess, sys, time
        from agents.door.peers import adopt_orphans
        from tests.conftest import _children

        def orphan():
            subprocess.run([sys.executable, "-c", {ORPHAN!r}], check=True, stdout=subprocess.DEVNULL)

        def test_adopts():
            adopt_orphans()
            orphan()

        def test_finds_no_trace_of_them():
            assert _children() == {{}}
            orphan()
            assert _children() == {{}}
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
