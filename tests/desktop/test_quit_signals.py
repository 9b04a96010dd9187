"""SIGINT and SIGTERM reach a window that waits in Qt's loop."""

import os
import signal

import pytest

from desktop.quit_signals import QuitSignals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_delivered_and_the_handlers_come_back(qtbot, number):
    before = signal.getsignal(number)
    asked: list[bool] = []
    signals = QuitSignals(lambda: asked.append(True))
    try:
        os.kill(os.getpid(), number)
        qtbot.waitUntil(lambda: asked == [True])
    finally:
        signals.restore()
    assert signal.getsignal(number) is before
