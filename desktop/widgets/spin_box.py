"""Fields for numbers and days whose digits keep the same distance from the frame as the words of other fields."""

from PySide6.QtCore import QDate, QDateTime, QTime
from PySide6.QtWidgets import QAbstractSpinBox, QDateEdit, QDoubleSpinBox, QSpinBox

from desktop.theme.appearance import appearance, look

_INSET = 7


class WholeBox(QSpinBox):
    """A field for a whole number."""

    def __init__(self) -> None:
        super().__init__()
        appearance().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        _inset(self)


class AmountBox(QDoubleSpinBox):
    """A field for a number with decimals."""

    def __init__(self) -> None:
        super().__init__()
        appearance().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        _inset(self)


class DayBox(QDateEdit):
    """A field for a day up to today, written as 2026-01-31."""

    def __init__(self, day: QDate) -> None:
        super().__init__(day)
        self.setMaximumDate(QDate.currentDate())
        self.setDisplayFormat("yyyy-MM-dd")
        appearance().changed.connect(self._fit)
        self._fit()

    def start(self) -> int:
        """Return the instant at which the day begins here, in milliseconds."""
        return QDateTime(self.date(), QTime(0, 0)).toMSecsSinceEpoch()

    def _fit(self) -> None:
        _inset(self)


def _inset(box: QAbstractSpinBox) -> None:
    # The style sheet's padding does not reach the text of a field whose arrows are styled.
    margin = look().px(_INSET)
    box.lineEdit().setTextMargins(margin, 0, margin, 0)
