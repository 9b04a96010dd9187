"""The devices of the account, this one marked; others are taken off here, and at a service let in."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from agents.errors import AgentsError
from agents.syncing import Here
from desktop.faults import sentence_of
from desktop.pages.folding import FoldingRow
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import Card, clear, label
from desktop.pages.sync.entering import Asking, SixWords
from desktop.session import Session
from memory.errors import StorageError
from resources.language import gettext as _
from vault.errors import VaultError

_FOLDS_BELOW = 420


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    active: bool
    last_seen_day: int | None

    @property
    def name(self) -> str:
        return _("Device {id}").format(id=self.id[:8])


class DevicesCard(Card):
    """Reads the list when the page asks it to: it lies in the folder, or at the service."""

    def __init__(self, session: Session) -> None:
        super().__init__(_("Devices"))
        self._session = session
        self._here: Here | None = None
        self._shown: tuple[_Row, ...] = ()
        self._chosen = ""
        column = self.column
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        column.addWidget(self.fault)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        column.addLayout(self._rows)
        self.owner = OwnerCheck(session)
        self.owner.given.connect(lambda: self._revoke(self._chosen))
        column.addWidget(self.owner)
        self._admission = QVBoxLayout()
        column.addLayout(self._admission)
        self.let_in = QPushButton(_("Let a device in…"))
        self.let_in.clicked.connect(self._begin_admission)
        column.addWidget(self.let_in, 0, Qt.AlignmentFlag.AlignLeading)

    async def show_devices(self, here: Here) -> None:
        """Read and show the list; what fails is said in the card."""
        self._here = here
        self.let_in.setVisible(here.hosted)
        try:
            rows = await self._read(here)
        except (StorageError, VaultError, AgentsError) as error:
            self._say(sentence_of(error))
            return
        self.fault.hide()
        if rows != self._shown:
            self._shown = rows
            clear(self._rows)
            for row in rows:
                self._rows.addWidget(self._line(row, here))

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
        line = FoldingRow(_FOLDS_BELOW)
        words = QVBoxLayout()
        words.setSpacing(2)
        mine = row.id == here.device_id
        words.addWidget(
            label(_("{device} · this one").format(device=row.name) if mine else row.name, "strong")
        )
        words.addWidget(label(_facts(row), "small", wrap=True))
        line.row.addLayout(words, 1)
        if row.active and not mine:
            revoke = QPushButton(_("Take it off…"))
            revoke.setProperty("kind", "flat")
            revoke.setAccessibleName(_("Take {device} off the account").format(device=row.name))
            revoke.clicked.connect(lambda: self._revoke(row.id))
            line.row.addWidget(revoke, 0, Qt.AlignmentFlag.AlignVCenter)
        return line

    def _revoke(self, device_id: str) -> None:
        self._chosen = device_id
        self._session.spawn(self._take_off(device_id), name="take a device off")

    async def _take_off(self, device_id: str) -> None:
        if not await self.owner.passed():
            return
        self.setEnabled(False)
        try:
            await (await self._session.office.syncing.members()).revoke([device_id])
        except (StorageError, VaultError, AgentsError) as error:
            self._say(sentence_of(error))
            return
        finally:
            self.setEnabled(True)
        self._session.notify(_("The device is off the account, and the office has another key."))
        if self._here is not None:
            await self.show_devices(self._here)

    def _begin_admission(self) -> None:
        clear(self._admission)
        admission = Admission(self._session)
        admission.ended.connect(self._end_admission)
        self._admission.addWidget(admission)
        self.let_in.hide()

    def _end_admission(self) -> None:
        clear(self._admission)
        self.let_in.show()
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


def _facts(row: _Row) -> str:
    if not row.active:
        return _("taken off the account")
    if row.last_seen_day is None:
        return _("in use")
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=row.last_seen_day)
    return _("last there on {day}").format(day=f"{day:%Y-%m-%d}")
