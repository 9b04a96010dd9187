"""Canonical records: nothing new is dropped, and nothing comes in that another device could not read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.sync.errors import PlaintextInvalid, RecordTooLarge
from memory.sync.hlc import Stamp
from memory.sync.padding import pad, padded_size, unpad
from memory.sync.plaintext import KNOWN, LARGEST, Entry, Opaque, Record, canonical, decode, encode
from tests.memory.sync.making import AT, entries, note, texts, values

DEVICE = "ab" * 16
STAMP = f'[1,0,"{DEVICE}"]'


def written(value: str, stamp: str = STAMP) -> bytes:
    return f'{{"f":{{"text":[{value},{stamp}]}},"schema":1,"type":"note"}}'.encode()


@given(fields=st.dictionaries(texts, entries, max_size=3), beside=values, name=texts)
def test_unknown_members_survive(fields: dict[str, Entry], beside: object, name: str) -> None:
    new = {
        "f": {**{each: [e.value, list(e.stamp)] for each, e in fields.items()}},
        "schema": 1,
        "type": "note",
    }
    new.setdefault("later/" + name, beside)
    read = decode(canonical(new))
    assert isinstance(read, Record)
    assert encode(read) == canonical(new)


def test_an_unknown_type_or_schema_is_stored_untouched() -> None:
    for data in (
        b'{"type":"hologram", "schema":1, "f":"another form"}',
        b'{"f":{"text":7},"schema":2,"type":"note"}',
    ):
        read = decode(data)
        assert isinstance(read, Opaque)
        assert read.plaintext == data
    assert ("note", 2) not in KNOWN
    assert isinstance(decode(written('"x"'), known={("note", 7)}), Opaque)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"7",
        b"\xff",
        b'{"schema":1,"type":"note"}',
        b'{"f":[],"schema":1,"type":"note"}',
        b'{"f":{},"schema":true,"type":"note"}',
        b'{"f":{},"schema":1,"type":5}',
        b'{"f":{},"schema":1,"type":"note","type":"note"}',
        written(str(2**53)),
        written(str(-(2**53))),
        written("9" * 5000),
        written("NaN"),
        written("-Infinity"),
        written("1e999"),
        written('"\\ud800"'),
        written('{"\\udc00":1}'),
        written("[" * 70 + "]" * 70),
        b"[" * 200_000,
        written("1", "[]"),
        written("1", "[1,0]"),
        written("1", f'[-1,0,"{DEVICE}"]'),
        written("1", f'[{2**48},0,"{DEVICE}"]'),
        written("1", f'[1,65536,"{DEVICE}"]'),
        written("1", f'[true,0,"{DEVICE}"]'),
        written("1", f'[1.0,0,"{DEVICE}"]'),
        written("1", f'[1,0,"{DEVICE.upper()}"]'),
        written("1", '[1,0,"ab"]'),
        written("1", f"{STAMP},3"),
    ],
)
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(PlaintextInvalid):
        decode(data)


@pytest.mark.parametrize(
    "value",
    [
        2**53,
        float("nan"),
        float("inf"),
        "\ud800",
        "\ud83d\ude00"[:1],
        {1: 2},
        (1,),
        b"x",
        {"\udfff": 1},
        {1, 2},
    ],
)
def test_what_json_cannot_carry_is_not_sealed(value: object) -> None:
    for record in (
        Record("note", 1, {"text": Entry(value, Stamp(AT, 0, DEVICE))}),
        Record("note", 1, {}, {"later": value}),
    ):
        with pytest.raises(PlaintextInvalid):
            encode(record)
    with pytest.raises(PlaintextInvalid):
        encode(Record("note", 1, {"text": Entry(1, Stamp(AT, 0, "me"))}))


def test_the_longest_record_fills_one_mebibyte_and_no_more() -> None:
    frame = len(encode(note("")))
    longest = encode(note("x" * (LARGEST - frame)))
    assert len(pad(longest)) == 2**20
    with pytest.raises(RecordTooLarge):
        encode(note("x" * (LARGEST - frame + 1)))
    with pytest.raises(PlaintextInvalid):
        decode(longest + b" ")


def test_text_is_ascii_on_the_way_and_the_same_afterwards() -> None:
    data = encode(note("Grüße 🏡 \u2028"))
    assert data.isascii()
    assert json.loads(data)["f"]["text"][0] == "Grüße 🏡 \u2028"


@given(content=st.binary(max_size=3000))
def test_padding_is_undone(content: bytes) -> None:
    assert unpad(pad(content)) == content


@given(length=st.integers(0, LARGEST))
def test_padding_costs_an_eighth_at_most_and_grows_with_the_content(length: int) -> None:
    size = padded_size(length)
    assert length + 4 <= size
    assert size == 256 or size <= (length + 4) * 9 // 8
    assert size <= padded_size(length + 1)
