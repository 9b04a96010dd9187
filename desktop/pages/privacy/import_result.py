"""What an archive holds or brought in, as cards with what to do next."""

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout

from agents.lifecycle.bringing_in import Brought
from desktop.pages.folding import FlowLayout
from desktop.pages.page import Card, clear, label
from desktop.pages.privacy.own_import import OwnPreview, PassphraseQuestion
from desktop.pages.privacy.problems import Problems
from desktop.pages.privacy.words import all_counted
from desktop.wording import local, moment, plural
from memory.transfer.foreign_import import Summary
from memory.transfer.imports_made import ImportMade
from resources.language import gettext as _

SOURCES = {"chatgpt": "ChatGPT", "claude": "Claude", "bureau": "Bureau"}


class ImportResult(Card):
    """What an archive holds, or what came in, with what to do next."""

    def __init__(self) -> None:
        super().__init__()
        self.hide()

    def show_preview(self, found: Brought, bring: Callable[[], None], leave: Callable[[], None]) -> None:
        """Say what would come in."""
        said = found.summary
        source = SOURCES[found.source]
        self._show(_("An export of {app}: {name}").format(app=source, name=found.name), found)
        new = said.conversations or said.agents or said.notes
        if not new:
            self.column.insertWidget(1, label(_("There is nothing new in it."), wrap=True))
        doors: list[tuple[str, str, Callable[[], None]]] = [(_("Choose another"), "", leave)]
        if new:
            doors.insert(0, (_("Bring it in"), "primary", bring))
        self._add_doors(doors)

    def ask_passphrase(
        self, name: str, use: Callable[[str], None], leave: Callable[[], None], fault: str
    ) -> None:
        """Ask for what opens an encrypted export."""
        question = PassphraseQuestion(use, leave, fault)
        self._begin(name)
        self.column.addWidget(question)
        self.show()
        question.setFocus()

    def show_own(
        self, name: str, preview: OwnPreview, bring: Callable[[], None], leave: Callable[[], None]
    ) -> None:
        """Say what an export of Bureau would bring in."""
        self._begin(_("An export of {app}: {name}").format(app="Bureau", name=name))
        self.column.addWidget(preview)
        doors: list[tuple[str, str, Callable[[], None]]] = [(_("Choose another"), "", leave)]
        if not preview.empty:
            doors.insert(0, (_("Bring it in"), "primary", bring))
        self.show()
        self._add_doors(doors)

    def show_own_done(
        self, name: str, lines: Sequence[str], chats: Callable[[], None], leave: Callable[[], None]
    ) -> None:
        """Say what came in from an export of Bureau."""
        self._begin(_("{name} is brought in").format(name=name))
        for line in lines:
            self.column.addWidget(label(line, wrap=True))
        self.show()
        self._add_doors([(_("Show the chats"), "primary", chats), (_("Bring in another"), "", leave)])

    def show_done(self, brought: Brought, chats: Callable[[], None], leave: Callable[[], None]) -> None:
        """Say what came in."""
        self._show(_("{name} is brought in").format(name=brought.name), brought)
        self._add_doors([(_("Show the chats"), "primary", chats), (_("Bring in another"), "", leave)])

    def _show(self, title: str, found: Brought) -> None:
        self._begin(title)
        for line in summary_lines(found.summary):
            self.column.addWidget(label(line, wrap=True))
        if found.problems:
            said = [(each.subject, each.reason) for each in found.problems]
            self.column.addWidget(Problems(said, found.summary.problems))
        self.setAccessibleDescription(" ".join(summary_lines(found.summary)))
        self.show()

    def _begin(self, title: str) -> None:
        clear(self.column)
        self.column.addWidget(label(title, "heading", wrap=True))
        self.setAccessibleName(title)

    def _add_doors(self, doors: Sequence[tuple[str, str, Callable[[], None]]]) -> None:
        row = FlowLayout()
        for words, kind, act in doors:
            button = QPushButton(words)
            button.setProperty("kind", kind)
            button.clicked.connect(act)
            row.addWidget(button)
            if kind == "primary":
                button.setFocus()
        self.column.addLayout(row)


class MadeCard(QFrame):
    """One import of before."""

    def __init__(self, made: ImportMade) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(4)
        facts = f"{SOURCES.get(made.source, made.source)} · {moment(made.at)}"
        kinds = ("conversations", "messages", "files", "memory", "notes", "agents")
        counts = {("memory" if kind == "notes" else kind): made.counts.get(kind, 0) for kind in kinds}
        column.addWidget(label(made.name, "strong", wrap=True))
        column.addWidget(label(f"{facts} · {all_counted(counts)}", "small", wrap=True))
        self.setAccessibleName(f"{made.name}, {facts}")
        if made.problems:
            said = [(str(each.get("subject", "")), str(each.get("reason", ""))) for each in made.problems]
            column.addWidget(Problems(said, made.counts.get("problems", len(said))))


def summary_lines(found: Summary) -> list[str]:
    """Return what an archive holds in sentences, one a line."""
    counts = {
        "conversations": found.conversations,
        "messages": found.messages,
        "files": found.files,
        "agents": found.agents,
        "memory": found.notes,
    }
    result = [all_counted(counts)]
    if found.earliest is not None and found.latest is not None:
        first, last = local(found.earliest), local(found.latest)
        result.append(_("from {first} to {last}").format(first=f"{first:%Y-%m-%d}", last=f"{last:%Y-%m-%d}"))
    more = (
        (
            found.hidden,
            plural(
                "{count} message that the other app did not show comes along, out of sight",
                "{count} messages that the other app did not show come along, out of sight",
                found.hidden,
            ),
        ),
        (
            found.grown,
            plural(
                "{count} chat that is here gets what is new in it",
                "{count} chats that are here get what is new in them",
                found.grown,
            ),
        ),
        (
            found.already_here,
            plural(
                "{count} chat is here already and stays as it is",
                "{count} chats are here already and stay as they are",
                found.already_here,
            ),
        ),
        (
            found.erased,
            plural(
                "{count} record was erased here and stays out",
                "{count} records were erased here and stay out",
                found.erased,
            ),
        ),
        (
            found.missing_files,
            plural(
                "{count} file is named but not in the export",
                "{count} files are named but not in the export",
                found.missing_files,
            ),
        ),
    )
    return result + [words for number, words in more if number]
