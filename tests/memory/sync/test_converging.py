"""Two or three offices whose folder is late, out of order and twice, and which die between two steps: they converge."""

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from memory import chats, messages, notes, roster
from memory.lifecycle.subjects import Subject
from memory.sync.carrier import Page
from memory.sync.device_keys import DeviceKeys
from memory.sync.folder import FolderCarrier
from memory.tables import ConversationTable, MessageTable, NoteTable, SyncRecordTable
from tests.memory.sync.devices import Device, Ring
from tests.memory.sync.making import SPACE

PLACES = st.integers(0, 99)
"""Where in a list something stands, counted on from its beginning: what is drawn must not hang on how long it is, for
which of two agents of one name is renamed, and so who writes how many files, is decided by ids that are random."""


class _DiedError(Exception):
    """Stands for the end of the process."""


class Dying(FolderCarrier):
    """A folder carrier that ends the process after a push was written and before it was noted, or before a pull is."""

    dies = ""

    async def push(self, ops: Any) -> Any:
        verdicts = await super().push(ops)
        self._end("push")
        return verdicts

    async def pull(self, position: Any, skip: Any) -> Page:
        page = await super().pull(position, skip)
        self._end("pull")
        return page

    def _end(self, where: str) -> None:
        if self.dies == where:
            raise _DiedError


class Offices(RuleBasedStateMachine):
    """Each device has a folder of its own; what carries files between them is a rule like any other."""

    empty: ClassVar[Path]
    count = 2

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="converging-"))
        ring = Ring([DeviceKeys.new() for _number in range(self.count)])
        self.devices: list[Device] = []
        self.erased: set[str] = set()
        self.number = 0
        for number in range(self.count):
            folder = self.folder(number)
            (folder / SPACE).mkdir(parents=True)
            device = Device.make(self.home / f"office{number}", self.empty, ring, number, folder)
            device.carrier = Dying(folder, SPACE, device.keys.id)
            device.join()
            self.devices.append(device)

    def folder(self, number: int) -> Path:
        return self.home / f"folder{number}"

    @initialize()
    def begin(self) -> None:
        self.meet()

    @rule(data=st.data())
    def write_note(self, data: st.DataObject) -> None:
        self.number += 1
        self.device(data).do(notes.add_note, f"one {self.number}\ntwo\nthree")

    @rule(data=st.data())
    def edit_note(self, data: st.DataObject) -> None:
        device = self.device(data)
        chosen, line = self.row(data, device, NoteTable), data.draw(st.integers(0, 2))
        if chosen:
            self.number += 1
            device.do(_edit, chosen, line, f"edit {self.number}")

    @rule(data=st.data())
    def say(self, data: st.DataObject) -> None:
        device = self.device(data)
        chat, anew = self.row(data, device, ConversationTable), data.draw(st.booleans())
        if not chat or anew:
            chat = device.do(chats.create_conversation).id
        self.number += 1
        device.do(messages.add_owner_message, chat, f"said {self.number}")

    @rule(data=st.data())
    def say_and_send(self, data: st.DataObject) -> None:
        device = self.device(data)
        chat = device.do(chats.create_conversation).id
        for text in ("asked", "asked again"):
            device.do(messages.add_owner_message, chat, text)
        self.round(device)

    @rule(data=st.data())
    def pin(self, data: st.DataObject) -> None:
        device = self.device(data)
        chosen, pinned = self.row(data, device, MessageTable), data.draw(st.booleans())
        if chosen:
            device.do(messages.pin_message, chosen, pinned=pinned)

    @rule(data=st.data(), name=st.sampled_from(["Ada", "Bea"]))
    def hire(self, data: st.DataObject, name: str) -> None:
        device = self.device(data)
        if device.do(roster.agent_named, name) is None:
            device.do(roster.create_agent, name=name)

    @rule(data=st.data())
    def erase(self, data: st.DataObject) -> None:
        device = self.device(data)
        kinds: Any = {"note": NoteTable, "message": MessageTable, "conversation": ConversationTable}
        kind = data.draw(st.sampled_from(sorted(kinds)))
        chosen = self.row(data, device, kinds[kind])
        if chosen:
            device.erase(Subject(kind, chosen))
            self.erased.add(chosen)

    @rule(data=st.data())
    def sync(self, data: st.DataObject) -> None:
        self.round(self.device(data))

    @rule(data=st.data(), where=st.sampled_from(["push", "pull"]))
    def die(self, data: st.DataObject, where: str) -> None:
        device = self.device(data)
        device.carrier.dies = where  # type: ignore[attr-defined]  # a Dying
        with contextlib.suppress(_DiedError):
            device.sync()
        device.database.close()
        device.reopen()
        device.carrier = Dying(self.folder(self.devices.index(device)), SPACE, device.keys.id)

    @rule(data=st.data())
    def carry(self, data: st.DataObject) -> None:
        """Bring some files of one device to another, in any order; the same ones may come again."""
        here, there = data.draw(st.permutations(range(self.count)))[:2]
        places, afterwards = data.draw(st.lists(PLACES, min_size=1, max_size=4)), data.draw(st.booleans())
        name = self.devices[here].keys.id
        files = sorted((self.folder(here) / SPACE / name).glob("*.msgpack"))
        if files:
            target = self.folder(there) / SPACE / name
            target.mkdir(exist_ok=True)
            for path in (files[place % len(files)] for place in places):
                shutil.copy(path, target / path.name)
            if afterwards:
                self.round(self.devices[there])

    @invariant()
    def nothing_erased_is_on_the_device_that_erased_it(self) -> None:
        for device in self.devices:
            assert not device.do(lambda session: session.scalars(
                select(SyncRecordTable.rid).where(
                    SyncRecordTable.state.in_(("erase", "erased")), SyncRecordTable.local_id.is_not(None)
                )
            ).all())  # fmt: skip

    def teardown(self) -> None:
        try:
            self.meet()
            states = [device.state() for device in self.devices]
            for other in states[1:]:
                assert states[0] == other
            found = {key for rows in states[0].values() for key in rows}
            assert not found & self.erased
            for device in self.devices:
                assert device.do(_unsettled) == []
        finally:
            for device in self.devices:
                device.database.close()
            shutil.rmtree(self.home)

    def meet(self) -> None:
        """Carry everything, and let every device have rounds, until nothing moves."""
        for _turn in range(12):
            self.mirror()
            moved = [self.round(device) for device in self.devices]
            if not any(moved):
                return
        raise AssertionError("the devices talk for ever")

    def mirror(self) -> None:
        for here, device in enumerate(self.devices):
            source = self.folder(here) / SPACE / device.keys.id
            for there in range(self.count):
                target = self.folder(there) / SPACE / device.keys.id
                if there != here and source.is_dir():
                    shutil.rmtree(target, ignore_errors=True)
                    shutil.copytree(source, target)

    def round(self, device: Device) -> bool:
        done = device.sync()
        if done.asks:
            done = device.sync(confirmed=done.asks)
        assert done.refused == []
        return bool(done.pulled or done.pushed or done.erased)

    def device(self, data: st.DataObject) -> Device:
        return data.draw(st.sampled_from(self.devices))

    def row(self, data: st.DataObject, device: Device, table: Any) -> str | None:
        ids, place = device.do(_ids, table), data.draw(PLACES)
        return ids[place % len(ids)] if ids else None


def _ids(session: Session, table: Any) -> list[str]:
    """Return the ids in the order written, so that the same choices make the same run again."""
    return list(session.scalars(select(table.id).order_by(literal_column("rowid"))))


def _edit(session: Session, note_id: str, line: int, words: str) -> None:
    row = session.get_one(NoteTable, note_id)
    lines = row.text.split("\n")
    lines[min(line, len(lines) - 1)] = words
    row.text = "\n".join(lines)


def _unsettled(session: Session) -> list[tuple[str, str]]:
    chosen = select(SyncRecordTable.type, SyncRecordTable.state).where(
        SyncRecordTable.state.in_(("held", "erase", "erasing", "too_long"))
    )
    return [(type_, state) for type_, state in session.execute(chosen)]


class TwoOffices(Offices):
    count = 2


class ThreeOffices(Offices):
    count = 3


_FEW = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)


def test_offices_converge_whatever_the_folder_does(empty_office: Path) -> None:
    Offices.empty = empty_office
    for machine in (TwoOffices, ThreeOffices):
        run_state_machine_as_test(machine, settings=_FEW)
