"""The five steps of a key check, each with its outcome as it becomes known."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from agents.connections.check import STEPS, Step
from desktop.pages.page import label
from desktop.theme.appearance import appearance, look
from desktop.theme.icons import icon_pixmap
from resources.language import gettext as _

_ICON = 16


def step_title(name: str) -> str:
    """Return what a step finds out."""
    return {
        "reachable": _("The provider answers"),
        "key": _("The key is accepted"),
        "model": _("A model answers"),
        "images": _("It sees images"),
        "tools": _("It calls tools"),
    }[name]


class CheckSteps(QWidget):
    """Five lines: a sign, what is found out, what was found."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(_("Steps of the key check"))
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(1, 1)
        self._signs: dict[str, QLabel] = {}
        self._sentences: dict[str, QLabel] = {}
        self._states: dict[str, str] = {}
        for row, name in enumerate(STEPS):
            sign = QLabel()
            sentence = label(step_title(name), "dim", wrap=True)
            self._grid.addWidget(sign, row, 0)
            self._grid.addWidget(sentence, row, 1)
            self._signs[name], self._sentences[name] = sign, sentence
        appearance().changed.connect(self._tint)
        self.begin()

    def begin(self) -> None:
        """Show all steps as not yet tried."""
        for name in STEPS:
            self._set(name, "waiting", step_title(name))

    def show_rows(self, rows: Sequence[dict[str, Any]]) -> None:
        """Show the stored results of an earlier check."""
        self.begin()
        for row in rows:
            if row.get("name") in self._signs:
                self._set(row["name"], row.get("state", ""), row.get("sentence", ""))

    async def follow(self, steps: AsyncIterator[Step]) -> list[Step]:
        """Show each step as it is known and return all of them."""
        self.begin()
        found: list[Step] = []
        self._set(STEPS[0], "running", step_title(STEPS[0]))
        async for step in steps:
            found.append(step)
            self._set(step.name, step.state, step.sentence)
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, step.sentence))
            if len(found) < len(STEPS) and step.state not in ("failed", "skipped"):
                name = STEPS[len(found)]
                self._set(name, "running", step_title(name))
        return found

    def states(self) -> dict[str, str]:
        """Return the state of each step: waiting, running, passed, failed, no or skipped."""
        return dict(self._states)

    def _set(self, name: str, state: str, sentence: str) -> None:
        self._states[name] = state
        words = self._sentences[name]
        # One line says why the rest was not tried; four more would hide it.
        words.setVisible(state != "skipped")
        self._signs[name].setVisible(state != "skipped")
        words.setText(sentence)
        role = {"passed": "", "failed": "danger", "running": ""}.get(state, "dim")
        if words.property("role") != role:
            words.setProperty("role", role)
            words.style().unpolish(words)
            words.style().polish(words)
        self._tint_one(name)

    def _tint(self) -> None:
        for name in self._signs:
            self._tint_one(name)

    def _tint_one(self, name: str) -> None:
        theme = look().theme
        picture, ink = {
            "passed": ("check", theme.ok),
            "failed": ("close", theme.danger),
            "running": ("clock", theme.accent),
        }.get(self._states[name], ("minus", theme.dim))
        self._signs[name].setPixmap(icon_pixmap(picture, ink, look().px(_ICON)))
