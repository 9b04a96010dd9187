"""The office's keys in a real gnome-keyring, and every way in which a keyring disappoints."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.peers.keyring import NO_SECRET_SERVICE, Session, secret_service
from vault import errors
from vault.keyring_store import KeyringStore
from vault.office_keys import open_vault, unlock_with_recovery
from vault.secret import Secret
from vault.secret_service import SecretServiceKeyring

KEY = Secret("planted-provider-key-0123456789")
PROMPT_SECONDS = 10.0

pytestmark = pytest.mark.keyring


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "office"


def _use(session: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in session.items():
        monkeypatch.setenv(name, value)


@pytest.mark.req("R020")
def test_keys_persist_in_a_second_process_and_a_second_session(folder: Path, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from vault.office_keys import open_vault; "
        "from vault.secret import Secret; vault = open_vault(Path(sys.argv[1])); "
    )
    write = script + "vault.write_key('abc', Secret(sys.stdin.read()), 'Anthropic (work)')"
    read = script + "print(vault.read_key('abc').reveal(), vault.store.name, vault.store.identity, sep='|')"

    def run(program: str, session: Session) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, str(folder)],
            input=KEY.reveal(),
            env={**os.environ, **session},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    with secret_service(tmp_path / "keyring") as session:
        run(write, session)
        expected = f"{KEY.reveal()}|GNOME Keyring|secret-service"
        assert run(read, session) == expected
    with secret_service(tmp_path / "keyring") as session:
        assert run(read, session) == expected
    contents = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY.reveal().encode() not in contents


def test_its_owner_recognises_the_items(folder: Path, unlocked_keyring: Session) -> None:
    import secretstorage

    vault = open_vault(folder)
    vault.write_key("abc", KEY, "Anthropic (work)")
    with secretstorage.dbus_init() as connection:
        items = secretstorage.get_default_collection(connection).get_all_items()
        labels = {item.get_label(): item for item in items}
        assert set(labels) == {"Bureau – Anthropic (work)", f"Bureau – keys of office {vault.office_id[:8]}"}
        assert labels["Bureau – Anthropic (work)"].get_secret().decode() == KEY.reveal()
        keys = labels[f"Bureau – keys of office {vault.office_id[:8]}"].get_secret()
        assert len(keys) < 400
    vault.write_key("abc", KEY, "Anthropic (home)")
    with secretstorage.dbus_init() as connection:
        items = secretstorage.get_default_collection(connection).get_all_items()
        assert "Bureau – Anthropic (home)" in {item.get_label() for item in items}


def test_an_item_deleted_by_its_owner_is_told(folder: Path, unlocked_keyring: Session) -> None:
    vault = open_vault(folder)
    vault.write_key("abc", KEY, "Anthropic (work)")
    subprocess.run(
        ["secret-tool", "clear", "service", "Bureau", "username", f"key-{vault.office_id}-abc"], check=True
    )
    with pytest.raises(errors.KeyNotFound, match="no longer in GNOME Keyring; add it again"):
        open_vault(folder).read_key("abc")


def test_values_are_read_once(folder: Path, unlocked_keyring: Session) -> None:
    vault = open_vault(folder)
    vault.write_key("abc", KEY, "Anthropic (work)")
    again = open_vault(folder)
    assert again.read_key("abc") == KEY
    unlocked_keyring.kill_daemon()
    assert again.read_key("abc") == KEY


@pytest.mark.req("R028")
def test_deleting_is_final_and_may_be_repeated(folder: Path, unlocked_keyring: Session) -> None:
    vault = open_vault(folder)
    vault.write_key("abc", KEY, "Anthropic (work)")
    vault.delete_key("abc")
    vault.delete_key("abc")
    with pytest.raises(errors.KeyNotFound):
        vault.read_key("abc")
    found = subprocess.run(
        ["secret-tool", "search", "--all", "service", "Bureau"], capture_output=True, text=True, check=True
    )
    assert "Anthropic" not in found.stdout + found.stderr


def test_two_offices_share_a_keyring(tmp_path: Path, unlocked_keyring: Session) -> None:
    first, second = open_vault(tmp_path / "first"), open_vault(tmp_path / "second")
    first.write_key("abc", KEY, "Anthropic (work)")
    assert first.keys != second.keys
    with pytest.raises(errors.KeyNotFound):
        second.read_key("abc")


@pytest.mark.req("R029")
def test_absent(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    with pytest.raises(errors.KeyringAbsent, match="--passphrase-file"):
        open_vault(folder)
    _use(NO_SECRET_SERVICE, monkeypatch)
    with pytest.raises(errors.KeyringAbsent, match="--passphrase-file"):
        open_vault(folder)
    assert not folder.exists()


@pytest.mark.req("R029")
def test_locked_with_nobody_to_answer_the_prompt(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secret_service(tmp_path / "keyring") as session:
        _use(session, monkeypatch)
        keys = open_vault(folder).keys
    with secret_service(tmp_path / "keyring", unlocked=False) as session:
        _use(session, monkeypatch)
        with pytest.raises(errors.KeyringLocked, match="GNOME Keyring is locked; unlock it"):
            open_vault(folder, prompt_seconds=PROMPT_SECONDS)
    with secret_service(tmp_path / "keyring") as session:
        _use(session, monkeypatch)
        assert open_vault(folder).keys == keys


@pytest.mark.req("R029")
def test_never_set_up_and_nobody_to_answer_the_prompt(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secret_service(tmp_path / "keyring", unlocked=False) as session:
        _use(session, monkeypatch)
        with pytest.raises(errors.KeyringLocked):
            open_vault(folder, prompt_seconds=PROMPT_SECONDS)
    assert not folder.exists()


@pytest.mark.req("R029")
def test_a_wrong_login_password_leaves_it_locked(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secret_service(tmp_path / "keyring") as session:
        _use(session, monkeypatch)
        open_vault(folder)
    with secret_service(tmp_path / "keyring", password="not the password") as session:
        _use(session, monkeypatch)
        with pytest.raises(errors.KeyringLocked):
            open_vault(folder, prompt_seconds=PROMPT_SECONDS)


@pytest.mark.req("R029")
def test_killed_while_the_office_is_open(folder: Path, unlocked_keyring: Session) -> None:
    vault = open_vault(folder, prompt_seconds=PROMPT_SECONDS)
    unlocked_keyring.kill_daemon()
    with pytest.raises(errors.KeyringGone, match="GNOME Keyring stopped while Bureau was running"):
        vault.write_key("abc", KEY, "Anthropic (work)")
    unlocked_keyring.start_daemon(None)
    with pytest.raises(errors.KeyringGone):
        vault.write_key("abc", KEY, "Anthropic (work)")


@pytest.mark.req("R029")
def test_a_bus_that_does_not_answer(folder: Path, unlocked_keyring: Session) -> None:
    import psutil

    (bus,) = [child for child in psutil.Process().children() if child.name() == "dbus-daemon"]
    bus.suspend()
    try:
        with pytest.raises((errors.KeyringPromptTimeout, errors.KeyringAbsent)):
            open_vault(folder, prompt_seconds=0.2)
    finally:
        bus.resume()
    assert not folder.exists()


@pytest.mark.req("R029")
def test_a_prompt_that_nobody_answers(folder: Path, unlocked_keyring: Session) -> None:
    vault = open_vault(folder, prompt_seconds=0.3)
    daemon = unlocked_keyring.daemon_pid
    os.kill(daemon, signal.SIGSTOP)
    try:
        with pytest.raises(errors.KeyringPromptTimeout, match=r"did not answer within 0\.3 seconds"):
            vault.write_key("abc", KEY, "Anthropic (work)")
    finally:
        os.kill(daemon, signal.SIGCONT)


@pytest.mark.req("R029")
@pytest.mark.parametrize(
    "backend",
    [
        "keyring.backends.null.Keyring",
        "keyring.backends.fail.Keyring",
        "keyrings.alt.file.PlaintextKeyring",
        "keyrings.alt.file.EncryptedKeyring",
        "somebody.elses.Keyring",
        "?",
    ],
)
@pytest.mark.parametrize("way", ["variable", "file"])
def test_a_redirection_to_an_unsafe_backend_is_refused(
    folder: Path,
    own_home: Path,
    unlocked_keyring: Session,
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
    way: str,
) -> None:
    if way == "variable":
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", backend)
        source = "PYTHON_KEYRING_BACKEND"
    else:
        settings = own_home / ".config" / "python_keyring" / "keyringrc.cfg"
        settings.parent.mkdir()
        settings.write_text(f"[backend]\ndefault-keyring={backend}\nkeyring-path=/nonexistent\n")
        source = str(settings)
    with pytest.raises(errors.KeyringRefused) as refused:
        open_vault(folder)
    assert source in str(refused.value)
    assert backend in str(refused.value)
    assert "--passphrase-file" in str(refused.value)
    assert not folder.exists()


def test_a_settings_file_that_cannot_be_read_is_no_permission(
    folder: Path, own_home: Path, unlocked_keyring: Session
) -> None:
    settings = own_home / ".config" / "python_keyring" / "keyringrc.cfg"
    settings.parent.mkdir()
    settings.write_bytes(b"\xff\xfe[backend")
    with pytest.raises(errors.KeyringSettingsDamaged, match="repair or remove it"):
        open_vault(folder)


@pytest.mark.parametrize("backend", ["SecretService.Keyring", "libsecret.Keyring"])
def test_a_setting_may_name_a_safe_backend(
    folder: Path, unlocked_keyring: Session, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"keyring.backends.{backend}")
    assert open_vault(folder).store.identity == "secret-service"


def test_another_backend_than_the_one_with_the_keys_is_refused(
    folder: Path, unlocked_keyring: Session
) -> None:
    from vault.keyslots import KeyslotFile

    open_vault(folder)
    file = KeyslotFile.load(folder)
    assert file is not None
    file.save(replace(file.slots, store="kwallet"))
    with pytest.raises(
        errors.KeyringChanged, match="keeps its keys in KDE Wallet, but GNOME Keyring answers"
    ):
        open_vault(folder)


def test_a_passphrase_for_an_office_in_a_keyring_is_refused(folder: Path, unlocked_keyring: Session) -> None:
    open_vault(folder)
    with pytest.raises(errors.PassphraseNotUsed, match="open it without --passphrase-file"):
        open_vault(folder, passphrase=Secret("three quiet harbours"))


def test_a_deleted_item_without_a_recovery_key_is_told(folder: Path, unlocked_keyring: Session) -> None:
    vault = open_vault(folder)
    vault.store.delete(f"office-{vault.office_id}")
    with pytest.raises(errors.KeysMissing, match="has no recovery key; restore the keyring"):
        open_vault(folder)


@pytest.mark.req("R186")
def test_the_recovery_key_opens_the_office_after_its_item_is_deleted(
    folder: Path, unlocked_keyring: Session
) -> None:
    vault = open_vault(folder)
    vault.write_key("abc", KEY, "Anthropic (work)")
    words = Secret(vault.new_recovery_key())
    subprocess.run(
        ["secret-tool", "clear", "service", "Bureau", "username", f"office-{vault.office_id}"], check=True
    )
    with pytest.raises(errors.KeysMissing, match="bureau recovery unlock"):
        open_vault(folder)
    assert unlock_with_recovery(folder, words).keys == vault.keys
    again = open_vault(folder)
    assert again.keys == vault.keys
    assert again.read_key("abc") == KEY


@pytest.mark.req("R186")
def test_the_recovery_key_moves_the_office_when_no_keyring_is_left(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secret_service(tmp_path / "keyring") as session:
        _use(session, monkeypatch)
        vault = open_vault(folder)
        words = Secret(vault.new_recovery_key())
    _use(NO_SECRET_SERVICE, monkeypatch)
    with pytest.raises(errors.KeyringAbsent):
        open_vault(folder)
    with pytest.raises(errors.KeyringAbsent):
        unlock_with_recovery(folder, words)
    passphrase = Secret("three quiet harbours")
    assert unlock_with_recovery(folder, words, passphrase=passphrase).keys == vault.keys
    assert open_vault(folder, passphrase=passphrase).keys == vault.keys
    assert unlock_with_recovery(folder, words, passphrase=passphrase).keys == vault.keys


def test_a_damaged_item_is_told(folder: Path, unlocked_keyring: Session) -> None:
    vault = open_vault(folder)
    vault.store.write(f"office-{vault.office_id}", Secret("damaged"), "Bureau")
    with pytest.raises(errors.KeysDamaged, match="recovery key"):
        open_vault(folder)


def test_values_too_long_for_a_backend_are_sealed_into_a_file(
    folder: Path, unlocked_keyring: Session
) -> None:
    class Short(SecretServiceKeyring):
        longest = 1280

    long = Secret("planted-token-" + "0123456789" * 400)
    store = KeyringStore(folder, Short())
    store.write("token", long, "Bureau – Google")
    assert KeyringStore(folder, Short()).read("token") == long
    stored = SecretServiceKeyring().get("token", float("inf"))
    assert stored is not None
    assert len(stored) < 1280
    assert "planted" not in stored
    (first,) = (folder / "sealed").iterdir()
    assert b"planted" not in first.read_bytes()

    longer = Secret(long.reveal() * 2)
    store.write("token", longer, "Bureau – Google")
    assert KeyringStore(folder, Short()).read("token") == longer
    (second,) = (folder / "sealed").iterdir()
    assert second != first

    second.write_bytes(second.read_bytes()[:-1])
    with pytest.raises(errors.SealedFileDamaged):
        KeyringStore(folder, Short()).read("token")
    store.delete("token")
    assert not list((folder / "sealed").iterdir())
    assert KeyringStore(folder, Short()).read("token") is None
