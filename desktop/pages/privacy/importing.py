"""Import: an export of another app is looked into first, then brought in, wholly or not at all."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QPushButton, QVBoxLayout

from agents.events import ConversationChanged
from agents.lifecycle.bringing_in import Brought, bring_in, look_into
from desktop.faults import sentence_of
from desktop.pages.folding import FlowLayout
from desktop.pages.page import Page, card, clear, label
from desktop.pages.privacy.problems import Problems
from desktop.pages.privacy.words import all_counted
from desktop.pages.privacy.working import Working
from desktop.session import Session
from desktop.wording import count, local, moment
from memory.errors import StorageError
from memory.transfer.errors import TransferCancelled
from memory.transfer.foreign_import import Summary
from memory.transfer.imports_made import ImportMade, imports_made
from resources.language import gettext as _
from resources.language import ngettext

SOURCES = {"chatgpt": "ChatGPT", "claude": "Claude", "bureau": "Bureau"}


class ImportPart(Page):
    """One archive at a time; files and folders may be dropped anywhere on the page."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, _("Import"))
        self.setAcceptDrops(True)
        self._path = Path()
        self.working = Working()
        self.begin = self._beginning()
        self.result = _Result()
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self._made = QVBoxLayout()
        self._made.setSpacing(8)
        for widget in (self.begin, self.fault, self.working, self.result):
            self.column.addWidget(widget)
        self.column.addLayout(self._made)
        self.column.addStretch(1)
        session.on(ConversationChanged, lambda event: None if event.conversation_id else self.mark_stale())

    async def load(self) -> None:
        made = await self.session.office.database.read(imports_made)
        clear(self._made)
        if made:
            self._made.addSpacing(4)
            self._made.addWidget(label(_("Brought in so far"), "heading"))
        for one in made:
            self._made.addWidget(_MadeCard(one))
        self.show_content()

    def look(self, path: Path) -> None:
        """Look into an archive and say what would come in; nothing is written."""
        if self.working.isVisible():
            self.session.fail(_("An import is under way: wait for its end, or cancel it first."))
            return
        self._path = path
        self.session.spawn(self._look(), name="look into an archive")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome a file or folder of this machine."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Look into the first file that was let go."""
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        event.acceptProposedAction()
        self.look(Path(files[0]))

    async def _look(self) -> None:
        found = await self._work(_("Looking into {file} …").format(file=self._path.name), look_into)
        if found is not None:
            self.result.show_preview(found, self._bring, self._begin_again)

    def _bring(self) -> None:
        self.session.spawn(self._bring_in(), name="bring in an archive")

    async def _bring_in(self) -> None:
        brought = await self._work(_("Bringing in {file} …").format(file=self._path.name), bring_in)
        if brought is not None:
            self.result.show_done(brought, self._show_chats, self._begin_again)
            self.mark_stale()

    async def _work(self, words: str, act: Callable[..., object]) -> Brought | None:
        """Run a look or an import under the progress bar; None where it ended otherwise than it was meant."""
        self.fault.hide()
        self.result.hide()
        self.begin.hide()
        self.working.begin(words)
        try:
            found = await act(  # type: ignore[misc]  # both are coroutine functions of the same form
                self.session.office, self._path, self.working.progress, self.working.cancelled
            )
        except TransferCancelled as error:
            self.session.notify(str(error))
        except (StorageError, OSError) as error:
            self.fault.setText(sentence_of(error))
            self.fault.show()
        else:
            assert isinstance(found, Brought)
            return found
        finally:
            self.working.end()
        self.begin.show()
        return None

    def _begin_again(self) -> None:
        self.result.hide()
        self.begin.show()
        self.choose.setFocus()

    def _show_chats(self) -> None:
        self.session.page_wanted.emit("chats")

    def _beginning(self) -> QFrame:
        frame, column = card()
        column.addWidget(label(_("Bring in what another app exported"), "heading"))
        column.addWidget(
            label(
                _(
                    "Drop the export of ChatGPT or Claude here: the zip file as you received it, its unpacked "
                    "folder, or its conversations.json. It is looked into first; nothing is written before you "
                    "have seen what would come in."
                ),
                "dim",
                wrap=True,
            )
        )
        row = FlowLayout()
        self.choose = QPushButton(_("Choose a file…"))
        self.choose.setProperty("kind", "primary")
        self.choose.clicked.connect(lambda: self._choose(QFileDialog.FileMode.ExistingFile))
        folder = QPushButton(_("Choose a folder…"))
        folder.clicked.connect(lambda: self._choose(QFileDialog.FileMode.Directory))
        row.addWidget(self.choose)
        row.addWidget(folder)
        column.addLayout(row)
        return frame

    def _choose(self, mode: QFileDialog.FileMode) -> None:
        dialog = QFileDialog(self, _("Import"), str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        dialog.fileSelected.connect(lambda path: self.look(Path(path)))
        dialog.open()


class _Result(QFrame):
    """What an archive holds, or what came in, with what to do next."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 14, 16, 14)
        self._column.setSpacing(8)
        self.hide()

    def show_preview(self, found: Brought, bring: Callable[[], None], leave: Callable[[], None]) -> None:
        """Say what would come in."""
        said = found.summary
        source = SOURCES[found.source]
        self._show(_("An export of {app}: {name}").format(app=source, name=found.name), found)
        new = said.conversations or said.agents or said.notes
        if not new:
            self._column.insertWidget(1, label(_("There is nothing new in it."), wrap=True))
        doors: list[tuple[str, str, Callable[[], None]]] = [(_("Choose another"), "", leave)]
        if new:
            doors.insert(0, (_("Bring it in"), "primary", bring))
        self._add_doors(doors)

    def show_done(self, brought: Brought, chats: Callable[[], None], leave: Callable[[], None]) -> None:
        """Say what came in."""
        self._show(_("{name} is brought in").format(name=brought.name), brought)
        self._add_doors([(_("Show the chats"), "primary", chats), (_("Bring in another"), "", leave)])

    def _show(self, title: str, found: Brought) -> None:
        clear(self._column)
        self._column.addWidget(label(title, "heading", wrap=True))
        for line in summary_lines(found.summary):
            self._column.addWidget(label(line, wrap=True))
        if found.problems:
            said = [(each.subject, each.reason) for each in found.problems]
            self._column.addWidget(Problems(said, found.summary.problems))
        self.setAccessibleName(title)
        self.setAccessibleDescription(" ".join(summary_lines(found.summary)))
        self.show()

    def _add_doors(self, doors: Sequence[tuple[str, str, Callable[[], None]]]) -> None:
        row = FlowLayout()
        for words, kind, act in doors:
            button = QPushButton(words)
            button.setProperty("kind", kind)
            button.clicked.connect(act)
            row.addWidget(button)
            if kind == "primary":
                button.setFocus()
        self._column.addLayout(row)


class _MadeCard(QFrame):
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
            ngettext(
                "{count} message that the other app did not show comes along, out of sight",
                "{count} messages that the other app did not show come along, out of sight",
                found.hidden,
            ),
        ),
        (
            found.already_here,
            ngettext(
                "{count} chat is here already and stays as it is",
                "{count} chats are here already and stay as they are",
                found.already_here,
            ),
        ),
        (
            found.erased,
            ngettext(
                "{count} record was erased here and stays out",
                "{count} records were erased here and stay out",
                found.erased,
            ),
        ),
        (
            found.missing_files,
            ngettext(
                "{count} file is named but not in the export",
                "{count} files are named but not in the export",
                found.missing_files,
            ),
        ),
    )
    return result + [words.format(count=count(number)) for number, words in more if number]
