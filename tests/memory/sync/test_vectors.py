"""The committed bytes: both implementations make them, and open them."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from memory.sync import account_log, key_wraps, receipts, wire
from memory.sync.blob_chunks import BlobKey, address_of
from memory.sync.device_keys import Receiver
from memory.sync.enrolment import Answer, Newcomer, check_reveal, comparison, six_words
from memory.sync.envelope import Edit, Envelope, Signer, open_sealed, rewrap, seal, seal_erase
from memory.sync.header import ERASE, Header
from memory.sync.key_wraps import Wrap
from memory.sync.markers import marker_of, verify_erase
from memory.sync.padding import pad, padded_size
from memory.sync.plaintext import Record, decode, encode
from memory.sync.recovery import RecoveryKeys
from memory.sync.space_keys import SpaceKey, SpaceKeys
from tests.memory.sync.making import VECTORS
from tests.memory.sync.second.primitives import sha256
from tests.memory.sync.second.write_vectors import vectors
from vault.recovery_key import key_of, words_of
from vault.secret import Secret

KEYS = VECTORS["keys"]
SPACE = VECTORS["envelopes"][0]["header"]["space_id"]
SPACE_KEY = SpaceKey(SPACE, KEYS["epoch"], bytes.fromhex(KEYS["space_key"]))
NEXT_KEY = SpaceKey(SPACE, KEYS["next_epoch"], bytes.fromhex(KEYS["next_key"]))
DEVICE = Ed25519PublicKey.from_public_bytes(bytes.fromhex(KEYS["device_public"]))
each_envelope = pytest.mark.parametrize("vector", VECTORS["envelopes"], ids=lambda vector: vector["name"])


def envelope_of(vector: dict[str, Any]) -> Envelope:
    parts = {name: bytes.fromhex(value) for name, value in vector["envelope"].items() if name != "blobs"}
    return Envelope(**parts, blobs=tuple(bytes.fromhex(each) for each in vector["envelope"]["blobs"]))


def drawn(*parts: str) -> Callable[[int], bytes]:
    """Return a source of random bytes that gives these, in this order."""
    waiting = iter([bytes.fromhex(part) for part in parts])

    def random(length: int) -> bytes:
        given = next(waiting)
        assert len(given) == length
        return given

    return random


def test_the_second_implementation_makes_the_committed_bytes() -> None:
    made, committed = json.loads(json.dumps(vectors())), json.loads(json.dumps(VECTORS))
    for each in (made, committed):
        del each["wraps"]["hybrid"]  # ML-KEM draws its own random bytes
    assert made == committed


@each_envelope
def test_sealing_gives_the_committed_bytes(vector: dict[str, Any]) -> None:
    header = vector["header"]
    edit = Edit(
        header["rid"], header["ms"], header["counter"], parent=header["parent"], exp_day=header["exp_day"]
    )
    signer = Signer(
        header["device_id"], Ed25519PrivateKey.from_private_bytes(bytes.fromhex(KEYS["device_seed"]))
    )
    random = drawn(header["rev"], vector["ok"], vector["nonce"])
    if header["kind"] == ERASE:
        made = seal_erase(edit, "note", 1, SPACE_KEY, signer, random=random)
    else:
        blobs = reversed(envelope_of(vector).blobs)
        plaintext = vector["plaintext"].encode("ascii")
        made = seal(edit, plaintext, SPACE_KEY, signer, blobs=blobs, random=random)
    assert made == envelope_of(vector)
    assert sha256(wire.to_msgpack(made)).hex() == vector["msgpack_sha256"]
    assert Header(**header).pack() == made.hdr


@each_envelope
def test_committed_envelopes_open(vector: dict[str, Any]) -> None:
    opened = open_sealed(envelope_of(vector), SpaceKeys(SPACE, SPACE_KEY), DEVICE)
    assert opened.header == Header(**vector["header"])
    record = decode(opened.plaintext)
    assert isinstance(record, Record)
    assert encode(record) == opened.plaintext == vector["plaintext"].encode("ascii")


@each_envelope
def test_rewrapping_gives_the_committed_bytes_and_changes_nothing_else(vector: dict[str, Any]) -> None:
    envelope = envelope_of(vector)
    moved = rewrap(envelope, SpaceKeys(SPACE, SPACE_KEY), NEXT_KEY, random=drawn(vector["next_nonce"]))
    assert moved.dek.hex() == vector["rewrapped"]
    assert (moved.hdr, moved.kc, moved.ct, moved.sig) == (
        envelope.hdr,
        envelope.kc,
        envelope.ct,
        envelope.sig,
    )
    assert open_sealed(moved, SpaceKeys(SPACE, NEXT_KEY), DEVICE).plaintext


@each_envelope
def test_markers(vector: dict[str, Any]) -> None:
    marker = marker_of(envelope_of(vector))
    assert {name: getattr(marker, name).hex() for name in vector["marker"]} == vector["marker"]
    if vector["header"]["kind"] == ERASE:
        assert verify_erase(marker, DEVICE).rid == vector["header"]["rid"]


def test_padding() -> None:
    assert [[n, padded_size(n)] for n, _ in VECTORS["padding"]] == VECTORS["padding"]
    assert all(len(pad(bytes(n))) == size for n, size in VECTORS["padding"])


def test_the_log_with_all_kinds_of_entries() -> None:
    account = account_log.verify(VECTORS["log"])
    assert account.head.hex() == VECTORS["head"].removeprefix("sha256:")
    assert [device.public.id for device in account.active()] == [
        VECTORS["envelopes"][0]["header"]["device_id"]
    ]
    assert account.epoch(SPACE, 3).commitment == SPACE_KEY.commitment()
    assert account.epoch(SPACE, 4).commitment == NEXT_KEY.commitment()


@pytest.mark.parametrize("name", ["curve", "hybrid"])
def test_wraps_of_both_suites_open(name: str) -> None:
    vector = VECTORS["wraps"][name]
    receiver = Receiver(bytes.fromhex(vector["private"]))
    assert receiver.public.hex() == vector["public"]
    wrapped = Wrap(
        SPACE, 3, vector["recipient"], "", bytes.fromhex(vector["output"]), bytes.fromhex(vector["sig"])
    )
    assert key_wraps.unwrap(wrapped, receiver, DEVICE, SPACE_KEY.commitment()) == SPACE_KEY


def test_recovery_words_lead_to_the_recovery_keys() -> None:
    vector = VECTORS["recovery"]
    key = key_of(Secret(vector["words"]))
    assert (key.hex(), words_of(key)) == (vector["key"], vector["words"])
    public = RecoveryKeys.of(key).public
    assert (public.sign.hex(), public.kem.hex()) == (vector["sign"], vector["kem"])


def test_six_words() -> None:
    vector = VECTORS["enrolment"]
    newcomer = Newcomer(*(bytes.fromhex(vector[name]) for name in ("n_new", "sign", "hpke")))
    check_reveal(bytes.fromhex(vector["commitment"]), newcomer)
    account = account_log.verify(VECTORS["log"])
    answer = Answer(bytes.fromhex(vector["n_old"]), account.fingerprint, account.head)
    compared = comparison(answer, newcomer)
    assert compared.hex() == vector["compared"]
    assert list(six_words(compared)) == vector["words"]


def test_pieces_of_files() -> None:
    vector = VECTORS["chunks"]
    key = BlobKey(bytes.fromhex(vector["key"]), vector["blob_id"])
    sealed = [key.seal(0, 1, b""), key.seal(1, 2, b"the end")]
    assert [each.hex() for each in sealed] == vector["sealed"]
    assert key.open(1, 2, sealed[1], address_of(sealed[1])) == b"the end"


def test_a_receipt() -> None:
    receipt = receipts.verify(VECTORS["receipt"], {"2026-a": bytes.fromhex(VECTORS["service"])})
    assert receipt.counts["records"] == 3
    assert len(receipt.keys_destroyed) == 1
