"""Whatever one implementation seals the other opens, and both pack the same bytes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from memory.sync import account_log, key_wraps, wire
from memory.sync.account_log import Writer
from memory.sync.blob_chunks import BlobKey, address_of
from memory.sync.device_keys import HYBRID, X25519, DeviceKeys, Receiver
from memory.sync.envelope import Edit, Envelope, open_sealed, seal
from memory.sync.header import Header
from memory.sync.padding import pad
from memory.sync.plaintext import Record, decode, encode
from tests.memory.sync.making import AT, SPACE, Office, entries, texts, values
from tests.memory.sync.second import chain, envelopes, hpke

ids = st.binary(min_size=16, max_size=16)
hashes = st.lists(st.binary(min_size=32, max_size=32), max_size=20, unique=True)
records = st.builds(
    Record,
    st.just("note"),
    st.just(1),
    st.dictionaries(texts, entries, max_size=4),
    st.dictionaries(texts.filter(lambda name: name not in ("type", "schema", "f")), values, max_size=2),
)


def as_json(record: Record) -> dict[str, Any]:
    fields = {name: [entry.value, list(entry.stamp)] for name, entry in record.fields.items()}
    return {**record.extra, "type": record.type, "schema": record.schema, "f": fields}


@given(record=records)
def test_plaintext_is_the_same_and_nothing_is_lost(record: Record) -> None:
    data = encode(record)
    assert data == envelopes.plaintext(as_json(record))
    again = decode(data)
    assert isinstance(again, Record)
    assert encode(again) == data


@given(record=records, rid=ids, parent=st.integers(0, 2**64 - 1), day=st.integers(0, 2**32 - 1), blobs=hashes)
def test_what_ours_seals_the_second_opens(
    office: Office, record: Record, rid: bytes, parent: int, day: int, blobs: list[bytes]
) -> None:
    data = encode(record)
    edit = Edit(rid.hex(), AT, 3, parent, day)
    sealed = seal(edit, data, office.keys[1], office.signer, blobs=blobs)
    packed = wire.to_msgpack(sealed)
    parts = envelopes.from_msgpack(packed)
    assert envelopes.to_msgpack(parts) == packed
    assert envelopes.unseal(parts, {2: office.keys[1].key}, office.first.public.sign) == data
    assert envelopes.read_header(parts["hdr"])["parent"] == parent
    assert wire.from_msgpack(packed) == wire.from_json(wire.to_json(sealed)) == sealed


@given(data=st.binary(max_size=600), ids_=st.tuples(ids, ids), secret=st.binary(min_size=44, max_size=44))
def test_what_the_second_seals_ours_opens(
    office: Office, data: bytes, ids_: tuple[bytes, bytes], secret: bytes
) -> None:
    header = {"kind": 0, "epoch": 1, "parent": 0, "exp_day": 0, "ms": AT, "counter": 0}
    header |= {"space_id": bytes.fromhex(SPACE), "device_id": bytes.fromhex(office.first.id)}
    header |= {"rid": ids_[0], "rev": ids_[1]}
    seed = office.first.sign.private_bytes_raw()
    parts = envelopes.seal(header, data, office.keys[0].key, seed, secret[:32], secret[32:], [])
    envelope = wire.from_msgpack(envelopes.to_msgpack(parts))
    assert isinstance(envelope, Envelope)
    opened = open_sealed(envelope, office.held(), office.first.sign.public_key())
    assert opened.plaintext == data
    assert opened.header == Header.unpack(parts["hdr"])
    assert (opened.header.rid, opened.header.rev) == (ids_[0].hex(), ids_[1].hex())


@given(data=st.binary(max_size=5000))
def test_padding_is_the_same(data: bytes) -> None:
    assert pad(data) == envelopes.pad(data)


def test_keys_of_spaces_pass_both_ways_in_both_suites(office: Office) -> None:
    key, space = office.keys[1], bytes.fromhex(SPACE)
    for suite in (X25519, HYBRID):
        receiver = Receiver.new(suite)
        made = key_wraps.wrap(key, office.second.id, receiver.public, office.signer)
        assert made.output[0] == suite
        assert chain.unwrap(space, 2, made.output, receiver.private) == key.key
        output, signature = chain.wrap(
            space,
            2,
            key.key,
            bytes.fromhex(office.second.id),
            receiver.public,
            bytes(range(32)),
            office.first.sign.private_bytes_raw(),
        )
        theirs = key_wraps.Wrap(SPACE, 2, office.second.id, office.first.id, output, signature)
        taken = key_wraps.unwrap(theirs, receiver, office.first.sign.public_key(), key.commitment())
        assert taken == key


def test_an_exact_wrap_of_suite_one_is_81_bytes(office: Office) -> None:
    receiver = Receiver.new()
    made = key_wraps.wrap(office.keys[0], office.second.id, receiver.public, office.signer)
    assert len(made.output) == 81
    assert len(hpke.seal(receiver.public, bytes(31) + b"\1", bytes(32), b"")) == 81


def test_the_log_passes_both_ways(office: Office) -> None:
    assert chain.read(office.log) == {office.first.id, office.second.id}
    body = {"device_id": office.second.id}
    seed = office.first.sign.private_bytes_raw()
    theirs = chain.entry(office.log, "revoke_device", "2026-03-01T12:00:00Z", body, office.first.id, seed)
    assert theirs == office.writer.revoke_device(office.account, office.second.id, AT)
    assert not office.grown(theirs).devices[office.second.id].active_at(4)


def test_a_log_with_a_device_of_the_hybrid_suite(office: Office) -> None:
    device = DeviceKeys.new(HYBRID)
    by_recovery = Writer("recovery", office.recovery.sign)
    entry = by_recovery.add_device(office.account, device.public, AT)
    assert chain.read([*office.log, entry]) == {office.first.id, office.second.id, device.id}
    assert account_log.extend(office.account, [entry]).device(device.id).public == device.public


@given(piece=st.binary(max_size=200), blob_id=ids)
def test_pieces_pass_both_ways(piece: bytes, blob_id: bytes) -> None:
    key = BlobKey(bytes(range(32)), blob_id.hex())
    sealed = key.seal(4, 5, piece or b"x")
    assert sealed == envelopes.chunk(key.key, blob_id, 4, 5, piece or b"x")
    assert envelopes.open_chunk(key.key, blob_id, 4, 5, sealed) == (piece or b"x")
    assert key.open(4, 5, sealed, address_of(sealed)) == (piece or b"x")
