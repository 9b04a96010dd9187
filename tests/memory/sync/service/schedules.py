"""Random schedules over real offices and the real service: whatever happens on the way, they agree in the end.

Nothing is lost, nothing that was erased comes back, and an honest service is never called a liar.
"""

import contextlib
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from memory import chats, messages, notes
from memory.lifecycle.subjects import Subject
from memory.sync.account_log import Writer
from memory.sync.exchange import Round
from memory.sync.known import record_id
from memory.sync.service.log import AccountLog
from memory.sync.service.rotation import open_next, wrap_anew
from tests.memory.sync.service.offices import Office, Template, hosted_at
from tests.memory.sync.service.scenes import (
    KINDS,
    LINES,
    change_line,
    check_lines,
    give_last_day,
    ids_shown,
    ids_there,
    lost_in_conflicts,
    naming_of,
    rows_of_erased,
    written,
)

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
    happened: ClassVar[Counter[str]] = Counter()
    """How often each thing was done in all schedules so far, counted where it did something."""

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
        self.written, self.chat_of, texts = self.offices[0].do(written)
        self.lines = {note: [{line} for line in text.split("\n")] for note, text in texts.items()}

    # What owners do

    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        self.write_on(self.office(data))
        self.note("write")

    @rule(data=st.data())
    def write_what_expires(self, data: st.DataObject) -> None:
        office = self.office(data)
        if office.do(naming_of) is None:
            return  # it has not met the others yet, so it cannot seal
        note = self.write_on(office)
        office.seal()
        office.do(give_last_day, note, self.hosted.service.today + data.draw(st.integers(1, 3)))
        self.edit_on(office, note, 0)
        self.erased.add(note)
        self.note("write what expires")

    @rule(data=st.data(), line=st.integers(0, LINES - 1))
    def edit(self, data: st.DataObject, line: int) -> None:
        office = self.office(data)
        note = self.row(data, office, "note")
        if note:
            self.edit_on(office, note, line)
            self.note("edit")

    @rule(data=st.data(), line=st.integers(0, LINES - 1))
    def edit_on_two(self, data: st.DataObject, line: int) -> None:
        """Two devices write in the same line of a note while neither knows of the other's words."""
        one, other = (self.offices[number] for number in data.draw(st.permutations(range(self.count)))[:2])
        both = [note for note in one.do(ids_shown, "note") if note in other.do(ids_shown, "note")]
        if both:
            note = data.draw(st.sampled_from(both))
            self.edit_on(one, note, line)
            self.edit_on(other, note, line)
            self.note("edit on two")

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
        self.note("say")

    @rule(data=st.data(), pinned=st.booleans())
    def pin(self, data: st.DataObject, pinned: bool) -> None:
        office = self.office(data)
        chosen = self.row(data, office, "message")
        if chosen:
            office.do(messages.pin_message, chosen, pinned=pinned)
            self.note("pin")

    @rule(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
    def erase(self, data: st.DataObject, kind: str) -> None:
        office = self.office(data)
        chosen = self.row(data, office, kind)
        if chosen:
            office.erase(Subject(kind, chosen))  # type: ignore[arg-type]  # one of its words
            self.erased.add(chosen)
            self.note(f"erase a {kind}")

    # Rounds, and what comes between

    @rule(data=st.data())
    def sync(self, data: st.DataObject) -> None:
        self.note("sync")
        self.round(self.office(data))

    @rule(data=st.data(), plan=st.lists(st.sampled_from(ON_THE_WAY), min_size=1, max_size=7))
    def sync_on_a_bad_line(self, data: st.DataObject, plan: list[str]) -> None:
        office = self.office(data)
        office.wire.plan = list(plan)
        try:
            self.round(office)
            self.note("sync on a bad line, and get through")
        except OSError:
            self.note("sync on a bad line, and be cut off")
        office.wire.plan = []

    @rule(data=st.data(), request=st.integers(1, 5))
    def sync_while_another_does(self, data: st.DataObject, request: int) -> None:
        """One device does a whole round between two requests of another."""
        one, other = (self.offices[number] for number in data.draw(st.permutations(range(self.count)))[:2])

        async def meanwhile() -> None:
            self.note("sync while another does")
            self.judge(await other.round())

        one.wire.between = request, meanwhile
        self.round(one)
        one.wire.between = None

    @rule(data=st.data(), transaction=st.integers(1, 8), after=st.booleans())
    def die(self, data: st.DataObject, transaction: int, after: bool) -> None:
        office = self.office(data)
        office.parts_database = Dying(office.database, transaction, after=after)
        try:
            self.round(office)
        except _DiedError:
            self.note("die after a transaction" if after else "die before a transaction")
        office.reopen()

    # What the service and its operator do

    @rule(days=st.sampled_from([0.1, 1, 2, 40, 200]), night=st.booleans())
    def pass_days(self, days: float, night: bool) -> None:
        self.hosted.clock.pass_days(days)
        self.note("pass days")
        if night:
            self.hosted.do_day()

    @rule(free=st.integers(0, 1))
    def run_short_of_room(self, free: int) -> None:
        used = len(self.hosted.live(self.offices[0].member.space_id))
        self.hosted.become(account_records=max(used + free, 1))
        self.note("run short of room")

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
            self.note("restore the backup")
            self.hosted.restore(self.backup)
            for office in self.offices:
                office.reopen()

    @invariant()
    def what_is_erased_here_has_no_row(self) -> None:
        for office in self.offices:
            assert not office.do(rows_of_erased)

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

    def note(self, what: str) -> None:
        self.happened[what] += 1

    def check(self) -> None:
        """Everything agrees: offices with each other, with what was written and erased, and with the service."""
        states = [office.state() for office in self.offices]
        for other in states[1:]:
            assert states[0] == other
        found = {key for rows in states[0].values() for key in rows}
        for office in self.offices:
            assert not office.do(ids_there) & self.erased, "erased, and there"
        kept = {key for key in self.written if not {key, self.chat_of.get(key)} & self.erased}
        assert kept <= found, "lost"
        lost = {text for office in self.offices for text in office.do(lost_in_conflicts)}
        for note, lines in self.lines.items():
            if note in found:
                check_lines(states[0]["note"][note]["text"], lines, lost)
        live = self.hosted.live(self.offices[0].member.space_id)
        for office in self.offices:
            known = office.known()
            assert {rid: rev for rid, (state, rev, _seq) in known.items() if state == "synced"} == live
        naming = self.offices[0].do(naming_of)
        assert naming is not None
        assert not {
            record_id(naming, kind, key) for key, kind in self.written.items() if key in self.erased
        } & {*live}

    def meet(self) -> None:
        """Let every device have rounds until nothing moves."""
        still = 0
        for turn in range(12 * self.count):
            still = 0 if self.round(self.offices[turn % self.count]) else still + 1
            if still == self.count:
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
        for what in ("pulled", "pushed", "erased", "conflicts", "aside", "quota", "generation", "epoch"):
            if getattr(done, what):
                self.note(f"a round: {what}")
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
                self.note("change keys")
        if finish and office.member.account.current_epoch(member.space_id) > 1:
            await wrap_anew(office.calls, office.member, office.held)
            self.note("wrap anew under the changed keys")

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
        office.do(change_line, note, line, words)
        self.lines[note][line].add(words)

    def office(self, data: st.DataObject) -> Office:
        return data.draw(st.sampled_from(self.offices))

    def row(self, data: st.DataObject, office: Office, kind: str) -> str | None:
        ids = office.do(ids_shown, kind)
        return data.draw(st.sampled_from(ids)) if ids else None


async def _keep(_member: Any) -> None:
    """Stands for the vault."""
