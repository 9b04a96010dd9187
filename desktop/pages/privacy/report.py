"""An erase report: what went, what was searched for traces of it, what was found, and who still has a copy."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QPushButton

from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.page import Card, clear, label
from desktop.pages.privacy.words import all_counted
from desktop.session import Session
from desktop.theme.appearance import look
from desktop.wording import count, moment, plural, size
from memory.lifecycle import reports
from memory.lifecycle.reports import Copy, EraseReport
from resources.language import gettext as _
from resources.language import ngettext


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a report; ``role`` is the label's role in the style sheet."""

    name: str
    words: str
    role: str = ""


def state_words(report: EraseReport) -> tuple[str, str]:
    """Return what the search for traces came to, and the role of the label that says it."""
    return {
        "scanning": (_("every file and page is being searched"), "dim"),
        "clean": (_("nothing found"), "ok"),
        "traces": (_("traces found"), "danger"),
        "cut_short": (_("the search was cut short"), "warn"),
    }[report.state]


def level_words(report: EraseReport) -> str:
    """Return how thoroughly it was erased and searched."""
    return {
        "quick": _("what was touched was searched"),
        "full": _("every file and every page of the database was searched"),
        "deep": _("the database has another key, then everything was searched"),
    }[report.level]


def lines(report: EraseReport, copies: Sequence[Copy]) -> list[Line]:
    """Return the report line by line."""
    state, role = state_words(report)
    result = [
        Line(_("When"), moment(report.at)),
        Line(_("Erased"), all_counted(report.counts) if report.counts else _("what went before")),
        Line(_("How"), level_words(report)),
        Line(_("Result"), state, role),
    ]
    proof: dict[str, Any] = report.proof.get(report.level, {})
    if proof:
        result += _searched(proof)
    result += [
        Line(
            _("Copy that still has it"),
            f"{copy.path} ({_('export') if copy.kind == 'export' else _('backup')}, {moment(copy.at)})",
            "warn",
        )
        for copy in copies
    ]
    if said := reports.claim(report, copies):
        result.append(Line(_("In short"), said, "ok"))
    result += [Line(_("Former key"), words, "warn") for words in reports.warnings(report.openers)]
    if not copies:
        result.append(Line(_("Copies"), _("no export and no backup made here still has it")))
    result.append(Line(_("Not covered"), not_covered(report)))
    return result


def not_covered(report: EraseReport) -> str:
    """Return what the report cannot speak for."""
    said = _(
        "What was sent to a provider (see Outbox), files you saved yourself, memory and swap of this machine, "
        "and worn cells of its disk."
    )
    if report.level != "deep":
        said += " " + _("A deep erase also makes unreadable what the disk still holds of the former file.")
    return said


def as_text(report: EraseReport, copies: Sequence[Copy]) -> str:
    """Return the report as a text to be kept."""
    heading = _("Erase report {id}").format(id=report.id)
    return "\n".join([heading, "", *(f"{line.name}: {line.words}" for line in lines(report, copies)), ""])


def _searched(proof: dict[str, Any]) -> list[Line]:
    files = ngettext("{count} file ({size})", "{count} files ({size})", proof.get("files", 0))
    pages = plural("{count} page of the database", "{count} pages of the database", proof.get("pages", 0))
    searched = ", ".join(
        (
            files.format(count=count(proof.get("files", 0)), size=size(proof.get("bytes", 0))),
            pages,
        )
    )
    prints = plural("{count} fingerprint", "{count} fingerprints", proof.get("fingerprints", 0))
    result = [
        Line(_("Searched"), searched),
        Line(_("For"), prints),
    ]
    if proof.get("traces"):
        places = ", ".join(f"{place} ({count(number)})" for place, number in proof["found"].items())
        result.append(Line(_("Found in"), places, "danger"))
    if proof.get("said_elsewhere"):
        same = plural(
            "{count} piece also stands in something you keep",
            "{count} pieces also stand in something you keep",
            proof["said_elsewhere"],
        )
        result.append(Line(_("Kept elsewhere"), same))
    if proof.get("too_short"):
        short = plural(
            "{count} text is too short to be told from chance",
            "{count} texts are too short to be told from chance",
            proof["too_short"],
        )
        result.append(Line(_("Not searched for"), short))
    if proof.get("unread"):
        unread = plural("{count} file", "{count} files", proof["unread"])
        result.append(Line(_("Could not be read"), unread, "warn"))
    return result


class ReportView(Card):
    """One report in a card; ``closed`` when its reader goes back."""

    closed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.setAccessibleName(_("Erase report"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.shown: EraseReport | None = None
        self._copies: tuple[Copy, ...] = ()

    async def show_report(self, report_id: str) -> None:
        """Read a report and show it. Raises NotFound."""
        database = self._session.office.database
        report = await database.read(reports.report, report_id)
        self._copies = await database.read(reports.copies, report.copies)
        self.shown = report
        clear(self.column)
        self.column.addWidget(label(_("Erase report"), "heading"))
        found = lines(report, self._copies)
        self.setAccessibleDescription(". ".join(f"{line.name}: {line.words}" for line in found))
        names = [label(line.name, "small") for line in found]
        widest = max(name.sizeHint().width() for name in names)
        for name, line in zip(names, found, strict=True):
            row = FoldingRow(420, gap=2)
            name.setMinimumWidth(widest + look().px(16))
            row.row.addWidget(name, 0, Qt.AlignmentFlag.AlignTop)
            row.row.addWidget(label(line.words, line.role, wrap=True), 1)
            self.column.addWidget(row)
        doors = FlowLayout()
        for words, act in ((_("Save the report…"), self._save), (_("Back"), self.closed.emit)):
            button = QPushButton(words)
            button.clicked.connect(act)
            doors.addWidget(button)
        self.column.addLayout(doors)

    def _save(self) -> None:
        assert self.shown is not None
        name = f"bureau-erase-report-{self.shown.id[:8]}.txt"
        dialog = QFileDialog(self, _("Save the erase report"), str(Path.home() / name))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("txt")
        dialog.fileSelected.connect(
            lambda path: self._session.spawn(self.save_to(Path(path)), name="save an erase report")
        )
        dialog.open()

    async def save_to(self, path: Path) -> None:
        """Write the report as a text. Raises OSError."""
        assert self.shown is not None
        await asyncio.to_thread(path.write_text, as_text(self.shown, self._copies), encoding="utf-8")
        self._session.notify(_("The report is written to {file}.").format(file=path.name))
