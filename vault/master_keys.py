"""The keys of one office, from which everything else it encrypts or signs is opened."""

import base64
import binascii
import json
import secrets
from dataclasses import dataclass, field, replace

from vault import live_secrets
from vault.secret import Secret

VERSION = 1
_LENGTH = 32


@dataclass(frozen=True, slots=True, weakref_slot=True)
class MasterKeys:
    """What the keyring item of an office holds; each key is 32 random bytes.

    `pending_database_key` is set while the database is being given another key: the database then opens
    with one of the two.
    """

    database_key: bytes = field(repr=False)
    signing_seed: bytes = field(repr=False)
    pending_database_key: bytes | None = field(default=None, repr=False)
    version: int = VERSION

    def __post_init__(self) -> None:
        keys = [self.database_key, self.signing_seed, self.pending_database_key]
        present = [key for key in keys if key is not None]
        if any(len(key) != _LENGTH for key in present) or self.version != VERSION:
            raise ValueError("master keys of a wrong length or version")
        # Registered as text of these bytes too: log lines and errors show keys in hexadecimal or base64.
        live_secrets.register(self, *(form for key in present for form in _texts(key)))

    @classmethod
    def generate(cls) -> "MasterKeys":
        return cls(secrets.token_bytes(_LENGTH), secrets.token_bytes(_LENGTH))

    @property
    def fingerprint_salt(self) -> bytes:
        """The salt of the office for `Secret.fingerprint`, so that equal keys of two offices do not match."""
        return self.derive(b"bureau/v1/fingerprint-salt")

    @property
    def sealing_key(self) -> bytes:
        """The key of the sealed files in the passphrase vault; a rekey of the database leaves it as it is."""
        return self.derive(b"bureau/v1/sealed-secrets")

    def derive(self, purpose: bytes) -> bytes:
        """Return 32 bytes for one purpose, by HKDF-SHA256 from the signing seed."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(SHA256(), _LENGTH, None, purpose).derive(self.signing_seed)

    def with_pending(self) -> "MasterKeys":
        """Return the same keys with a new random database key pending."""
        return replace(self, pending_database_key=secrets.token_bytes(_LENGTH))

    def promoted(self) -> "MasterKeys":
        """Return the keys with the pending database key in the place of the current one."""
        if self.pending_database_key is None:
            raise ValueError("no pending key")
        return replace(self, database_key=self.pending_database_key, pending_database_key=None)

    def without_pending(self) -> "MasterKeys":
        return replace(self, pending_database_key=None)

    def to_secret(self) -> Secret:
        """Return the text of the keyring item: base64 of JSON, under 400 characters."""
        fields = {"v": self.version, "db": _encode(self.database_key), "sign": _encode(self.signing_seed)}
        if self.pending_database_key is not None:
            fields["next"] = _encode(self.pending_database_key)
        data = json.dumps(fields, separators=(",", ":")).encode("ascii")
        return Secret(base64.b64encode(data).decode("ascii"))

    @classmethod
    def from_secret(cls, secret: Secret) -> "MasterKeys":
        """Parse what `to_secret` wrote.

        Raises ValueError if it is anything else, without showing it.
        """
        try:
            fields = json.loads(base64.b64decode(secret.reveal(), validate=True))
            pending = fields.get("next")
            return cls(
                database_key=_decode(fields["db"]),
                signing_seed=_decode(fields["sign"]),
                pending_database_key=None if pending is None else _decode(pending),
                version=fields["v"],
            )
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise ValueError("not the master keys of an office") from None

    def __reduce__(self) -> str:
        raise TypeError("MasterKeys cannot be pickled")


def _texts(key: bytes) -> tuple[str, ...]:
    return (
        key.hex(),
        key.hex().upper(),
        _encode(key),
        base64.urlsafe_b64encode(key).decode("ascii"),
        repr(key)[2:-1],
    )


def _encode(key: bytes) -> str:
    return base64.b64encode(key).decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
