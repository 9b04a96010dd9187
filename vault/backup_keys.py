"""Ways to open a backup: its own random key, wrapped for the office, its passphrase and its recovery key.

No backup holds a master key. So neither an old disk nor an old backup gives away what opens the office of today,
and a removed backup is noise once the wraps in its head are overwritten.
"""

import base64
import binascii
import secrets
from dataclasses import asdict
from typing import Any

from vault import recovery_key
from vault.errors import BackupKeyAbsent, BackupSlotsDamaged, PassphraseWrong
from vault.keyslots import Argon2Cost, Keyslots, checked_cost, derive_slot_key
from vault.master_keys import MasterKeys
from vault.secret import Secret

Slots = list[dict[str, Any]]
"""As JSON in the head of a backup: ``{"kind": "office" | "passphrase" | "recovery", …, "wrapped": base64}``."""

_PURPOSE = b"bureau/v1/backups"
_NONCE = 12


def wrap(
    key: bytes, backup_id: str, keys: MasterKeys, slots: Keyslots, passphrase_slot_key: bytes | None
) -> Slots:
    """Return a backup's key (32 bytes) wrapped in every way that opens this office now."""
    office = slots.office
    made: Slots = [
        {"kind": "office", **_seal(keys.derive(_PURPOSE), key, _context("office", office, backup_id))}
    ]
    if slots.passphrase is not None and passphrase_slot_key is not None:
        kdf = {"salt": _text(slots.passphrase.salt), **asdict(slots.passphrase.cost)}
        sealed = _seal(passphrase_slot_key, key, _context("passphrase", office, backup_id))
        made.append({"kind": "passphrase", "kdf": kdf, **sealed})
    if slots.recovery is not None:
        public = slots.recovery.public_key
        wrapped = recovery_key.wrap(public, key, _context("recovery", office, backup_id))
        made.append({"kind": "recovery", "public_key": _text(public), "wrapped": _text(wrapped)})
    return made


def open_by_office(slots: Slots, office: str, backup_id: str, keys: MasterKeys) -> bytes:
    """Return the key of a backup of this very office. Raises BackupKeyAbsent or BackupSlotsDamaged."""
    from cryptography.exceptions import InvalidTag

    slot = _slot(slots, "office")
    try:
        return _unseal(keys.derive(_PURPOSE), slot, _context("office", office, backup_id))
    except InvalidTag:
        raise BackupKeyAbsent from None


def open_by_passphrase(slots: Slots, office: str, backup_id: str, passphrase: Secret) -> bytes:
    """Return the key by the passphrase the office had. Raises PassphraseWrong, BackupKeyAbsent, BackupSlotsDamaged."""
    from cryptography.exceptions import InvalidTag

    slot = _slot(slots, "passphrase")
    try:
        kdf = slot["kdf"]
        cost = checked_cost(Argon2Cost(int(kdf["memory_kib"]), int(kdf["iterations"]), int(kdf["lanes"])))
        salt = base64.b64decode(kdf["salt"], validate=True)
    except (KeyError, TypeError, ValueError):
        raise BackupSlotsDamaged from None
    try:
        return _unseal(
            derive_slot_key(passphrase, salt, cost), slot, _context("passphrase", office, backup_id)
        )
    except InvalidTag:
        raise PassphraseWrong from None


def open_by_recovery(slots: Slots, office: str, backup_id: str, words: Secret) -> bytes:
    """Return the key by the 24 words. Raises RecoveryKeyWrong, BackupKeyAbsent or BackupSlotsDamaged."""
    slot = _slot(slots, "recovery")
    return recovery_key.unwrap(
        recovery_key.key_of(words), _field(slot, "wrapped"), _context("recovery", office, backup_id)
    )


def _slot(slots: Slots, kind: str) -> dict[str, Any]:
    for slot in slots:
        if isinstance(slot, dict) and slot.get("kind") == kind:
            return slot
    raise BackupKeyAbsent


def _seal(key: bytes, plain: bytes, context: bytes) -> dict[str, str]:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(_NONCE)
    return {"nonce": _text(nonce), "wrapped": _text(AESGCM(key).encrypt(nonce, plain, context))}


def _unseal(key: bytes, slot: dict[str, Any], context: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key).decrypt(_field(slot, "nonce"), _field(slot, "wrapped"), context)


def _field(slot: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(slot[name], validate=True)
    except (KeyError, TypeError, binascii.Error):
        raise BackupSlotsDamaged from None


def _context(kind: str, office: str, backup_id: str) -> bytes:
    return f"bureau/v1/backup-key|{kind}|{office}|{backup_id}".encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
