"""Settings: everything that is declared, with its sentence, found by search."""

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from desktop.pages.folding import FoldingRow
from desktop.pages.lock_section import LockSection
from desktop.pages.page import Page, card, label
from desktop.pages.recovery import RecoverySection
from desktop.session import Session
from desktop.theme.appearance import appearance, look
from desktop.widgets.search_field import SearchField
from desktop.widgets.spin_box import AmountBox, WholeBox
from memory.errors import Refused
from memory.settings import Setting, declared
from resources.language import gettext as _

_MICROS = 1_000_000
_SEARCH, _CONTROL = 240, 170
_MOST_DOLLARS = 100_000


def group_titles() -> dict[str, str]:
    """Return the titles of the groups by the first word of their settings' keys."""
    return {
        "appearance": _("Look"),
        "composer": _("Writing"),
        "runs": _("Work"),
        "budget": _("Spending"),
        "recall": _("Recall"),
        "network": _("Network"),
        "alerts": _("Attention"),
        "trash": _("Trash"),
        "erasure": _("Deep erase"),
        "backup": _("Backups"),
        "lock": _("App lock"),
    }


class SettingsPage(Page):
    """One card for each group; what does not match the search is hidden."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Settings"))
        self.search = SearchField(_("Search settings"))
        self.search.textChanged.connect(self._filter)
        self.header_row.addWidget(self.search)
        self.controls: dict[str, _Control] = {}
        self._rows: list[tuple[str, QWidget, QFrame]] = []
        self._cards: list[QFrame] = []
        self._nothing = label(_("No setting matches these words."), "dim")
        self._nothing.hide()
        self._build()
        self.column.addWidget(self._nothing)
        self.column.addStretch(1)
        session.preferences.on_change(self._show_value)
        appearance().changed.connect(self._fit_search)
        self._fit_search()

    async def load(self) -> None:
        for key, control in self.controls.items():
            control.show_value(self.session.preferences.value(key))
        self.show_content()

    def focus_setting(self, key: str) -> None:
        """Bring one setting into sight and give it the focus."""
        self.search.clear()
        self.controls[key].widget.setFocus(Qt.FocusReason.OtherFocusReason)

    def _fit_search(self) -> None:
        self.search.setMaximumWidth(look().px(_SEARCH))

    def _build(self) -> None:
        groups: dict[str, QVBoxLayout] = {}
        for setting in declared():
            if setting.kind == "state":
                continue
            name = setting.key.split(".")[0]
            if name not in groups:
                frame, groups[name] = self._group(group_titles().get(name, name))
            else:
                frame = self._cards[-1]
                line = QFrame()
                line.setProperty("kind", "line")
                groups[name].addWidget(line)
            control = control_for(setting, partial(self._change, setting.key))
            self.controls[setting.key] = control
            row = _row(setting, control)
            groups[name].addWidget(row)
            self._rows.append((f"{setting.title} {setting.sentence} {setting.key}".casefold(), row, frame))
        lock = LockSection(self.session)
        frame, column = self._group(_("Passphrase of the lock"))
        column.addWidget(lock)
        self._rows.append((_("lock passphrase screen sleep idle").casefold(), lock, frame))
        section = RecoverySection(self.session)
        frame, column = self._group(_("Recovery key"))
        column.addWidget(section)
        self._rows.append((_("recovery key words keyring passphrase").casefold(), section, frame))

    def _group(self, title: str) -> tuple[QFrame, QVBoxLayout]:
        frame, column = card()
        column.addWidget(label(title, "heading"))
        self._cards.append(frame)
        self.column.addWidget(frame)
        return frame, column

    def _filter(self, text: str) -> None:
        words = text.casefold().split()
        seen: set[QFrame] = set()
        for searched, row, frame in self._rows:
            match = all(word in searched for word in words)
            row.setVisible(match)
            if match:
                seen.add(frame)
        for frame in self._cards:
            frame.setVisible(frame in seen)
        self._nothing.setVisible(not seen)

    def _change(self, key: str, value: Any) -> None:
        self.session.spawn(self._store(key, value), name=f"change {key}")

    async def _store(self, key: str, value: Any) -> None:
        control = self.controls[key]
        try:
            await self.session.preferences.change(key, value)
        except Refused as error:
            control.show_fault(str(error))
        else:
            control.show_fault("")

    def _show_value(self, key: str, value: Any) -> None:
        if key in self.controls:
            self.controls[key].show_value(value)


class _Control:
    """The widget of one setting; ``show_value`` does not report back what it shows."""

    def __init__(self, widget: QWidget, show: Callable[[Any], None]) -> None:
        self.widget = widget
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self._show = show

    def show_value(self, value: Any) -> None:
        self.widget.blockSignals(True)
        self._show(value)
        self.widget.blockSignals(False)

    def show_fault(self, sentence: str) -> None:
        self.fault.setText(sentence)
        self.fault.setVisible(bool(sentence))


def control_for(setting: Setting, change: Callable[[Any], None]) -> _Control:
    """Return the widget that fits a setting's kind."""
    control = {
        "switch": _switch,
        "choice": _choice,
        "whole number": _number,
        "amount": _amount,
        "text": _text,
    }[setting.kind](setting, change)
    control.widget.setAccessibleName(setting.title)
    control.widget.setAccessibleDescription(setting.sentence)
    return control


def _switch(_setting: Setting, change: Callable[[Any], None]) -> _Control:
    box = QCheckBox()
    box.toggled.connect(change)
    return _Control(box, box.setChecked)


def _choice(setting: Setting, change: Callable[[Any], None]) -> _Control:
    box = QComboBox()
    for value, words in setting.choices:
        box.addItem(words, value)
    box.currentIndexChanged.connect(lambda index: change(box.itemData(index)))
    return _Control(box, lambda value: box.setCurrentIndex(max(0, box.findData(value))))


def _number(setting: Setting, change: Callable[[Any], None]) -> _Control:
    box = WholeBox()
    box.setRange(setting.minimum or 0, setting.maximum if setting.maximum is not None else 2**31 - 1)
    box.setSuffix(f" {setting.unit}" if setting.unit else "")
    box.setSingleStep(5 if setting.unit == "%" else 1)
    box.setKeyboardTracking(False)
    box.valueChanged.connect(change)
    return _Control(box, box.setValue)


def _amount(_setting: Setting, change: Callable[[Any], None]) -> _Control:
    box = AmountBox()
    # The value below every amount stands for no limit.
    box.setRange(-0.01, _MOST_DOLLARS)
    box.setSpecialValueText(_("no limit"))
    box.setPrefix("$")
    box.setDecimals(2)
    box.setSingleStep(0.5)
    box.setKeyboardTracking(False)
    box.valueChanged.connect(lambda dollars: change(None if dollars < 0 else round(dollars * _MICROS)))
    return _Control(box, lambda micros: box.setValue(-0.01 if micros is None else micros / _MICROS))


def _text(_setting: Setting, change: Callable[[Any], None]) -> _Control:
    field = QLineEdit()
    field.editingFinished.connect(lambda: change(field.text().strip()))
    return _Control(field, field.setText)


def _row(setting: Setting, control: _Control) -> QWidget:
    words = QVBoxLayout()
    words.setSpacing(2)
    words.addWidget(label(setting.title, "strong"))
    words.addWidget(label(setting.sentence, "small", wrap=True))
    words.addWidget(control.fault)
    row = FoldingRow(0 if setting.kind == "switch" else 380, gap=10)
    row.row.setContentsMargins(0, 4, 0, 4)
    row.row.addLayout(words, 1)
    if setting.kind != "switch":
        control.widget.setMinimumWidth(look().px(_CONTROL))
    row.row.addWidget(control.widget, 0, Qt.AlignmentFlag.AlignVCenter)
    return row
