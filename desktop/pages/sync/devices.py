"""The devices of the account, this one marked; others are taken off here, and at a service let in."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from agents.errors import AgentsError
from agents.syncing import Here
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import Card, clear, label
from desktop.pages.sync.acting import ActingCard
from desktop.pages.sync.entering import Asking, SixWords
from desktop.pages.sync.stack import Stack
from desktop.pages.tab_order import follow_layout
from desktop.session import Session
from memory.errors import StorageError
from memory.sync.device_names import DeviceName, has_come_in
from memory.titles import LIMIT
from resources.language import gettext as _
from resources.language import ngettext
from vault.errors import VaultError

_FOLDS_BELOW = 420


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    active: bool
    last_seen_day: int | None


class DevicesCard(ActingCard):
    """Reads the list when the page asks it to: it lies in the folder, or at the service."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Devices"))
        self._here: Here | None = None
        self._listed: tuple[_Row, ...] = ()
        self._names: dict[str, DeviceName] = {}
        self._naming = ""
        self._name_doors: dict[str, QPushButton] = {}
        self._chosen: tuple[str, ...] = ()
        column = self.column
        column.addWidget(self.fault)
        self.rows = Stack(14)
        column.addWidget(self.rows)
        self.owner = OwnerCheck(session)
        self.owner.given.connect(lambda: self._revoke(*self._chosen))
        column.addWidget(self.owner)
        self._admission = QVBoxLayout()
        column.addLayout(self._admission)
        row = FlowLayout()
        self.let_in = self.button(row, _("Let a device in…"), self._begin_admission)
        self.others = self.button(row, _("Take all others off…"), self._ask_for_others)
        self.others.setProperty("kind", "flat")
        self.others.hide()
        column.addLayout(row)
        self.question = self._question()
        column.addWidget(self.question)

    async def show_devices(self, here: Here) -> None:
        """Read and show the list; what fails is said in the card."""
        self._here = here
        self.let_in.setVisible(here.hosted)
        self.question.hide()
        try:
            rows = await self._read(here)
        except (StorageError, VaultError, AgentsError) as error:
            self._say(sentence_of(error))
            return
        self.fault.hide()
        self._listed = rows
        self._show()

    def show_names(self, names: dict[str, DeviceName]) -> None:
        """Call the devices so; the list is read anew where one of them is not in it yet."""
        self._names = names
        self._show()
        if self._here is not None and names.keys() - {row.id for row in self._listed}:
            self._session.spawn(self.show_devices(self._here), name="read the devices")

    def _show(self) -> None:
        here = self._here
        if here is None:
            return
        self.others.setVisible(here.hosted and len(self._others()) > 1)
        shown = (self._listed, tuple(sorted(self._names.items())), self._naming)
        self.rows.show_all(shown, lambda: self._lines(here))

    def _lines(self, here: Here) -> list[QWidget]:
        self._name_doors = {}
        return [self._line(row, here) for row in self._listed]

    async def _read(self, here: Here) -> tuple[_Row, ...]:
        syncing = self._session.office.syncing
        if here.hosted:
            return tuple(
                _Row(each.id, each.active, each.last_seen_day) for each in await syncing.account.devices()
            )
        account = await syncing.devices()
        return tuple(
            _Row(device.public.id, device.revoked is None, None) for device in account.devices.values()
        )

    def _line(self, row: _Row, here: Here) -> QWidget:
        named, mine = self._names.get(row.id, DeviceName(row.id)), row.id == here.device_id
        if row.id == self._naming:
            return self._name_field(named)
        line = FoldingRow(_FOLDS_BELOW)
        words = QVBoxLayout()
        words.setSpacing(2)
        title = named.title
        shown = _("{device} · this one").format(device=title) if mine else title
        words.addWidget(label(shown, "strong", wrap=True))
        facts = _facts(row, mine or has_come_in(row.id, self._names))
        if named.name:
            facts[:0] = [named.kind, named.id[:8]]
        words.addWidget(label(" · ".join(facts), "small", wrap=True))
        line.row.addLayout(words, 1)
        doors = FlowLayout()
        if row.active:
            name = self.button(doors, _("Name it…"), lambda: self._begin_naming(row.id))
            name.setProperty("kind", "flat")
            name.setAccessibleName(_("Name {device}").format(device=title))
            self._name_doors[row.id] = name
        if row.active and not mine:
            revoke = self.button(doors, _("Take it off…"), lambda: self._revoke(row.id))
            revoke.setProperty("kind", "flat")
            revoke.setAccessibleName(_("Take {device} off the account").format(device=title))
        line.row.addLayout(doors)
        return line

    def _name_field(self, named: DeviceName) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(label(named.title, "strong", wrap=True))
        line = FoldingRow(_FOLDS_BELOW)
        field = QLineEdit(named.name)
        field.setMaxLength(LIMIT)
        field.setPlaceholderText(_("Name, like Laptop"))
        field.setAccessibleName(_("Name of {device}").format(device=named.title))
        field.returnPressed.connect(lambda: self._name(named.id, field.text()))
        line.row.addWidget(field, 1)
        doors = FlowLayout()
        self.button(doors, _("Keep the name"), lambda: self._name(named.id, field.text()))
        self.button(doors, _("Cancel"), self._end_naming)
        line.row.addLayout(doors)
        column.addWidget(line)
        QTimer.singleShot(0, field, field.setFocus)
        return holder

    def _begin_naming(self, device_id: str) -> None:
        self._naming = device_id
        self._show()

    def _end_naming(self) -> None:
        named, self._naming = self._naming, ""
        self._show()
        if named in self._name_doors:
            self._name_doors[named].setFocus()

    def _name(self, device_id: str, name: str) -> None:
        self.attempt(lambda: self._keep_name(device_id, name))

    async def _keep_name(self, device_id: str, name: str) -> None:
        named = await self._session.office.sync_decisions.name_device(name, device_id)
        self._naming = ""
        self.show_names({**self._names, device_id: named})
        self.focus_next = self._name_doors.get(device_id)

    def _others(self) -> tuple[str, ...]:
        """Return the other devices that are in use."""
        this = self._here.device_id if self._here is not None else ""
        return tuple(row.id for row in self._listed if row.active and row.id != this)

    def _question(self) -> Card:
        frame = Card()
        frame.setProperty("kind", "well")
        frame.setAccessibleName(_("Take all others off…"))
        self.asks = label("", wrap=True)
        frame.column.addWidget(self.asks)
        row = FlowLayout()
        sure = self.button(row, _("Take them off"), lambda: self._revoke(*self._others()))
        sure.setProperty("kind", "danger")
        self.stay = self.button(row, _("Cancel"), frame.hide)
        frame.column.addLayout(row)
        frame.hide()
        return frame

    def _ask_for_others(self) -> None:
        words = ngettext(
            "{count} device is taken off the account and receives nothing new; what it has stays on it. Then make "
            "another recovery key, if they are lost.",
            "{count} devices are taken off the account and receive nothing new; what they have stays on them. Then "
            "make another recovery key, if they are lost.",
            len(self._others()),
        )
        self.asks.setText(words.format(count=len(self._others())))
        self.question.show()
        self.stay.setFocus()

    def _revoke(self, *device_ids: str) -> None:
        self._chosen = device_ids
        self.attempt(lambda: self._take_off(device_ids))

    async def _take_off(self, device_ids: tuple[str, ...]) -> None:
        if not await self.passed(self.owner):
            return
        self.question.hide()
        await (await self._session.office.syncing.members()).revoke(device_ids)
        words = ngettext(
            "The device is off the account, and the office has another key.",
            "The devices are off the account, and the office has another key.",
            len(device_ids),
        )
        self._session.notify(words)
        if self._here is not None:
            await self.show_devices(self._here)
            self.focus_next = self._name_doors.get(self._here.device_id)

    def _begin_admission(self) -> None:
        clear(self._admission)
        admission = Admission(self._session)
        admission.ended.connect(self._end_admission)
        self._admission.addWidget(admission)
        follow_layout(self)
        self.let_in.hide()
        admission.give_up.setFocus()

    def _end_admission(self) -> None:
        clear(self._admission)
        self.let_in.show()
        self.let_in.setFocus()
        if self._here is not None:
            self._session.spawn(self.show_devices(self._here), name="read the devices")

    def _say(self, sentence: str) -> None:
        self.fault.setText(sentence)
        self.fault.show()


class Admission(Asking):
    """Waits for a device that announces itself, compares six words with it and lets it in; ``ended`` comes after."""

    ended = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._answered = False
        self.six: SixWords | None = None
        self.give_up = QPushButton(_("Give up"))
        self.give_up.clicked.connect(self._give_up)
        self.column.addWidget(self.give_up, 0, Qt.AlignmentFlag.AlignLeading)
        self.begin(
            _(
                "On the new device open Sync, choose the same service and mail address, then “Join by another device”."
            )
        )

    async def answered(self) -> bool:
        account = self._session.office.syncing.account
        if not self._answered:
            waiting = await account.waiting()
            if not waiting:
                return False
            await account.answer(waiting[-1])
            self._answered = True
        comparison = await account.compare()
        if comparison is None:
            return False
        self.six = SixWords(comparison.words)
        self.six.alike.connect(lambda: self._session.spawn(self._admit(), name="let a device in"))
        self.six.different.connect(self._give_up)
        self.says.setText(_("Compare them with the new device."))
        self.column.insertWidget(2, self.six)
        self.give_up.hide()
        self.six.setFocus()
        return True

    async def _admit(self) -> None:
        try:
            await self._session.office.syncing.account.admit()
        except (StorageError, VaultError, AgentsError) as error:
            self.fault.setText(sentence_of(error))
            self.fault.show()
            return
        self._session.notify(_("The device is one of yours now."))
        self.ended.emit()

    def _give_up(self) -> None:
        self._timer.stop()
        self._session.office.syncing.account.refuse()
        self.ended.emit()


def _facts(row: _Row, come_in: bool) -> list[str]:
    if not row.active:
        return [_("taken off the account")]
    facts = []
    if row.last_seen_day is not None:
        day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=row.last_seen_day)
        facts.append(_("last there on {day}").format(day=f"{day:%Y-%m-%d}"))
    if not come_in:
        facts.append(_("nothing has come from it yet: take it off, if it was cut off while joining"))
    return facts or [_("in use")]
