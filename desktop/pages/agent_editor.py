"""The editor of one agent: everything its Markdown file holds."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from desktop.chats.tool_wording import tool_names
from desktop.pages.avatar import COLOUR_NAMES
from desktop.pages.page import card, clear, label
from desktop.session import Session
from desktop.theme.appearance import appearance, look
from desktop.widgets.spin_box import AmountBox, WholeBox
from memory.accounts import Connection
from memory.errors import Refused
from memory.roster import Agent
from resources.language import gettext as _

_MICROS = 1_000_000
_WIDTH = 760
_FOLDS_BELOW = 520
_INSTRUCTIONS, _PERSONALITY = 180, 60


class AgentEditor(QWidget):
    """``closed`` comes when the agent was saved or the owner went back."""

    closed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._agent: Agent | None = None
        self.name = _field(_("Name"))
        self.role = _field(_("What it is for, in one sentence"))
        self.colour = QComboBox()
        self.colour.setAccessibleName(_("Colour"))
        for name in ("", *COLOUR_NAMES):
            self.colour.addItem(name or _("by its name"), name)
        self.emoji = _field(_("An emoji, or nothing"))
        self.emoji.setAccessibleName(_("Emoji"))
        self.emoji.setMaximumWidth(160)
        self.emoji.setMinimumWidth(60)
        self.instructions = _text(_("What it does and how. Agents read this before every answer."))
        self.personality = _text(_("Tone and manner, if it matters."))
        self.language = _field(_("as the owner writes"))
        self.connection = QComboBox()
        self.model = QComboBox()
        self.model.setEditable(True)
        self.effort = QComboBox()
        for value, words in (("quick", _("quick")), ("normal", _("normal")), ("deep", _("deep"))):
            self.effort.addItem(words, value)
        self.temperature = _amount(-0.05, 2, 0.05, _("as the model's own"), "")
        self.max_tokens = WholeBox()
        self.max_tokens.setRange(0, 1_000_000)
        self.max_tokens.setSingleStep(256)
        self.max_tokens.setSpecialValueText(_("as the model's own"))
        self.run_cap = _amount(-0.01, 100_000, 0.1, _("as in Settings"), "$")
        self.day_cap = _amount(-0.01, 100_000, 0.5, _("as in Settings"), "$")
        self.accepts = QCheckBox(_("Keeps its notes unasked"))
        self.tools: dict[str, QCheckBox] = {}
        self._tool_row = QVBoxLayout()
        self.recipients: dict[str, QCheckBox] = {}
        self._recipient_column = QVBoxLayout()
        for column in (self._tool_row, self._recipient_column):
            column.setSpacing(6)
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self.save = QPushButton(_("Save"))
        self.save.setProperty("kind", "primary")
        self.save.clicked.connect(lambda: session.spawn(self._save(), name="save an agent"))
        self.connection.currentIndexChanged.connect(self._list_models)
        self._models: dict[str, tuple[str, ...]] = {}
        self._lay_out()

    async def begin(self, agent: Agent | None) -> None:
        """Show an agent's fields; None shows those of a new one."""
        self._agent = agent
        self.fault.hide()
        connections = await self._session.office.connections.all()
        self._models = {each.id: tuple(str(row["id"]) for row in each.models) for each in connections}
        self.connection.clear()
        self.connection.addItem(_("the default key"), None)
        for each in connections:
            self.connection.addItem(each.label, each.id)
        self._title.setText(_("Edit {name}").format(name=agent.name) if agent else _("New agent"))
        colour, _space, emoji = (agent.avatar if agent else "").partition(" ")
        texts = {
            self.name: agent.name if agent else "",
            self.role: agent.role if agent else "",
            self.language: agent.language if agent else "",
            self.emoji: emoji,
        }
        for field, text in texts.items():
            field.setText(text)
            field.home(False)
        self.instructions.setPlainText(agent.instructions if agent else "")
        self.personality.setPlainText(agent.personality if agent else "")
        self.colour.setCurrentIndex(max(0, self.colour.findData(colour)))
        self.connection.setCurrentIndex(
            max(0, self.connection.findData(agent.connection_id if agent else None))
        )
        self._list_models()
        self.model.setCurrentText(agent.model if agent else "")
        self.effort.setCurrentIndex(max(0, self.effort.findData(agent.effort if agent else "normal")))
        self._show_numbers(agent)
        self.accepts.setChecked(agent.accepts_own_notes if agent else False)
        self._list_tools(agent)
        self._list_recipients(connections, agent.recipients if agent else ())
        self.name.setFocus()

    def _show_numbers(self, agent: Agent | None) -> None:
        temperature = agent.temperature if agent else None
        self.temperature.setValue(self.temperature.minimum() if temperature is None else temperature)
        self.max_tokens.setValue((agent.max_tokens if agent else None) or 0)
        for box, cap in (
            (self.run_cap, agent.run_cap if agent else None),
            (self.day_cap, agent.day_cap if agent else None),
        ):
            box.setValue(box.minimum() if cap is None else cap / _MICROS)

    def values(self) -> dict[str, Any]:
        """Return the fields as the roster takes them."""

        def above_least(box: QDoubleSpinBox) -> float | None:
            return None if box.value() <= box.minimum() else round(box.value(), 4)

        run_cap, day_cap = above_least(self.run_cap), above_least(self.day_cap)
        return {
            "role": self.role.text().strip(),
            "avatar": f"{self.colour.currentData()} {self.emoji.text().strip()}".strip()
            if self.colour.currentData()
            else "",
            "personality": self.personality.toPlainText().strip(),
            "language": self.language.text().strip(),
            "instructions": self.instructions.toPlainText().strip(),
            "connection_id": self.connection.currentData(),
            "model": self.model.currentText().strip(),
            "temperature": above_least(self.temperature),
            "max_tokens": self.max_tokens.value() or None,
            "effort": self.effort.currentData(),
            "tools": tuple(name for name, box in self.tools.items() if box.isChecked()),
            "recipients": tuple(host for host, box in self.recipients.items() if box.isChecked()),
            "accepts_own_notes": self.accepts.isChecked(),
            "run_cap": None if run_cap is None else round(run_cap * _MICROS),
            "day_cap": None if day_cap is None else round(day_cap * _MICROS),
        }

    async def _save(self) -> None:
        roster = self._session.office.roster
        try:
            if self._agent is None:
                agent = await roster.add(self.name.text(), **self.values())
            else:
                agent = await roster.change(self._agent.id, name=self.name.text(), **self.values())
        except Refused as error:
            self.fault.setText(str(error))
            self.fault.show()
            self.name.setFocus()
            return
        self._session.notify(_("{name} is saved.").format(name=agent.name))
        self.closed.emit()

    def _list_models(self) -> None:
        text = self.model.currentText()
        self.model.clear()
        chosen = self.connection.currentData()
        first = next(iter(self._models), None)
        self.model.addItems(list(self._models.get(chosen or first or "", ())))
        self.model.setCurrentText(text)
        field = self.model.lineEdit()
        if field is not None:
            field.setPlaceholderText(_("the key's default model"))

    def _list_tools(self, agent: Agent | None) -> None:
        if not self.tools:
            for name, title in tool_names().items():
                self.tools[name] = QCheckBox(title)
                self._tool_row.addWidget(self.tools[name])
        for name, box in self.tools.items():
            box.setChecked(name in agent.tools if agent else True)

    def _list_recipients(self, connections: Sequence[Connection], chosen: Sequence[str]) -> None:
        """Show a box for each host that the office has an account at, and for each that was chosen before."""
        clear(self._recipient_column)
        hosts = dict.fromkeys((*(urlsplit(each.base_url).netloc for each in connections), *chosen))
        self.recipients = {host: QCheckBox(host) for host in hosts}
        for host, box in self.recipients.items():
            box.setChecked(host in chosen)
            self._recipient_column.addWidget(box)
        self._recipient_column.addWidget(
            label(_("Its requests go to those that are ticked only; to any if none is."), "small", wrap=True)
        )
        self._form.setRowVisible(self._recipient_column, bool(hosts))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = event.size().width() < look().px(_FOLDS_BELOW)
        policy = QFormLayout.RowWrapPolicy
        self._form.setRowWrapPolicy(policy.WrapAllRows if narrow else policy.DontWrapRows)

    def _lay_out(self) -> None:
        self._title = label("", "heading", wrap=True)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        back = QPushButton(_("Back"))
        back.clicked.connect(self.closed)
        head.addWidget(back)
        head.addWidget(self.save)
        frame, inner = card()
        self._frame = frame
        form = self._form = QFormLayout()
        for box in (self.colour, self.connection, self.model, self.effort):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setHorizontalSpacing(18)
        form.setVerticalSpacing(10)
        face = QHBoxLayout()
        face.setSpacing(8)
        face.addWidget(self.colour)
        face.addWidget(self.emoji)
        face.addStretch(1)
        for title, field in (
            (_("Name"), self.name),
            (_("Role"), self.role),
            (_("Face"), face),
            (_("Instructions"), self.instructions),
            (_("Personality"), self.personality),
            (_("Language"), self.language),
            (_("Key"), self.connection),
            (_("Model"), self.model),
            (_("Effort"), self.effort),
            (_("Temperature"), self.temperature),
            (_("Most tokens"), self.max_tokens),
            (_("Cap per run"), self.run_cap),
            (_("Cap per day"), self.day_cap),
            (_("Tools"), self._tool_row),
            (_("Providers"), self._recipient_column),
            (_("Memory"), self.accepts),
        ):
            form.addRow(title, field)
            if isinstance(field, QWidget):
                field.setAccessibleName(title)
        inner.addLayout(head)
        inner.addWidget(self.fault)
        inner.addLayout(form)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(frame, 1000)
        middle.addStretch(1)
        column.addLayout(middle)
        column.addStretch(1)
        appearance().changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self._frame.setMaximumWidth(look().px(_WIDTH))
        for field, height in ((self.instructions, _INSTRUCTIONS), (self.personality, _PERSONALITY)):
            field.setFixedHeight(look().px(height))


def _field(hint: str) -> QLineEdit:
    field = QLineEdit()
    field.setPlaceholderText(hint)
    return field


def _text(hint: str) -> QPlainTextEdit:
    field = QPlainTextEdit()
    field.setProperty("kind", "field")
    field.setPlaceholderText(hint)
    field.setTabChangesFocus(True)
    return field


def _amount(least: float, most: float, step: float, least_words: str, prefix: str) -> QDoubleSpinBox:
    box = AmountBox()
    box.setRange(least, most)
    box.setSingleStep(step)
    box.setDecimals(2)
    box.setPrefix(prefix)
    box.setSpecialValueText(least_words)
    return box
