"""A passphrase that guards the screen of an office whose keys rest in a keyring. It encrypts nothing.

What is kept of it is a hash by Argon2id with a salt of its own: enough to recognise it, at the price of one guess.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import asdict
from typing import Any

from vault.errors import PassphraseTooShort
from vault.keyslots import Argon2Cost, checked_cost, derive_slot_key
from vault.secret import Secret

SHORTEST = 4
"""A screen is guessed at by hand, one try in a tenth of a second at best."""

_PURPOSE = b"bureau/v1/app-lock"


def verifier(passphrase: Secret) -> dict[str, Any]:
    """Return what recognises a passphrase, to be kept as JSON. Raises PassphraseTooShort."""
    if len(passphrase.reveal()) < SHORTEST:
        raise PassphraseTooShort(SHORTEST)
    salt, cost = secrets.token_bytes(16), Argon2Cost()
    return {"salt": _text(salt), **asdict(cost), "check": _text(_check(passphrase, salt, cost))}


def recognises(kept: dict[str, Any], passphrase: Secret) -> bool:
    """Return whether this is the passphrase; a record that is damaged recognises none."""
    try:
        cost = checked_cost(Argon2Cost(int(kept["memory_kib"]), int(kept["iterations"]), int(kept["lanes"])))
        salt, check = (base64.b64decode(kept[name], validate=True) for name in ("salt", "check"))
    except (KeyError, TypeError, ValueError, binascii.Error):
        return False
    return hmac.compare_digest(check, _check(passphrase, salt, cost))


def _check(passphrase: Secret, salt: bytes, cost: Argon2Cost) -> bytes:
    return hashlib.sha256(_PURPOSE + derive_slot_key(passphrase, salt, cost)).digest()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
