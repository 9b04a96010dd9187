"""A conversation as a file to keep or hand on: the shown path as Markdown, or as one HTML page.

The page loads nothing and runs nothing: its style is inside, images become links, and what people or models
wrote is escaped.
"""

import html
import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from memory import attachments, branches, chats
from memory.chats import Message, Turn
from memory.titles import one_line
from resources.language import gettext as _

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_MARKS = re.compile(r"([\\`*_\[\]<>#|~])")

_STYLE = """
:root { color-scheme: light dark; --text: #1d1d1b; --dim: #66665f; --paper: #ffffff; --back: #f7f7f5;
        --line: #e3e3de; --own: #eef1fd; --code: #f5f6f8; --link: #3c5bd8; }
@media (prefers-color-scheme: dark) { :root { --text: #ececea; --dim: #a3a39e; --paper: #1d1d20;
        --back: #161618; --line: #2d2d31; --own: #24283a; --code: #17181b; --link: #8ea2ff; } }
body { font: 15px/1.6 Inter, system-ui, sans-serif; color: var(--text); background: var(--back);
       max-width: 720px; margin: 40px auto; padding: 0 16px; }
h1 { font-size: 22px; } a { color: var(--link); } header { color: var(--dim); font-size: 13px; }
header b { color: var(--text); }
article { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 12px 18px;
          margin: 14px 0; overflow-wrap: anywhere; }
article.owner { background: var(--own); border-color: transparent; }
.together { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 14px; }
.together article { margin: 0; }
pre { background: var(--code); border-radius: 8px; padding: 10px 12px; overflow-x: auto; }
table { border-collapse: collapse; } td, th { border: 1px solid var(--line); padding: 4px 8px; }
ol.sources { color: var(--dim); font-size: 13px; border-top: 1px solid var(--line); padding-top: 8px; }
"""

PAGE = """<!doctype html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1 dir="auto">{title}</h1>
{body}
</body>
</html>
"""
"""A page that loads nothing: its title, style and body go in."""


def as_markdown(session: Session, conversation_id: str) -> str:
    """Return the shown path as Markdown, one heading for each message. Raises NotFound."""
    return markdown_of(session, conversation_id, branches.path(session, conversation_id))


def markdown_of(
    session: Session, conversation_id: str, turns: tuple[Turn, ...], *, zone: tzinfo | None = None
) -> str:
    """Return turns that were read already as Markdown, times in ``zone`` or in the system's. Raises NotFound."""
    conversation = chats.conversation(session, conversation_id)
    files = _file_names(session, conversation_id)
    parts = [f"# {_escaped(_title(conversation.title))}", _date(conversation.created_at, zone)]
    for turn in turns:
        for message in turn.messages:
            parts.append(f"## {_escaped(_author(message))} · {_date(message.created_at, zone)}")
            parts += [f"📎 {_escaped(name)}" for name in _attached(message, files)]
            parts += [part for part in (message.text.strip(), _ending(message)) if part]
            sources = [
                f"{n}. {_escaped(place)}: “{_escaped(quote)}”" for n, (place, quote) in _sources(message)
            ]
            if sources:
                parts.append("\n".join(sources))
    return "\n\n".join(parts) + "\n"


def as_html(session: Session, conversation_id: str) -> str:
    """Return the shown path as one page without scripts or anything from elsewhere. Raises NotFound."""
    conversation = chats.conversation(session, conversation_id)
    files = _file_names(session, conversation_id)
    renderer = _renderer()
    turns = []
    for turn in branches.path(session, conversation_id):
        articles = "\n".join(_article(message, files, renderer) for message in turn.messages)
        turns.append(f'<div class="together">{articles}</div>' if len(turn.messages) > 1 else articles)
    return PAGE.format(
        title=html.escape(_title(conversation.title)),
        style=_STYLE,
        body="\n".join((f"<header>{_date(conversation.created_at)}</header>", *turns)),
    )


def _article(message: Message, files: dict[str, str], renderer: "MarkdownIt") -> str:
    parts = [f"<header><b>{html.escape(_author(message))}</b> · {_date(message.created_at)}</header>"]
    parts += [f"<p>📎 {html.escape(name)}</p>" for name in _attached(message, files)]
    parts.append(renderer.render(message.text))
    if ending := _ending(message):
        parts.append(f"<p><em>{html.escape(ending.strip('*'))}</em></p>")
    sources = [
        f"<li>{html.escape(place)}: “{html.escape(quote)}”</li>" for _n, (place, quote) in _sources(message)
    ]
    if sources:
        parts.append(f'<ol class="sources">{"".join(sources)}</ol>')
    return f'<article class="{message.role}" dir="auto">{"".join(parts)}</article>'


def _renderer() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    renderer = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # An image would be fetched when the page is opened, and tell its server so: its address stays as text.
    return renderer.disable("image")


def _file_names(session: Session, conversation_id: str) -> dict[str, str]:
    return {file.id: one_line(file.name) for file in attachments.attachments(session, conversation_id)}


def _attached(message: Message, files: dict[str, str]) -> list[str]:
    return [files[identifier] for identifier in message.attachment_ids if identifier in files]


def _title(title: str) -> str:
    return one_line(title) or _("Conversation")


def _author(message: Message) -> str:
    if message.role == "owner":
        return _("You")
    name = one_line(message.agent_name)
    return f"{name} ({message.model})" if message.model else name


def _ending(message: Message) -> str:
    if message.state in ("complete", "queued", "streaming"):
        return ""
    endings = {
        "interrupted": _("This answer was interrupted."),
        "stopped": _("This answer was stopped."),
        "failed": _("This answer failed."),
    }
    return f"*{endings[message.state]}*"


def _sources(message: Message) -> Iterator[tuple[int, tuple[str, str]]]:
    for number, cited in enumerate(message.citations, 1):
        place = cited.get("place") or (_("page {page}").format(page=cited["page"]) if "page" in cited else "")
        where = ", ".join(str(part) for part in (cited.get("file"), place) if part)
        yield number, (one_line(where), one_line(str(cited.get("quote", ""))))


def _date(at: int, zone: tzinfo | None = None) -> str:
    return datetime.fromtimestamp(at / 1_000).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)
