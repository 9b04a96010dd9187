"""Asks where a conversation goes as a file: Markdown, or a page that opens anywhere."""

import asyncio
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.session import Session
from memory import chat_export
from memory.chats import Conversation
from resources.language import gettext as _


def ask_where(parent: QWidget, session: Session, conversation: Conversation) -> None:
    """Ask for a file, Markdown or HTML, and write the shown path of the conversation into it."""
    name = file_name(conversation.title)
    kinds = ";;".join((_("Markdown (*.md)"), _("Web page (*.html)")))
    dialog = QFileDialog(parent, _("Save the chat as a file"), str(Path.home() / f"{name}.md"), kinds)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("md")
    dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix("html" if "html" in kind else "md"))
    dialog.fileSelected.connect(
        lambda path: session.spawn(save(session, conversation.id, Path(path)), name="save a chat")
    )
    dialog.open()


async def save(session: Session, conversation_id: str, path: Path) -> None:
    """Write the file; one that ends in ``.html`` or ``.htm`` becomes a page. Raises OSError."""
    page = path.suffix.lower() in (".html", ".htm")
    make = chat_export.as_html if page else chat_export.as_markdown
    text = await session.office.database.read(make, conversation_id)
    await asyncio.to_thread(path.write_text, text, encoding="utf-8")
    session.notify(_("The chat is written to {file}.").format(file=path.name))


def file_name(title: str) -> str:
    """Return a title as a file name that every system takes."""
    kept = "".join(letter if letter.isalnum() or letter in " -_" else " " for letter in title)
    return " ".join(kept.split())[:80] or _("chat")
