"""The narrow rail: one button for each page that works."""

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QToolButton, QVBoxLayout, QWidget

from desktop.theme.appearance import appearance, look
from desktop.theme.icons import icon
from resources.language import gettext as _

WIDTH = 56
_BUTTON = 40
_ICON = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the rail; ``low`` ones stand at its foot."""

    name: str
    title: str
    icon: str
    low: bool = False


def places() -> tuple[Place, ...]:
    """Return the pages in the order of the rail."""
    return (
        Place("chats", _("Chats"), "chat"),
        Place("team", _("Team"), "team"),
        Place("memory", _("Memory"), "memory"),
        Place("outbox", _("Outbox"), "outbox"),
        Place("usage", _("Usage"), "usage"),
        Place("keys", _("Keys"), "key", low=True),
        Place("privacy", _("Privacy"), "shield", low=True),
        Place("sync", _("Sync"), "sync", low=True),
        Place("settings", _("Settings"), "settings", low=True),
    )


class Rail(QWidget):
    """Emits ``chosen`` with the name of the page that its owner wants to see."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(_("Pages"))
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QToolButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 12, 8, 12)
        column.setSpacing(6)
        for number, place in enumerate(places(), 1):
            if place.low and not any(known.low for known in places()[: number - 1]):
                column.addStretch(1)
            column.addWidget(self._button(place, number))
        appearance().changed.connect(self._tint)
        self._tint()

    def show_current(self, name: str) -> None:
        """Mark the button of a page."""
        self._buttons[name].setChecked(True)

    def set_badge(self, name: str, text: str) -> None:
        """Say what waits on a page in its tooltip and accessible description; empty for nothing."""
        self._buttons[name].setAccessibleDescription(text)
        place = next(place for place in places() if place.name == name)
        self._buttons[name].setToolTip(f"{place.title} · {text}" if text else self._hint(place))

    def _hint(self, place: Place) -> str:
        return f"{place.title} (Alt+{places().index(place) + 1})"

    def _button(self, place: Place, number: int) -> QToolButton:
        button = QToolButton()
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setAccessibleName(place.title)
        button.setToolTip(self._hint(place))
        button.clicked.connect(lambda: self.chosen.emit(place.name))
        self._group.addButton(button, number)
        self._buttons[place.name] = button
        return button

    def _tint(self) -> None:
        theme = look().theme
        self.setFixedWidth(look().px(WIDTH))
        for place in places():
            button = self._buttons[place.name]
            button.setIcon(icon(place.icon, theme.dim, look().px(_ICON), active=theme.accent))
            button.setIconSize(QSize(look().px(_ICON), look().px(_ICON)))
            button.setFixedSize(look().px(_BUTTON), look().px(_BUTTON))
