"""What could not be brought in, folded until its owner wants to know."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from desktop.pages.page import label
from desktop.wording import plural
from resources.language import gettext as _

_MOST = 50


class Problems(QWidget):
    """A door that says how many there are, and the list behind it; ``total`` may be more than are listed."""

    def __init__(self, problems: Sequence[tuple[str, str]], total: int) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        door = QPushButton(
            plural("{count} thing could not come in", "{count} things could not come in", total)
        )
        door.setProperty("kind", "link")
        door.setCheckable(True)
        column.addWidget(door, 0, Qt.AlignmentFlag.AlignLeading)
        self._list = QWidget()
        lines = QVBoxLayout(self._list)
        lines.setContentsMargins(8, 0, 0, 0)
        lines.setSpacing(4)
        for subject, reason in problems[:_MOST]:
            lines.addWidget(label(f"{subject}: {reason}", "small", wrap=True))
        if total > _MOST:
            lines.addWidget(label(plural("and {count} more", "and {count} more", total - _MOST), "small"))
        self._list.hide()
        door.toggled.connect(self._list.setVisible)
        door.setAccessibleDescription(_("Opens the list"))
        column.addWidget(self._list)
