"""The service's own secret: one file of 32 bytes, from which everything it signs, seals or hashes with is derived.

It opens no record. Losing it makes mail addresses unreadable and receipts unprovable, so it is kept with the ledger.
"""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from memory.sync.derivation import derive
from memory.sync.hosted.errors import ServiceFault, SettingsInvalid
from memory.sync.hosted.settings import Settings
from resources.language import gettext as _

_LENGTH = 32
_NONCE = 12


@dataclass(frozen=True)
class ServiceKeys:
    """What the service derives from its secret."""

    secret: bytes = field(repr=False)
    signer: Ed25519PrivateKey = field(init=False, repr=False)
    """Signs receipts, expiries and the manifests of exports."""
    _derived: dict[bytes, bytes] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "signer", Ed25519PrivateKey.from_private_bytes(derive(self.secret, b"hosted/sign"))
        )

    @property
    def public(self) -> bytes:
        """The 32 bytes by which receipts are verified."""
        return self.signer.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        """The name under which the public key is published."""
        return hashlib.sha256(self.public).hexdigest()[:16]

    def lookup(self, email: str) -> bytes:
        """Return by what a mail address is found."""
        return self._hmac(b"hosted/address", email.strip().casefold().encode())

    def subject(self, kind: str, id_: str) -> str:
        """Return the pseudonym of an account, a space or a device, for what outlives it."""
        return "hmac-sha256:" + self._hmac(b"hosted/subject", f"{kind}:{id_}".encode()).hex()

    def erased_tag(self, space_id: str, rid: str) -> bytes:
        """Return the 16 bytes under which the ledger remembers an erased record."""
        salt = self._hmac(b"hosted/erased", bytes.fromhex(space_id))
        return hmac.digest(salt, bytes.fromhex(rid), "sha256")[:16]

    def url_signature(self, text: str) -> str:
        """Return what makes an address of a stored object valid."""
        return self._hmac(b"hosted/url", text.encode()).hex()

    def bucket(self, kind: str, who: str) -> bytes:
        """Return the 16 bytes under which the calls of somebody are counted for a while."""
        return self._hmac(b"hosted/bucket", f"{kind}:{who}".encode())[:16]

    def _hmac(self, purpose: bytes, data: bytes) -> bytes:
        return hmac.digest(self._key(purpose), data, "sha256")

    def _key(self, purpose: bytes) -> bytes:
        """Return what the secret yields for a purpose; deriving it for every request would cost more than hashing."""
        if (found := self._derived.get(purpose)) is None:
            found = self._derived[purpose] = derive(self.secret, purpose)
        return found

    def seal(self, text: str, bound: str) -> bytes:
        """Seal what only the service reads for a short while: an address on its way to a mail."""
        return seal_with(self._key(b"hosted/seal"), text, bound)

    def open(self, sealed: bytes, bound: str) -> str:
        """Return what `seal` sealed. Raises ServiceFault."""
        return open_with(self._key(b"hosted/seal"), sealed, bound)


def seal_with(key: bytes, text: str, bound: str) -> bytes:
    """Seal a text with a key of 32 bytes, bound to its place."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, text.encode(), bound.encode())


def open_with(key: bytes, sealed: bytes, bound: str) -> str:
    """Return what `seal_with` sealed. Raises ServiceFault."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound.encode()).decode()
    except InvalidTag:
        raise ServiceFault(
            _("A stored address does not open: the service’s secret is not the one it was sealed with.")
        ) from None


def secret_path(settings: Settings) -> Path:
    """Return where the service's secret lies."""
    return Path(settings.secret_file) if settings.secret_file else settings.data / "service.key"


def load_keys(settings: Settings) -> ServiceKeys:
    """Read the service's secret; make it at the first start. Raises SettingsInvalid."""
    path = secret_path(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _make_secret(path)
    except OSError as wrong:
        raise SettingsInvalid(
            _("The secret {path} cannot be written: {reason}.").format(path=path, reason=wrong.strerror)
        ) from wrong
    try:
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as wrong:
        raise SettingsInvalid(_("The secret {path} cannot be read.").format(path=path)) from wrong
    if len(secret) != _LENGTH:
        raise SettingsInvalid(
            _("The secret {path} is damaged; bring it back from its backup.").format(path=path)
        )
    return ServiceKeys(secret)


def _make_secret(path: Path) -> None:
    """Write a secret whole and on the disk before it has its name; of two replicas that start, one's counts."""
    making = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(_LENGTH) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(making, path)
    finally:
        making.unlink(missing_ok=True)
