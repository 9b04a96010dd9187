"""The 95 bytes in front of every envelope: authenticated, signed, and all that the service reads of a record.

0 "AOF"   3 version   4 kind   5 epoch (4)   9 parent (8)   17 exp_day (4)   21 space_id (16)   37 rid (16)
53 rev (16)   69 device_id (16)   85 milliseconds (8)   93 counter (2)         numbers are big-endian
"""

import struct
from dataclasses import dataclass

from memory.sync.errors import EnvelopeMalformed
from memory.sync.hlc import LAST_MS, Stamp

PUT, ERASE = 0, 2
LENGTH = 95
NO_DEVICE = "0" * 32
"""What recovery is called where a device is named; no device may have this id."""
_MAGIC, _VERSION = b"AOF", 1
_LAYOUT = struct.Struct(">3sBBIQI16s16s16s16sQH")


@dataclass(frozen=True, slots=True)
class Header:
    """What an envelope says of itself in the clear."""

    kind: int
    """PUT or ERASE."""
    epoch: int
    """The generation of the space's key at the time of sealing."""
    parent: int
    """The service's number of the revision this edit is based on; 0 for a new record."""
    exp_day: int
    """The day, counted from 1970-01-01 UTC, on which the service must erase the record; 0 for none."""
    space_id: str
    rid: str
    rev: str
    device_id: str
    ms: int
    counter: int

    @property
    def stamp(self) -> Stamp:
        """When the device sealed it, by its hybrid logical clock."""
        return Stamp(self.ms, self.counter, self.device_id)

    def pack(self) -> bytes:
        """Return the 95 bytes."""
        ids = (bytes.fromhex(each) for each in (self.space_id, self.rid, self.rev, self.device_id))
        return _LAYOUT.pack(
            _MAGIC, _VERSION, self.kind, self.epoch, self.parent, self.exp_day, *ids, self.ms, self.counter
        )

    @classmethod
    def unpack(cls, hdr: bytes) -> "Header":
        """Read the 95 bytes. Raises EnvelopeMalformed."""
        if len(hdr) != LENGTH:
            raise EnvelopeMalformed("hdr: length")
        magic, version, kind, epoch, parent, exp_day, space, rid, rev, device, ms, counter = _LAYOUT.unpack(
            hdr
        )
        if magic != _MAGIC or version != _VERSION:
            raise EnvelopeMalformed("hdr: version")
        if kind not in (PUT, ERASE):
            raise EnvelopeMalformed("hdr: kind")
        if ms > LAST_MS:
            raise EnvelopeMalformed("hdr: time")
        if not any(device):
            raise EnvelopeMalformed("hdr: device_id")
        return cls(kind, epoch, parent, exp_day, space.hex(), rid.hex(), rev.hex(), device.hex(), ms, counter)
