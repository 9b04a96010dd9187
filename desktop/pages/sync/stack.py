"""Cards or rows below one another that come and go with what they show."""

from collections.abc import Callable, Hashable, Iterable

from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget

from desktop.pages.page import clear
from desktop.pages.tab_order import follow_layout


class Stack(QWidget):
    """Out of sight where nothing is in it. What is shown already stays as it is, with whatever was typed into it."""

    def __init__(self, gap: int = 12) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(gap)
        self._shown: Hashable = ()
        self.hide()

    def show_all(self, shown: Hashable, make: Callable[[], Iterable[QWidget]]) -> None:
        """Show what ``make`` returns for ``shown``, unless that is there; the focus stays on what is called so."""
        if shown == self._shown:
            return
        self._shown = shown
        focused = QApplication.focusWidget()
        within = focused is not None and self.isAncestorOf(focused)
        called = focused.accessibleName() if focused is not None else ""
        clear(self._column)
        made = list(make())
        for each in made:
            self._column.addWidget(each)
        follow_layout(self)
        self.setVisible(bool(made))
        if within and (doors := [door for each in made for door in each.findChildren(QPushButton)]):
            next((door for door in doors if door.accessibleName() == called), doors[0]).setFocus()
