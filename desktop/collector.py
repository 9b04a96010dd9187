"""Collects Python's garbage on the GUI thread only.

Left to itself the collector runs on whichever thread allocates, and a widget or timer that it finds there is
destroyed off its own thread, which Qt answers with a warning at best.
"""

import gc

from PySide6.QtCore import QObject, QTimer

_INTERVAL_MILLISECONDS = 1000


class Collector(QObject):
    """Takes the automatic collection over until ``stop``."""

    def __init__(self) -> None:
        super().__init__()
        self._thresholds = gc.get_threshold()
        gc.disable()
        self._timer = QTimer(self, interval=_INTERVAL_MILLISECONDS)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def stop(self) -> None:
        """Let Python collect by itself again."""
        self._timer.stop()
        gc.enable()

    def _collect(self) -> None:
        """Collect the oldest generation that is due, as the interpreter would."""
        counts = gc.get_count()
        for generation in (2, 1, 0):
            if counts[generation] > self._thresholds[generation]:
                gc.collect(generation)
                return
