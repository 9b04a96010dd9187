"""Turning sync on: what it is, where the devices meet, what takes part, the recovery key; nothing leaves before."""

import os
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from agents.errors import AgentsError
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.indented import Indented
from desktop.pages.page import card, clear, label
from desktop.pages.privacy.working import Working
from desktop.pages.recovery_words import RecoveryWords
from desktop.pages.sync.acting import out_of_reach
from desktop.pages.sync.choices import Choices
from desktop.pages.sync.entering import NewDevice, Offices, Words
from desktop.session import Session
from memory.errors import StorageError
from memory.sync.categories import types_of
from memory.sync.service.membership import SeveralOffices
from memory.sync.service.sign_in import Asked, Promises
from resources.language import gettext as _
from vault.errors import VaultError
from vault.recovery_key import words_of

T = TypeVar("T")
Enter = Callable[[bytes, str | None], Awaitable[object]]
"""Begins or joins with the 32 bytes of a recovery key; with the id of one of several offices where one was chosen."""


class Beginning(QWidget):
    """One step after another in one card; a step that fails says so and stays."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        self.working = Working()
        self._introduction = _what_it_is()
        column.addWidget(self._introduction)
        column.addWidget(self.working)
        self._frame, inside = card()
        column.addWidget(self._frame)
        self._first = QWidget()  # kept, so that Back finds what was typed
        self._step = QVBoxLayout(self._first)
        self._step.setContentsMargins(0, 0, 0, 0)
        self._step.setSpacing(8)
        inside.addWidget(self._first)
        self.fault = QLabel()
        self._ask_where()
        self._first_step, self._first_fault = self._step, self.fault
        self._later = QVBoxLayout()
        self._later.setSpacing(8)
        inside.addLayout(self._later)

    def show_choice(self) -> None:
        """Show the first step: where the devices meet, and what takes part."""
        self._clear(first=True)

    def _ask_where(self) -> None:
        self._step.addWidget(label(_("Where your devices meet"), "heading", wrap=True))
        self.by_folder = QRadioButton(_("In a shared folder"))
        self.by_service = QRadioButton(_("At a service"))
        group = QButtonGroup(self._first)
        for button in (self.by_folder, self.by_service):
            group.addButton(button)
        self.by_folder.setChecked(True)
        self._step.addWidget(self.by_folder)
        self._in_folder = self._folder_fields()
        self._step.addWidget(self._in_folder)
        self._step.addWidget(self.by_service)
        self._at_service = self._service_fields()
        self._step.addWidget(self._at_service)
        self.by_folder.toggled.connect(self._fold)
        self._fold()
        takes_part = label(_("What takes part"), "heading", wrap=True)
        takes_part.setContentsMargins(0, 8, 0, 0)
        self._step.addWidget(takes_part)
        self.choices = Choices()
        self._step.addWidget(self.choices)
        self._foot(_("Continue"), self._go_on, back=False)

    def _folder_fields(self) -> QWidget:
        fields = Indented()
        column = fields.column
        words = _(
            "Syncthing, a cloud drive, a stick or a share of your network carries it. It holds sealed files only; "
            "erasing removes them, but what the program that carries the folder keeps of earlier files is out of "
            "Bureau’s reach."
        )
        column.addWidget(label(words, "small", wrap=True))
        row = FoldingRow(420)
        self.folder = QLineEdit()
        self.folder.setPlaceholderText(_("Folder"))
        self.folder.setAccessibleName(_("Folder in which your devices meet"))
        self.folder.returnPressed.connect(self._go_on)
        choose = QPushButton(_("Choose a folder…"))
        choose.clicked.connect(self._choose_folder)
        row.row.addWidget(self.folder, 1)
        row.row.addWidget(choose, 0, Qt.AlignmentFlag.AlignLeading)
        column.addWidget(row)
        return fields

    def _service_fields(self) -> QWidget:
        fields = Indented()
        column = fields.column
        words = _(
            "It stores sealed records and cannot read them: no names, texts, prompts, keys, contacts, file names or "
            "models. It sees your mail address, the public keys of your devices and the day each was last there, how "
            "many records there are and how large, when they are written and erased, and for 30 days a part of your "
            "network address."
        )
        column.addWidget(label(words, "small", wrap=True))
        self.address, self.email = QLineEdit(), QLineEdit()
        for field, name in (
            (self.address, _("Address, like https://sync.example.org")),
            (self.email, _("Your mail address")),
        ):
            field.setPlaceholderText(name)
            field.setAccessibleName(name)
            field.returnPressed.connect(self._go_on)
            column.addWidget(field)
        return fields

    def _fold(self) -> None:
        self._in_folder.setVisible(self.by_folder.isChecked())
        self._at_service.setVisible(self.by_service.isChecked())

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, _("Folder in which your devices meet"), str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.open()

    def _go_on(self) -> None:
        folder = Path(self.folder.text().strip()).expanduser()
        if self.by_service.isChecked():
            self._spawn(self._ask_code())
        elif folder.is_absolute():
            self._spawn(self._look_into(folder))
        else:
            self.say(_("Choose the folder in which your devices meet."))

    async def _look_into(self, folder: Path) -> None:
        syncing = self._session.office.syncing
        there = await self._attempt(lambda: syncing.spaces_in(folder), _("Looking into the folder …"))
        if there is None:
            return
        if there:
            sentence = _("Another device uses this folder already. Its recovery key lets this one join.")
            self._show_words(sentence, lambda key, _space: syncing.join(folder, key, self.types()))
        elif await self._done(lambda: syncing.require_free(folder), _("Looking into the folder …")):
            self._show_key(lambda key, _space: syncing.found(folder, key, self.types()))

    async def _ask_code(self) -> None:
        joining = self._session.office.syncing.joining
        address, email = self.address.text(), self.email.text()
        if "@" not in email:
            self.say(_("Type your mail address: a code is sent there."))
            return
        promises = await self._attempt(lambda: joining.promises(address), _("Asking the service …"))
        if promises is not None:
            self._show_promises(promises, address, email)

    def _show_promises(self, promises: Promises, address: str, email: str) -> None:
        """Show what the service says of itself before it learns the mail address."""
        self._clear()
        self._step.addWidget(label(_("What this service says of itself"), "heading", wrap=True))
        lines = (
            _("Where it stands: {region}").format(region=promises.region),
            _(
                "What you delete waits {grace} days, in which you can call it off, and is gone after {promised} at the "
                "latest; in copies it stays longer, and nobody can read it there."
            ).format(grace=promises.grace_days, promised=promises.promised_days),
            _("Its policy, version {version}: {address}").format(
                version=promises.policy_version, address=promises.policy
            ),
        )
        for line in lines:
            self._step.addWidget(label(line, wrap=True))
        sentence = _("With the code that comes by mail you accept this policy.")
        self._step.addWidget(label(sentence, "dim", wrap=True))
        self._foot(_("Send me a code"), lambda: self._spawn(self._send_code(address, email)))
        self.go_on.setFocus()

    async def _send_code(self, address: str, email: str) -> None:
        joining = self._session.office.syncing.joining
        asked = await self._attempt(lambda: joining.ask_code(address, email), _("Asking the service …"))
        if asked is not None:
            self._show_code(asked)

    def _show_code(self, asked: Asked) -> None:
        self._clear()
        words = _(
            "A code is on its way to {email}, if the service takes that address. It is good for 15 minutes."
        )
        self._step.addWidget(label(_("Your code"), "heading"))
        self._step.addWidget(label(words.format(email=asked.email), wrap=True))
        self.code = QLineEdit()
        self.code.setPlaceholderText(_("Code from the mail"))
        self.code.setAccessibleName(_("Code from the mail"))
        self._step.addWidget(self.code)
        self.is_first = QRadioButton(_("This is my first device there"))
        self.by_words = QRadioButton(_("Join with the recovery key"))
        self.by_device = QRadioButton(_("Join by another device"))
        for button in (self.is_first, self.by_words, self.by_device):
            self._step.addWidget(button)
        self.is_first.setChecked(True)
        self._foot(_("Continue"), lambda: self._take_code(asked))
        self.code.setFocus()

    def _take_code(self, asked: Asked) -> None:
        code = self.code.text().strip()
        if not code:
            self.say(_("Type the code from the mail."))
        elif self.by_device.isChecked():
            self._spawn(self._announce(asked, code))
        else:
            self._spawn(self._sign_in(asked, code, begins=self.is_first.isChecked()))

    async def _sign_in(self, asked: Asked, code: str, *, begins: bool) -> None:
        """Take the code before a recovery key is shown or typed: without it, neither would be of use."""
        joining = self._session.office.syncing.joining
        sign_in = partial(joining.sign_in, asked, code, begins=begins)
        if not await self._done(sign_in, _("Asking the service …")):
            return
        if begins:
            self._show_key(lambda key, _space: joining.found(asked, code, key, self.types()))
        else:
            sentence = _("The recovery key of your account lets this device join.")
            self._show_words(sentence, lambda key, space: joining.join(asked, code, key, space, self.types()))

    async def _announce(self, asked: Asked, code: str) -> None:
        announce = partial(self._session.office.syncing.joining.announce, asked, code)
        if await self._done(announce, _("Announcing this device …")):
            self._clear()
            device = NewDevice(self._session, self.types())
            device.given_up.connect(self.show_choice)
            self._step.addWidget(device)

    def _show_key(self, enter: Enter) -> None:
        """Show a new recovery key once; nothing is written anywhere before its owner has it."""
        key = os.urandom(32)
        self._clear()
        self._step.addWidget(label(_("The recovery key of sync"), "heading", wrap=True))
        sentence = _("With it your other devices join, and with it you come back when all of them are lost.")
        self._step.addWidget(label(sentence, "dim", wrap=True))
        words = RecoveryWords(
            self._session,
            words_of(key),
            _("Recovery key of sync between Bureau’s devices"),
            _("Whoever has these words can read what syncs."),
            "bureau-sync-recovery-key",
        )
        words.kept.connect(lambda: self._spawn(self._begin(key, enter)))
        self._step.addWidget(words)
        self._foot("", None)
        words.setFocus()

    def _show_words(self, sentence: str, enter: Enter) -> None:
        self._clear()
        self._step.addWidget(label(_("Join your other devices"), "heading", wrap=True))
        self._step.addWidget(label(sentence, "dim", wrap=True))
        words = Words()
        self._step.addWidget(words)

        def go_on() -> None:
            key = words.key()
            if key is not None:
                self._spawn(self._enter(key, enter))

        self._foot(_("Join"), go_on)
        words.field.setFocus()

    async def _begin(self, key: bytes, enter: Enter) -> None:
        """Begin with a key that was shown; where that fails, its words are not in vain."""
        if not await self._enter(key, enter):
            kept = _("Keep the words above: they count once this goes well. Press Done again.")
            self.say(f"{self.fault.text()} {kept}")

    def _clear(self, *, first: bool = False) -> None:
        clear(self._later)
        self._first.setVisible(first)
        self._introduction.setVisible(first)
        self._step = self._first_step if first else self._later
        if first:
            self.fault = self._first_fault
            self.fault.hide()

    async def _enter(self, key: bytes, enter: Enter, space_id: str | None = None) -> bool:
        """Begin or join; return whether that was not refused."""

        async def act() -> object:
            try:
                return await enter(key, space_id)
            except SeveralOffices as several:
                return several

        done = await self._attempt(act, _("Turning sync on; the first round may take a while …"))
        if isinstance(done, SeveralOffices):
            self._clear()
            offices = Offices(done.spaces)
            self._step.addWidget(offices)
            self._foot(_("Continue"), lambda: self._spawn(self._enter(key, enter, offices.chosen())))
            offices.setFocus()
        return done is not None

    def types(self) -> frozenset[str]:
        """Return the types of records that take part."""
        return types_of(self.choices.chosen())

    async def _attempt(self, act: Callable[[], Awaitable[T]], words: str) -> T | None:
        """Do something that may be refused; None where it was, and the card says why."""
        self.fault.hide()
        self.working.begin(words, cancellable=False)
        with out_of_reach(self._frame):
            try:
                return await act()
            except (StorageError, VaultError, AgentsError) as error:
                self.say(sentence_of(error))
                return None
            finally:
                self.working.end()

    async def _done(self, act: Callable[[], Awaitable[None]], words: str) -> bool:
        """Do something that may be refused; return whether it was not."""

        async def work() -> bool:
            await act()
            return True

        return await self._attempt(work, words) is not None

    def say(self, sentence: str) -> None:
        """Show what is wrong with this step."""
        self.fault.setText(sentence)
        self.fault.show()

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        self._session.spawn(work, name="turn sync on")

    def _foot(self, words: str, act: Callable[[], object] | None, *, back: bool = True) -> None:
        """End a step: what is wrong with it, the way on, and back to the first one."""
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self._step.addWidget(self.fault)
        row = FlowLayout()
        if act is not None:
            self.go_on = QPushButton(words)
            self.go_on.setProperty("kind", "primary")
            self.go_on.clicked.connect(act)
            row.addWidget(self.go_on)
        if back:
            first = QPushButton(_("Back"))
            first.clicked.connect(self.show_choice)
            row.addWidget(first)
        self._step.addLayout(row)


def _what_it_is() -> QWidget:
    frame, column = card()
    column.addWidget(label(_("The same office on several devices"), "heading", wrap=True))
    for sentence in (
        _(
            "Sync is off, and the office never needs it. Turned on, what you choose below is sealed on this device "
            "with keys that only your devices have, and travels to your others; what you erase on one is erased on all."
        ),
        _("Keys of providers, accounts, indexes and records of what was used stay on each device."),
    ):
        column.addWidget(label(sentence, "dim", wrap=True))
    return frame
