"""The line above a conversation: its title, what is going on in it, and the doors to list and inspector."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from desktop.theme.appearance import appearance, look
from desktop.theme.icons import icon
from desktop.wording import money
from memory.run_summary import RunSummary
from resources.language import gettext as _
from resources.language import ngettext

HEIGHT = 52


class ChatHeader(QWidget):
    """``back`` is wanted where the list is folded, ``inspect`` folds the inspector or brings it back."""

    back = Signal()
    inspect = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("header")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._full_title, self._full_status = "", ""
        self._back = QToolButton()
        self._back.setAccessibleName(_("Back to the list of chats"))
        self._back.setToolTip(_("All chats"))
        self._back.clicked.connect(self.back)
        self._title = QLabel()
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._status = QLabel()
        self._status.setProperty("role", "dim")
        self._status.setTextFormat(Qt.TextFormat.PlainText)
        self._inspect = QToolButton()
        self._inspect.setAccessibleName(_("Inspector"))
        self._inspect.setToolTip(_("Inspector (Ctrl+I)"))
        self._inspect.clicked.connect(self.inspect)
        row = QHBoxLayout(self)
        row.setContentsMargins(22, 0, 14, 0)
        row.setSpacing(10)
        row.addWidget(self._back)
        row.addWidget(self._title, 1)
        row.addWidget(self._status)
        row.addWidget(self._inspect)
        appearance().changed.connect(self._tint)
        self._tint()
        self.show_back(False)

    def show_title(self, title: str) -> None:
        """Name the conversation."""
        self._full_title = title
        self._title.setToolTip(title)
        self._title.setAccessibleName(title)
        self._elide()

    def show_status(self, status: str) -> None:
        """Say what is going on; empty for nothing."""
        self._full_status = status
        self._elide()

    def show_back(self, shown: bool) -> None:
        """Show the way to the list, where it is folded."""
        self._back.setVisible(shown)

    def status(self) -> str:
        """Return what is said to be going on."""
        return self._full_status

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        # In a narrow window the sums give way first: only "Working" stays.
        status = self._full_status
        if self.width() < look().px(460):
            status = " · ".join(status.split(" · ")[:1])
        self._status.setText(status)
        self._status.setToolTip(self._full_status)
        room = self._title.width() or self.width() // 2
        metrics = self._title.fontMetrics()
        plain = self._full_title.replace("\n", " ")
        self._title.setText(metrics.elidedText(plain, Qt.TextElideMode.ElideRight, max(60, room)))

    def _tint(self) -> None:
        here, theme = look(), look().theme
        self.setFixedHeight(here.px(HEIGHT))
        self._title.setFont(here.font(15, 600))
        self._back.setIcon(icon("arrow-left", theme.dim, here.px(18), active=theme.accent))
        self._inspect.setIcon(icon("inspector", theme.dim, here.px(18), active=theme.accent))
        for button in (self._back, self._inspect):
            button.setIconSize(QSize(here.px(18), here.px(18)))
        self._elide()


def status_words(runs: list[RunSummary], team: int) -> str:
    """Return what is going on: working, how many of the team's agents, what it cost of what it may cost."""
    if not runs:
        return ""
    waiting = sum(run.state == "needs_you" for run in runs)
    parts = [_("Needs you") if waiting else _("Working")]
    words = ngettext("{count} of {team} agent", "{count} of {team} agents", team)
    parts.append(words.format(count=len({run.agent for run in runs}), team=team))
    caps = [run.cap for run in runs]
    if all(cap is not None for cap in caps):
        spent = money(sum(run.spent for run in runs))
        parts.append(_("{spent} of {cap}").format(spent=spent, cap=money(sum(cap or 0 for cap in caps))))
    return " · ".join(parts)
