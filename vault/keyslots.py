"""`keyslots.json`: which office this is, where its keys are kept, and the slots that can open it.

Each slot holds the same master keys, wrapped for one way of opening: a passphrase (Argon2id, AES-256-GCM) or
the recovery key (HPKE to its public key). The file is public: without passphrase or recovery key it opens
nothing. `keyslots.copy.json` beside it has the same content and takes its place if it is damaged.
"""

import base64
import hashlib
import json
import re
import secrets
import unicodedata
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from resources.language import gettext as _
from vault import recovery_key
from vault.durable_file import remove_durably, write_durably
from vault.errors import OfficeTooNew, PassphraseWrong, ReadingFailed, SavingFailed, SlotsDamaged
from vault.secret import Secret

FILE = "keyslots.json"
COPY = "keyslots.copy.json"
PASSPHRASE_STORE = "passphrase"  # noqa: S105 - the name of a place
"""The identity of the store that has a passphrase slot; every other one is a keyring."""

_VERSION = 1
# What a damaged or hostile file may make this machine compute.
_MOST_MEMORY_KIB = 1 << 20
_MOST_ITERATIONS = 20
_MOST_LANES = 16


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """The price of one guess; memory in KiB."""

    memory_kib: int = 64 * 1024
    iterations: int = 3
    lanes: int = 4


@dataclass(frozen=True, slots=True)
class PassphraseSlot:
    """The master keys under a key derived from a passphrase; salt 16 bytes, nonce 12 bytes."""

    salt: bytes
    cost: Argon2Cost
    nonce: bytes
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class RecoverySlot:
    """The master keys encrypted to the public key (32 bytes) of the recovery key."""

    public_key: bytes
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class Keyslots:
    """The content of the file: office id (32 hexadecimal digits), store identity, and the slots."""

    office: str
    store: str
    passphrase: PassphraseSlot | None = None
    recovery: RecoverySlot | None = None

    @classmethod
    def new(cls, store: str) -> "Keyslots":
        return cls(office=secrets.token_hex(16), store=store)

    def kept_in(self, store: str) -> "Keyslots":
        """Return the slots with another store named; only the passphrase vault has a passphrase slot."""
        return replace(self, store=store, passphrase=self.passphrase if store == self.store else None)

    def derive_slot_key(self, passphrase: Secret) -> bytes:
        """Return the 32-byte key of the passphrase slot; takes about 0.15 s and 64 MiB, by design."""
        assert self.passphrase is not None
        return derive_slot_key(passphrase, self.passphrase.salt, self.passphrase.cost)

    def open_passphrase_slot(self, slot_key: bytes) -> Secret:
        """Return the master keys as text.

        Raises PassphraseWrong.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        slot = self.passphrase
        assert slot is not None
        try:
            aad = self._passphrase_context(slot.salt, slot.cost)
            return Secret(AESGCM(slot_key).decrypt(slot.nonce, slot.wrapped, aad).decode("ascii"))
        except InvalidTag:
            raise PassphraseWrong from None

    def with_passphrase(self, slot_key: bytes, salt: bytes, cost: Argon2Cost, keys: Secret) -> "Keyslots":
        """Return the slots with the keys wrapped for the passphrase from which the slot key was derived."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = secrets.token_bytes(12)
        wrapped = AESGCM(slot_key).encrypt(
            nonce, keys.reveal().encode("ascii"), self._passphrase_context(salt, cost)
        )
        return replace(self, passphrase=PassphraseSlot(salt, cost, nonce, wrapped))

    def open_recovery_slot(self, key: bytes) -> Secret:
        """Return the master keys as text, opened by the 32 bytes of the recovery key.

        Raises RecoveryKeyWrong.
        """
        assert self.recovery is not None
        return Secret(
            recovery_key.unwrap(key, self.recovery.wrapped, self._recovery_context()).decode("ascii")
        )

    def with_recovery(self, public_key: bytes, keys: Secret) -> "Keyslots":
        """Return the slots with the keys wrapped for the recovery key that has this public key."""
        wrapped = recovery_key.wrap(public_key, keys.reveal().encode("ascii"), self._recovery_context())
        return replace(self, recovery=RecoverySlot(public_key, wrapped))

    def _passphrase_context(self, salt: bytes, cost: Argon2Cost) -> bytes:
        settings = f"{cost.memory_kib},{cost.iterations},{cost.lanes}"
        return f"bureau/v1/passphrase-slot|{self.office}|{salt.hex()}|{settings}".encode()

    def _recovery_context(self) -> bytes:
        return f"bureau/v1/recovery-slot|{self.office}".encode()


def derive_slot_key(passphrase: Secret, salt: bytes, cost: Argon2Cost) -> bytes:
    """Return 32 bytes by Argon2id; equal passphrases typed on different systems give the same (NFKC)."""
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    text = unicodedata.normalize("NFKC", passphrase.reveal()).encode("utf-8", "surrogatepass")
    derivation = Argon2id(
        salt=salt, length=32, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    return derivation.derive(text)


def checked_cost(cost: Argon2Cost) -> Argon2Cost:
    """Return the cost. Raises ValueError where a damaged or hostile file would make this machine compute too much."""
    within = (
        8 * cost.lanes <= cost.memory_kib <= _MOST_MEMORY_KIB
        and 1 <= cost.iterations <= _MOST_ITERATIONS
        and 1 <= cost.lanes <= _MOST_LANES
    )
    if not within:
        raise ValueError("cost out of bounds")
    return cost


class KeyslotFile:
    """The file of one office and what it holds; vault and store share one, so neither undoes the other."""

    def __init__(self, folder: Path, slots: Keyslots) -> None:
        self.folder = folder
        self.slots = slots

    @classmethod
    def load(cls, folder: Path) -> "KeyslotFile | None":
        """Read the slots of an office, from the copy if the file itself is damaged; None if there is neither.

        Raises OfficeTooNew, SlotsDamaged if both are damaged, ReadingFailed if the system does not let them be read.
        """
        first, second = folder / FILE, folder / COPY
        found = {path: _read(path) for path in (first, second)}
        if all(content is None for content in found.values()):
            return None
        for path, content in found.items():
            slots = _parse(content) if isinstance(content, bytes) else None
            if slots is not None and isinstance(content, bytes):
                other = second if path == first else first
                if found[other] != content:
                    _repair(other, content)
                return cls(folder, slots)
        for path, content in found.items():
            if isinstance(content, OSError):
                raise ReadingFailed(str(path), content.strerror or "") from content
        raise SlotsDamaged(str(first))

    def save(self, slots: Keyslots) -> None:
        """Replace the copy, then the file, which counts where they differ; each is read back.

        Raises SavingFailed; then the office still opens as before.
        """
        data = _serialise(slots)
        for name in (COPY, FILE):
            path = self.folder / name
            write_durably(path, data)
            if _read(path) != data:
                raise SavingFailed.refused(str(path), _("read back differently"))
        self.slots = slots


def destroy(folder: Path) -> None:
    """Remove the slots of the office in a folder. Raises SavingFailed."""
    for name in (FILE, COPY):
        remove_durably(folder / name)


def _repair(path: Path, data: bytes) -> None:
    import logging

    log = logging.getLogger(__name__)
    try:
        write_durably(path, data)
        log.warning("%s was replaced by its copy", path.name)
    except SavingFailed as error:
        # A read-only disk must not keep the owner out of an office that opens.
        log.warning("%s could not be repaired: %s", path.name, error)


def _read(path: Path) -> bytes | OSError | None:
    """Return the content, None if there is no such file, or why it cannot be read."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return error


def _serialise(slots: Keyslots) -> bytes:
    fields: dict[str, Any] = {"version": _VERSION, "office": slots.office, "store": slots.store, "slots": []}
    if slots.passphrase is not None:
        slot = slots.passphrase
        fields["slots"].append(
            {
                "kind": "passphrase",
                "kdf": {"name": "argon2id", "salt": _text(slot.salt), **asdict(slot.cost)},
                "nonce": _text(slot.nonce),
                "wrapped": _text(slot.wrapped),
            }
        )
    if slots.recovery is not None:
        recovery = slots.recovery
        fields["slots"].append(
            {"kind": "recovery", "public_key": _text(recovery.public_key), "wrapped": _text(recovery.wrapped)}
        )
    fields["checksum"] = _checksum(fields)
    return json.dumps(fields, indent=1).encode("ascii") + b"\n"


def _parse(data: bytes) -> Keyslots | None:
    """Return the slots, or None if the data are not what `_serialise` writes. Raises OfficeTooNew."""
    try:
        fields = json.loads(data)
        checksum = fields.pop("checksum")
        if checksum != _checksum(fields):
            return None
        if isinstance(fields["version"], int) and fields["version"] > _VERSION:
            raise OfficeTooNew(FILE)
        if fields["version"] != _VERSION:
            return None
        kinds = {slot["kind"]: slot for slot in fields["slots"]}
        slots = Keyslots(
            office=fields["office"],
            store=fields["store"],
            passphrase=_passphrase_slot(kinds.get("passphrase")),
            recovery=_recovery_slot(kinds.get("recovery")),
        )
        known = re.fullmatch("[0-9a-f]{32}", slots.office) and isinstance(slots.store, str)
        if not known or (slots.store == PASSPHRASE_STORE) != (slots.passphrase is not None):
            return None
        return slots
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _passphrase_slot(fields: dict[str, Any] | None) -> PassphraseSlot | None:
    if fields is None:
        return None
    kdf = fields["kdf"]
    cost = checked_cost(Argon2Cost(int(kdf["memory_kib"]), int(kdf["iterations"]), int(kdf["lanes"])))
    if kdf["name"] != "argon2id":
        raise ValueError("another derivation")
    return PassphraseSlot(_data(kdf["salt"], 16), cost, _data(fields["nonce"], 12), _data(fields["wrapped"]))


def _recovery_slot(fields: dict[str, Any] | None) -> RecoverySlot | None:
    if fields is None:
        return None
    return RecoverySlot(_data(fields["public_key"], 32), _data(fields["wrapped"]))


def _checksum(fields: dict[str, Any]) -> str:
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _data(text: str, length: int | None = None) -> bytes:
    data = base64.b64decode(text, validate=True)
    if length is not None and len(data) != length:
        raise ValueError("wrong length")
    return data
