"""The cards that stand in place of the office while it is not open: unlock, recover, choose, or what to do."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.pages.folding import FlowLayout
from desktop.theme.appearance import appearance, look
from desktop.theme.mark import app_icon
from desktop.widgets.scrolling import scrolling
from resources.language import gettext as _

_WIDTH, _LEAST_WIDTH = 440, 280
_MARK = 40
LEAST_PASSPHRASE = 8


class Gate(QWidget):
    """A card in the middle. ``decided`` carries (verb, text): what its owner chose and typed.

    The verb ``again`` comes by itself where another process put the keys back: try to open once more.
    """

    decided = Signal(str, str)

    def __init__(self, title: str, sentence: str) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self._card = QFrame()
        self._card.setProperty("kind", "card")
        self._card.setMinimumWidth(_LEAST_WIDTH)
        self.column = QVBoxLayout(self._card)
        self.column.setSpacing(12)
        self._mark = QLabel()
        self._mark.setAccessibleName("Bureau")
        self.column.addWidget(self._mark)
        heading = QLabel(title)
        heading.setProperty("role", "title")
        heading.setWordWrap(True)
        self.column.addWidget(heading)
        self._sentence = QLabel(sentence)
        self._sentence.setProperty("role", "dim")
        self._sentence.setWordWrap(True)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.column.addWidget(self._sentence)
        self.fault = QLabel()
        self.fault.setProperty("role", "danger")
        self.fault.setWordWrap(True)
        self.fault.hide()
        self._lay_out()
        appearance().changed.connect(self._fit)
        self._fit()

    def show_fault(self, sentence: str) -> None:
        """Say what was wrong with the last try; the card takes input again."""
        self.setEnabled(True)
        self.fault.setText(sentence)
        self.fault.setVisible(bool(sentence))

    def decide(self, verb: str, text: str = "") -> None:
        """Emit the choice and take no more input until the answer is known."""
        self.fault.hide()
        self.setEnabled(False)
        self.decided.emit(verb, text)

    def secret_field(self, name: str) -> QLineEdit:
        """Add a field whose text is hidden."""
        field = QLineEdit()
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.setPlaceholderText(name)
        field.setAccessibleName(name)
        self.column.addWidget(field)
        return field

    def buttons(self, *buttons: QPushButton) -> None:
        """Add the fault's line and, under it, buttons in rows; the first one is the main one."""
        self.column.addWidget(self.fault)
        row = FlowLayout()
        for number, button in enumerate(buttons):
            if number == 0:
                button.setProperty("kind", "primary")
                button.setDefault(True)
            row.addWidget(button)
        self.column.addLayout(row)

    def link(self, label: str, verb: str) -> None:
        """Add another way out under the buttons."""
        button = QPushButton(label)
        button.setProperty("kind", "link")
        button.clicked.connect(lambda: self.decide(verb))
        self.column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeading)

    def _lay_out(self) -> None:
        """Put the card into the middle of what scrolls: large text may need more than a small window has."""
        content = QWidget()
        content.setObjectName("page")
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._card, 100)
        row.addStretch(1)
        middle = QVBoxLayout(content)
        middle.setContentsMargins(16, 16, 16, 16)
        middle.addStretch(2)
        middle.addLayout(row)
        middle.addStretch(3)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(content))

    def _fit(self) -> None:
        here = look()
        self._card.setMaximumWidth(here.px(_WIDTH))
        self.column.setContentsMargins(here.px(24), here.px(22), here.px(24), here.px(22))
        self._mark.setPixmap(app_icon().pixmap(here.px(_MARK), here.px(_MARK)))


class PassphraseGate(Gate):
    """Asks for a passphrase: verb ``unlock`` with it."""

    def __init__(self, title: str, sentence: str) -> None:
        super().__init__(title, sentence)
        self.passphrase = self.secret_field(_("Passphrase"))
        self.passphrase.returnPressed.connect(self._unlock)
        button = QPushButton(_("Unlock"))
        button.clicked.connect(self._unlock)
        self.buttons(button)
        self.setFocusProxy(self.passphrase)

    def show_fault(self, sentence: str) -> None:
        super().show_fault(sentence)
        self.passphrase.selectAll()
        self.passphrase.setFocus()

    def _unlock(self) -> None:
        if self.passphrase.text():
            self.decide("unlock", self.passphrase.text())


class UnlockGate(PassphraseGate):
    """Stands before an office that opens with a passphrase: verbs ``unlock`` with it, ``recover``."""

    def __init__(self) -> None:
        super().__init__(_("Unlock your office"), _("Your office is protected by a passphrase."))
        self.link(_("I have only the recovery key"), "recover")


class NewPassphraseGate(Gate):
    """Asks for a first passphrase, twice: verbs ``protect`` with it, ``back``."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _("Protect the office with a passphrase"),
            reason
            + " "
            + _("Your keys and everything the office knows will be encrypted with it. Nobody can reset it."),
        )
        self.first = self.secret_field(
            _("New passphrase, at least {count} characters").format(count=LEAST_PASSPHRASE)
        )
        self.second = self.secret_field(_("The same again"))
        self.first.returnPressed.connect(self.second.setFocus)
        self.second.returnPressed.connect(self._protect)
        button = QPushButton(_("Create the office"))
        button.clicked.connect(self._protect)
        back = QPushButton(_("Back"))
        back.clicked.connect(lambda: self.decide("back"))
        self.buttons(button, back)
        self.setFocusProxy(self.first)

    def _protect(self) -> None:
        if self.first.text() != self.second.text():
            self.show_fault(_("The two are not the same; type the passphrase again."))
            self.second.selectAll()
            self.second.setFocus()
        elif len(self.first.text()) < LEAST_PASSPHRASE:
            self.show_fault(
                _("Choose a passphrase of at least {least} characters.").format(least=LEAST_PASSPHRASE)
            )
            self.first.setFocus()
        else:
            self.decide("protect", self.first.text())


class RecoveryGate(Gate):
    """Asks for the 24 words, and for a new passphrase where one is used: verbs ``words`` with them, ``back``."""

    def __init__(self, *, with_passphrase: bool) -> None:
        super().__init__(
            _("Open with the recovery key"),
            _("Type or paste the 24 words that you kept. Capitals and line breaks do not matter."),
        )
        self.words = QPlainTextEdit()
        self.words.setProperty("kind", "field")
        self.words.setAccessibleName(_("The 24 words of the recovery key"))
        self.words.setTabChangesFocus(True)
        appearance().changed.connect(self._fit_words)
        self._fit_words()
        self.column.addWidget(self.words)
        self.passphrase: QLineEdit | None = None
        if with_passphrase:
            self.passphrase = self.secret_field(_("New passphrase for this office"))
        button = QPushButton(_("Open the office"))
        button.clicked.connect(self._open)
        back = QPushButton(_("Back"))
        back.clicked.connect(lambda: self.decide("back"))
        self.buttons(button, back)
        self.setFocusProxy(self.words)

    def _fit_words(self) -> None:
        self.words.setFixedHeight(look().px(96))

    def _open(self) -> None:
        if self.passphrase is not None and len(self.passphrase.text()) < LEAST_PASSPHRASE:
            self.show_fault(
                _("Choose a passphrase of at least {least} characters.").format(least=LEAST_PASSPHRASE)
            )
            self.passphrase.setFocus()
        elif self.words.toPlainText().strip():
            self.decide("words", self.words.toPlainText())


@dataclass(frozen=True, slots=True)
class Way:
    """A way out of a trouble: the label of its button and its verb."""

    label: str
    verb: str


class TroubleGate(Gate):
    """Says in one sentence why the office did not open, with the ways out; the verb is the way's."""

    def __init__(self, sentence: str, ways: list[Way]) -> None:
        super().__init__(_("The office did not open"), sentence)
        buttons = []
        for way in ways:
            button = QPushButton(way.label)
            button.clicked.connect(lambda _checked=False, verb=way.verb: self.decide(verb))
            buttons.append(button)
        self.buttons(*buttons)
        if buttons:
            self.setFocusProxy(buttons[0])
