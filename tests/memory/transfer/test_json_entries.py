"""Huge arrays of records, taken one by one, whatever stands among them."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memory.transfer import json_entries
from memory.transfer.errors import ArchiveDamaged, ArchiveUnknown
from memory.transfer.json_entries import BadEntry, entries


def taken(content: bytes, key: str = "") -> list[dict[str, Any] | BadEntry]:
    return list(entries(io.BytesIO(content), "x.json", key))


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.dictionaries(st.text(), ANY), max_size=4), st.integers(3, 90))
def test_what_was_written_is_read_whatever_the_pieces(records: list[Any], piece: int) -> None:
    content = json.dumps(records, ensure_ascii=False).encode("utf-8", "surrogatepass")
    expected = json.dumps(json.loads(content.decode("utf-8", "replace")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_entries, "_PIECE", piece)
        assert json.dumps(taken(content)) == expected
        assert json.dumps(taken(b'{"a": [{}], "c": ' + content + b"}", "c")) == expected


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"a": nothing}', "not JSON"),
        (b'{"a": [1, 2}, "b": "]"}', "not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "number"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deeply"),
        (b'{"a": "' + b"x" * 2000 + b'\\""}', "over"),
        (b"null", "no record"),
        (b'"a ] \\" string"', "no record"),
        (b"[1, [2]]", "no record"),
    ],
)
def test_a_bad_entry_spoils_nothing_but_itself(
    monkeypatch: pytest.MonkeyPatch, bad: bytes, reason: str
) -> None:
    if reason == "over":
        monkeypatch.setattr(json_entries, "LARGEST_ENTRY", 200)
        monkeypatch.setattr(json_entries, "_PIECE", 100)
    found = taken(b'[{"id": 1}, ' + bad + b', {"id": 2}]')
    assert found[0] == {"id": 1} and found[-1] == {"id": 2}
    problem = found[1]
    assert isinstance(problem, BadEntry) and problem.number == 2 and reason in problem.reason
    assert len(found) == 3


def test_bytes_that_are_no_utf8_are_marked_and_the_rest_is_kept() -> None:
    assert taken(b'\xef\xbb\xbf[{"a": "\xff\xc3"}, {"b": "\xc3\xa9"}]') == [{"a": "\ufffd\ufffd"}, {"b": "é"}]


@pytest.mark.parametrize("content", [b"[", b'[{"a": 1}', b'[{"a": "x', b'[{"a": 1},', b'{"c": [', b'["a'])
def test_a_cut_file_is_told(content: bytes) -> None:
    with pytest.raises(ArchiveDamaged):
        found = taken(content, "c")
        assert isinstance(found, list)


@pytest.mark.parametrize("content", [b"<html>", b"\x00\x01", b"{1: 2}"])
def test_what_is_no_json_is_told(content: bytes) -> None:
    with pytest.raises((ArchiveDamaged, ArchiveUnknown)):
        taken(content, "c")
    assert taken(b"[]") == []
