"""Sealing: always a new key, and never more than the service must see."""

import json

from memory.sync import wire
from memory.sync.envelope import Edit, open_sealed, rewrap, seal
from memory.sync.header import Header
from memory.sync.plaintext import encode
from memory.sync.space_keys import wrap_epoch
from tests.memory.sync.making import AT, RID, Office, note


def test_the_same_edit_twice_shares_no_key_and_no_revision(office: Office) -> None:
    one, other = office.sealed("same"), office.sealed("same")
    assert Header.unpack(one.hdr).rev != Header.unpack(other.hdr).rev
    assert one.kc != other.kc
    assert one.ct != other.ct
    assert one.dek[4:16] != other.dek[4:16]


def test_rewrapping_moves_to_the_next_epoch_and_leaves_the_former_useless(office: Office) -> None:
    envelope = office.sealed("kept", epoch=1)
    moved = rewrap(envelope, office.held(), office.keys[1])
    assert (wrap_epoch(envelope.dek), wrap_epoch(moved.dek)) == (1, 2)
    assert Header.unpack(moved.hdr).epoch == 1
    opened = open_sealed(moved, office.held(2), office.first.sign.public_key())
    assert opened.plaintext == encode(note("kept"))


def test_blobs_are_sorted_and_named_once(office: Office) -> None:
    hashes = [b"\2" * 32, b"\1" * 32, b"\2" * 32]
    sealed = seal(Edit(RID, AT, 0), encode(note("x")), office.keys[1], office.signer, blobs=hashes)
    assert sealed.blobs == (b"\1" * 32, b"\2" * 32)


def test_no_word_of_the_record_is_in_the_clear(office: Office) -> None:
    sealed = wire.to_msgpack(office.sealed("an unmistakable sentence"))
    assert b"unmistakable" not in sealed
    assert b"note" not in sealed
    assert b"text" not in sealed


def test_records_of_like_length_look_alike(office: Office) -> None:
    assert len({len(office.sealed("x" * length).ct) for length in range(100)}) == 1


def test_keys_do_not_show_themselves(office: Office) -> None:
    shown = repr(office.keys) + repr(office.first) + repr(office.recovery)
    for secret in (
        office.keys[0].key,
        office.first.receive.private,
        office.first.sign.private_bytes_raw(),
        office.recovery.receive.private,
    ):
        assert secret.hex() not in shown
        assert repr(secret) not in shown
        assert json.dumps(list(secret)) not in shown
