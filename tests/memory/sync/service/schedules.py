"""Random schedules over real offices and the real service: whatever happens on the way, they agree in the end.

Nothing is lost, nothing that was erased comes back, and an honest service is never called a liar.
"""

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from memory import chats, messages, notes
from memory.lifecycle.subjects import Subject
from memory.sync.account_log import Writer
from memory.sync.exchange import Round
from memory.sync.known import record_id
from memory.sync.service.log import AccountLog
from memory.sync.service.rotation import open_next, wrap_anew
from memory.tables import (
    ConversationTable,
    MessageTable,
    NoteTable,
    SyncConflictTable,
    SyncRecordTable,
    SyncSpaceTable,
)
from tests.memory.sync.service.offices import HIDDEN, Office, Template, hosted_at

KINDS: dict[str, Any] = {"note": NoteTable, "message": MessageTable, "conversation": ConversationTable}
LINES = 3
ON_THE_WAY = ("", "lose", "lose answer", "twice")


class _DiedError(Exception):
    """Stands for the end of the process."""


class Dying:
    """A database whose process ends at one of its next transactions, before or after it is on the disk."""

    def __init__(self, database: Any, count: int, *, after: bool) -> None:
        self._database, self._count, self._after = database, count, after

    async def read(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._database.read(operation, *args, **kwargs)

    async def write(self, operation: Any, *args: Any, **kwargs: Any) -> Any:
        self._count -= 1
        if self._count == 0 and not self._after:
            raise _DiedError
        result = await self._database.write(operation, *args, **kwargs)
        if self._count == 0:
            raise _DiedError
        return result


class Schedule(RuleBasedStateMachine):
    """Three devices of one owner and a service; a fourth was enrolled and is taken off when keys are changed."""

    templates: ClassVar[tuple[Template, Template]]
    """Devices that have not met yet, and such as have."""
    scratch: ClassVar[Path]
    count = 3

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="schedule-", dir=self.scratch))
        self._stack = contextlib.ExitStack()
        self.offices: list[Office] = []
        self.erased: set[str] = set()
        self.written: dict[str, str] = {}
        """Kind by id of everything that was ever written."""
        self.chat_of: dict[str, str] = {}
        self.lines: dict[str, list[set[str]]] = {}
        """By note, what was ever written in each line."""
        self.backup: Path | None = None
        self.number = 0

    @initialize(met=st.sampled_from([True, True, False]))
    def begin(self, met: bool) -> None:
        self.template = self.templates[met]
        self.hosted = self._stack.enter_context(hosted_at(self.template, self.home / "hosted"))
        for number in range(self.count):
            office = Office.copied(self.hosted, self.template, number, self.home / f"office{number}")
            self.offices.append(office)

    # What owners do

    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        self.write_on(self.office(data))

    @rule(data=st.data())
    def write_what_expires(self, data: st.DataObject) -> None:
        office = self.office(data)
        if office.do(_naming) is None:
            return  # it has not met the others yet, so it cannot seal
        note = self.write_on(office)
        office.seal()
        office.do(_expire, note, self.hosted.service.today + data.draw(st.integers(1, 3)))
        self.edit_on(office, note, 0)
        self.erased.add(note)

    @rule(data=st.data(), line=st.integers(0, LINES - 1))
    def edit(self, data: st.DataObject, line: int) -> None:
        office = self.office(data)
        note = self.row(data, office, "note")
        if note:
            self.edit_on(office, note, line)

    @rule(data=st.data())
    def say(self, data: st.DataObject) -> None:
        office = self.office(data)
        chat = self.row(data, office, "conversation")
        if not chat or data.draw(st.booleans()):
            chat = office.do(chats.create_conversation).id
            self.written[chat] = "conversation"
        self.number += 1
        said = office.do(messages.add_owner_message, chat, f"said {self.number}").id
        self.written[said], self.chat_of[said] = "message", chat

    @rule(data=st.data(), pinned=st.booleans())
    def pin(self, data: st.DataObject, pinned: bool) -> None:
        office = self.office(data)
        chosen = self.row(data, office, "message")
        if chosen:
            office.do(messages.pin_message, chosen, pinned=pinned)

    @rule(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
    def erase(self, data: st.DataObject, kind: str) -> None:
        office = self.office(data)
        chosen = self.row(data, office, kind)
        if chosen:
            office.erase(Subject(kind, chosen))  # type: ignore[arg-type]  # one of its words
            self.erased.add(chosen)

    # Rounds, and what comes between

    @rule(data=st.data())
    def sync(self, data: st.DataObject) -> None:
        self.round(self.office(data))

    @rule(data=st.data(), plan=st.lists(st.sampled_from(ON_THE_WAY), min_size=1, max_size=7))
    def sync_on_a_bad_line(self, data: st.DataObject, plan: list[str]) -> None:
        office = self.office(data)
        office.wire.plan = list(plan)
        with contextlib.suppress(OSError):
            self.round(office)
        office.wire.plan = []

    @rule(data=st.data(), request=st.integers(1, 5))
    def sync_while_another_does(self, data: st.DataObject, request: int) -> None:
        """One device does a whole round between two requests of another."""
        one, other = (self.offices[number] for number in data.draw(st.permutations(range(self.count)))[:2])

        async def meanwhile() -> None:
            self.judge(await other.round())

        one.wire.between = request, meanwhile
        self.round(one)
        one.wire.between = None

    @rule(data=st.data(), transaction=st.integers(1, 8), after=st.booleans())
    def die(self, data: st.DataObject, transaction: int, after: bool) -> None:
        office = self.office(data)
        office.parts_database = Dying(office.database, transaction, after=after)
        with contextlib.suppress(_DiedError):
            self.round(office)
        office.reopen()

    # What the service and its operator do

    @rule(days=st.sampled_from([0.1, 1, 2, 40, 200]), night=st.booleans())
    def pass_days(self, days: float, night: bool) -> None:
        self.hosted.clock.pass_days(days)
        if night:
            self.hosted.do_day()

    @rule(free=st.integers(0, 1))
    def run_short_of_room(self, free: int) -> None:
        used = len(self.hosted.live(self.offices[0].member.space_id))
        self.hosted.become(account_records=max(used + free, 1))

    @rule()
    def have_room(self) -> None:
        self.hosted.become(account_records=100_000)

    @rule(data=st.data(), finish=st.booleans())
    def change_keys(self, data: st.DataObject, finish: bool) -> None:
        """Take the spare device off, or go on with what that began."""
        office = self.office(data)
        self.round(office)
        self.hosted.run(self._rotate(office, finish))
        self.backup = None  # the log is in it, and must not go back

    @rule()
    def back_up(self) -> None:
        self.backup = self.home / "backup"
        self.hosted.back_up(self.backup)

    @rule()
    def restore_the_backup(self) -> None:
        if self.backup is not None:
            self.hosted.restore(self.backup)
            for office in self.offices:
                office.reopen()

    @invariant()
    def what_is_erased_here_has_no_row(self) -> None:
        for office in self.offices:
            assert not office.do(_rows_of_erased)

    def teardown(self) -> None:
        try:
            if self.offices:
                self.hosted.become(account_records=100_000)
                for days in (4, 33):
                    self.hosted.clock.pass_days(days)
                    self.hosted.do_day()
                    self.meet()
                self.check()
        finally:
            for office in self.offices:
                office.close()
            self._stack.close()
            shutil.rmtree(self.home)

    def check(self) -> None:
        """Everything agrees: offices with each other, with what was written and erased, and with the service."""
        states = [office.state() for office in self.offices]
        for other in states[1:]:
            assert states[0] == other
        found = {key for rows in states[0].values() for key in rows}
        for office in self.offices:
            assert not office.do(_ids_there) & self.erased, "erased, and there"
        kept = {key for key in self.written if not {key, self.chat_of.get(key)} & self.erased}
        assert kept <= found, "lost"
        lost = {text for office in self.offices for text in office.do(_conflicting)}
        for note, lines in self.lines.items():
            if note in found:
                _check_lines(states[0]["note"][note]["text"], lines, lost)
        live = self.hosted.live(self.offices[0].member.space_id)
        for office in self.offices:
            known = office.known()
            assert {rid: rev for rid, (state, rev, _seq) in known.items() if state == "synced"} == live
        naming = self.offices[0].do(_naming)
        assert naming is not None
        assert not {
            record_id(naming, kind, key) for key, kind in self.written.items() if key in self.erased
        } & {*live}

    def meet(self) -> None:
        """Let every device have rounds until nothing moves."""
        for _turn in range(12):
            moved = [self.round(office) for office in self.offices]
            if not any(moved):
                return
        raise AssertionError("the devices talk for ever")

    def round(self, office: Office) -> bool:
        done = office.sync()
        moved = self.judge(done)
        if done.generation:
            done = office.sync(generation=done.generation)
            moved |= self.judge(done)
        if done.asks or done.missing:
            moved |= self.judge(office.sync(confirmed=done.asks, missing=done.missing))
        return moved

    def judge(self, done: Round) -> bool:
        assert done.refused == [], "an honest service was called a liar"
        assert done.mended == 0, "what was known of the service was wrong"
        assert done.held_back == 0
        return bool(done.pulled or done.pushed or done.erased or done.aside)

    async def _rotate(self, office: Office, finish: bool) -> None:
        spare = self.template.members[self.count].device.id
        member, at = office.member, self.hosted.clock()
        log = AccountLog(office.calls, (member.account.n, member.account.head))
        writer = Writer(member.device.id, member.device.sign)

        def revoke(account: Any) -> Any:
            return writer.revoke_device(account, spare, at) if account.device(spare).revoked is None else None

        account = await log.append(revoke)
        if account.current_epoch(member.space_id) == 1:
            position = office.position()
            space = await self.present(office)
            if (space.generation, space.head) == (position["generation"], position["after"]):
                office.member = await open_next(
                    office.calls, log, member, at, pulled_to=(space.generation, space.head), keep=_keep
                )
        if finish and office.member.account.current_epoch(member.space_id) > 1:
            await wrap_anew(office.calls, office.member, office.held)

    async def present(self, office: Office) -> Any:
        from memory.sync.service.spaces import space_of

        return await space_of(office.calls, office.member.space_id)

    def write_on(self, office: Office) -> str:
        self.number += 1
        lines = [f"first {self.number}", "second", "third"]
        note: str = office.do(notes.add_note, "\n".join(lines)).id
        self.written[note] = "note"
        self.lines[note] = [{line} for line in lines]
        return note

    def edit_on(self, office: Office, note: str, line: int) -> None:
        self.number += 1
        words = f"edit {self.number}"
        office.do(_edit, note, line, words)
        self.lines[note][line].add(words)

    def office(self, data: st.DataObject) -> Office:
        return data.draw(st.sampled_from(self.offices))

    def row(self, data: st.DataObject, office: Office, kind: str) -> str | None:
        ids = office.do(_ids, kind)
        return data.draw(st.sampled_from(ids)) if ids else None


async def _keep(_member: Any) -> None:
    """Stands for the vault."""


def _check_lines(text: str, written: list[set[str]], lost: set[str]) -> None:
    """No line says what nobody wrote, and an edit is there, under a later one, or in the list of conflicts."""
    lines = text.split("\n")
    assert len(lines) == LINES
    for line, words in zip(lines, written, strict=True):
        assert line in words
        if len(words) > 1 and not line.startswith("edit"):
            edits = {each for each in words if each.startswith("edit")}
            assert any(each in one for each in edits for one in lost), "an edit is lost"


def _ids(session: Session, kind: str) -> list[str]:
    """Return the ids of what is shown in the order written, so that the same choices make the same run again."""
    table = KINDS[kind]
    hidden = select(SyncRecordTable.local_id).where(
        SyncRecordTable.type == kind, SyncRecordTable.state.in_((*HIDDEN, "erasing"))
    )
    chosen = select(table.id).where(table.id.not_in(hidden), table.trashed_at.is_(None))
    return list(session.scalars(chosen.order_by(literal_column("rowid"))))


def _ids_there(session: Session) -> set[str]:
    return {key for table in KINDS.values() for key in session.scalars(select(table.id))}


def _edit(session: Session, note_id: str, line: int, words: str) -> None:
    row = session.get_one(NoteTable, note_id)
    lines = row.text.split("\n")
    lines[line] = words
    row.text = "\n".join(lines)


def _expire(session: Session, note_id: str, day: int) -> None:
    """Give a record its last day, as a version does that lets its owner choose one."""
    chosen = select(SyncRecordTable).where(SyncRecordTable.local_id == note_id)
    session.scalars(chosen).one().exp_day = day


def _rows_of_erased(session: Session) -> list[str]:
    chosen = select(SyncRecordTable.rid).where(
        SyncRecordTable.state.in_(("erase", "erased")), SyncRecordTable.local_id.is_not(None)
    )
    return list(session.scalars(chosen))


def _conflicting(session: Session) -> list[str]:
    return [str(lost) for lost in session.scalars(select(SyncConflictTable.lost))]


def _naming(session: Session) -> bytes | None:
    return session.scalars(select(SyncSpaceTable.naming)).one()
