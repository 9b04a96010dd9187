"""Opens the secrets of one office: its master keys and its provider keys."""

import hmac
import secrets
import threading
from pathlib import Path
from typing import Literal

from resources.language import gettext as _
from vault import backup_keys, destroying, keyslots, recovery_key
from vault.durable_file import saving_failed
from vault.errors import (
    KeyNotFound,
    KeyringChanged,
    KeysDamaged,
    KeysMissing,
    NoOffice,
    NoPendingKey,
    PassphraseNeeded,
    PassphraseNotUsed,
    RecoveryKeyAbsent,
    SavingFailed,
    SlotsDamaged,
    VaultError,
)
from vault.keyring_choice import display_name
from vault.keyring_store import PROMPT_SECONDS, KeyringStore
from vault.keyslots import PASSPHRASE_STORE, KeyslotFile, Keyslots
from vault.master_keys import MasterKeys
from vault.passphrase_store import PassphraseStore
from vault.secret import Secret
from vault.store import SecretStore

__all__ = ["MasterKeys", "Vault", "open_vault", "unlock_with_recovery"]

_DATABASE = "office.db"
Opener = Literal["recovery key", "passphrase"]


class Vault:
    """The open vault of one office; its methods may block and are safe in any thread."""

    def __init__(self, file: KeyslotFile, store: SecretStore, keys: MasterKeys) -> None:
        self._file = file
        self._lock = threading.RLock()
        self._shown: Secret | None = None
        self.store = store
        self.keys = keys

    @property
    def office_id(self) -> str:
        """32 hexadecimal digits; part of the name of every item."""
        return self._file.slots.office

    def read_key(self, credential_id: str) -> Secret:
        """Return a provider key.

        Raises KeyNotFound (its owner may delete it in the system's key manager), StoreUnusable.
        """
        found = self.store.read(self._item(credential_id))
        if found is None:
            raise KeyNotFound(self.store.name)
        return found

    def write_key(self, credential_id: str, secret: Secret, label: str) -> None:
        """Keep a provider key, in place of the former one; the label is such as ``Anthropic (work)``.

        Raises StoreUnusable, SavingFailed.
        """
        self.store.write(self._item(credential_id), secret, f"Bureau – {label}")

    def delete_key(self, credential_id: str) -> None:
        """Destroy a provider key; none being there is no error. Raises StoreUnusable, SavingFailed."""
        self.store.delete(self._item(credential_id))

    def fingerprint(self, secret: Secret) -> str:
        """Return eight hexadecimal digits that recognise a key within this office only."""
        return secret.fingerprint(self.keys.fingerprint_salt)

    @property
    def has_passphrase(self) -> bool:
        """Whether the office is opened by a passphrase instead of a keyring."""
        return isinstance(self.store, PassphraseStore)

    def opens_with(self, passphrase: Secret) -> bool:
        """Return whether this is the passphrase of the office; takes about 0.1 s. False for one on a keyring."""
        if not isinstance(self.store, PassphraseStore):
            return False
        return hmac.compare_digest(self._file.slots.derive_slot_key(passphrase), self.store.slot_key)

    @property
    def has_recovery_key(self) -> bool:
        return self._file.slots.recovery is not None

    def new_recovery_key(self) -> str:
        """Return 24 words, to be shown once, that open the office from now on; a former key no longer does.

        Raises SavingFailed; then the former key stays.
        """
        key = secrets.token_bytes(recovery_key.LENGTH)
        with self._lock:
            public = recovery_key.public_key(key)
            self._file.save(self._file.slots.with_recovery(public, self.keys.to_secret()))
            words = recovery_key.words_of(key)
            self._shown = Secret(words)  # redacted everywhere while this office is open
            return words

    @property
    def openers(self) -> tuple[Opener, ...]:
        """What somebody keeps outside this machine that opens the slots, old pieces of them on the disk included."""
        found: list[Opener] = ["recovery key"] if self.has_recovery_key else []
        if isinstance(self.store, PassphraseStore):
            found.append("passphrase")
        return tuple(found)

    def wrap_backup_key(self, backup_id: str, key: bytes) -> backup_keys.Slots:
        """Return a backup's 32-byte key wrapped in every way that opens this office now."""
        with self._lock:
            slot_key = self.store.slot_key if isinstance(self.store, PassphraseStore) else None
            return backup_keys.wrap(key, backup_id, self.keys, self._file.slots, slot_key)

    def open_backup_key(self, backup_id: str, slots: backup_keys.Slots) -> bytes:
        """Return the key of a backup of this office. Raises BackupKeyAbsent or BackupSlotsDamaged."""
        return backup_keys.open_by_office(slots, self.office_id, backup_id, self.keys)

    def reload(self) -> None:
        """Take over the slots as another process of this office left them, such as a new recovery key.

        Raises SlotsDamaged, ReadingFailed.
        """
        with self._lock:
            found = KeyslotFile.load(self._file.folder)
            if found is not None:
                self._file.slots = found.slots

    def begin_rekey(self) -> bytes:
        """Put a new random database key (32 bytes) as pending beside the current one, wherever keys rest.

        Called again before `finish_rekey` or `abandon_rekey`, it returns the same key.

        Raises StoreUnusable, SavingFailed; the current key then still opens the database.
        """
        with self._lock:
            # One that is known is written again: giving it up may have failed after some of the places forgot it.
            known = self.keys.pending_database_key is not None
            self._replace_keys(self.keys if known else self.keys.with_pending())
            pending = self.keys.pending_database_key
            assert pending is not None
            return pending

    def finish_rekey(self) -> None:
        """Make the pending key, with which the database now opens, the only one.

        Raises NoPendingKey, StoreUnusable, SavingFailed; both keys then stay known.
        """
        with self._lock:
            if self.keys.pending_database_key is None:
                raise NoPendingKey
            self._replace_keys(self.keys.promoted())

    def abandon_rekey(self) -> None:
        """Forget the pending key, because the database still opens with the current one.

        Raises StoreUnusable, SavingFailed; both keys then stay known.
        """
        with self._lock:
            if self.keys.pending_database_key is not None:
                self._replace_keys(self.keys.without_pending())

    def destroy(self) -> None:
        """Destroy the master keys and every slot: nothing of this office can be opened again.

        Raises StoreUnusable, SavingFailed; then the office still opens, or the next start goes on with it.
        """
        with self._lock:
            item = _keys_item(self._file.slots)
            destroying.begin(self._file.folder, item, self.store.identity)
            try:
                self.store.delete(item)
            except VaultError:
                destroying.call_off(self._file.folder)
                raise
            keyslots.destroy(self._file.folder)

    def change_passphrase(self, passphrase: Secret) -> None:
        """Let another passphrase open this office.

        Raises PassphraseNotUsed if it is kept in a keyring, PassphraseTooShort, SavingFailed.
        """
        if not isinstance(self.store, PassphraseStore):
            raise PassphraseNotUsed(self.store.name)
        with self._lock:  # whoever else writes the slots
            self.store.change_passphrase(passphrase)

    def _replace_keys(self, keys: MasterKeys) -> None:
        """Write the keys to every slot and to the store.

        The slots come first when a key is added and last when one is dropped, so that whatever a crash
        leaves behind, each slot opens the database with one of its keys.
        """
        adding = keys.pending_database_key is not None
        if adding:
            self._save_recovery_slot(keys)
        _put(self.store, self._file.slots, keys)
        if not adding:
            self._save_recovery_slot(keys)
        self._read_back(keys)
        self.keys = keys

    def _read_back(self, keys: MasterKeys) -> None:
        """Read every slot from the disk before the database relies on it. Raises SavingFailed, KeysDamaged.

        The passphrase slot is opened. The recovery slot cannot be: only its owner has the words, and a public key
        opens nothing. What can be said without them is that the file and its copy hold the very ciphertext that
        was made here, for the very public key that came from the words.
        """
        found = KeyslotFile.load(self._file.folder)
        if found is None or found.slots != self._file.slots:
            raise SavingFailed.refused(str(self._file.folder / keyslots.FILE), _("read back differently"))
        if isinstance(self.store, PassphraseStore):
            opened = found.slots.open_passphrase_slot(self.store.slot_key)
            if _parse(opened, keyslots.FILE) != keys:
                raise KeysDamaged(keyslots.FILE)

    def _save_recovery_slot(self, keys: MasterKeys) -> None:
        slot = self._file.slots.recovery
        if slot is not None:
            self._file.save(self._file.slots.with_recovery(slot.public_key, keys.to_secret()))

    def _item(self, credential_id: str) -> str:
        return f"key-{self.office_id}-{credential_id}"


def open_vault(
    folder: Path,
    *,
    passphrase: Secret | None = None,
    create: bool = True,
    prompt_seconds: float = PROMPT_SECONDS,
) -> Vault:
    """Open the secrets of the office in a folder, or create them where none are and `create` is set.

    With a passphrase no keyring is contacted. Without one the system's keyring is used; if there is none that
    is safe, the error says so, and nothing is created.

    Raises NoOffice, StoreUnusable, KeysMissing, KeysDamaged, SlotsDamaged, ReadingFailed, PassphraseNeeded,
    PassphraseWrong, PassphraseTooShort, PassphraseNotUsed, SavingFailed.
    """
    if destroying.is_being_erased(folder):
        raise NoOffice(str(folder))
    file = KeyslotFile.load(folder)
    if file is None:
        if (folder / _DATABASE).exists():
            raise SlotsDamaged(str(folder / keyslots.FILE))
        if not create:
            raise NoOffice(str(folder))
        return _create(folder, passphrase, prompt_seconds)
    store: SecretStore
    if file.slots.store == PASSPHRASE_STORE:
        if passphrase is None:
            raise PassphraseNeeded
        store = PassphraseStore.open(file, passphrase, _keys_item(file.slots))
    elif passphrase is not None:
        raise PassphraseNotUsed(display_name(file.slots.store))
    else:
        store = KeyringStore.open(folder, prompt_seconds=prompt_seconds)
        if store.identity != file.slots.store:
            raise KeyringChanged(display_name(file.slots.store), store.name)
    return Vault(file, store, _take(store, file.slots))


def unlock_with_recovery(
    folder: Path,
    words: Secret,
    *,
    passphrase: Secret | None = None,
    prompt_seconds: float = PROMPT_SECONDS,
) -> Vault:
    """Open the office with its recovery key and put the master keys where later starts find them.

    That is the passphrase vault if a passphrase is given (a new one, or the first), else the keyring of this
    system. The recovery key stays valid. Provider keys that were in a lost keyring have to be added again.

    Raises RecoveryKeyWrong, RecoveryKeyAbsent, NoOffice, SlotsDamaged, StoreUnusable, PassphraseNeeded (it
    was a passphrase vault), PassphraseTooShort, KeysDamaged, SavingFailed.
    """
    key = recovery_key.key_of(words)
    file = KeyslotFile.load(folder)
    if file is None:
        raise NoOffice(str(folder))
    if file.slots.recovery is None:
        raise RecoveryKeyAbsent
    keys = _parse(file.slots.open_recovery_slot(key), keyslots.FILE)
    store: SecretStore
    if passphrase is not None:
        store = PassphraseStore.create(file, passphrase, keys, _keys_item(file.slots))
        return Vault(file, store, keys)
    if file.slots.store == PASSPHRASE_STORE:
        raise PassphraseNeeded
    store = KeyringStore.open(folder, prompt_seconds=prompt_seconds)
    store.probe()
    _put(store, file.slots, keys)
    # Also where nothing changed in it: a window that waits for its keys watches this file.
    file.save(file.slots.kept_in(store.identity))
    return Vault(file, store, keys)


def _create(folder: Path, passphrase: Secret | None, prompt_seconds: float) -> Vault:
    keys = MasterKeys.generate()
    if passphrase is not None:
        _make_folder(folder)
        file = KeyslotFile(folder, Keyslots.new(PASSPHRASE_STORE))
        return Vault(file, PassphraseStore.create(file, passphrase, keys, _keys_item(file.slots)), keys)
    store = KeyringStore.open(folder, prompt_seconds=prompt_seconds)
    store.probe()
    _make_folder(folder)
    file = KeyslotFile(folder, Keyslots.new(store.identity))
    # The item first: slots without their item would look like an office whose keys were lost.
    _put(store, file.slots, keys)
    file.save(file.slots)
    return Vault(file, store, keys)


def _put(store: SecretStore, slots: Keyslots, keys: MasterKeys) -> None:
    """Write the master keys to the store and read them back. Raises KeysDamaged if they differ."""
    store.write(
        _keys_item(slots), keys.to_secret(), _("Bureau – keys of office {id}").format(id=slots.office[:8])
    )
    if _take(store, slots) != keys:
        raise KeysDamaged(store.name)


def _take(store: SecretStore, slots: Keyslots) -> MasterKeys:
    found = store.read(_keys_item(slots))
    if found is None:
        raise KeysMissing(store.name, recoverable=slots.recovery is not None)
    return _parse(found, store.name)


def _parse(secret: Secret, place: str) -> MasterKeys:
    try:
        return MasterKeys.from_secret(secret)
    except ValueError:
        raise KeysDamaged(place) from None


def _keys_item(slots: Keyslots) -> str:
    return f"office-{slots.office}"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise saving_failed(folder, error) from error
