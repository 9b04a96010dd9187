"""The adapter of the keyring library, run against a real backend of it, and chains of backends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers.keyring import Session
from vault import errors
from vault.keyring_store import KeyringStore
from vault.library_keyring import LibraryKeyring
from vault.office_keys import open_vault
from vault.secret import Secret

pytestmark = pytest.mark.keyring

SECRET_SERVICE = "keyring.backends.SecretService.Keyring"
NEVER = float("inf")


@pytest.fixture
def labelled(unlocked_keyring: Session) -> LibraryKeyring:
    """As KDE Wallet and Windows are used: one service per item, the label as user name."""
    return LibraryKeyring.load(SECRET_SERVICE, "secret-service", "GNOME Keyring")


@pytest.fixture
def named(unlocked_keyring: Session) -> LibraryKeyring:
    """As the macOS Keychain is used: one service, the item as user name."""
    return LibraryKeyring.load(SECRET_SERVICE, "macos-keychain", "macOS Keychain")


@pytest.mark.parametrize("kind", ["labelled", "named"])
def test_values_are_written_replaced_and_deleted(kind: str, request: pytest.FixtureRequest) -> None:
    keyring: LibraryKeyring = request.getfixturevalue(kind)
    assert keyring.get("item", NEVER) is None
    keyring.set("item", "Bureau – Anthropic (work)", "first", NEVER)
    keyring.set("other", "Bureau – Anthropic (work)", "second", NEVER)
    assert (keyring.get("item", NEVER), keyring.get("other", NEVER)) == ("first", "second")
    keyring.set("item", "Bureau – Anthropic (home)", "third", NEVER)
    assert keyring.get("item", NEVER) == "third"
    keyring.delete("item", NEVER)
    keyring.delete("item", NEVER)
    assert (keyring.get("item", NEVER), keyring.get("other", NEVER)) == (None, "second")


def test_a_new_label_leaves_one_item(labelled: LibraryKeyring) -> None:
    import secretstorage

    labelled.set("item", "Bureau – Anthropic (work)", "first", NEVER)
    labelled.set("item", "Bureau – Anthropic (home)", "second", NEVER)
    with secretstorage.dbus_init() as connection:
        items = list(secretstorage.get_default_collection(connection).get_all_items())
        assert [item.get_attributes()["username"] for item in items] == ["Bureau – Anthropic (home)"]


def test_the_store_proves_and_uses_it(labelled: LibraryKeyring, tmp_path: Path) -> None:
    store = KeyringStore(tmp_path, labelled)
    store.probe()
    store.write("item", Secret("planted-provider-key"), "Bureau – Anthropic (work)")
    assert KeyringStore(tmp_path, labelled).read("item") == Secret("planted-provider-key")


def test_a_write_whose_time_has_passed_does_not_happen(labelled: LibraryKeyring) -> None:
    with pytest.raises(TimeoutError):
        labelled.set("item", "label", "value", 0.0)
    assert labelled.get("item", NEVER) is None


def test_a_lying_backend_is_told(tmp_path: Path) -> None:
    lying = LibraryKeyring.load("keyring.backends.null.Keyring", "macos-keychain", "macOS Keychain")
    with pytest.raises(errors.KeyringLying, match="did not give it back"):
        KeyringStore(tmp_path, lying).probe()
    with pytest.raises(errors.KeyringLying):
        KeyringStore(tmp_path, lying).write("item", Secret("planted-provider-key"), "label")


def test_a_backend_that_cannot_run_here_is_absent() -> None:
    for backend in ("keyring.backends.Windows.WinVaultKeyring", "keyring.backends.nothing.Keyring"):
        with pytest.raises(errors.KeyringAbsent):
            LibraryKeyring.load(backend, "windows-credentials", "Windows Credential Manager")


def test_failures_of_the_library_become_sentences(
    labelled: LibraryKeyring, unlocked_keyring: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled.set("item", "label", "value", NEVER)
    unlocked_keyring.kill_daemon()
    unlocked_keyring.start_daemon(None)
    with pytest.raises(errors.KeyringLocked, match="GNOME Keyring is locked"):
        labelled.get("item", NEVER)


def test_a_chain_of_safe_backends_is_used(
    tmp_path: Path, unlocked_keyring: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.chainer.ChainerBackend")
    assert open_vault(tmp_path / "office").store.identity == "secret-service"


CHAIN = """
import sys
from pathlib import Path
import keyring.backend
from vault.errors import KeyringRefused
from vault.office_keys import open_vault

class PlainFile(keyring.backend.KeyringBackend):
    priority = 0.5

    def get_password(self, service, username):
        return None

    def set_password(self, service, username, password):
        raise AssertionError("asked to keep a secret")

try:
    open_vault(Path(sys.argv[1]))
except KeyringRefused as error:
    print(error)
"""


def test_a_chain_with_an_unsafe_backend_is_refused(tmp_path: Path, unlocked_keyring: Session) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHAIN, str(tmp_path / "office")],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.chainer.ChainerBackend",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "PlainFile), which does not keep secrets safe" in done.stdout, done.stderr
    assert not (tmp_path / "office").exists()
