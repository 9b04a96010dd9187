"""SIGINT and SIGTERM end the window at once, also while Qt waits for events."""

import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, QTimer

_WINDOWS_POLL_MILLISECONDS = 200


class QuitSignals(QObject):
    """Calls ``on_signal`` from Qt's loop when the process is asked to end."""

    def __init__(self, on_signal: Callable[[], None]) -> None:
        super().__init__()
        self._on_signal = on_signal
        self._before = {
            number: signal.signal(number, self._received) for number in (signal.SIGINT, signal.SIGTERM)
        }
        self._received_any = False
        # Python runs a signal's handler only between two of its instructions, and Qt's loop runs none:
        # the byte that the C handler writes into this socket makes Qt call back into Python.
        self._reading, self._writing = socket.socketpair()
        self._reading.setblocking(False)
        self._writing.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)
        if sys.platform == "win32":
            self._timer = QTimer(self)
            self._timer.timeout.connect(self._deliver)
            self._timer.start(_WINDOWS_POLL_MILLISECONDS)
        else:
            self._notifier = QSocketNotifier(self._reading.fileno(), QSocketNotifier.Type.Read, self)
            self._notifier.activated.connect(self._drain)

    def restore(self) -> None:
        """Give the signals back to whoever had them."""
        if sys.platform == "win32":
            self._timer.stop()
        else:
            self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._reading.close()
        self._writing.close()

    def _received(self, _number: int, _frame: FrameType | None) -> None:
        self._received_any = True

    def _drain(self) -> None:
        try:
            self._reading.recv(4096)
        except BlockingIOError:
            return
        self._deliver()

    def _deliver(self) -> None:
        if self._received_any:
            self._received_any = False
            self._on_signal()
