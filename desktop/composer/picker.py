"""A pill that shows a choice and opens a menu of the others, a list with a filter where they are many."""

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from desktop.command_palette import Choice as Entry
from desktop.command_palette import CommandPalette
from desktop.widgets.chip import Chip
from resources.language import gettext as _

_MOST_IN_A_MENU = 14


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry: its id, its label, a sentence beside it, and the heading of its group (empty for none)."""

    id: str
    label: str
    detail: str = ""
    group: str = ""


class PickerPill(Chip):
    """``picked(id)`` when the owner chooses another entry."""

    picked = Signal(str)

    def __init__(self, name: str, parent: QWidget) -> None:
        super().__init__("", parent, menu_mark=True)
        self._name = name
        self._choices: tuple[Choice, ...] = ()
        self._current = ""
        self.menu: QMenu | None = None
        self.filter: CommandPalette | None = None
        self.clicked.connect(self.open_menu)

    @property
    def current(self) -> str:
        """Return the id of the entry shown."""
        return self._current

    def set_choices(self, choices: tuple[Choice, ...], current: str) -> None:
        """Offer entries; the pill hides when there is nothing to choose from."""
        self._choices, self._current = choices, current
        label = next((item.label for item in choices if item.id == current), "")
        self.set_text(label or self._name)
        self.setAccessibleName(f"{self._name}: {label}")
        self.setToolTip(self._name)
        self.setVisible(bool(choices))

    def open_menu(self) -> None:
        """Open the menu above the pill, or the list over the window; neither blocks."""
        if len(self._choices) > _MOST_IN_A_MENU:
            self._open_filter()
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.destroyed.connect(self._closed)
        group = QActionGroup(menu)
        heading = ""
        for item in self._choices:
            if item.group != heading:
                heading = item.group
                menu.addSeparator()
                title = menu.addAction(heading)
                title.setEnabled(False)
            words = f"{item.label}\t{item.detail}" if item.detail else item.label
            action = QAction(words, menu, checkable=True, checked=item.id == self._current)
            action.triggered.connect(lambda _on=False, it=item.id: self._pick(it))
            group.addAction(action)
            menu.addAction(action)
        self.menu = menu
        menu.popup(self.mapToGlobal(QPoint(0, -menu.sizeHint().height() - 4)))

    def _open_filter(self) -> None:
        if self.filter is None:
            self.filter = CommandPalette(self.window(), _("Find a model"))
            self.filter.closed.connect(self.setFocus)
        self.filter.open_with(
            [
                Entry(
                    "check" if item.id == self._current else "",
                    item.label,
                    item.group or item.detail,
                    partial(self._pick, item.id),
                    words=item.detail,
                )
                for item in self._choices
            ]
        )

    def _closed(self) -> None:
        self.menu = None

    def _pick(self, choice_id: str) -> None:
        if choice_id != self._current:
            self.set_choices(self._choices, choice_id)
            self.picked.emit(choice_id)
