"""Long work as its owner sees it: what is done, how far it is, and Cancel."""

import threading

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QProgressBar, QPushButton

from desktop.pages.page import Card, label
from resources.language import gettext as _

_FOLLOW_MILLISECONDS = 60
_STEPS = 1000


class Working(Card):
    """Shown while work goes on in a thread; ``progress`` and ``cancelled`` are what such work is given.

    ``stopped`` comes when Cancel is pressed.
    """

    stopped = Signal()

    def __init__(self) -> None:
        super().__init__()
        column = self.column
        self._words = label("", "strong", wrap=True)
        self.bar = QProgressBar()
        self.cancel = QPushButton(_("Cancel"))
        self.cancel.clicked.connect(self._stop)
        column.addWidget(self._words)
        column.addWidget(self.bar)
        column.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignLeading)
        self._far = (0, 0)
        self._end = threading.Event()
        self._timer = QTimer(self, interval=_FOLLOW_MILLISECONDS)
        self._timer.timeout.connect(self._follow)
        self.hide()

    def begin(self, words: str, *, cancellable: bool = True) -> None:
        """Show the work from its beginning."""
        self._far = (0, 0)
        self._end = threading.Event()
        self._words.setText(words)
        self.bar.setAccessibleName(words)
        self.cancel.setEnabled(True)
        self.cancel.setVisible(cancellable)
        self._follow()
        self._timer.start()
        self.show()

    def end(self) -> None:
        """Hide it: the work is over."""
        self._timer.stop()
        self.hide()

    def progress(self, done: int, total: int) -> None:
        """Note how far the work is; may be called from any thread."""
        self._far = (done, total)

    def cancelled(self) -> bool:
        """Whether its owner wants it to end; may be called from any thread."""
        return self._end.is_set()

    def _follow(self) -> None:
        done, total = self._far
        # Without a total the bar only moves.
        self.bar.setRange(0, _STEPS if total else 0)
        if total:
            self.bar.setValue(min(_STEPS, done * _STEPS // total))

    def _stop(self) -> None:
        self._end.set()
        self.cancel.setEnabled(False)
        self.stopped.emit()
