"""The gallery's window: a page per state. Open it with ``python -m desktop.gallery``."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QTabWidget, QVBoxLayout, QWidget

from desktop.chats.inspector import Leaving, Meter
from desktop.composer.completion import Completion
from desktop.composer.composer import Composer
from desktop.composer.draft_files import DraftFile
from desktop.composer.picker import Choice
from desktop.gallery import conversations
from desktop.pages.page import StateMessage, card
from desktop.theme.appearance import look
from desktop.theme.icons import icon_names, icon_pixmap
from desktop.transcript.model import TranscriptModel
from desktop.transcript.rows import TranscriptRow
from desktop.transcript.view import TranscriptView
from desktop.widgets.chip import Chip, ChipRow
from desktop.widgets.search_field import SearchField


def composer(state: str = "empty") -> Composer:
    """Return a composer: ``empty``, ``written``, ``running`` or ``files``."""
    widget = Composer()
    agents = tuple(Choice(name.lower(), name) for name in ("Lead", "Researcher", "Analyst", "Writer"))
    widget.set_agents(agents, "lead")
    models = (
        Choice("claude-sonnet-5", "claude-sonnet-5", "$3 / $15", "Anthropic"),
        Choice("gpt-5.2", "gpt-5.2", "$2 / $10", "OpenAI"),
    )
    widget.set_models(models, "claude-sonnet-5")
    widget.set_efforts(tuple(Choice(name.lower(), name) for name in ("Low", "Normal", "High")), "normal")
    widget.set_meter("21,480 tokens · about $0.07")
    widget.set_completions(
        tuple(Completion(name, detail, agent=True) for name, detail in _AGENTS),
        (Completion("export", "Save this chat as a file"), Completion("archive", "Archive this chat")),
    )
    if state in ("written", "files"):
        widget.set_text("What does the survey say about depth at the quay?\nAnd who measured it?")
    if state == "files":
        widget.set_attachments(
            (
                DraftFile("a", "survey-1907.pdf · 41 pages"),
                DraftFile("b", "notes " * 30),
                DraftFile("c", "crane.png · 2 MB", image=True),
                DraftFile("d", "broken.docx · this file is damaged", failed=True),
            )
        )
    widget.set_running(state == "running")
    return widget


_AGENTS = (
    ("Lead", "plans and hands out work"),
    ("Researcher", "reads and cites"),
    ("Analyst", "counts and tabulates"),
    ("Writer", "letters and reports"),
)


_BUTTONS = (
    ("primary", "Allow once"),
    ("", "This run"),
    ("danger", "Erase"),
    ("flat", "Later"),
    ("link", "Copy"),
)


def conversation(rows: list[TranscriptRow], composer_state: str = "empty") -> QWidget:
    """Return a transcript over a composer, as the chats page has them."""
    page = QWidget()
    model = TranscriptModel(page)
    model.set_rows(rows)
    view = TranscriptView(page)
    view.set_model(model)
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    if rows:
        column.addWidget(view, 1)
    else:
        empty = StateMessage()
        empty.show_message("chat", "Ask the office", "Write below, drop a file.", "Read a document")
        column.addWidget(empty, 1)
    line = QHBoxLayout()
    edge = look().px(12)
    line.setContentsMargins(edge, look().px(6), edge, look().px(18))
    writing = composer(composer_state)
    writing.setMaximumWidth(look().px(680))
    line.addWidget(writing)
    column.addLayout(line)
    return page


def widgets() -> QWidget:
    """Return every small widget in its states."""
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(24, 20, 24, 20)
    column.setSpacing(14)
    column.addWidget(SearchField("Search everything", "Ctrl K"))
    buttons = QHBoxLayout()
    for kind, label in _BUTTONS:
        button = QPushButton(label)
        if kind:
            button.setProperty("kind", kind)
        buttons.addWidget(button)
    off = QPushButton("Not now")
    off.setEnabled(False)
    buttons.addWidget(off)
    buttons.addStretch(1)
    column.addLayout(buttons)
    chips = ChipRow()
    chips.set_chips(
        [
            Chip("survey-1907.pdf · all 41 pages", icon="attach"),
            Chip("p. 12", accent=True),
            Chip("notes.md", icon="file", removable=True),
            Chip("claude-sonnet-5", menu_mark=True),
        ]
    )
    chips.setMinimumHeight(look().px(26))
    column.addWidget(chips)
    frame, inside = card()
    heading = QLabel("What leaves this machine")
    heading.setProperty("role", "strong")
    inside.addWidget(heading)
    meter = Meter()
    meter.show_parts(
        [
            Leaving("survey-1907.pdf", 18_200, "attachment"),
            Leaving("Conversation", 5_200, "conversation"),
            Leaving("Notes", 2_600, "notes"),
        ]
    )
    inside.addWidget(meter)
    column.addWidget(frame)
    empty = StateMessage()
    empty.show_message("note", "No notes yet", "A note is a fact that every agent is told.", "Add one")
    column.addWidget(empty)
    column.addWidget(_icons())
    column.addStretch(1)
    return page


def _icons() -> QLabel:
    from PySide6.QtGui import QPainter, QPixmap

    here = look()
    cell, across = here.px(34), 20
    names = icon_names()
    sheet = QPixmap(cell * across, cell * -(-len(names) // across))
    sheet.fill(Qt.GlobalColor.transparent)
    painter = QPainter(sheet)
    for place, name in enumerate(names):
        drawn = icon_pixmap(name, here.theme.dim, here.px(20))
        painter.drawPixmap(place % across * cell, place // across * cell, drawn)
    painter.end()
    label = QLabel()
    label.setPixmap(sheet)
    label.setAccessibleName(", ".join(names))
    return label


PAGES: dict[str, Callable[[], QWidget]] = {
    "harbour": lambda: conversation(conversations.harbour()),
    "rich": lambda: conversation(conversations.rich(), "written"),
    "states": lambda: conversation(conversations.states(), "running"),
    "long names": lambda: conversation(conversations.long_names(), "files"),
    "right to left": lambda: conversation(conversations.right_to_left()),
    "empty": lambda: conversation([]),
    "widgets": widgets,
}
"""Every page of the gallery by its name."""


class Gallery(QTabWidget):
    """All pages as tabs."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle("Gallery")
        self.resize(1000, 860)
        for name, make in PAGES.items():
            self.addTab(make(), name)
