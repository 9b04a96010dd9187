"""What the other devices need to read a file: the key of its pieces, their hashes, and its size.

It is one field of the record of a file, and stands in no other place. Key and id are new whenever the content changes.
"""

from dataclasses import dataclass, field
from typing import Any

from memory.sync import base64url
from memory.sync.blob_chunks import BlobKey, chunk_count
from memory.sync.errors import PlaintextInvalid
from memory.sync.plaintext import Record

FILE = "file"
"""The type of the record of a file."""
CONTENT = "content"
"""The field of it that this module writes."""


@dataclass(frozen=True, slots=True)
class Content:
    """A content among the devices; ``size`` is in bytes, ``addresses`` are the hashes of its sealed pieces in order."""

    key: BlobKey
    size: int
    addresses: tuple[bytes, ...] = field(repr=False)

    def as_value(self) -> dict[str, Any]:
        """Return it as the value of a field."""
        return {
            "key": base64url.encode(self.key.key),
            "blob_id": self.key.blob_id,
            "size": self.size,
            "chunks": [base64url.encode(each) for each in self.addresses],
        }


def read(value: Any) -> Content:
    """Read the value of a field. Raises PlaintextInvalid."""
    try:
        key = BlobKey(base64url.decode(value["key"], 32), str(value["blob_id"]))
        size, addresses = value["size"], tuple(base64url.decode(each, 32) for each in value["chunks"])
        whole = len(bytes.fromhex(key.blob_id)) == 16 and type(size) is int and size >= 0
    except (KeyError, TypeError, ValueError) as wrong:
        raise PlaintextInvalid(f"field {CONTENT}") from wrong
    if not whole or len(addresses) != chunk_count(size):
        raise PlaintextInvalid(f"field {CONTENT}")
    return Content(key, size, addresses)


def addresses_of(record: Record) -> tuple[bytes, ...]:
    """Return the hashes of the pieces that a record refers to. Raises PlaintextInvalid."""
    if record.type != FILE or CONTENT not in record.fields:
        return ()
    return read(record.fields[CONTENT].value).addresses
