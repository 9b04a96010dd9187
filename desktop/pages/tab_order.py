"""The order of the keyboard: what is added later is reached where it stands, not behind all that was there before."""

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QWidget


def follow_layout(part: QWidget) -> None:
    """Let Tab go through a part of a page in the order in which its layouts place things."""
    policy = part.focusPolicy()
    part.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # Qt puts nothing behind what takes no focus
    before = part
    for each in _placed(part.layout()):
        if each.focusPolicy() & Qt.FocusPolicy.TabFocus and each.focusProxy() is None:
            QWidget.setTabOrder(before, each)
            before = each
    part.setFocusPolicy(policy)


def _placed(layout: QLayout | None) -> Iterator[QWidget]:
    if layout is None:
        return
    for place in range(layout.count()):
        item = layout.itemAt(place)
        assert item is not None
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            yield widget
            yield from _placed(widget.layout())
        else:
            yield from _placed(inner)
