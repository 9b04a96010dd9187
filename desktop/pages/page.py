"""What every page of the rail has: a header with its actions, and four states: loading, empty, fault, full."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.faults import sentence_of
from desktop.pages.tab_order import follow_layout
from desktop.session import Session
from desktop.theme.appearance import appearance, look
from desktop.theme.icons import icon_pixmap
from desktop.widgets.scrolling import scrolling
from resources.language import gettext as _

HEADER = 52
COLUMN = 760
_BARE = 2
"""Items of a header that has a title and no action."""


class Page(QWidget):
    """A page loads when it is first shown, and again when it is shown after ``mark_stale``."""

    def __init__(self, session: Session, title: str, *, wide: bool = False) -> None:
        super().__init__()
        self.session = session
        self.setAccessibleName(title)
        self._stale = True
        self._header = QWidget()
        self._header.setObjectName("header")
        self._header.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.header_row = QHBoxLayout(self._header)
        self.header_row.setContentsMargins(22, 0, 16, 0)
        self.header_row.setSpacing(8)
        self._title = QLabel(title)
        self.header_row.addWidget(self._title)
        self.header_row.addStretch(1)
        self._states = QStackedWidget()
        self._content = QWidget()
        self._content.setObjectName("page")
        self.column = QVBoxLayout()
        self.column.setSpacing(12)
        self._limit = 0 if wide else COLUMN
        self._states.addWidget(self._scrolling(self._content))
        self._message = StateMessage()
        self._states.addWidget(self._message)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._header)
        outer.addWidget(self._states, 1)
        appearance().changed.connect(self._fit)
        self._fit()

    def show_title(self, shown: bool) -> None:
        """Show or hide the title; without it, a header that has no action goes too."""
        self._title.setVisible(shown)
        self._header.setVisible(shown or self.header_row.count() > _BARE)

    async def load(self) -> None:
        """Read what the page shows; a page overrides this and ends with ``show_content`` or ``show_empty``."""
        raise NotImplementedError

    def mark_stale(self) -> None:
        """Read again: at once where the page is seen, else when it is shown."""
        self._stale = True
        if self.isVisible():
            self.reload()

    def reload(self) -> None:
        """Read again now; what fails becomes the page's fault state."""
        self._stale = False
        self.session.spawn(self._load(), name=f"load {self.accessibleName()}")

    def show_content(self) -> None:
        """Show what the page's column holds, and let Tab go down it whatever was made anew."""
        follow_layout(self._content)
        self._states.setCurrentIndex(0)

    def show_empty(
        self, icon: str, title: str, sentence: str, label: str = "", act: Callable[[], object] | None = None
    ) -> None:
        """Teach what would stand here and how it comes here."""
        self._message.show_message(icon, title, sentence, label, act)
        self._states.setCurrentIndex(1)

    def show_fault(self, error: Exception) -> None:
        """Say what went wrong, with a way to try again."""
        self._message.show_message(
            "warning", _("This page could not be read"), sentence_of(error), _("Try again"), self.reload
        )
        self._states.setCurrentIndex(1)

    def action(
        self, label: str, act: Callable[[], object], *, primary: bool = False, tip: str = ""
    ) -> QPushButton:
        """Add a button to the header."""
        button = QPushButton(label)
        if primary:
            button.setProperty("kind", "primary")
        button.setToolTip(tip)
        button.clicked.connect(act)
        self.header_row.addWidget(button)
        return button

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.reload()

    async def _load(self) -> None:
        try:
            await self.load()
        except Exception as error:
            self.show_fault(error)
            raise

    def _scrolling(self, content: QWidget) -> QScrollArea:
        row = QHBoxLayout(content)
        row.setContentsMargins(22, 20, 22, 28)
        holder = QWidget()
        holder.setLayout(self.column)
        self.column.setContentsMargins(0, 0, 0, 0)
        self._holder = holder
        if self._limit:
            row.addStretch(1)
            row.addWidget(holder, 1000)
            row.addStretch(1)
        else:
            row.addWidget(holder)
        return scrolling(content)

    def _fit(self) -> None:
        self._header.setFixedHeight(look().px(HEADER))
        self._title.setFont(look().font(16, 600))
        if self._limit:
            self._holder.setMaximumWidth(look().px(self._limit))


class StateMessage(QWidget):
    """An icon, a title, a sentence and a door, in the middle."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = QLabel()
        self._icon.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._title = QLabel()
        self._title.setProperty("role", "heading")
        self._title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._sentence = QLabel()
        self._sentence.setProperty("role", "dim")
        self._sentence.setWordWrap(True)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._door = QPushButton()
        self._door.setProperty("kind", "primary")
        self._door.clicked.connect(self._open)
        self._act: Callable[[], object] | None = None
        self._picture = ""
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(10)
        column.addStretch(2)
        column.addWidget(self._icon)
        column.addWidget(self._title)
        row = QHBoxLayout()
        row.addStretch(1)
        self._sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        row.addWidget(self._sentence, 100)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self._door, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(3)
        appearance().changed.connect(self._fit)
        self._fit()

    def show_message(
        self, icon: str, title: str, sentence: str, label: str = "", act: Callable[[], object] | None = None
    ) -> None:
        """Replace what is said."""
        self._picture = icon
        self._fit()
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self._sentence.setText(sentence)
        self.setAccessibleName(f"{title}. {sentence}")
        self._door.setText(label)
        self._door.setVisible(bool(label))
        self._act = act

    def sizeHint(self) -> QSize:
        return QSize(360, 240)

    def _open(self) -> None:
        if self._act is not None:
            self._act()

    def _fit(self) -> None:
        here = look()
        self._sentence.setMaximumWidth(here.px(420))
        if self._picture:
            self._icon.setPixmap(icon_pixmap(self._picture, here.theme.dim, here.px(28)))


class Card(QFrame):
    """A card with a ``column`` inside. Its heading, where it has one, is its accessible name too."""

    def __init__(self, heading: str = "") -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(16, 14, 16, 14)
        self.column.setSpacing(8)
        if heading:
            self.setAccessibleName(heading)
            self.column.addWidget(label(heading, "heading", wrap=True))


def card() -> tuple[QFrame, QVBoxLayout]:
    """Return an empty card and the column inside it."""
    made = Card()
    return made, made.column


def label(text: str, role: str = "", *, wrap: bool = False) -> QLabel:
    """Return a label of plain text in one of the style sheet's roles."""
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        result.setProperty("role", role)
    result.setWordWrap(wrap)
    return result


def clear(layout: QLayout) -> None:
    """Remove everything from a layout, layouts inside it included."""
    while layout.count():
        item = layout.takeAt(0)
        assert item is not None
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif inner is not None:
            clear(inner)
