"""The model of a chat: rows, live answers, heights."""

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt

from desktop.transcript.flush import SEEN_MS, UNSEEN_MS, FlushClock
from desktop.transcript.heights import HeightIndex
from desktop.transcript.model import TranscriptModel, TranscriptRole
from desktop.transcript.rows import Message, MessageState, RowKind, TranscriptRow


def owner(number: int, text: str = "hello") -> TranscriptRow:
    return TranscriptRow(f"r{number}", RowKind.OWNER, (Message(f"m{number}", "You", text, "14:02"),))


def answers(row_id: str, *ids: str) -> TranscriptRow:
    messages = tuple(Message(name, name.title(), state=MessageState.STREAMING) for name in ids)
    return TranscriptRow(row_id, RowKind.AGENTS, messages)


def test_model_keeps_qts_rules(qapp, qtmodeltester) -> None:
    model = TranscriptModel()
    qtmodeltester.check(model)
    model.set_rows([owner(1), answers("a", "one", "two"), owner(2)])
    model.insert(0, [owner(3), owner(4)])
    model.append(owner(5))
    model.remove("r1")
    model.append_delta("one", "text")
    model.flush()
    model.update_message(Message("one", "One", "text, done"))
    ids = [model.data(model.index(place), TranscriptRole.ID) for place in range(model.rowCount())]
    assert ids == ["r3", "r4", "a", "r2", "r5"]
    assert [model.place(name) for name in ids] == [0, 1, 2, 3, 4]


def test_rows_are_read_by_role(qapp) -> None:
    model = TranscriptModel()
    model.set_rows([answers("a", "one", "two")])
    model.append_delta("one", "first")
    index = model.index(0)
    assert index.data(Qt.ItemDataRole.DisplayRole) == "first\n\n"
    assert index.data(TranscriptRole.AUTHOR) == "One, Two"
    assert index.data(TranscriptRole.STATE) == "streaming, streaming"
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "One: Answering…. Two: Answering…"


def test_live_text_is_told_once_per_flush_and_ends_with_the_saved_message(qtbot) -> None:
    clock = FlushClock()
    model = TranscriptModel(clock=clock)
    model.set_rows([answers("a", "one", "two")])
    model.set_seen(True)
    told: list[set[str]] = []
    finished: list[str] = []
    model.live_changed.connect(told.append)
    model.message_finished.connect(finished.append)
    for letter in "abc":
        model.append_delta("one", letter)
    model.append_thinking("two", "hm")
    assert told == [] and clock.running and clock.interval == SEEN_MS
    clock.tick()
    assert told == [{"one", "two"}]
    clock.tick()
    assert not clock.running
    model.update_message(Message("one", "One", "abc."))
    assert finished == ["one"] and not model.is_live("one") and model.text("one") == "abc."
    assert model.is_live("two") and model.thinking("two") == "hm"


def test_an_unseen_chat_is_flushed_twice_a_second(qapp) -> None:
    clock = FlushClock()
    model = TranscriptModel(clock=clock)
    model.set_rows([answers("a", "one")])
    told: list[set[str]] = []
    model.live_changed.connect(told.append)
    model.append_delta("one", "x")
    assert clock.interval == UNSEEN_MS
    clock.tick()
    assert told == [{"one"}]
    model.append_delta("one", "y")
    seen = TranscriptModel(clock=clock)
    seen.set_rows([answers("b", "two")])
    seen.set_seen(True)
    seen.append_delta("two", "z")
    assert clock.interval == SEEN_MS
    clock.tick()
    assert told == [{"one"}]
    model.set_seen(True)
    assert told == [{"one"}, {"one"}]


def test_segments_are_kept_until_the_text_changes(qapp) -> None:
    model = TranscriptModel()
    row = owner(1, "one\ntwo")
    model.set_rows([row])
    first = model.segments(row.messages[0], row.kind)
    assert model.segments(row.messages[0], row.kind) is first and "<br>" in first[0].html
    changed = Message("m1", "You", "three")
    assert model.segments(changed, row.kind)[0].source == "three"


@given(st.lists(st.integers(1, 500), max_size=60), st.data())
@settings(max_examples=150, deadline=None)
def test_heights_are_summed_and_found(heights: list[int], data: st.DataObject) -> None:
    index = HeightIndex()
    known: list[int] = []
    for height in heights:
        index.append(height)
        known.append(height)
    for _change in range(data.draw(st.integers(0, 5)) if known else 0):
        place = data.draw(st.integers(0, len(known) - 1))
        known[place] = data.draw(st.integers(1, 500))
        index.change(place, known[place])
    assert index.total == sum(known)
    assert [index.before(place) for place in range(len(known) + 1)] == [
        sum(known[:n]) for n in range(len(known) + 1)
    ]
    for place, height in enumerate(known):
        top = sum(known[:place])
        assert index.find(top) == (place, 0)
        assert index.find(top + height - 1) == (place, height - 1)
    if known:
        assert index.find(sum(known) + 7) == (len(known) - 1, known[-1] + 7)
