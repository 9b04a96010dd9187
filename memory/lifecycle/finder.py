"""Looks for many pieces of bytes at once."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from memory.lifecycle.fingerprints import SHORTEST

_BITS = 20


class Finder:
    """Looks for many pieces at once, however many there are, in one pass over the bytes.

    Pieces shorter than SHORTEST are not looked for: chance alone would find them.
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._by_anchor: dict[bytes, list[bytes]] = {}
        for piece in (each for each in pieces if len(each) >= SHORTEST):
            self._by_anchor.setdefault(piece[-SHORTEST:], []).append(piece)
        self.longest = max((len(piece) for some in self._by_anchor.values() for piece in some), default=0)
        self._table = np.zeros(1 << _BITS, dtype=np.bool_)
        for anchor in self._by_anchor:
            self._table[_hashes(np.frombuffer(anchor, dtype=np.uint8))[0]] = True

    def search(self, data: bytes) -> Iterator[bytes]:
        """Yield each piece that the bytes hold, as often as they hold it."""
        if not self._by_anchor or len(data) < SHORTEST:
            return
        folded = data.lower()
        places = np.flatnonzero(self._table[_hashes(np.frombuffer(folded, dtype=np.uint8))])
        for at in places.tolist():
            for piece in self._by_anchor.get(folded[at : at + SHORTEST], ()):
                start = at + SHORTEST - len(piece)
                if start >= 0 and folded.startswith(piece, start):
                    yield piece


def _hashes(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    """Return a hash of the eight bytes from each position on."""
    count = len(data) - SHORTEST + 1
    wide = data.astype(np.uint32)
    first = wide[:-3] | wide[1:-2] << 8 | wide[2:-1] << 16 | wide[3:] << 24
    mixed = first[:count] * np.uint32(2654435761) ^ first[4 : count + 4] * np.uint32(2246822519)
    return (mixed >> np.uint32(32 - _BITS)).astype(np.uint32)
