"""The first minute: a key, or a server on this machine, or neither; then three things to begin with."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.pages.avatar import Face
from desktop.pages.key_form import KeyForm
from desktop.pages.page import card, clear, label
from desktop.pages.recovery import RecoverySection
from desktop.session import Session
from desktop.theme.appearance import appearance, look
from desktop.widgets.scrolling import scrolling
from desktop.widgets.starter import Starter
from memory.roster import Agent
from resources.language import gettext as _

_WIDTH = 560


def starters(*, with_key: bool) -> list[tuple[str, str, str]]:
    """Return three things to begin with: icon, what the button says, what it writes into the composer.

    Without a key only the librarian answers, so what it can do is offered then.
    """
    if with_key:
        return [
            ("file", _("Ask about a file of mine"), _("@Researcher what does this file say about ")),
            ("team", _("Compare two opinions"), _("@Researcher @Analyst what speaks for and what against ")),
            (
                "edit",
                _("Draft a letter"),
                _("@Writer draft a short letter to my landlord: the heating has failed since "),
            ),
        ]
    return [
        ("search", _("Find something in a file"), _("@Librarian where in this file is it said that ")),
        ("info", _("Ask what the office can do"), _("@Librarian what can you do without a key?")),
        ("memory", _("Keep a fact"), _("Remember that I prefer metres to feet.")),
    ]


class Welcome(QWidget):
    """Stands in an empty conversation: asks for a key in a new office, later offers three starters.

    ``started`` carries the text for the composer.
    """

    started = Signal(str)

    def __init__(self, session: Session, team: tuple[Agent, ...]) -> None:
        super().__init__()
        self.setAccessibleName(_("Welcome"))
        self._session = session
        self._team = team
        content = QWidget()
        content.setObjectName("page")
        self._column = QVBoxLayout()
        self._column.setSpacing(14)
        holder = QWidget()
        holder.setLayout(self._column)
        self._holder = holder
        self._fit()
        appearance().changed.connect(self._fit)
        row = QHBoxLayout(content)
        row.setContentsMargins(16, 28, 16, 28)
        row.addStretch(1)
        row.addWidget(holder, 1000)
        row.addStretch(1)
        self._area = scrolling(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._area)

    def _fit(self) -> None:
        self._holder.setMaximumWidth(look().px(_WIDTH))

    def ask_for_key(self) -> None:
        """Offer one field for a key, and two ways to do without."""
        self._column.addStretch(1)
        self._column.addLayout(self._faces())
        self._column.addWidget(label(_("Welcome to your office"), "title"))
        self._column.addWidget(
            label(
                _(
                    "Five agents work here, on your own key. No account; what you write stays on this machine, "
                    "except what you send to the provider you choose."
                ),
                "dim",
                wrap=True,
            )
        )
        frame, inner = card()
        self.form = KeyForm(self._session)
        inner.addWidget(self.form)
        self._column.addWidget(frame)
        self.without = QPushButton(_("Start without a key"))
        self.without.setProperty("kind", "link")
        self.without.setToolTip(_("The librarian answers by quoting your files, with no key and no network"))
        self.without.clicked.connect(lambda: self._finish(with_key=False))
        self._column.addWidget(self.without, 0, Qt.AlignmentFlag.AlignLeading)
        self._on = QPushButton(_("Go on"))
        self._on.setProperty("kind", "primary")
        self._on.clicked.connect(lambda: self._finish(with_key=True))
        self._on.hide()
        self._column.addWidget(self._on, 0, Qt.AlignmentFlag.AlignLeading)
        self._column.addStretch(2)
        self.form.checked.connect(self._checked)
        self.setFocusProxy(self.form)

    def _checked(self, works: bool) -> None:
        self._on.setVisible(True)
        self._on.setText(_("Go on") if works else _("Go on all the same"))
        self.without.setVisible(not works)
        if works:
            self._on.setFocus()

    def _finish(self, *, with_key: bool) -> None:
        change = self._session.preferences.change("first_minute.state", {"done": True})
        self._session.spawn(change, name="end the first minute")
        self.show_starters(with_key=with_key, introduce=True)

    def show_starters(self, *, with_key: bool, introduce: bool) -> None:
        """Offer three things to begin with; the first time also the team and the recovery key."""
        clear(self._column)
        self._column.addStretch(1)
        title = _("Your office is open") if introduce else _("What shall we do?")
        self._column.addWidget(label(title, "title"))
        if introduce:
            self._column.addLayout(self._introduction())
        self._column.addWidget(label(_("Begin with one of these, or write anything"), "dim", wrap=True))
        offered = QVBoxLayout()
        offered.setSpacing(8)
        for icon, title, text in starters(with_key=with_key):
            button = Starter(icon, title, text.strip() + (" …" if text.endswith(" ") else ""))
            button.clicked.connect(lambda _checked=False, text=text: self.started.emit(text))
            offered.addWidget(button)
        self._column.addLayout(offered)
        if introduce and not self._session.office.vault.has_recovery_key:
            frame, inner = card()
            inner.addWidget(label(_("Before you forget: a recovery key"), "strong"))
            section = RecoverySection(self._session)
            section.kept.connect(frame.hide)
            # The words are below the fold: they are shown once, so they come into view by themselves.
            section.words_shown.connect(
                lambda: QTimer.singleShot(0, frame, lambda: self._area.ensureWidgetVisible(frame))
            )
            inner.addWidget(section)
            self._column.addSpacing(8)
            self._column.addWidget(frame)
        self._column.addStretch(2)

    def _faces(self) -> QHBoxLayout:
        """Return the team side by side: who sits here is seen before a word is read."""
        row = QHBoxLayout()
        row.setSpacing(6)
        for agent in self._team:
            face = Face(agent.name, agent.avatar, 32)
            face.setToolTip(f"{agent.name}: {agent.role}")
            row.addWidget(face)
        row.addStretch(1)
        return row

    def _introduction(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for row, agent in enumerate(self._team):
            grid.addWidget(Face(agent.name, agent.avatar, 28), row, 0)
            words = QVBoxLayout()
            words.setSpacing(0)
            words.addWidget(label(agent.name, "strong"))
            words.addWidget(label(agent.role, "small", wrap=True))
            grid.addLayout(words, row, 1)
        return grid
