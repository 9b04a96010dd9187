"""Secrets under a passphrase, where there is no keyring or its owner prefers this."""

import secrets
import threading

from resources.language import gettext as _
from vault.errors import KeysDamaged, PassphraseTooShort, SealedFileDamaged
from vault.keyslots import PASSPHRASE_STORE, Argon2Cost, KeyslotFile, derive_slot_key
from vault.master_keys import MasterKeys
from vault.sealed_files import SealedFiles
from vault.secret import Secret

SHORTEST = 8
_KIND = "secret"


class PassphraseStore:
    """The master keys rest in the passphrase slot of `keyslots.json`, every other secret in a sealed file.

    The sealing key is derived from the master keys, so neither a new passphrase nor opening the office with
    the recovery key touches the sealed files. The slot's own key stays in memory, so that it can be
    rewritten without asking for the passphrase again.
    """

    identity = PASSPHRASE_STORE

    def __init__(self, file: KeyslotFile, slot_key: bytes, keys_item: str) -> None:
        self._file = file
        self._slot_key = slot_key
        self._keys_item = keys_item
        self._sealed = SealedFiles(file.folder)
        self._lock = threading.RLock()
        # What was read stays known to redaction: a provider may repeat a key long after it was sent.
        self._alive: dict[str, Secret | None] = {}
        self._sealing_key = self._open_keys().sealing_key

    @property
    def name(self) -> str:
        return _("the passphrase vault")

    @property
    def slot_key(self) -> bytes:
        """The 32 bytes that the passphrase derives to with the salt of its slot."""
        with self._lock:
            return self._slot_key

    @classmethod
    def open(cls, file: KeyslotFile, passphrase: Secret, keys_item: str) -> "PassphraseStore":
        """Open an existing vault; `keys_item` is the name under which the master keys are read and written.

        Raises PassphraseWrong, KeysDamaged.
        """
        return cls(file, file.slots.derive_slot_key(passphrase), keys_item)

    @classmethod
    def create(
        cls, file: KeyslotFile, passphrase: Secret, keys: MasterKeys, keys_item: str
    ) -> "PassphraseStore":
        """Save a passphrase slot with these master keys, in place of a former one, and open it.

        Raises PassphraseTooShort, SavingFailed.
        """
        slot_key = _save_slot(file, passphrase, keys.to_secret())
        return cls(file, slot_key, keys_item)

    def change_passphrase(self, passphrase: Secret) -> None:
        """Let another passphrase open the vault from now on, instead of the former one.

        Raises PassphraseTooShort, SavingFailed; then the former passphrase stays.
        """
        with self._lock:
            self._slot_key = _save_slot(self._file, passphrase, self._open_keys().to_secret())

    def read(self, item: str) -> Secret | None:
        with self._lock:
            if item == self._keys_item:
                return self._file.slots.open_passphrase_slot(self._slot_key)
            self._alive[item] = self._sealed.read(item, _KIND, self._sealing_key)
            return self._alive[item]

    def write(self, item: str, secret: Secret, label: str) -> None:
        with self._lock:
            if item == self._keys_item:
                slot = self._file.slots.passphrase
                assert slot is not None
                self._file.save(
                    self._file.slots.with_passphrase(self._slot_key, slot.salt, slot.cost, secret)
                )
                return
            self._sealed.write(item, _KIND, secret, label, self._sealing_key)
            if self._sealed.read(item, _KIND, self._sealing_key) != secret:
                raise SealedFileDamaged(item)

    def delete(self, item: str) -> None:
        with self._lock:
            self._sealed.delete(item)
            self._alive.pop(item, None)

    def probe(self) -> None:
        item = f"probe-{secrets.token_hex(8)}"
        self.write(item, Secret(secrets.token_hex(32)), "Bureau – test")
        self.delete(item)

    def _open_keys(self) -> MasterKeys:
        try:
            return MasterKeys.from_secret(self._file.slots.open_passphrase_slot(self._slot_key))
        except ValueError:
            raise KeysDamaged(self.name) from None


def _save_slot(file: KeyslotFile, passphrase: Secret, keys: Secret) -> bytes:
    if len(passphrase.reveal()) < SHORTEST:
        raise PassphraseTooShort(SHORTEST)
    salt, cost = secrets.token_bytes(16), Argon2Cost()
    slot_key = derive_slot_key(passphrase, salt, cost)
    file.save(file.slots.kept_in(PASSPHRASE_STORE).with_passphrase(slot_key, salt, cost, keys))
    return slot_key
