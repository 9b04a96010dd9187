"""What the window forgets when something is erased."""

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from agents.events import Erased
from desktop.forgetting import forget
from desktop.transcript.pictures import formula


@pytest.mark.req("R112")
def test_clipboard_and_drawn_pictures_are_forgotten(qtbot: QtBot) -> None:
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("the ochre pelican")
    ours = clipboard.ownsClipboard()
    formula("x^2", 12, "#000000", 1.0)
    assert formula.cache_info().currsize == 1
    nothing: frozenset[str] = frozenset()
    forget(Erased(nothing, frozenset({"a"}), nothing, nothing, nothing, nothing, touched=nothing))
    assert clipboard.text() == ("" if ours else "the ochre pelican")
    assert formula.cache_info().currsize == 0
