"""The owner’s account at a service: how it stands, its mail address, freezing it, and who is signed in to it."""

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from agents.errors import AgentsError
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.owner_check import OwnerCheck
from desktop.pages.page import Card, label
from desktop.pages.sync.acting import ActingCard
from desktop.pages.sync.stack import Stack
from desktop.session import Session
from desktop.wording import count, moment, size
from memory.errors import StorageError
from memory.sync.device_names import DeviceName
from memory.sync.service.faults import DeletionPending
from memory.sync.service.profile import FROZEN, Summary
from memory.sync.service.seen import SessionSeen
from memory.sync.service.sign_in import Asked
from memory.sync.taking import Round
from resources.language import gettext as _
from vault.errors import VaultError

_FOLDS_BELOW = 420


class AccountCard(ActingCard):
    """Asks the service when the page asks it to, or its owner does something; what is refused is said in the card."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Your account"))
        self._asked: Asked | None = None
        self._names: dict[str, DeviceName] = {}
        self._frozen = False
        self._changes = 0
        self._round: Round | None = None
        self._unread = ""
        column = self.column
        self.says = label("", wrap=True)
        self.room = label("", "small", wrap=True)
        for line in (self.says, self.room, self.fault):
            line.hide()
            column.addWidget(line)
        doors = FlowLayout()
        self.button(doors, _("Change the mail address…"), self._begin_address)
        self.freeze = self.button(doors, _("Freeze"), lambda: self.attempt(self._freeze))
        self.button(doors, _("Who is signed in"), lambda: self.attempt(self._list_sessions))
        column.addLayout(doors)
        self.address = self._address_card()
        column.addWidget(self.address)
        self.sessions = Stack(14)
        column.addWidget(self.sessions)
        self._show_frozen(False)

    async def show_account(self) -> Summary | None:
        """Read, show and return how the account stands; what fails is said in the card, which stays in reach."""
        told, changes = self._unread, self._changes
        try:
            found = await self._session.office.syncing.profile.summary()
        except (StorageError, VaultError, AgentsError) as error:
            self._unread = sentence_of(error)
            self.fault.setText(self._unread)
            self.fault.show()
            return None
        if told and self.fault.text() == told:
            self.fault.hide()
        self._unread = ""
        if changes == self._changes:  # else it is an answer from before the owner’s own change
            self._show_frozen(found.state == FROZEN)
        self._show_room(found)
        return found

    def show_names(self, names: dict[str, DeviceName]) -> None:
        """Call devices so where sessions are listed."""
        self._names = names

    def show_round(self, done: Round | None) -> None:
        """Offer to end the freezing that the last round met, until the owner has ended it."""
        if done is self._round:
            return
        self._round = done
        refusal = done.refusal if done is not None else None
        if isinstance(refusal, DeletionPending) and refusal.state == FROZEN:
            self._show_frozen(True)

    def _show_room(self, found: Summary) -> None:
        words = _("{used} of {limit}, {records} of {most} items")
        self.room.setText(
            words.format(
                used=size(found.bytes_used),
                limit=size(found.bytes_limit),
                records=count(found.records_used),
                most=count(found.records_limit),
            )
        )
        self.room.setAccessibleName(_("Used at the service: {words}").format(words=self.room.text()))
        self.room.show()

    def _show_frozen(self, frozen: bool) -> None:
        self._frozen = frozen
        self.freeze.setText(_("Unfreeze") if frozen else _("Freeze"))
        words = _(
            "Frozen, the service takes nothing new into your account; what is there is read and erased as ever."
        )
        self.freeze.setAccessibleDescription(words)
        self.freeze.setToolTip(words)
        if frozen:
            self._say(_("Your account is frozen: nothing new is taken until you end that."))
        elif self.says.property("frozen"):
            self.says.hide()
        self.says.setProperty("frozen", frozen)

    def _address_card(self) -> Card:
        frame = Card()
        frame.setProperty("kind", "well")
        frame.setAccessibleName(_("Another mail address"))
        sentence = _(
            "Codes are mailed there from then on. The new address shows with a code that it is yours."
        )
        frame.column.addWidget(label(sentence, "small", wrap=True))
        self.email, self.code = QLineEdit(), QLineEdit()
        for field, name in ((self.email, _("New mail address")), (self.code, _("Code from the mail"))):
            field.setPlaceholderText(name)
            field.setAccessibleName(name)
            field.returnPressed.connect(self._go_on)
            frame.column.addWidget(field)
        self.owner = OwnerCheck(self._session)
        self.owner.given.connect(self._go_on)
        frame.column.addWidget(self.owner)
        row = FlowLayout()
        self.next = self.button(row, "", self._go_on)
        self.next.setProperty("kind", "primary")
        self.button(row, _("Cancel"), frame.hide)
        frame.column.addLayout(row)
        frame.hide()
        return frame

    def _begin_address(self) -> None:
        self._wait_for_code(None)
        self.code.clear()
        self.address.show()
        self.email.setFocus()

    def _wait_for_code(self, asked: Asked | None) -> None:
        self._asked = asked
        self.email.setEnabled(asked is None)
        self.code.setVisible(asked is not None)
        self.next.setText(_("Send me a code") if asked is None else _("Change the address"))

    def _go_on(self) -> None:
        self.attempt(self._send_code if self._asked is None else self._change_address)

    async def _send_code(self) -> None:
        if not await self.passed(self.owner):
            return
        self._wait_for_code(await self._session.office.syncing.profile.ask_address(self.email.text()))
        self._say(_("A code is on its way to {email}.").format(email=self.email.text().strip()))
        self.focus_next = self.code

    async def _change_address(self) -> None:
        assert self._asked is not None  # only then the code is asked for
        await self._session.office.syncing.profile.change_address(self._asked, self.code.text())
        self.address.hide()
        self._say(_("Your account has the address {email} now.").format(email=self._asked.email))

    async def _freeze(self) -> None:
        frozen = not self._frozen
        await self._session.office.syncing.profile.freeze(frozen=frozen)
        self._changes += 1
        self._show_frozen(frozen)
        if not frozen:
            self._session.office.sync_rounds.hasten()

    async def _list_sessions(self) -> None:
        found = await self._session.office.syncing.profile.sessions()
        self.sessions.show_all(found, lambda: [*map(self._line, found), *self._end(found)])

    def _line(self, one: SessionSeen) -> QWidget:
        line = FoldingRow(_FOLDS_BELOW)
        words = QVBoxLayout()
        words.setSpacing(2)
        title = self._who(one)
        words.addWidget(
            label(_("{device} · this one").format(device=title) if one.this else title, wrap=True)
        )
        words.addWidget(label(_("signed in {when}").format(when=moment(one.signed_at)), "small", wrap=True))
        line.row.addLayout(words, 1)
        if not one.this:
            doors = FlowLayout()
            end = self.button(doors, _("End"), lambda: self.attempt(lambda: self._end_one(one)))
            end.setProperty("kind", "flat")
            end.setAccessibleName(_("End the session of {device}").format(device=title))
            line.row.addLayout(doors)
        return line

    def _who(self, one: SessionSeen) -> str:
        if not one.device_id:
            return _("Somebody with your mailbox, in a browser or while joining")
        return self._names.get(one.device_id, DeviceName(one.device_id)).title

    def _end(self, found: tuple[SessionSeen, ...]) -> list[QWidget]:
        if sum(not each.this for each in found) < 2:
            return []
        holder = QWidget()
        row = FlowLayout()
        holder.setLayout(row)
        self.button(row, _("End all others"), lambda: self.attempt(self._end_others))
        return [holder]

    async def _end_one(self, one: SessionSeen) -> None:
        await self._session.office.syncing.profile.end_session(one.id)
        await self._list_sessions()

    async def _end_others(self) -> None:
        await self._session.office.syncing.profile.end_other_sessions()
        await self._list_sessions()
        self._session.notify(_("They are ended; your devices sign in again by themselves."))

    def _say(self, sentence: str) -> None:
        self.says.setText(sentence)
        self.says.show()
