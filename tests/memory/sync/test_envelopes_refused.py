"""What a service, a thief of a key or a broken device might hand over, and no device takes."""

from dataclasses import replace

import msgpack
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from memory.sync import wire
from memory.sync.envelope import Edit, Envelope, Signer, open_sealed, rewrap, seal, seal_erase
from memory.sync.errors import (
    EnvelopeMalformed,
    PlaintextInvalid,
    RecordRefused,
    SealBroken,
    SignatureWrong,
    SpaceKeyMissing,
    SpaceWrong,
)
from memory.sync.header import Header
from memory.sync.markers import Marker, marker_of, verify_erase, verify_expiry
from memory.sync.padding import pad
from memory.sync.plaintext import encode
from memory.sync.space_keys import SpaceKey, SpaceKeys
from tests.memory.sync.making import AT, RID, SPACE, Office, flipped, note
from tests.memory.sync.second import envelopes

OTHER = "7e" * 16
TODAY = 20_513


def opened(office: Office, envelope: Envelope, *epochs: int) -> bytes:
    return open_sealed(envelope, office.held(*epochs), office.first.sign.public_key()).plaintext


def signed_anew(office: Office, envelope: Envelope, hdr: bytes) -> Envelope:
    """What a device of the owner would have signed, had it put this header before that text."""
    seed = office.first.sign.private_bytes_raw()
    ct_sha256 = envelopes.sha256(envelope.ct)
    sig = envelopes.sign(seed, b"aof/v1/rec" + hdr + envelope.kc + ct_sha256)
    return replace(envelope, hdr=hdr, sig=sig)


@pytest.mark.req("R021")
def test_a_record_does_not_open_under_another_id(office: Office) -> None:
    whole, other = office.sealed(), office.sealed(rid=OTHER)
    swapped = replace(whole, hdr=whole.hdr[:37] + bytes.fromhex(OTHER) + whole.hdr[53:])
    with pytest.raises(SignatureWrong):
        opened(office, swapped)
    with pytest.raises(SealBroken):  # even with a signature, key and text belong to their own id
        opened(office, signed_anew(office, whole, swapped.hdr))
    with pytest.raises(SealBroken):
        opened(office, replace(whole, dek=other.dek))
    with pytest.raises(SignatureWrong):
        opened(office, replace(whole, ct=other.ct))


@given(part=st.sampled_from(["hdr", "dek", "kc", "ct", "sig"]), place=st.floats(0, 1, exclude_max=True))
def test_one_bit_is_enough(office: Office, part: str, place: float) -> None:
    envelope = office.sealed("words that somebody wants to change")
    data = getattr(envelope, part)
    changed = {part: flipped(data, int(place * len(data)))}
    with pytest.raises(RecordRefused):
        opened(office, replace(envelope, **changed))


def test_a_key_of_another_epoch(office: Office) -> None:
    envelope = office.sealed(epoch=2)
    with pytest.raises(SpaceKeyMissing) as missing:
        opened(office, envelope, 1)
    assert missing.value.epoch == 2
    said_to_be_old = replace(envelope, dek=bytes([0, 0, 0, 1]) + envelope.dek[4:])
    with pytest.raises(SealBroken, match="does not open"):
        opened(office, said_to_be_old)
    impostor = SpaceKeys(SPACE, SpaceKey.new(SPACE, 2))
    with pytest.raises(SealBroken):
        open_sealed(envelope, impostor, office.first.sign.public_key())


def test_a_replay_in_another_space(office: Office) -> None:
    envelope = office.sealed()
    there = SpaceKeys(OTHER, SpaceKey(OTHER, 2, office.keys[1].key))  # were it even the same key
    with pytest.raises(SpaceWrong):
        open_sealed(envelope, there, office.first.sign.public_key())
    moved = envelope.hdr[:21] + bytes.fromhex(OTHER) + envelope.hdr[37:]
    with pytest.raises(SealBroken):
        open_sealed(signed_anew(office, envelope, moved), there, office.first.sign.public_key())
    with pytest.raises(SpaceWrong):
        rewrap(envelope, office.held(), SpaceKey.new(OTHER, 3))
    with pytest.raises(SpaceWrong):
        SpaceKeys(SPACE, SpaceKey.new(OTHER))


def test_a_former_text_under_a_new_header(office: Office) -> None:
    former, later = office.sealed("former"), office.sealed("later", parent=5)
    with pytest.raises(SealBroken):
        opened(office, signed_anew(office, replace(former, dek=later.dek, kc=later.kc), later.hdr))


def test_the_wrong_commitment_to_a_key(office: Office) -> None:
    envelope = office.sealed()
    lying = signed_anew(office, replace(envelope, kc=bytes(32)), envelope.hdr)
    with pytest.raises(SealBroken) as broken:
        opened(office, lying)
    assert broken.value.reason == "kc"
    with pytest.raises(SealBroken):
        rewrap(lying, office.held(), office.keys[1])


def test_another_device_signed_it(office: Office) -> None:
    forged = seal(
        Edit(RID, AT, 0), b"{}", office.keys[1], Signer(office.first.id, Ed25519PrivateKey.generate())
    )
    with pytest.raises(SignatureWrong):
        opened(office, forged)


@pytest.mark.parametrize(
    "padded",
    [
        bytes(256)[:-1] + b"\1",
        pad(b"short") + bytes(16),
        pad(bytes(300))[:-16],
        b"\xff\xff\xff\xff" + bytes(252),
        pad(b"tail")[:-1] + b"\1",
        (1000).to_bytes(4, "big") + bytes(252),
    ],
    ids=["not zero", "too long", "too short", "beyond the end", "tail", "length of more"],
)
def test_bad_padding_under_a_good_seal(office: Office, padded: bytes) -> None:
    header = {"kind": 0, "epoch": 2, "parent": 0, "exp_day": 0, "ms": AT, "counter": 0}
    header |= {"space_id": bytes.fromhex(SPACE), "device_id": bytes.fromhex(office.first.id)}
    header |= {"rid": bytes(16), "rev": bytes(16)}
    hdr, ok = envelopes.header(header), bytes(range(32))
    ct = envelopes.gcm_seal(ok, bytes(12), padded, b"rec" + hdr)
    kc = envelopes.sha256(b"aof/v1/kc" + ok)
    seed = office.first.sign.private_bytes_raw()
    sig = envelopes.sign(seed, b"aof/v1/rec" + hdr + kc + envelopes.sha256(ct))
    dek = envelopes.wrap(office.keys[1].key, 2, bytes(12), ok, hdr)
    with pytest.raises((PlaintextInvalid, EnvelopeMalformed)):
        opened(office, Envelope(hdr, dek, kc, ct, sig))


def altered(hdr: bytes, at: int, new: bytes) -> bytes:
    return hdr[:at] + new + hdr[at + len(new) :]


@pytest.mark.parametrize(
    ("at", "new"),
    [(0, b"X"), (3, b"\2"), (4, b"\1"), (69, bytes(16)), (85, b"\0\1")],
    ids=["magic", "version", "kind", "zero device", "time beyond 48 bits"],
)
def test_headers_that_are_none(office: Office, at: int, new: bytes) -> None:
    envelope = office.sealed()
    wrong = altered(envelope.hdr, at, new)
    with pytest.raises(EnvelopeMalformed):
        opened(office, signed_anew(office, envelope, wrong))
    with pytest.raises(EnvelopeMalformed):
        wire.from_msgpack(wire.to_msgpack(replace(envelope, hdr=wrong)))


def test_lengths_and_lists_that_are_none(office: Office) -> None:
    envelope = office.sealed()
    hashes = (bytes(32), b"\1" * 32)
    for wrong in (
        replace(envelope, hdr=envelope.hdr + b"\0"),
        replace(envelope, dek=envelope.dek[:-1]),
        replace(envelope, kc=b""),
        replace(envelope, sig=envelope.sig + b"\0"),
        replace(envelope, ct=envelope.ct[:200]),
        replace(envelope, ct=bytes(2**20 + 17)),
        replace(envelope, blobs=hashes[::-1]),
        replace(envelope, blobs=(bytes(32), bytes(32))),
        replace(envelope, blobs=(b"short",)),
        replace(envelope, blobs=tuple(each.to_bytes(32, "big") for each in range(1281))),
    ):
        with pytest.raises(EnvelopeMalformed):
            opened(office, wrong)
        with pytest.raises(EnvelopeMalformed):
            wire.from_msgpack(wire.to_msgpack(wrong))


@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused_as_what_they_are(data: bytes) -> None:
    for read in (wire.from_msgpack, wire.from_json):
        with pytest.raises(EnvelopeMalformed):
            read(data)


@pytest.mark.parametrize(
    "members",
    [
        [],
        {},
        None,
        {"hdr": b""},
        {"hdr": b"", "kc": "text", "ct_sha256": b"", "sig": b""},
        {"hdr": 1, "dek": b"", "kc": b"", "ct": b"", "sig": b"", "blobs": []},
        {"hdr": b"", "dek": b"", "kc": b"", "ct": b"", "sig": b"", "blobs": {}},
        {"hdr": b"", "dek": b"", "kc": b"", "ct": b"", "sig": b"", "blobs": [1]},
    ],
)
def test_other_things_in_messagepack(members: object) -> None:
    with pytest.raises(EnvelopeMalformed):
        wire.from_msgpack(msgpack.packb(members))


def test_what_is_added_or_said_twice_is_not_carried(office: Office) -> None:
    envelope = office.sealed()
    packed = wire.to_msgpack(envelope)
    more = bytes([packed[0] + 1]) + packed[1:]
    for wrong in (
        more + b"\xa3new\xc4\0",
        more + b"\xa3sig\xc4\0",
        packed + b"\0",
        packed[:-1],
        b"\x81\x90\x01",
    ):
        with pytest.raises(EnvelopeMalformed):
            wire.from_msgpack(wrong)
    text = wire.to_json(envelope)
    for wrong in (
        text[:-1] + b',"blobs":[]}',
        text[:-1] + b',"new":""}',
        text.replace(b'"kc":"', b'"kc":"='),
        text.replace(b'"blobs":[]', b'"blobs":[1]'),
        b"[" * 100_000,
    ):
        with pytest.raises(EnvelopeMalformed):
            wire.from_json(wrong)
    with pytest.raises(EnvelopeMalformed):
        wire.from_msgpack(bytes(2 * 2**20))
    with pytest.raises(EnvelopeMalformed):
        wire.from_json(bytes(3 * 2**20))


def erased(office: Office, exp_day: int = 0) -> Envelope:
    return seal_erase(Edit(RID, AT, 1, 3, exp_day), "note", 1, office.keys[1], office.signer)


def test_markers_prove_an_erasure_and_nothing_else(office: Office) -> None:
    public = office.first.sign.public_key()
    marker = marker_of(erased(office))
    assert verify_erase(marker, public).rid == RID
    assert wire.from_msgpack(wire.to_msgpack(marker)) == wire.from_json(wire.to_json(marker)) == marker
    for wrong in (
        marker_of(office.sealed()),  # a put erases nothing
        replace(marker, ct_sha256=flipped(marker.ct_sha256, 0)),
        replace(marker, hdr=altered(marker.hdr, 37, bytes.fromhex(OTHER))),
        replace(marker, sig=bytes(64)),
        replace(marker, kc=b""),
        replace(marker, expiry=bytes(64)),
    ):
        with pytest.raises(RecordRefused):
            verify_erase(wrong, public)


def test_a_marker_has_one_form_on_the_wire(office: Office) -> None:
    members = msgpack.unpackb(wire.to_msgpack(marker_of(erased(office))))
    assert isinstance(wire.from_msgpack(msgpack.packb(members)), Marker)
    for wrong in ({"expiry": b""}, {"expiry": None}, {"blobs": []}, {"kc": bytes(31)}, {"ct_sha256": b""}):
        with pytest.raises(EnvelopeMalformed):
            wire.from_msgpack(msgpack.packb(members | wrong))


def test_an_expiry_is_the_services_word_on_the_day_its_device_set(office: Office) -> None:
    service, public = Ed25519PrivateKey.generate(), office.first.sign.public_key()
    envelope = seal(Edit(RID, AT, 0, 0, TODAY), encode(note("x")), office.keys[1], office.signer)
    rev = Header.unpack(envelope.hdr).rev
    marker = marker_of(envelope, service.sign(b"aof/v1/expiry" + envelope.hdr))

    def accepted(shown: Marker, *, today: int = TODAY, held: str = rev) -> Header:
        return verify_expiry(shown, public, service.public_key(), today=today, held_rev=held)

    assert accepted(marker).rid == RID
    assert wire.from_json(wire.to_json(marker)) == marker
    for_ever = office.sealed()
    refused = [
        lambda: accepted(marker, today=TODAY - 1),
        lambda: accepted(marker, held=OTHER),
        lambda: accepted(replace(marker, expiry=bytes(64))),
        lambda: accepted(
            marker_of(for_ever, service.sign(b"aof/v1/expiry" + for_ever.hdr)),
            held=Header.unpack(for_ever.hdr).rev,
        ),
        lambda: accepted(marker_of(erased(office, TODAY))),
        lambda: accepted(replace(marker, sig=bytes(64))),
        lambda: verify_erase(marker, public),
    ]
    for attempt in refused:
        with pytest.raises(RecordRefused):
            attempt()
