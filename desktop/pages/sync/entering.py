"""How a new device is let in: the 24 words as they are typed, or six words that two screens show alike."""

from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QButtonGroup, QPlainTextEdit, QPushButton, QRadioButton, QVBoxLayout, QWidget

from agents.errors import AgentsError
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout
from desktop.pages.page import label
from desktop.session import Session
from desktop.theme.appearance import look
from desktop.wording import count
from memory.errors import StorageError
from memory.sync.service.membership import NEW, SeveralOffices
from memory.sync.service.spaces import Space
from resources.language import gettext as _
from resources.language import ngettext
from vault.errors import RecoveryKeyWrong, VaultError
from vault.recovery_key import WORDS, key_of
from vault.secret import Secret

_HEIGHT = 84
_ASK_MILLISECONDS = 1000


class Words(QWidget):
    """A field for 24 words; what is wrong with them is said once they are complete, and when they are used."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        self.field = QPlainTextEdit()
        self.field.setProperty("kind", "field")
        self.field.setPlaceholderText(_("The 24 words, or the first four letters of each"))
        self.field.setAccessibleName(_("Recovery key of sync"))
        self.field.setTabChangesFocus(True)
        self.field.setFixedHeight(look().px(_HEIGHT))
        self.field.textChanged.connect(self._look)
        column.addWidget(self.field)
        self.hint = label("", "small", wrap=True)
        column.addWidget(self.hint)
        self._look()

    def key(self) -> bytes | None:
        """Return the 32 bytes of the words; None where they are none, and the field says why."""
        try:
            return key_of(Secret(self.field.toPlainText()))
        except RecoveryKeyWrong as wrong:
            self._say(str(wrong), wrong=True)
            return None

    def _look(self) -> None:
        given = len(self.field.toPlainText().split())
        if given < WORDS:
            self._say(_("{count} of 24 words").format(count=given))
        elif self.key() is not None:
            self._say(_("The words are right."))

    def _say(self, sentence: str, *, wrong: bool = False) -> None:
        self.hint.setProperty("role", "danger" if wrong else "small")
        self.hint.style().unpolish(self.hint)
        self.hint.style().polish(self.hint)
        self.hint.setText(sentence)


class SixWords(QWidget):
    """Six words that must stand on both screens; ``alike`` and ``different`` are what their owner says."""

    alike = Signal()
    different = Signal()

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label(_("Do both screens show these six words?"), "strong", wrap=True))
        shown = label("  ".join(words), "mono", wrap=True)
        shown.setAccessibleName(_("Six words: {words}").format(words=" ".join(words)))
        column.addWidget(shown)
        row = FlowLayout()
        yes = QPushButton(_("They are alike"))
        yes.setProperty("kind", "primary")
        yes.clicked.connect(self.alike)
        no = QPushButton(_("They differ"))
        no.clicked.connect(self.different)
        row.addWidget(yes)
        row.addWidget(no)
        column.addLayout(row)
        self.setFocusProxy(yes)


class Asking(QWidget):
    """Asks the service again and again until there is an answer; a failure is shown and ends it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)
        self.says = label("", wrap=True)
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self.column.addWidget(self.says)
        self.column.addWidget(self.fault)
        self._timer = QTimer(self, interval=_ASK_MILLISECONDS, singleShot=True)
        self._timer.timeout.connect(lambda: session.spawn(self._try(), name="ask about a device"))

    def begin(self, sentence: str) -> None:
        """Say what is waited for, and ask."""
        self.says.setText(sentence)
        self.fault.hide()
        self._timer.start(0)

    async def answered(self) -> bool:
        """Ask once; whether it is over. Raises what the office refuses."""
        raise NotImplementedError

    async def _try(self) -> None:
        try:
            if not await self.answered():
                self._timer.start(_ASK_MILLISECONDS)
        except (StorageError, VaultError, AgentsError) as error:
            self.fault.setText(sentence_of(error))
            self.fault.show()


class Offices(QWidget):
    """Which of several offices of an account this one is to be."""

    def __init__(self, spaces: Sequence[Space]) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(label(_("Which office is this one?"), "strong", wrap=True))
        words = _("Your account has several. The service knows no names: go by how much is in each.")
        column.addWidget(label(words, "dim", wrap=True))
        self._group = QButtonGroup(self)
        self.ids = [*(each.id for each in spaces), NEW]
        for number, words in enumerate([*map(_called, spaces), _("Another new office")]):
            button = QRadioButton(words)
            self._group.addButton(button, number)
            column.addWidget(button)
        self._group.button(0).setChecked(True)
        self.setFocusProxy(self._group.button(0))

    def chosen(self) -> str:
        """Return the id of the office, or NEW for another one."""
        return self.ids[self._group.checkedId()]


def _called(space: Space) -> str:
    words = ngettext("Office {id}, {count} item", "Office {id}, {count} items", space.records)
    return words.format(id=space.id[:8], count=count(space.records))


class NewDevice(Asking):
    """This device waits to be let in by another one; ``given_up`` comes where its owner ends that."""

    given_up = Signal()

    def __init__(self, session: Session, types: Collection[str]) -> None:
        super().__init__(session)
        self._types = types
        self._agreed = False
        self._space_id: str | None = None
        self.six: SixWords | None = None
        self.give_up = QPushButton(_("Give up"))
        self.give_up.clicked.connect(self._give_up)
        self.column.addWidget(self.give_up, 0, Qt.AlignmentFlag.AlignLeading)
        self.begin(_("On your other device open Sync and choose “Let a device in”."))

    async def answered(self) -> bool:
        joining = self._session.office.syncing.joining
        if self._agreed:
            try:
                return await joining.finish(self._space_id, self._types) is not None
            except SeveralOffices as several:
                self._choose(several.spaces)
                return True
        comparison = await joining.compare()
        if comparison is None:
            return False
        self.six = SixWords(comparison.words)
        self.six.alike.connect(self._agree)
        self.six.different.connect(self._give_up)
        self.says.setText(_("Compare them with your other device."))
        self.column.insertWidget(2, self.six)
        self.give_up.hide()
        self.six.setFocus()
        return True

    def _agree(self) -> None:
        self._agreed = True
        self.give_up.show()
        if self.six is not None:
            self.six.setEnabled(False)
        self.begin(_("Confirm it on your other device too; then this one joins."))

    def _choose(self, spaces: Sequence[Space]) -> None:
        offices, go_on = Offices(spaces), QPushButton(_("Continue"))
        go_on.setProperty("kind", "primary")

        def join() -> None:
            self._space_id = offices.chosen()
            offices.hide()
            go_on.hide()
            self.begin(_("Joining …"))

        go_on.clicked.connect(join)
        if self.six is not None:
            self.six.hide()
        self.says.setText(_("Your other device has let this one in."))
        self.column.insertWidget(2, offices)
        self.column.insertWidget(3, go_on, 0, Qt.AlignmentFlag.AlignLeading)
        offices.setFocus()

    def _give_up(self) -> None:
        self._timer.stop()
        self._session.office.syncing.joining.give_up()
        self.given_up.emit()
