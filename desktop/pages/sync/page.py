"""Sync: off with a way to begin; on with how it stands, what it asks, what takes part, the devices, and the way out."""

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from agents.events import Erased, SyncChanged, SyncSwitched
from agents.syncing import Here
from desktop.pages.page import Page, card, label
from desktop.pages.sync.account import AccountCard
from desktop.pages.sync.asks import Asks
from desktop.pages.sync.beginning import Beginning
from desktop.pages.sync.choices import Choices
from desktop.pages.sync.conflicts import Conflicts
from desktop.pages.sync.devices import DevicesCard
from desktop.pages.sync.holdings import HoldingsCard
from desktop.pages.sync.leaving import LeavingCard, RecoveryCard
from desktop.pages.sync.set_aside import SetAsideCard
from desktop.pages.sync.standing import StandingCard
from desktop.session import Session
from resources.language import gettext as _


class SyncPage(Page):
    """Its cards live as long as the page: an event changes what they say, and takes the focus from none."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Sync"))
        self.beginning = Beginning(session)
        self.on = QWidget()
        column = QVBoxLayout(self.on)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.standing = StandingCard(session)
        self.asks = Asks(session)
        self.set_aside = SetAsideCard(session)
        self.conflicts = Conflicts(session)
        self.choices = Choices()
        self.choices.changed.connect(lambda: session.spawn(self._choose(), name="choose what syncs"))
        self.devices = DevicesCard(session)
        self.recovery = RecoveryCard(session)
        self.account = AccountCard(session)
        self.holdings = HoldingsCard(session)
        self.leaving = LeavingCard(session)
        for part in (
            self.standing,
            self.asks,
            self.set_aside,
            self.conflicts,
            _choices_card(self.choices),
            self.devices,
            self.recovery,
            self.account,
            self.holdings,
            self.leaving,
        ):
            column.addWidget(part)
        for half in (self.beginning, self.on):
            half.hide()  # until it is known whether sync is on
            self.column.addWidget(half)
        self.column.addStretch(1)
        self._place = ""
        self._read_after: tuple[str, int | None] = ("", None)
        session.on(SyncSwitched, lambda _event: self._switched())
        for kind in (SyncChanged, Erased):
            session.on(kind, lambda _event: self.mark_stale())

    async def load(self) -> None:
        office = self.session.office
        status = await office.syncing.status()
        here = status.here
        if here is None:
            if not self.on.isHidden():
                self.beginning.show_choice()
            self._place = ""
        else:
            standing = office.sync_rounds.standing
            self.standing.show_state(status, standing)
            self.asks.show_round(standing.last)
            self.holdings.show_round(standing.last)
            self.account.show_round(standing.last)
            self.standing.show_apart(await office.sync_decisions.apart())
            names = await office.sync_decisions.device_names()
            self.devices.show_names(names)
            self.account.show_names(names)
            called = {device_id: named.title for device_id, named in names.items()}
            self.set_aside.show_items(await office.sync_decisions.set_aside(), called)
            self.conflicts.show_conflicts(await office.sync_decisions.conflicts())
            self.choices.show_choices(await office.sync_decisions.choices())
            self._show_place(here)
        self.beginning.setVisible(here is None)
        self.on.setVisible(here is not None)
        self.show_content()
        self._stale = True  # times pass

    def _switched(self) -> None:
        self._place = ""
        self.mark_stale()

    def _show_place(self, here: Here) -> None:
        """Show what lies with the other devices, and read it where it may be another than before."""
        self.holdings.setVisible(here.hosted)
        self.account.setVisible(here.hosted)
        self.leaving.show_place(here)
        if self._place != here.place:
            self._place = here.place
            self.session.spawn(self.devices.show_devices(here), name="read the devices")
        if here.hosted and self._read_after != (here.place, here.round_at):
            self._read_after = (here.place, here.round_at)
            self.session.spawn(self._read_account(), name="read the account")

    async def _read_account(self) -> None:
        """Show how the account stands after a round: another device may have begun or called off a deletion."""
        if (found := await self.account.show_account()) is not None:
            self.holdings.show_deletion(found.deleted_at)

    async def _choose(self) -> None:
        await self.session.office.sync_decisions.choose(self.choices.chosen())


def _choices_card(choices: Choices) -> QFrame:
    frame, column = card()
    frame.setAccessibleName(_("What takes part"))
    column.addWidget(label(_("What takes part"), "heading", wrap=True))
    sentence = _(
        "Switched off, nothing of it leaves this device or comes to it from now on. What your other devices have stays "
        "with them, and what you erase is erased everywhere all the same."
    )
    column.addWidget(label(sentence, "dim", wrap=True))
    column.addWidget(choices)
    return frame
