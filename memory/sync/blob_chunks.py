"""Files in pieces of 4 MiB, each sealed on its own: an upload that was cut goes on where it was.

The same key, id and bytes give the same pieces. Key and id are new whenever the content changes.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from memory.sync.errors import ChunkDamaged

CHUNK = 4 * 2**20
"""The bytes of every piece but the last."""


@dataclass(frozen=True, slots=True)
class BlobKey:
    """The key and the id of one content. Both live in the record that names the file."""

    key: bytes = field(repr=False)
    blob_id: str

    @classmethod
    def new(cls) -> "BlobKey":
        """Make a key for a content."""
        return cls(os.urandom(32), os.urandom(16).hex())

    def seal(self, index: int, count: int, piece: bytes) -> bytes:
        """Return the sealed piece ``index`` of ``count``."""
        return AESGCM(self.key).encrypt(_nonce(index), piece, self._bound(index, count))

    def open(self, index: int, count: int, sealed: bytes, address: bytes) -> bytes:
        """Return the piece. Its hash is checked before its key is used. Raises ChunkDamaged."""
        if not hmac.compare_digest(address_of(sealed), address):
            raise ChunkDamaged("hash")
        try:
            piece = AESGCM(self.key).decrypt(_nonce(index), sealed, self._bound(index, count))
        except InvalidTag:
            raise ChunkDamaged("seal") from None
        whole = len(piece) == CHUNK
        if not (whole if index < count - 1 else whole or (len(piece) < CHUNK and (piece or count == 1))):
            raise ChunkDamaged("length")
        return piece

    def _bound(self, index: int, count: int) -> bytes:
        return b"blob" + bytes.fromhex(self.blob_id) + index.to_bytes(4, "big") + count.to_bytes(4, "big")


def chunk_count(size: int) -> int:
    """Return into how many pieces so many bytes are cut; nothing is one empty piece."""
    return max(1, -(-size // CHUNK))


def address_of(sealed: bytes) -> bytes:
    """Return the 32 bytes under which a sealed piece is stored."""
    return hashlib.sha256(sealed).digest()


def _nonce(index: int) -> bytes:
    return bytes(4) + index.to_bytes(8, "big")
