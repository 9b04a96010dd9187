"""What people read in an export without any program of ours: Markdown, and pages that load nothing."""

import html
from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import branches, chat_export
from memory.chats import Message, Turn
from memory.tables import AttachmentTable, BlobTable, ConversationTable
from memory.titles import one_line
from memory.transfer.selection import Filters, conversations_of
from resources.language import gettext as _

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
a { color: inherit; } time, .files { opacity: .65; font-size: .85rem; }
li { margin: .35rem 0; } li a { text-decoration: none; } li a:hover { text-decoration: underline; }
article { border-top: 1px solid #8884; padding: .8rem 0; } article b { margin-right: .6rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0 0; }
"""


def conversation_ids(session: Session, filters: Filters) -> list[tuple[str, str, int]]:
    """Return id, title and last change of the conversations that go out, the latest first."""
    query = (
        select(ConversationTable.id, ConversationTable.title, ConversationTable.updated_at)
        .where(ConversationTable.id.in_(conversations_of(filters)))
        .order_by(ConversationTable.updated_at.desc(), ConversationTable.id)
    )
    return [
        (identifier, one_line(title) or _("Conversation"), at)
        for identifier, title, at in session.execute(query)
    ]


def pages(session: Session, conversation_id: str, title: str, at: int) -> tuple[bytes, bytes]:
    """Return the shown path of a conversation as Markdown and as a page, both in UTC."""
    turns = branches.path(session, conversation_id)
    markdown = chat_export.markdown_of(session, conversation_id, turns, zone=UTC)
    body = [
        f'<p><a href="index.html">←</a> <time>{_time(at)}</time></p>',
        *_articles(session, conversation_id, turns),
    ]
    page = chat_export.PAGE.format(title=html.escape(title), style=_STYLE, body="\n".join(body))
    return markdown.encode(), page.encode()


def index(listed: list[tuple[str, str, int]]) -> Iterator[bytes]:
    """Yield the page that lists the conversations."""
    items = "\n".join(
        f'<li dir="auto"><a href="{identifier}.html">{html.escape(title)}</a> <time>{_time(at)}</time></li>'
        for identifier, title, at in listed
    )
    empty = _("There is no conversation in this export.")
    body = f"<ul>\n{items}\n</ul>" if listed else f"<p>{html.escape(empty)}</p>"
    yield chat_export.PAGE.format(title=html.escape(_("Conversations")), style=_STYLE, body=body).encode()


def _articles(session: Session, conversation_id: str, turns: tuple[Turn, ...]) -> Iterator[str]:
    files = _files(session, conversation_id)
    for turn in turns:
        for message in turn.messages:
            yield _article(message, files)


def _article(message: Message, files: dict[str, tuple[str, str]]) -> str:
    author = _("You") if message.role == "owner" else one_line(message.agent_name)
    links = [
        f'<a href="../files/{digest[:2]}/{digest}">📎 {html.escape(name)}</a>'
        for name, digest in (files[each] for each in message.attachment_ids if each in files)
    ]
    attached = f'<p class="files">{" ".join(links)}</p>' if links else ""
    return (
        f'<article dir="auto"><b>{html.escape(author)}</b><time>{_time(message.created_at)}</time>{attached}'
        f'<div class="text">{html.escape(message.text)}</div></article>'
    )


def _files(session: Session, conversation_id: str) -> dict[str, tuple[str, str]]:
    query = (
        select(AttachmentTable.id, AttachmentTable.name, BlobTable.sha256)
        .join(BlobTable, BlobTable.id == AttachmentTable.blob_id)
        .where(AttachmentTable.conversation_id == conversation_id)
    )
    return {identifier: (one_line(name), digest) for identifier, name, digest in session.execute(query)}


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).strftime("%Y-%m-%d %H:%M")
