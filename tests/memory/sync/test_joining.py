"""A new device gets the keys of every space and nobody else does; files and receipts check out."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from memory.sync import key_wraps, receipts
from memory.sync.blob_chunks import CHUNK, BlobKey, address_of, chunk_count
from memory.sync.device_keys import HYBRID, X25519, DeviceKeys, Receiver
from memory.sync.enrolment import Answer, Newcomer, check_reveal, comparison, new_nonce, six_words
from memory.sync.errors import ChunkDamaged, EnrolmentRefused, ReceiptWrong, WrapRefused
from memory.sync.key_wraps import FOR_RECOVERY, Wrap
from memory.sync.signed_json import sign
from memory.sync.space_keys import SpaceKey
from tests.memory.sync.making import SPACE, VECTORS, Office, flipped


def unwrapped(office: Office, wrapped: Wrap, receiver: Receiver) -> SpaceKey:
    signer = office.account.device(office.first.id).verifies
    commitment = office.account.epoch(wrapped.space_id, wrapped.epoch).commitment
    return key_wraps.unwrap(wrapped, receiver, signer, commitment)


@pytest.mark.parametrize("suite", [X25519, HYBRID])
def test_a_device_and_recovery_receive_the_key_of_a_space(office: Office, suite: int) -> None:
    device = DeviceKeys.new(suite)
    wrapped = key_wraps.wrap(office.keys[1], device.id, device.public.hpke, office.signer)
    assert unwrapped(office, wrapped, device.receive) == office.keys[1]
    to_recovery = key_wraps.wrap(office.keys[1], FOR_RECOVERY, office.account.recovery.kem, office.signer)
    assert unwrapped(office, to_recovery, office.recovery.receive) == office.keys[1]


def test_wraps_that_were_not_meant_so(office: Office) -> None:
    device = DeviceKeys.new()
    good = key_wraps.wrap(office.keys[1], device.id, device.public.hpke, office.signer)
    foreign = key_wraps.wrap(SpaceKey.new(SPACE, 2), device.id, device.public.hpke, office.signer)
    hybrid = key_wraps.wrap(office.keys[1], device.id, Receiver.new(HYBRID).public, office.signer)
    by_other = key_wraps.wrap(
        office.keys[1],
        device.id,
        device.public.hpke,
        replace(office.signer, key=Ed25519PrivateKey.generate()),
    )
    for wrong in (
        foreign,  # an active device that sends a key which the log does not know
        hybrid,
        by_other,
        replace(good, recipient_id=FOR_RECOVERY),
        replace(good, epoch=1),
        replace(good, output=flipped(good.output, 40)),
        replace(good, output=b""),
        replace(good, sig=flipped(good.sig, 0)),
    ):
        with pytest.raises(WrapRefused):
            unwrapped(office, wrong, device.receive)
    with pytest.raises(WrapRefused):
        unwrapped(office, good, Receiver.new())
    with pytest.raises(WrapRefused):
        key_wraps.wrap(office.keys[1], device.id, bytes(31), office.signer)
    with pytest.raises(WrapRefused):  # a point from which everybody could derive the secret
        key_wraps.wrap(office.keys[1], device.id, bytes(32), office.signer)


def joining(office: Office, device: DeviceKeys) -> tuple[Newcomer, Answer]:
    newcomer = Newcomer(new_nonce(), device.public.sign, device.public.hpke)
    return newcomer, Answer(new_nonce(), office.account.fingerprint, office.account.head)


def test_both_screens_show_the_same_six_words(office: Office) -> None:
    newcomer, answer = joining(office, DeviceKeys.new(HYBRID))
    check_reveal(newcomer.commitment, newcomer)
    words = six_words(comparison(answer, newcomer))
    assert len(words) == 6
    assert words == six_words(comparison(replace(answer), replace(newcomer)))


def test_whoever_steps_between_changes_the_words_or_breaks_the_commitment(office: Office) -> None:
    newcomer, answer = joining(office, DeviceKeys.new())
    stranger, other_answer = joining(office, DeviceKeys.new())
    compared = comparison(answer, newcomer)
    for other in (
        comparison(answer, stranger),
        comparison(other_answer, newcomer),
        comparison(replace(answer, head=office.account.fingerprint), newcomer),
        comparison(replace(answer, fingerprint=office.account.head), newcomer),
        comparison(answer, replace(newcomer, nonce=stranger.nonce)),
    ):
        assert six_words(other) != six_words(compared)
    for wrong in (
        stranger,
        replace(newcomer, nonce=stranger.nonce),
        replace(newcomer, sign=stranger.sign),
        replace(newcomer, hpke=stranger.hpke),
        replace(newcomer, nonce=newcomer.nonce + newcomer.sign[:1], sign=newcomer.sign[1:]),
    ):
        with pytest.raises(EnrolmentRefused):
            check_reveal(newcomer.commitment, wrong)


@given(data=st.binary(min_size=32, max_size=32))
def test_six_words_stand_for_the_first_66_bits(data: bytes) -> None:
    assert six_words(data) == six_words(data[:8] + bytes([data[8] & 0xC0]) + bytes(23))
    assert six_words(data) != six_words(flipped(data, 7))


def test_a_file_in_pieces(office: Office) -> None:
    content = bytes(range(256)) * (CHUNK // 256) + b"the rest"
    key = BlobKey.new()
    count = chunk_count(len(content))
    pieces = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]
    sealed = [key.seal(index, count, piece) for index, piece in enumerate(pieces)]
    assert (count, len(sealed)) == (2, 2)
    assert sealed == [key.seal(index, count, piece) for index, piece in enumerate(pieces)]  # may be resumed
    addresses = [address_of(each) for each in sealed]
    opened = b"".join(key.open(index, count, sealed[index], addresses[index]) for index in range(count))
    assert opened == content
    for index, of, data, address in (
        (1, 2, sealed[1], addresses[0]),  # the service hands over another piece
        (0, 2, sealed[1], addresses[0]),
        (0, 2, sealed[1], addresses[1]),
        (1, 3, sealed[1], addresses[1]),
        (0, 1, sealed[0], addresses[0]),
        (1, 2, flipped(sealed[1], 3), address_of(flipped(sealed[1], 3))),
        (1, 2, b"", address_of(b"")),
    ):
        with pytest.raises(ChunkDamaged):
            key.open(index, of, data, address)
    with pytest.raises(ChunkDamaged):
        BlobKey.new().open(1, 2, sealed[1], addresses[1])


def test_pieces_of_the_wrong_length_under_a_good_seal() -> None:
    key = BlobKey.new()
    for index, count, piece in ((0, 2, b"short"), (1, 2, b""), (0, 1, bytes(CHUNK + 1))):
        sealed = key.seal(index, count, piece)
        with pytest.raises(ChunkDamaged):
            key.open(index, count, sealed, address_of(sealed))
    nothing = key.seal(0, chunk_count(0), b"")
    assert key.open(0, 1, nothing, address_of(nothing)) == b""
    assert [chunk_count(size) for size in (0, 1, CHUNK, CHUNK + 1)] == [1, 1, 1, 2]


SERVICE = Ed25519PrivateKey.generate()
PUBLISHED = {"2026-a": SERVICE.public_key().public_bytes_raw()}
MEMBERS = {name: value for name, value in VECTORS["receipt"].items() if name != "sig"}


def receipt(purpose: bytes = b"aof/v1/receipt", **other: object) -> dict[str, object]:
    return sign(purpose, MEMBERS | other, SERVICE)


def test_a_receipt_verifies_without_the_service() -> None:
    first = receipts.verify(receipt(), PUBLISHED)
    assert (first.scope, first.counts["blobs"], first.members["server"]) == ("account", 2, "sync.example")
    following = receipts.verify(receipt(prev="sha256:" + first.hash.hex(), scope="space"), PUBLISHED)
    assert following.previous == first.hash


@pytest.mark.parametrize(
    "wrong",
    [
        receipt() | {"purged_at": "2027-01-01T00:00:00Z"},
        receipt() | {"sig": "AA"},
        receipt(key_id="2025-z"),
        receipt(b"aof/v1/log"),
        receipt(v=2),
        receipt(scope="everything"),
        receipt(counts={"records": 1}),
        receipt(counts=[]),
        receipt(keys_destroyed=None),
        receipt(keys_destroyed=["sha1:00"]),
        receipt(prev=None),
        receipt(purged_at=None),
        receipt(v=True),
        VECTORS["receipt"],
        {},
        [],
        None,
    ],
)
def test_receipts_that_prove_nothing(wrong: object) -> None:
    with pytest.raises(ReceiptWrong):
        receipts.verify(wrong, PUBLISHED)
