"""Merging ends alike on every device, in whatever order versions arrive, and shows what lost."""

from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.sync.errors import PlaintextInvalid
from memory.sync.hlc import Clock, Stamp
from memory.sync.line_merge import MOST_LINES, merge_text
from memory.sync.merge import Merged, later, members, merge, set_fields
from memory.sync.plaintext import Entry, Record, encode
from tests.memory.sync.making import AT, note, numbers, values

ME, OTHER = "0a" * 16, "0b" * 16
CLOCK = Clock(ME)
# Few stamps and values that Python takes for equal, so that ties happen.
close = st.builds(
    Entry,
    st.sampled_from([0, False, 1, True, 1.0, "", None]) | values,
    st.builds(Stamp, st.integers(1, 2), st.just(0), st.sampled_from([ME, OTHER])),
)
names = st.sampled_from(["title", "tags/a", "tags/b", "redacted", "rating", "text"])
extras = st.dictionaries(st.sampled_from(["later", "more"]), values, max_size=2)


def records(kind: str) -> st.SearchStrategy[Record]:
    return st.builds(Record, st.just(kind), st.just(1), st.dictionaries(names, close, max_size=5), extras)


some = st.sampled_from(["contact", "message", "note"]).flatmap(lambda kind: st.tuples(*[records(kind)] * 3))


def joined(one: Record, other: Record) -> Record:
    return merge(None, one, other, CLOCK, AT).record


@given(three=some)
def test_merging_knows_no_order(three: tuple[Record, Record, Record]) -> None:
    ends = {encode(reduce(joined, order)) for order in permutations(three)}
    a, b, c = three
    ends.add(encode(joined(a, joined(b, c))))
    assert len(ends) == 1


@given(three=some)
def test_merging_again_changes_nothing(three: tuple[Record, Record, Record]) -> None:
    one, other, _ = three
    assert encode(joined(one, one)) == encode(one)
    both = joined(one, other)
    assert encode(joined(both, other)) == encode(joined(one, both)) == encode(both)
    assert not merge(None, one, both, CLOCK, AT).push


@given(one=records("contact"), other=records("contact"))
def test_no_field_is_lost_and_every_winner_is_one_of_the_two(one: Record, other: Record) -> None:
    both = joined(one, other)
    assert both.fields.keys() == one.fields.keys() | other.fields.keys()
    for name, entry in both.fields.items():
        found = [side.fields[name] for side in (one, other) if name in side.fields]
        assert entry in found
        assert entry.stamp == max(each.stamp for each in found)


@given(a=numbers, b=numbers)
def test_one_stamp_with_two_values_ends_alike(a: int, b: int) -> None:
    """A device restored from a backup may give a stamp a second time."""
    stamp = Stamp(AT, 0, ME)
    assert later(Entry(a, stamp), Entry(b, stamp)) == later(Entry(b, stamp), Entry(a, stamp))


def test_a_set_takes_both_sides_and_the_later_word_on_each_element() -> None:
    def tagged(stamp: int, device: str, value: bool, *elements: str) -> Record:
        return Record("document", 1, set_fields("tags", elements, value, Stamp(stamp, 0, device)))

    here, there = tagged(1, ME, True, "home", "a/b"), tagged(2, OTHER, True, "work", "home")
    both = joined(here, there)
    assert members(both, "tags") == {"home", "work", "a/b"}
    assert members(joined(both, tagged(3, ME, False, "home")), "tags") == {"work", "a/b"}
    assert members(joined(both, tagged(1, OTHER, False, "home")), "tags") == {"home", "work", "a/b"}


BEFORE = note("one\ntwo\nthree\nfour", Stamp(1, 0, ME))


def edited(text: str, ms: int, device: str) -> Record:
    return note(text, Stamp(ms, 0, device))


def text_of(merged: Merged) -> Entry:
    return merged.record.fields["text"]


def test_long_text_takes_the_changes_of_both_sides() -> None:
    mine, theirs = edited("ONE\ntwo\nthree\nfour", 5, ME), edited("one\ntwo\nthree\nfour\nfive", 6, OTHER)
    merged = merge(BEFORE, mine, theirs, CLOCK, AT)
    assert text_of(merged) == Entry("ONE\ntwo\nthree\nfour\nfive", Stamp(AT, 0, ME))
    assert (merged.push, merged.conflicts, merged.clock.ms) == (True, (), AT)
    behind = merge(BEFORE, mine, theirs, CLOCK, 2)
    assert text_of(behind).stamp == Stamp(6, 1, ME)  # later than both, although this clock is behind


def test_long_text_changed_in_one_place_keeps_the_later_and_hands_back_the_other() -> None:
    mine, theirs = edited("one\nmine\nthree\nfour", 5, ME), edited("one\ntheirs\nthree\nfour", 6, OTHER)
    merged = merge(BEFORE, mine, theirs, CLOCK, AT)
    assert text_of(merged) == theirs.fields["text"]
    assert not merged.push
    (conflict,) = merged.conflicts
    assert (conflict.field, conflict.kept, conflict.lost, conflict.reason) == (
        "text",
        theirs.fields["text"],
        mine.fields["text"],
        "text",
    )
    won = merge(BEFORE, edited("one\nmine\nthree\nfour", 7, ME), theirs, CLOCK, AT)
    assert won.push
    assert won.conflicts[0].lost == theirs.fields["text"]


def test_nothing_is_pushed_where_the_service_has_the_result_already() -> None:
    theirs = edited("ONE\ntwo\nthree\nFOUR", 6, OTHER)
    for mine in (BEFORE, edited("ONE\ntwo\nthree\nfour", 9, ME), edited("ONE\ntwo\nthree\nFOUR", 9, ME)):
        merged = merge(BEFORE, mine, theirs, CLOCK, AT)
        assert text_of(merged).value == "ONE\ntwo\nthree\nFOUR"
        assert merged.conflicts == ()
        if mine.fields["text"].value != theirs.fields["text"].value:
            assert (merged.push, text_of(merged)) == (False, theirs.fields["text"])


def test_a_merge_that_only_one_side_grew_into_keeps_a_stamp_later_than_both() -> None:
    mine, theirs = edited("ONE\ntwo\nthree\nFOUR", 5, ME), edited("ONE\ntwo\nthree\nfour", 6, OTHER)
    merged = merge(BEFORE, mine, theirs, CLOCK, AT)
    assert text_of(merged) == Entry("ONE\ntwo\nthree\nFOUR", Stamp(AT, 0, ME))
    assert merged.push
    later_mine = edited("ONE\ntwo\nthree\nFOUR", 7, ME)
    assert text_of(merge(BEFORE, later_mine, theirs, CLOCK, AT)) == later_mine.fields["text"]


def test_without_a_common_base_nothing_is_guessed() -> None:
    mine, theirs = edited("a\nb", 5, ME), edited("a\nc", 6, OTHER)
    merged = merge(None, mine, theirs, CLOCK, AT)
    assert text_of(merged) == theirs.fields["text"]
    assert merged.conflicts[0].lost == mine.fields["text"]


def test_a_text_that_only_one_side_changed_is_no_conflict_however_long() -> None:
    before = note("\n" * MOST_LINES, Stamp(1, 0, ME))
    theirs = edited("\n" * MOST_LINES + "the end", 6, OTHER)
    merged = merge(before, before, theirs, CLOCK, AT)
    assert (text_of(merged), merged.conflicts, merged.push) == (theirs.fields["text"], (), False)
    both = merge(before, edited("mine" + "\n" * MOST_LINES, 7, ME), theirs, CLOCK, AT)
    assert [each.lost for each in both.conflicts] == [theirs.fields["text"]]


def test_two_records_that_are_none_of_each_other() -> None:
    with pytest.raises(PlaintextInvalid):
        merge(None, note("x"), Record("agent", 1, {}), CLOCK, AT)


def test_members_of_later_versions_follow_whoever_changed_them() -> None:
    def with_later(value: int) -> Record:
        return Record("contact", 1, {}, {"later": value})

    for mine, theirs, ends in ((1, 2, 2), (3, 1, 3), (1, 1, 1)):
        merged = merge(with_later(1), with_later(mine), with_later(theirs), CLOCK, AT)
        assert merged.record.extra == {"later": ends}
        assert merged.push is (ends != theirs)


def message(text: str, ms: int = 1, redacted: int = 0, **more: Entry) -> Record:
    fields = {"text": Entry(text, Stamp(ms, 0, ME)), "parent": Entry(None, Stamp(1, 0, ME)), **more}
    if redacted:
        fields["redacted"] = Entry(True, Stamp(redacted, 0, ME))
    return Record("message", 1, fields)


def test_a_message_stays_as_it_was_written() -> None:
    first, changed = message("said"), message("never said", ms=9)
    for one, other in ((first, changed), (changed, first)):
        merged = merge(None, one, other, CLOCK, AT)
        assert text_of(merged).value == "said"
        assert [(each.reason, each.lost.value) for each in merged.conflicts] == [("immutable", "never said")]


def test_a_message_that_is_alike_on_both_sides_is_no_conflict() -> None:
    """So it is where two devices leave, keep what they hold, and meet anew: only the stamps differ."""
    here, there = message("said"), message("said", ms=9)
    for one, other in ((here, there), (there, here)):
        merged = merge(None, one, other, CLOCK, AT)
        assert text_of(merged) == Entry("said", Stamp(1, 0, ME))
        assert merged.conflicts == ()
    counted, said = message("", n=Entry(1, Stamp(1, 0, ME))), message("", n=Entry(True, Stamp(2, 0, ME)))
    assert [each.field for each in merge(None, counted, said, CLOCK, AT).conflicts] == ["n"]


def test_a_message_is_rated_and_pinned() -> None:
    rated = message("said", rating=Entry(1, Stamp(4, 0, ME)))
    pinned = message("said", rating=Entry(-1, Stamp(5, 0, OTHER)), pinned=Entry(True, Stamp(2, 0, OTHER)))
    both = joined(rated, pinned)
    assert (both.fields["rating"].value, both.fields["pinned"].value) == (-1, True)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_was_redacted_does_not_come_back_with_a_rating(order: tuple[int, ...]) -> None:
    """By field the former text would win, for it is older, and by union it would come back if it were left out."""
    versions = [
        message("my secret", rating=Entry(1, Stamp(90, 0, OTHER))),
        message("[erased]", ms=50, redacted=50),
        message("my [erased]", ms=40, redacted=40),
    ]
    gone = Record("message", 1, {name: e for name, e in versions[1].fields.items() if name != "parent"})
    for redacted in (versions[1], gone):
        end = reduce(joined, [[versions[0], redacted, versions[2]][place] for place in order])
        assert end.fields["text"].value == "[erased]"
        assert end.fields["rating"].value == 1
        assert end.fields.keys() - {"rating"} == redacted.fields.keys()


lines = st.lists(st.sampled_from(["", "a", "b", "c", "d"]), max_size=8).map("\n".join)


@given(base=lines, one=lines, other=lines)
def test_merging_text_knows_no_sides_and_makes_up_nothing(base: str, one: str, other: str) -> None:
    merged = merge_text(base, one, other)
    assert merged == merge_text(base, other, one)
    if merged is not None:
        written = {*base.split("\n"), *one.split("\n"), *other.split("\n")}
        assert set(merged.split("\n")) <= written


@given(base=lines, one=lines)
def test_a_change_on_one_side_is_taken_as_it_is(base: str, one: str) -> None:
    assert merge_text(base, one, base) == merge_text(base, base, one) == merge_text(base, one, one) == one


edits = st.tuples(st.sampled_from(["one", "other", "both"]), st.sampled_from(["deleted", "changed", "added"]))


@given(planned=st.lists(st.none() | edits, min_size=1, max_size=12))
def test_changes_in_lines_apart_are_all_kept(planned: list[tuple[str, str] | None]) -> None:
    """Every second line stays, so no two changes touch."""
    texts: dict[str, list[str]] = {"base": [], "one": [], "other": [], "expected": []}
    for number, edit in enumerate(planned):
        for side, written in texts.items():
            lines = [f"line {number}"]
            if edit is not None and side != "base" and (side == "expected" or edit[0] in (side, "both")):
                new = f"{edit[0]}'s line {number}"
                lines = {"deleted": [], "changed": [new], "added": [*lines, new]}[edit[1]]
            written += [*lines, f"kept {number}"]
    merged = merge_text(*("\n".join(texts[side]) for side in ("base", "one", "other")))
    assert merged == "\n".join(texts["expected"])


@pytest.mark.parametrize(
    ("one", "other"),
    [("A\nb\nc", "a\nB\nc"), ("a\nx\nb\nc", "a\ny\nb\nc"), ("b\nc", "A\nb\nc"), ("", "a\nb")],
    ids=["neighbours", "inserted in one place", "deleted and changed", "everything deleted"],
)
def test_changes_that_touch_are_not_merged(one: str, other: str) -> None:
    assert merge_text("a\nb\nc", one, other) is None


def test_a_text_of_too_many_lines_is_not_compared() -> None:
    base = "\n" * MOST_LINES
    assert merge_text(base, base + "x", "x" + base) is None
