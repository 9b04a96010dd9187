"""What syncs, by category: switches that say what becomes of what is already elsewhere."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from desktop.pages.indented import Indented
from desktop.pages.page import label
from memory.sync.categories import Choice, categories
from resources.language import gettext as _


class Choices(QWidget):
    """A switch for each category; ``changed`` comes when its owner has touched one."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self.boxes: dict[str, QCheckBox] = {}
        for each in categories():
            box = QCheckBox(each.title)
            box.setChecked(True)
            box.setAccessibleName(_("Sync {what}").format(what=each.title))
            box.setAccessibleDescription(each.sentence)
            box.clicked.connect(self.changed)
            self.boxes[each.name] = box
            column.addWidget(box)
            below = Indented()
            below.column.addWidget(label(each.sentence, "small", wrap=True))
            column.addWidget(below)

    def show_choices(self, choices: Sequence[Choice]) -> None:
        """Set every switch."""
        for choice in choices:
            self.boxes[choice.category.name].setChecked(choice.chosen)

    def chosen(self) -> list[str]:
        """Return the names of the categories that are switched on."""
        return [name for name, box in self.boxes.items() if box.isChecked()]
