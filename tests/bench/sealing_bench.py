"""Sealing and opening records of 1 kB on one core, from fields to the bytes of the wire and back.

``python -m tests.bench.sealing_bench`` prints the microseconds per record: 6,000 records a second are 167 each. The
baseline is AES-256-GCM and Ed25519 alone on the same bytes, in the same rounds.
"""

import os
import statistics
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from memory.sync import wire
from memory.sync.envelope import Edit, Envelope, Signer, open_sealed, seal
from memory.sync.hlc import Stamp
from memory.sync.padding import pad
from memory.sync.plaintext import Entry, Record, decode, encode
from memory.sync.space_keys import SpaceKey, SpaceKeys
from tests.bench.figures import Figure

RECORDS = 2_000
ROUNDS = 5
MUST, AIM = 1e6 / 6_000, 1e6 / 15_000
SPACE, DEVICE = "5a" * 16, "de" * 16


def records() -> list[Record]:
    """Return messages of about 1 kB."""
    stamp = Stamp(1_772_366_400_000, 0, DEVICE)
    return [
        Record(
            "message",
            1,
            {
                "conversation": Entry(f"{number:032x}", stamp),
                "parent": Entry(f"{number + 1:032x}", stamp),
                "role": Entry("owner", stamp),
                "text": Entry(f"{number} " + "words of a message, of which there are many. " * 13, stamp),
                "rating": Entry(None, stamp),
            },
        )
        for number in range(RECORDS)
    ]


def timed(work: Callable[[], object]) -> float:
    """Return the microseconds of processor time per record."""
    begun = time.process_time()
    work()
    return (time.process_time() - begun) / RECORDS * 1e6


def measure() -> list[Figure]:
    """Seal and open in rounds, each beside its baseline."""
    key, private = SpaceKey.new(SPACE), Ed25519PrivateKey.generate()
    signer, public, keys = Signer(DEVICE, private), private.public_key(), SpaceKeys(SPACE, key)
    made = records()
    edits = [Edit(os.urandom(16).hex(), 1, number % 65_536) for number in range(RECORDS)]
    padded = [pad(encode(record)) for record in made]
    header, nonce, digest = bytes(95), bytes(12), bytes(170)
    sealed: list[bytes] = []
    bare: list[tuple[bytes, bytes, bytes]] = []

    def seal_all() -> None:
        sealed[:] = [
            wire.to_msgpack(seal(edit, encode(record), key, signer))
            for edit, record in zip(edits, made, strict=True)
        ]

    def seal_bare() -> None:
        bare.clear()
        for text in padded:
            once = os.urandom(32)
            bare.append((once, AESGCM(once).encrypt(nonce, text, header), private.sign(digest)))

    def open_all() -> None:
        for data in sealed:
            envelope = wire.from_msgpack(data)
            assert isinstance(envelope, Envelope)
            decode(open_sealed(envelope, keys, public).plaintext)

    def open_bare() -> None:
        for once, text, signature in bare:
            public.verify(signature, digest)
            AESGCM(once).decrypt(nonce, text, header)

    rounds = [
        tuple(timed(work) for work in (seal_all, seal_bare, open_all, open_bare)) for _ in range(ROUNDS)
    ]
    sealing, bare_sealing, opening, bare_opening = (
        statistics.median(each) for each in zip(*rounds, strict=True)
    )
    size = f"{len(padded[0])} bytes padded, {len(sealed[0])} on the wire"
    return [
        Figure(
            "seal_record", sealing, "µs", MUST, AIM, f"{bare_sealing:.3g} µs; {1e6 / sealing:,.0f}/s; {size}"
        ),
        Figure("open_record", opening, "µs", MUST, AIM, f"{bare_opening:.3g} µs; {1e6 / opening:,.0f}/s"),
    ]


def main() -> None:
    """Print the figures."""
    for figure in measure():
        print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
