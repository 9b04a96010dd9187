"""What was removed without proof: what, since when, why, until when it stays; taken back, or let go before that."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import Card, label
from desktop.pages.sync.acting import ActingCard
from desktop.pages.sync.stack import Stack
from desktop.pages.sync.words import called, kind_of_record, reason_of
from desktop.session import Session
from desktop.wording import moment, plural
from memory.lifecycle.trash import ASIDE_DAYS
from memory.sync.listing import Listed
from resources.language import gettext as _
from resources.language import ngettext

_FOLDS_BELOW = 460
MOST = 50
"""So many are shown one by one; what is done with all of them is done with the rest too."""


class SetAsideCard(ActingCard):
    """Out of sight where nothing is aside. Letting go asks once more, and for the passphrase where there is one."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Went missing elsewhere"))
        self._asked: tuple[str, ...] | None = ()
        column = self.column
        words = ngettext(
            "These things are gone elsewhere, and nothing proves that you erased them. They lie in the trash of this "
            "device for {days} day, then they are erased here.",
            "These things are gone elsewhere, and nothing proves that you erased them. They lie in the trash of this "
            "device for {days} days, then they are erased here.",
            ASIDE_DAYS,
        )
        column.addWidget(label(words.format(days=ASIDE_DAYS), "dim", wrap=True))
        self.rows = Stack(14)
        column.addWidget(self.rows)
        self.more = label("", "small", wrap=True)
        column.addWidget(self.more)
        column.addWidget(self.fault)
        self.all = QWidget()
        doors = FlowLayout()
        self.all.setLayout(doors)
        back = QPushButton(_("Take all of it back"))
        back.clicked.connect(lambda: self.attempt(lambda: self._take_back(None)))
        gone = QPushButton(_("Let all of it go now…"))
        gone.setProperty("kind", "flat")
        gone.clicked.connect(lambda: self._ask(None, ""))
        doors.addWidget(back)
        doors.addWidget(gone)
        column.addWidget(self.all)
        self.question = self._question()
        column.addWidget(self.question)
        self.hide()

    def show_items(self, items: Sequence[Listed], devices: dict[str, str]) -> None:
        """Show these; ``devices`` gives the names of devices by their ids."""
        self.rows.show_all(
            (tuple(items), tuple(devices.items())),
            lambda: [self._row(one, devices) for one in items[:MOST]],
        )
        left = max(0, len(items) - MOST)
        self.more.setText(plural("and {count} more", "and {count} more", left))
        self.more.setVisible(bool(left))
        self.all.setVisible(len(items) > 1)
        if self._asked is not None and not {one.rid for one in items} & set(self._asked):
            self.question.hide()
        self.setVisible(bool(items))

    def _row(self, one: Listed, devices: dict[str, str]) -> QWidget:
        line = FoldingRow(_FOLDS_BELOW)
        words = QVBoxLayout()
        words.setSpacing(2)
        title = called(one)
        words.addWidget(label(title, "strong", wrap=True))
        words.addWidget(label(f"{kind_of_record(one)} · {reason_of(one, devices)}", "small", wrap=True))
        if one.since is not None and one.until is not None:
            when = _("since {since}, stays until {until}").format(
                since=moment(one.since), until=moment(one.until)
            )
            words.addWidget(label(when, "small", wrap=True))
        line.row.addLayout(words, 1)
        doors = FlowLayout()
        back = QPushButton(_("Take back"))
        back.setAccessibleName(f"{back.text()}: {title}")
        back.clicked.connect(lambda: self.attempt(lambda: self._take_back((one.rid,))))
        gone = QPushButton(_("Let go…"))
        gone.setProperty("kind", "flat")
        gone.setAccessibleName(f"{gone.text()}: {title}")
        gone.clicked.connect(lambda: self._ask((one.rid,), title))
        doors.addWidget(back)
        doors.addWidget(gone)
        line.row.addLayout(doors)
        return line

    def _question(self) -> QWidget:
        frame = Card()
        frame.setProperty("kind", "well")
        frame.setAccessibleName(_("Let go of what is missing elsewhere"))
        self.asks = label("", wrap=True)
        frame.column.addWidget(self.asks)
        self.owner = OwnerCheck(self._session)
        self.owner.given.connect(lambda: self.attempt(self._let_go))
        frame.column.addWidget(self.owner)
        row = FlowLayout()
        self.sure = QPushButton(_("Erase it here"))
        self.sure.setProperty("kind", "danger")
        self.sure.clicked.connect(lambda: self.attempt(self._let_go))
        self.stay = QPushButton(_("Cancel"))
        self.stay.clicked.connect(frame.hide)
        row.addWidget(self.sure)
        row.addWidget(self.stay)
        frame.column.addLayout(row)
        frame.hide()
        return frame

    def _ask(self, rids: tuple[str, ...] | None, title: str) -> None:
        self._asked = rids
        self.asks.setText(
            _("All of it is erased on this device for good. No other device is told.")
            if rids is None
            else _("“{name}” is erased on this device for good. No other device is told.").format(name=title)
        )
        self.question.show()
        self.stay.setFocus(Qt.FocusReason.OtherFocusReason)

    async def _take_back(self, rids: tuple[str, ...] | None) -> None:
        await self._session.office.sync_decisions.bring_back(rids)
        self._session.notify(_("It stands here again, and is offered to your other devices."))

    async def _let_go(self) -> None:
        if not await self.passed(self.owner):
            return
        self.question.hide()
        await self._session.office.sync_decisions.let_go(self._asked)
        self._session.notify(_("It is erased on this device."))
