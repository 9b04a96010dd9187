"""The age encryption format, version 1 (age-encryption.org/v1): written front to back, read at any place.

An encrypted export is opened by any age program. Reading at any place lets an encrypted zip be checked and
brought in without its content ever standing decrypted on a disk. Recipients are X25519 or one passphrase.
"""

import base64
import hmac
import io
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from memory.transfer.bech32 import decode
from memory.transfer.errors import ArchiveDamaged, ArchiveLocked, TransferError
from resources.language import gettext as _

MAGIC = b"age-encryption.org/v1\n"
_CHUNK = 64 * 1024
_TAG = 16
_NONCE = 16
_X25519 = b"age-encryption.org/v1/X25519"
_SCRYPT = b"age-encryption.org/v1/scrypt"
_WORK = 17
"""Two to this power is scrypt's N: 128 MB and some tenths of a second for every guess."""
_MOST_WORK = 20
_MOST_HEADER = 64 * 1024
_RECIPIENT, _IDENTITY = "age", "age-secret-key-"


class KeyMistyped(TransferError):
    """A recipient or identity is not one of age's X25519 keys."""


@dataclass(frozen=True, slots=True)
class _Stanza:
    arguments: tuple[str, ...]
    body: bytes

    def text(self) -> bytes:
        encoded = _encoded(self.body)
        lines = [encoded[start : start + 64] for start in range(0, len(encoded), 64)]
        if not lines or len(lines[-1]) == 64:
            lines.append("")
        return "\n".join((" ".join(("->", *self.arguments)), *lines, "")).encode()


class Encryption:
    """Makes sealed sinks: for a passphrase, or for X25519 recipients (``age1…``). Raises KeyMistyped."""

    def __init__(self, *, passphrase: str = "", recipients: Sequence[str] = ()) -> None:
        self._passphrase = passphrase
        self._recipients = tuple(_key(each, _RECIPIENT) for each in recipients)
        if bool(passphrase) == bool(recipients):
            raise KeyMistyped(_("Encrypt either with a passphrase or for recipients, not both."))

    def __call__(self, file: BinaryIO, /) -> "AgeSink":
        """Write the header and return the sink for the content."""
        key = secrets.token_bytes(16)
        if self._passphrase:
            stanzas = [_lock_by_passphrase(key, self._passphrase)]
        else:
            stanzas = [_lock_for(key, recipient) for recipient in self._recipients]
        header = MAGIC + b"".join(stanza.text() for stanza in stanzas) + b"---"
        file.write(header + b" " + _encoded(_mac(key, header)).encode() + b"\n")
        nonce = secrets.token_bytes(_NONCE)
        file.write(nonce)
        return AgeSink(file, _derived(key, nonce, b"payload"))


class AgeSink:
    """Seals what it is given in chunks of 64 KiB; ``close`` writes the last and leaves the file open."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        self._file = file
        self._cipher = ChaCha20Poly1305(key)
        self._waiting = bytearray()
        self._chunks = 0

    def write(self, data: bytes, /) -> int:
        """Take bytes of any length. Raises OSError."""
        self._waiting += data
        whole = (len(self._waiting) - 1) // _CHUNK  # the last chunk is only known at the end
        if whole > 0:
            with memoryview(self._waiting) as view:
                self._file.write(
                    b"".join(
                        self._seal(view[start : start + _CHUNK]) for start in range(0, whole * _CHUNK, _CHUNK)
                    )
                )
            del self._waiting[: whole * _CHUNK]
        return len(data)

    def close(self) -> None:
        """Write the last chunk. Raises OSError."""
        self._file.write(self._seal(self._waiting, last=True))

    def _seal(self, chunk: memoryview | bytearray, *, last: bool = False) -> bytes:
        sealed = self._cipher.encrypt(_counter(self._chunks, last), chunk, None)
        self._chunks += 1
        return sealed


class AgeReader(io.RawIOBase):
    """The content of an encrypted file, which it owns. Raises ArchiveLocked, ArchiveDamaged or KeyMistyped."""

    def __init__(self, file: BinaryIO, *, passphrase: str = "", identities: Sequence[str] = ()) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

        super().__init__()
        self._file = file
        try:
            stanzas, mac, header = _header(file)
            key = _unlocked(stanzas, passphrase, [_key(each, _IDENTITY) for each in identities])
            if not hmac.compare_digest(_mac(key, header), mac):
                raise _damaged()
            nonce = file.read(_NONCE)
            self._begin = file.tell()
            self._cipher = ChaCha20Poly1305(_derived(key, nonce, b"payload"))
            sealed = os.fstat(file.fileno()).st_size - self._begin
            self._chunks = max(1, -(-sealed // (_CHUNK + _TAG)))
            self.size = sealed - self._chunks * _TAG
            if len(nonce) < _NONCE or self.size < 0:
                raise _damaged()
            self._at = 0
            self._kept: tuple[int, bytes] = (-1, b"")
            self._chunk(self._chunks - 1)  # only the true end opens as the last: nothing was cut off
        except BaseException:
            file.close()
            raise

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: "memoryview | bytearray", /) -> int:  # type: ignore[override]  # any writable buffer
        done = 0
        with memoryview(buffer).cast("B") as view:
            while done < len(view) and self._at < self.size:
                index, start = divmod(self._at, _CHUNK)
                piece = self._chunk(index)[start : start + len(view) - done]
                view[done : done + len(piece)] = piece
                done += len(piece)
                self._at += len(piece)
        return done

    def close(self) -> None:
        self._file.close()
        super().close()

    def _chunk(self, index: int) -> bytes:
        from cryptography.exceptions import InvalidTag

        if self._kept[0] != index:
            self._file.seek(self._begin + index * (_CHUNK + _TAG))
            sealed = self._file.read(_CHUNK + _TAG)
            try:
                opened = self._cipher.decrypt(_counter(index, index == self._chunks - 1), sealed, None)
            except InvalidTag as error:
                raise _damaged() from error
            self._kept = (index, opened)
        return self._kept[1]


def is_encrypted(file: BinaryIO) -> bool:
    """Whether a file begins as an encrypted one does; it is left at its beginning."""
    beginning = file.read(len(MAGIC))
    file.seek(0)
    return beginning == MAGIC


def _header(file: BinaryIO) -> tuple[list[_Stanza], bytes, bytes]:
    """Return the stanzas, the header's checksum and the bytes it is of."""
    read = file.read(_MOST_HEADER)
    found = re.match(rb"age-encryption\.org/v1\n(?s:(.*?))\n--- ([A-Za-z0-9+/]{43})\n", read)
    if found is None:
        raise _damaged()
    file.seek(found.end())
    stanzas: list[_Stanza] = []
    for block in re.split(rb"(?:^|\n)-> ", found[1])[1:]:
        first, _newline, body = block.partition(b"\n")
        arguments = tuple(first.decode("ascii", "replace").split(" "))
        stanzas.append(_Stanza(arguments, _decoded(body.replace(b"\n", b"").decode("ascii", "replace"))))
    return stanzas, _decoded(found[2].decode()), read[: found.end(1) + 4]


def _unlocked(stanzas: list[_Stanza], passphrase: str, identities: Sequence[bytes]) -> bytes:
    by_passphrase = [stanza for stanza in stanzas if stanza.arguments[0] == "scrypt"]
    if by_passphrase:
        if not passphrase:
            raise ArchiveLocked(_("The export is encrypted with a passphrase: give it."))
        if len(stanzas) != 1:
            raise _damaged()
        key = _open_by_passphrase(by_passphrase[0], passphrase)
        if key is None:
            raise ArchiveLocked(_("The passphrase does not open this export: check it and try again."))
        return key
    for stanza in stanzas:
        for identity in identities if stanza.arguments[0] == "X25519" else ():
            key = _open_as(stanza, identity)
            if key is not None:
                return key
    raise ArchiveLocked(
        _("The export is encrypted for other recipients: give the identity file of one of them.")
    )


def _lock_by_passphrase(key: bytes, passphrase: str) -> _Stanza:
    salt = secrets.token_bytes(16)
    arguments = ("scrypt", _encoded(salt), str(_WORK))
    return _Stanza(arguments, _wrap(_stretched(passphrase, salt, _WORK), key))


def _open_by_passphrase(stanza: _Stanza, passphrase: str) -> bytes | None:
    if len(stanza.arguments) != 3 or not re.fullmatch(r"[1-9][0-9]?", stanza.arguments[2]):
        raise _damaged()
    work = int(stanza.arguments[2])
    if work > _MOST_WORK:
        raise ArchiveLocked(
            _("Opening this export would take more memory than it should: encrypt it anew with age.")
        )
    return _unwrap(_stretched(passphrase, _decoded(stanza.arguments[1]), work), stanza.body)


def _stretched(passphrase: str, salt: bytes, work: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=_SCRYPT + salt, length=32, n=1 << work, r=8, p=1).derive(passphrase.encode())


def _lock_for(key: bytes, recipient: bytes) -> _Stanza:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    return _Stanza(("X25519", _encoded(share)), _wrap(_derived(shared, share + recipient, _X25519), key))


def _open_as(stanza: _Stanza, identity: bytes) -> bytes | None:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    share = _decoded(stanza.arguments[1]) if len(stanza.arguments) == 2 else b""
    if len(share) != 32:
        raise _damaged()
    own = X25519PrivateKey.from_private_bytes(identity)
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError as error:
        raise _damaged() from error
    return _unwrap(_derived(shared, share + own.public_key().public_bytes_raw(), _X25519), stanza.body)


def _wrap(wrapping: bytes, key: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(wrapping).encrypt(bytes(12), key, None)


def _unwrap(wrapping: bytes, body: bytes) -> bytes | None:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    if len(body) != 32:
        return None
    try:
        return ChaCha20Poly1305(wrapping).decrypt(bytes(12), body, None)
    except InvalidTag:
        return None


def _derived(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt or None, purpose).derive(key)


def _mac(key: bytes, header: bytes) -> bytes:
    return hmac.digest(_derived(key, b"", b"header"), header, "sha256")


def _counter(index: int, last: bool) -> bytes:
    return index.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _key(text: str, prefix: str) -> bytes:
    found = decode(text.strip(), prefix)
    if found is None or len(found) != 32:
        raise KeyMistyped(
            _(
                "“{text}…” is not a key of age: recipients begin with age1, identities with AGE-SECRET-KEY-1."
            ).format(text=text.strip()[:4])
        )
    return found


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise _damaged() from error


def _damaged() -> ArchiveDamaged:
    return ArchiveDamaged(_("The encrypted export is damaged or cut short: copy it again."))
