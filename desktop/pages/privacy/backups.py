"""Backups: made now or by themselves, where they go, checked, removed, and gone back to."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QFrame, QPushButton, QVBoxLayout

from agents.events import BackupsChanged
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.page import Page, card, clear, label
from desktop.pages.privacy.working import Working
from desktop.session import Session
from desktop.wording import moment, size
from memory.errors import StorageError
from memory.identifiers import now
from memory.lifecycle.backups import Backup
from memory.lifecycle.trash import DAY
from memory.settings import declared
from resources.language import gettext as _
from vault.errors import VaultError

_RHYTHM = "backup.rhythm"


def occasion_words(backup: Backup) -> str:
    """Return why a backup was made."""
    return {
        "owner": _("made by you"),
        "schedule": _("made on schedule"),
        "migration": _("made before an upgrade"),
        "restore": _("made before going back"),
    }[backup.occasion]


class BackupPart(Page):
    """One piece of work at a time, under the progress bar."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Backups"))
        self._earlier: Backup | None = None
        self.make = self.action(_("Back up now"), lambda: self._begin(self._make()), primary=True)
        self.working = Working()
        self.column.addWidget(self.working)
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self.column.addWidget(self.fault)
        self.ready = self._ready_card()
        self.column.addWidget(self.ready)
        self.column.addWidget(self._place_card())
        self._list = QVBoxLayout()
        self._list.setSpacing(8)
        self.column.addLayout(self._list)
        self.column.addStretch(1)
        session.on(BackupsChanged, lambda _event: self.mark_stale())

    async def load(self) -> None:
        backups = self.session.office.backups
        made = await backups.all()
        there = await asyncio.to_thread(lambda: {one.id for one in made if one.there})
        folder = await backups.folder()
        own = folder == self.session.office.locations.backups
        self.folder.setText(_("In the office’s own folder: the same disk") if own else str(folder))
        self.own.setVisible(not own)
        self.rhythm.setCurrentIndex(self.rhythm.findData(self.session.preferences.value(_RHYTHM)))
        earlier = [one for one in made if one.id in there and one.at < now() - DAY]
        self.yesterday.setVisible(bool(earlier))
        self._earlier = earlier[0] if earlier else None
        clear(self._list)
        if not made:
            self._list.addWidget(
                label(_("There is no backup yet. The first one is made by itself, or now."), "dim", wrap=True)
            )
        for one in made:
            self._list.addWidget(BackupCard(self, one, there=one.id in there))
        self.show_content()

    def go_back(self, backup: Backup) -> None:
        """Unpack and check a backup; the next start of Bureau goes back to it."""
        self._begin(self._go_back(backup))

    def check(self, backup: Backup) -> None:
        """Read a whole backup again."""
        self._begin(self._check(backup))

    def remove(self, backup: Backup) -> None:
        """Destroy a backup's key and remove its file."""
        self._begin(self._remove(backup))

    async def _make(self) -> None:
        backups = self.session.office.backups
        made = await self._work(
            _("Making a backup …"),
            lambda: backups.make("owner", self.working.progress, self.working.cancelled),
        )
        if made is not None:
            self.session.notify(_("The backup is made and checked: {size}.").format(size=size(made.size)))

    async def _check(self, backup: Backup) -> None:
        backups = self.session.office.backups
        found = await self._work(
            _("Checking the backup …"),
            lambda: backups.check(backup.id, self.working.progress, self.working.cancelled),
        )
        if found is not None:
            self.session.notify(_("The backup is whole."))
            self.mark_stale()

    async def _remove(self, backup: Backup) -> None:
        try:
            await self.session.office.backups.remove(backup.id)
        except StorageError as error:
            self._show_fault(error)
        else:
            self.session.notify(_("The backup is removed and its key destroyed."))

    async def _go_back(self, backup: Backup) -> None:
        backups = self.session.office.backups
        prepared = await self._work(
            _("Unpacking and checking the backup …"),
            lambda: backups.prepare_restore(backup.id, self.working.progress, self.working.cancelled),
        )
        if prepared is not None:
            said = _(
                "Bureau goes back to {when} when it starts again. The office as it is now is backed up first, and "
                "what you erased since stays erased."
            )
            self._ready_words.setText(said.format(when=moment(backup.at)))
            self.ready.show()
            self.close_now.setFocus()

    async def _work(self, words: str, act: Callable[[], Awaitable[Backup]]) -> Backup | None:
        self.fault.hide()
        self.make.setEnabled(False)
        self.working.begin(words)
        try:
            return await act()
        except (StorageError, VaultError, OSError) as error:
            if self.working.cancelled():
                self.session.notify(sentence_of(error))
            else:
                self._show_fault(error)
            return None
        finally:
            self.working.end()
            self.make.setEnabled(True)

    async def _stay(self) -> None:
        await self.session.office.backups.call_off_restore()
        self.ready.hide()

    def _show_fault(self, error: Exception) -> None:
        self.fault.setText(sentence_of(error))
        self.fault.show()

    def _begin(self, work: Any) -> None:
        self.session.spawn(work, name="backup")

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, _("Folder for backups"), str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(lambda path: self._begin(self.put_into(Path(path))))
        dialog.open()

    async def put_into(self, folder: Path | None) -> None:
        """Write later backups to a folder, None for the office's own."""
        try:
            await self.session.office.backups.choose_folder(folder)
        except StorageError as error:
            self._show_fault(error)

    def _place_card(self) -> QFrame:
        frame, column = card()
        column.addWidget(
            label(
                _(
                    "A backup holds the whole office, encrypted, but no keys of providers. "
                    "On another disk it outlives this one; your recovery key opens it anywhere."
                ),
                "dim",
                wrap=True,
            )
        )
        row = FoldingRow(420)
        self.rhythm = QComboBox()
        self.rhythm.setAccessibleName(_("How often"))
        choices = next(setting.choices for setting in declared() if setting.key == _RHYTHM)
        for value, words in choices:
            self.rhythm.addItem(words, value)
        self.rhythm.activated.connect(
            lambda: self._begin(self.session.preferences.change(_RHYTHM, self.rhythm.currentData()))
        )
        row.row.addWidget(label(_("How often Bureau makes one by itself"), wrap=True), 1)
        row.row.addWidget(self.rhythm)
        column.addWidget(row)
        self.folder = label("", wrap=True)
        column.addWidget(self.folder)
        doors = FlowLayout()
        choose = QPushButton(_("Choose a folder…"))
        choose.clicked.connect(self._choose_folder)
        self.own = QPushButton(_("The office’s own folder"))
        self.own.clicked.connect(lambda: self._begin(self.put_into(None)))
        self.yesterday = QPushButton(_("Go back to yesterday…"))
        self.yesterday.clicked.connect(lambda: self.go_back(self._earlier) if self._earlier else None)
        for door in (choose, self.own, self.yesterday):
            doors.addWidget(door)
        column.addLayout(doors)
        return frame

    def _ready_card(self) -> QFrame:
        frame, column = card()
        self._ready_words = label("", "strong", wrap=True)
        column.addWidget(self._ready_words)
        doors = FlowLayout()
        self.close_now = QPushButton(_("Close Bureau now"))
        self.close_now.setProperty("kind", "primary")
        self.close_now.clicked.connect(self.session.window.closing.emit)
        stay = QPushButton(_("Stay with the present"))
        stay.clicked.connect(lambda: self._begin(self._stay()))
        doors.addWidget(self.close_now)
        doors.addWidget(stay)
        column.addLayout(doors)
        frame.hide()
        return frame


class BackupCard(QFrame):
    """One backup with its doors."""

    def __init__(self, part: BackupPart, one: Backup, *, there: bool) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        when = moment(one.at)
        self.setAccessibleName(_("Backup of {when}").format(when=when))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 12, 12)
        row = FoldingRow(480)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(label(when, "strong", wrap=True))
        facts = [occasion_words(one), size(one.size)]
        if one.verified_at is not None:
            facts.append(_("checked {when}").format(when=moment(one.verified_at)))
        words.addWidget(label(" · ".join(facts), "small", wrap=True))
        words.addWidget(label(str(Path(one.path).parent), "small", wrap=True))
        if not there:
            words.addWidget(label(_("Not there now: connect the disk it is on."), "warn", wrap=True))
        row.row.addLayout(words, 1)
        doors = FlowLayout(4)
        for text, act, kind in (
            (_("Go back…"), part.go_back, ""),
            (_("Check"), part.check, "flat"),
            (_("Remove"), part.remove, "flat"),
        ):
            button = QPushButton(text)
            button.setProperty("kind", kind)
            button.setAccessibleName(f"{text} {when}")
            button.setEnabled(there)
            button.clicked.connect(lambda _on=False, act=act: act(one))
            doors.addWidget(button)
        row.row.addLayout(doors)
        column.addWidget(row)
