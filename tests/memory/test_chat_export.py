"""A conversation as Markdown and as a page that loads and runs nothing."""

import re
from html.parser import HTMLParser

import pytest

from memory import attachments, blobs, chat_export, chats, messages
from memory.blobs import Blob
from memory.chats import Conversation
from memory.database import Database
from memory.messages import Speaker

HOSTILE = '<script>alert(1)</script> <img src=x onerror=alert(1)> "quoted" & [a](javascript:alert(1))'


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.links: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        assert not any(name.startswith("on") for name, _value in attrs)
        if tag not in ("meta", "br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def filled(database: Database, conversation: Conversation) -> Conversation:
    blob = Blob("ab" * 16, b"k" * 32, 1, 1, "", 0)
    database.write_now(blobs.record_blob, blob)
    name = "rent\n<b>*2026*</b>.pdf"
    file = database.write_now(attachments.add_attachment, conversation.id, blob_id=blob.id, name=name, size=1)
    question = database.write_now(
        messages.add_owner_message, conversation.id, "What is the **rent**?", attachment_ids=[file.id]
    )
    speakers = [Speaker(None, "Ada *", "r1", "big-1"), Speaker(None, "עדה", "r2", "")]
    first, second = database.write_now(messages.add_agent_messages, question.id, speakers)
    database.write_now(
        messages.finish_message,
        first.id,
        "complete",
        text=f"It is 900 €.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n![pixel](https://t.invalid/p.png)\n\n{HOSTILE}",
        citations=[{"file": "rent.pdf", "page": 3, "place": "page 3", "quote": "900 <EUR>"}],
    )
    database.write_now(messages.finish_message, second.id, "stopped", text="I thi")
    return database.write_now(chats.rename, conversation.id, f"Rent\n{HOSTILE}")


def test_markdown_says_who_said_what(database: Database, filled: Conversation) -> None:
    text = database.write_now(chat_export.as_markdown, filled.id)
    headings = [line for line in text.split("\n") if line.startswith("#")]
    assert len(headings) == 4 and headings[0].startswith("# Rent \\<script\\>")
    assert re.fullmatch(r"## You · \d{4}-\d\d-\d\d \d\d:\d\d", headings[1])
    assert headings[2].startswith("## Ada \\* (big-1) · ") and headings[3].startswith("## עדה · ")
    assert "📎 rent \\<b\\>\\*2026\\*\\</b\\>.pdf" in text
    assert "What is the **rent**?" in text and "1. rent.pdf, page 3: “900 \\<EUR\\>”" in text
    assert "I thi\n\n*This answer was stopped.*" in text


def test_the_page_loads_and_runs_nothing(database: Database, filled: Conversation) -> None:
    page = database.write_now(chat_export.as_html, filled.id)
    tags = Tags()
    tags.feed(page)
    assert tags.open == [] and not tags.names & {"script", "img", "iframe", "link", "b2"}
    assert all(link.startswith("https://t.invalid") for link in tags.links)
    assert "<strong>rent</strong>" in page and "<td>1</td>" in page
    assert "900 &lt;EUR&gt;" in page and "This answer was stopped." in page
    assert page.count("<article") == 3 and page.count('class="together"') == 1


def test_an_empty_conversation_can_be_saved(database: Database, conversation: Conversation) -> None:
    assert database.write_now(chat_export.as_markdown, conversation.id).startswith("# Conversation\n")
    assert "<article" not in database.write_now(chat_export.as_html, conversation.id)
