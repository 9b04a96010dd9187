"""A new database key is pending wherever keys rest before the database gets it (erasure, step 4)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.peers.keyring import secret_service
from vault import errors, keyslots, office_keys, recovery_key
from vault.durable_file import write_durably
from vault.keyslots import KeyslotFile, Keyslots
from vault.master_keys import MasterKeys
from vault.office_keys import Vault, open_vault, unlock_with_recovery
from vault.secret import Secret
from vault.store import SecretStore

PASSPHRASE = Secret("three quiet harbours")
Opener = Callable[[Path], Vault]


@pytest.fixture(params=["keyring", "passphrase"])
def opener(request: pytest.FixtureRequest) -> Opener:
    if request.param == "keyring":
        request.getfixturevalue("unlocked_keyring")
        return open_vault
    return lambda folder: open_vault(folder, passphrase=PASSPHRASE)


def _use(session: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in session.items():
        monkeypatch.setenv(name, value)


def _recover(folder: Path, words: Secret, vault: Vault) -> Vault:
    passphrase = PASSPHRASE if vault.store.identity == "passphrase" else None
    return unlock_with_recovery(folder, words, passphrase=passphrase)


def test_pending_then_promoted_everywhere(tmp_path: Path, opener: Opener) -> None:
    vault = opener(tmp_path)
    words = Secret(vault.new_recovery_key())
    former = vault.keys.database_key
    pending = vault.begin_rekey()
    assert len(pending) == 32
    assert vault.begin_rekey() == pending
    for opened in (opener(tmp_path), _recover(tmp_path, words, vault)):
        assert (opened.keys.database_key, opened.keys.pending_database_key) == (former, pending)
    vault = opener(tmp_path)
    vault.finish_rekey()
    for opened in (opener(tmp_path), _recover(tmp_path, words, vault)):
        assert (opened.keys.database_key, opened.keys.pending_database_key) == (pending, None)
        assert opened.keys.signing_seed == vault.keys.signing_seed
    with pytest.raises(errors.NoPendingKey):
        opener(tmp_path).finish_rekey()


def test_abandoned(tmp_path: Path, opener: Opener) -> None:
    vault = opener(tmp_path)
    vault.write_key("abc", Secret("planted-provider-key"), "Anthropic (work)")
    former = vault.keys
    vault.begin_rekey()
    again = opener(tmp_path)
    again.abandon_rekey()
    again.abandon_rekey()
    assert opener(tmp_path).keys == former
    assert opener(tmp_path).read_key("abc") == Secret("planted-provider-key")


def test_a_key_whose_giving_up_failed_halfway_is_pending_everywhere_again(
    tmp_path: Path, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = opener(tmp_path)
    words = Secret(vault.new_recovery_key())
    vault.begin_rekey()
    put = office_keys._put

    def refused(path: Path, data: bytes) -> None:
        raise errors.SavingFailed.refused(str(path), "the disk is full")

    with monkeypatch.context() as patch:

        def put_and_fill(store: SecretStore, slots: Keyslots, keys: MasterKeys) -> None:
            put(store, slots, keys)
            patch.setattr(keyslots, "write_durably", refused)

        patch.setattr(office_keys, "_put", put_and_fill)
        with pytest.raises(errors.SavingFailed):
            vault.abandon_rekey()
    pending = vault.begin_rekey()
    for opened in (opener(tmp_path), _recover(tmp_path, words, vault)):
        assert opened.keys.pending_database_key == pending


def test_a_keyring_that_fails_leaves_the_current_key_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "office"
    with secret_service(tmp_path / "keyring") as session:
        _use(session, monkeypatch)
        vault = open_vault(folder)
        words = Secret(vault.new_recovery_key())
        former = vault.keys
    with pytest.raises(errors.KeyringGone):
        vault.begin_rekey()
    assert vault.keys == former
    with secret_service(tmp_path / "keyring") as session:
        _use(session, monkeypatch)
        assert open_vault(folder).keys == former
        # The slot may already name a pending key; the current one is still there.
        assert unlock_with_recovery(folder, words).keys.database_key == former.database_key


@pytest.mark.req("R023")
def test_fingerprints_are_of_this_office_and_survive_a_rekey(tmp_path: Path, opener: Opener) -> None:
    key = Secret("planted-provider-key")
    first, second = opener(tmp_path / "first"), opener(tmp_path / "second")
    before = first.fingerprint(key)
    assert len(before) == 8
    assert second.fingerprint(key) != before
    first.begin_rekey()
    first.finish_rekey()
    assert opener(tmp_path / "first").fingerprint(key) == before


def test_a_slot_that_reads_back_differently_gives_the_database_no_new_key(
    tmp_path: Path, opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = opener(tmp_path)
    words = Secret(vault.new_recovery_key())
    former = vault.keys

    def lying(path: Path, data: bytes) -> None:
        write_durably(path, data.replace(b'"wrapped": "', b'"wrapped": "AAAA') if lies else data)

    def another_process(slots: Keyslots, keys: Secret) -> None:
        """Leave other slots than those that were just written, as a second program would."""
        other = recovery_key.public_key(bytes(32))
        KeyslotFile(tmp_path, slots).save(slots.with_recovery(other, keys))

    def put_and_disturb(store: SecretStore, slots: Keyslots, keys: MasterKeys) -> None:
        put(store, slots, keys)
        another_process(vault._file.slots, keys.to_secret())

    put, lies = office_keys._put, True
    with monkeypatch.context() as patch:
        patch.setattr(keyslots, "write_durably", lying)
        with pytest.raises(errors.SavingFailed, match="read back differently"):
            vault.begin_rekey()
        lies = False
        patch.setattr(office_keys, "_put", put_and_disturb)
        with pytest.raises(errors.SavingFailed, match="read back differently"):
            vault.begin_rekey()
    assert vault.keys == former
    pending = vault.begin_rekey()
    assert _recover(tmp_path, words, vault).keys.pending_database_key == pending
