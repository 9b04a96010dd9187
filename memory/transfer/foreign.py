"""Reads an export of another app from end to end: its conversations, projects and memories, one at a time."""

from collections.abc import Iterator

from memory.transfer.archives import Archive
from memory.transfer.chatgpt.conversations import conversation_of as of_chatgpt
from memory.transfer.chatgpt.members import Members
from memory.transfer.claude.conversations import conversation_of as of_claude
from memory.transfer.claude.projects import notes_of, project_of
from memory.transfer.incoming import Incoming, Malformed, Problem, words
from memory.transfer.json_entries import BadEntry, document, entries
from memory.transfer.recognition import KEY, Recognised
from resources.language import gettext as _


def incoming(archive: Archive, recognised: Recognised, brought_at: int) -> Iterator[Incoming]:
    """Yield all that the archive holds; what cannot be taken comes as a Problem among the rest.

    Raises ArchiveDamaged where a file is cut short; then nothing of it should stay.
    """
    if recognised.kind == "chatgpt":
        members = Members(archive.members)
        for name in recognised.conversations:
            yield from _chatgpt(archive, name, members, brought_at)
        return
    for name in recognised.projects:
        yield from _projects(archive, name, brought_at)
    for name in recognised.memories:
        yield from notes_of(document(archive, name))
    for name in recognised.conversations:
        yield from _claude(archive, name, brought_at)


def _chatgpt(archive: Archive, name: str, members: Members, brought_at: int) -> Iterator[Incoming]:
    with archive.open(name) as stream:
        for record in entries(stream, name, KEY):
            if isinstance(record, BadEntry):
                yield _problem(name, record)
                continue
            try:
                yield of_chatgpt(record, members, brought_at)
            except Malformed as malformed:
                yield Problem(_subject(words(record.get("title")), name), str(malformed))


def _claude(archive: Archive, name: str, brought_at: int) -> Iterator[Incoming]:
    with archive.open(name) as stream:
        for record in entries(stream, name, KEY):
            if isinstance(record, BadEntry):
                yield _problem(name, record)
                continue
            try:
                yield of_claude(record, brought_at)
            except Malformed as malformed:
                yield Problem(_subject(words(record.get("name")), name), str(malformed))


def _projects(archive: Archive, name: str, brought_at: int) -> Iterator[Incoming]:
    if name.rpartition("/")[2] != "projects.json":
        yield from _project(document(archive, name), name, brought_at)
        return
    with archive.open(name) as stream:
        for record in entries(stream, name, "projects"):
            if isinstance(record, BadEntry):
                yield _problem(name, record)
            else:
                yield from _project(record, name, brought_at)


def _project(record: object, name: str, brought_at: int) -> Iterator[Incoming]:
    try:
        yield from project_of(record, brought_at)
    except Malformed as malformed:
        yield Problem(name, str(malformed))


def _problem(name: str, bad: BadEntry) -> Problem:
    return Problem(_("entry {number} of {file}").format(number=bad.number, file=name), bad.reason)


def _subject(title: str, name: str) -> str:
    return f"“{title[:80]}”" if title else name
