"""What the widgets of all rows report; one object per view, so that a recycled row needs no reconnecting."""

from PySide6.QtCore import QObject, Signal


class RowEvents(QObject):
    """Signals of rows, cards and segments.

    ``link(url)``; ``citation(message id, index)``; ``attachment(message id, attachment id)``;
    ``action(message id, name)``; ``branch(message id, step)``; ``folded(message id, part, open)``;
    ``resized(card)`` when a card wants another height; ``hovered(card or None)``;
    ``menu(card, global position)``; ``pressed``, ``moved``, ``released``, ``word_selected``: the selection.
    """

    link = Signal(str)
    citation = Signal(str, int)
    attachment = Signal(str, str)
    action = Signal(str, str)
    branch = Signal(str, int)
    folded = Signal(str, str, bool)
    resized = Signal(object)
    hovered = Signal(object)
    menu = Signal(object, object)
    pressed = Signal(object, object, object)
    moved = Signal(object, object)
    released = Signal(object, object)
    word_selected = Signal(object)
