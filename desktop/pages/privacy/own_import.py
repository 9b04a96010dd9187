"""Bringing an export of Bureau back: what is new, the same, different or was erased here, and its owner's choice."""

from collections.abc import Callable

from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPushButton, QVBoxLayout, QWidget

from desktop.pages.folding import FlowLayout
from desktop.pages.page import label
from desktop.pages.privacy.verifying import signed_words
from desktop.pages.privacy.words import all_counted
from desktop.wording import plural
from memory.transfer.comparing import Choice, Verdict
from memory.transfer.importing import Preview
from memory.transfer.merging import Merged
from resources.language import gettext as _


class OwnPreview(QWidget):
    """What would come in, with the choices that it needs."""

    def __init__(self, found: Preview) -> None:
        super().__init__()
        self._found = found
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(label(new_words(found.counts), wrap=True))
        for words in self._others():
            column.addWidget(label(words, wrap=True))
        column.addWidget(label(signed_words(found.signed), "small"))
        undecided, erased = found.total("undecided"), found.total("erased")
        self.differing = QComboBox()
        self.differing.setAccessibleName(_("Which of two versions stays"))
        self.differing.addItem(_("Keep what is here"), "mine")
        self.differing.addItem(_("Take what the export has"), "theirs")
        self.differing.setVisible(bool(undecided))
        column.addWidget(self.differing)
        self.erased = QCheckBox(_("Bring back what was erased here"))
        self.erased.setVisible(bool(erased))
        column.addWidget(self.erased)

    @property
    def choice(self) -> Choice:
        """What its owner decided."""
        return Choice(skip_erased=not self.erased.isChecked(), differing=self.differing.currentData())

    @property
    def empty(self) -> bool:
        """Whether there is nothing to bring in, whatever is chosen."""
        return not any(self._found.total(verdict) for verdict in ("new", "theirs", "undecided", "erased"))

    def _others(self) -> list[str]:
        found = self._found
        same = found.total("same") + found.total("mine")
        erased, undecided = found.total("erased"), found.total("undecided")
        lines = (
            (
                same,
                plural("{count} record is here already", "{count} records are here already", same),
            ),
            (
                undecided,
                plural("{count} record differs from yours", "{count} records differ from yours", undecided),
            ),
            (
                erased,
                plural(
                    "{count} record was erased here and stays out",
                    "{count} records were erased here and stay out",
                    erased,
                ),
            ),
        )
        return [words for number, words in lines if number]


def new_words(counts: dict[str, dict[Verdict, int]]) -> str:
    """Return what comes in, by kind."""
    new = {
        kind: sum(verdicts.get(verdict, 0) for verdict in ("new", "theirs"))
        for kind, verdicts in counts.items()
    }
    return _("New: {what}").format(what=all_counted(new))


def done_words(merged: Merged) -> list[str]:
    """Return what came in, in lines."""
    lines = [new_words(merged.counts)]
    if merged.orphans:
        left = plural(
            "{count} record stayed out, because what it belongs to is not here",
            "{count} records stayed out, because what they belong to is not here",
            merged.orphans,
        )
        lines.append(left)
    return lines


class PassphraseQuestion(QWidget):
    """Asks for the passphrase of an encrypted export; ``use(passphrase)`` is called with it."""

    def __init__(self, use: Callable[[str], None], leave: Callable[[], None], fault: str = "") -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(label(_("This export is encrypted. Type its passphrase."), wrap=True))
        self.field = QLineEdit()
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setAccessibleName(_("Passphrase of the export"))
        self.field.returnPressed.connect(lambda: use(self.field.text()))
        column.addWidget(self.field)
        if fault:
            column.addWidget(label(fault, "danger", wrap=True))
        row = FlowLayout()
        go = QPushButton(_("Open"))
        go.setProperty("kind", "primary")
        go.clicked.connect(lambda: use(self.field.text()))
        back = QPushButton(_("Choose another"))
        back.clicked.connect(leave)
        row.addWidget(go)
        row.addWidget(back)
        column.addLayout(row)
        self.setFocusProxy(self.field)
