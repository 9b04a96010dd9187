"""Cards or rows below one another that come and go with what they show."""

from collections.abc import Callable, Hashable, Iterable

from PySide6.QtWidgets import QApplication, QPushButton, QVBoxLayout, QWidget

from desktop.pages.page import clear


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
        """Show what ``make`` returns for ``shown``, unless that is there; the focus stays within where it was."""
        if shown == self._shown:
            return
        self._shown = shown
        focused = QApplication.focusWidget()
        within = focused is not None and self.isAncestorOf(focused)
        clear(self._column)
        made = list(make())
        for each in made:
            self._column.addWidget(each)
        self.setVisible(bool(made))
        if within and (doors := [door for each in made for door in each.findChildren(QPushButton)]):
            doors[0].setFocus()
