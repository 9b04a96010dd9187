"""Asks the librarian of a real office every question of a set, and ranks the pages with each leg alone."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from agents.office import Office
from memory import attachments, chats
from memory.attachments import Attachment
from memory.recall import lexical, pool
from memory.recall.driver import driver
from memory.recall.embedder_identity import EMBEDDER
from memory.recall.pool import Filter
from memory.recall.queries import understand
from tests.evaluation.librarian.questions import DOCUMENTS, Question

MUST_FIRST, MUST_THREE, MUST_NOT_FOUND, TOO_EASY = 60.0, 75.0, 70.0, 45.0
"""Per cent."""


@dataclass(slots=True)
class Score:
    """How one method did: the rank of the first right page per answered question, and what it did not find."""

    ranks: list[int | None] = field(default_factory=list)
    unanswered: int = 0
    not_found: int = 0

    def within(self, rank: int) -> float:
        """Return the share of answered questions, in per cent, whose page is among the first ``rank``."""
        right = sum(one is not None and one <= rank for one in self.ranks)
        return 100 * right / len(self.ranks)

    def add(self, other: "Score") -> None:
        """Count what was asked of another set, too."""
        self.ranks += other.ranks
        self.unanswered += other.unanswered
        self.not_found += other.not_found


async def take_in(office: Office, names: list[str]) -> dict[str, Attachment]:
    """Return the documents as files of one conversation each, read and embedded; what is there stays."""
    found: dict[str, Attachment] = {}
    for listed in await office.database.read(_attached):
        found[listed.name] = listed
    for name in names:
        if name not in found:
            conversation = await office.create_conversation(title=name)
            attached = await office.attach(conversation.id, DOCUMENTS / name, name)
            await office.files.settled([attached.id])
            found[name] = await office.database.read(attachments.attachment, attached.id)
    await office.recall.start()
    await office.recall.settled()
    return {name: found[name] for name in names}


async def measure(office: Office, asked: list[Question]) -> dict[str, Score]:
    """Return the scores of the librarian, of BM25 alone and of the embedder alone."""
    files = await take_in(office, list(dict.fromkeys(question.file for question in asked)))
    scores = {"librarian": Score(), "BM25 alone": Score(), "embedder alone": Score()}
    for question in asked:
        file = files[question.file]
        cited = await _cited(office, question, file)
        if not question.pages:
            scores["librarian"].unanswered += 1
            scores["librarian"].not_found += not cited
            continue
        scores["librarian"].ranks.append(_rank(cited, question))
        scores["BM25 alone"].ranks.append(_rank(await _by_words(office, question, file), question))
        scores["embedder alone"].ranks.append(_rank(await _by_meaning(office, question, file), question))
    return scores


async def _cited(office: Office, question: Question, file: Attachment) -> list[int]:
    """Ask in the file's conversation and return the cited pages, the first first."""
    librarian = next(agent for agent in await office.roster.all() if agent.librarian)
    # The file belongs to the question as an owner gives it: with the first message of its conversation.
    now = await office.database.read(attachments.attachment, file.id)
    given = [] if now.message_id else [file.id]
    sent = await office.send(file.conversation_id, question.text, given, agent_ids=[librarian.id])
    await office.runs.wait([run.id for run in sent.runs])
    answer = await office.message(sent.replies[0].id)
    assert answer.state == "complete", answer.text
    assert bool(answer.citations) != ("Not found" in answer.text.split("\n")[0]), answer.text
    return [int(one.get("page", 0)) if one["file"] == question.file else 0 for one in answer.citations]


async def _by_words(office: Office, question: Question, file: Attachment) -> list[int]:
    def find(session: Session) -> dict[int, float]:
        scope = pool.scope_of(session, Filter(attachment_ids=frozenset([file.id])))
        found = lexical.find(session, understand(question.text, ()), scope)
        return {
            number: sum(view.get(number, 0.0) for view in found.views)
            for view in found.views
            for number in view
        }

    return await _pages(office, file, await office.database.read(find))


async def _by_meaning(office: Office, question: Question, file: Attachment) -> list[int]:
    def vectors(session: Session) -> dict[tuple[int, int], bytes]:
        return pool.vectors_of(session, sorted(_page_of(session, file)), EMBEDDER)

    stored = await office.database.read(vectors)
    process = office.recall.keeper.process
    found = await process.search([question.text], 0)
    products = (await process.score(found.queries, list(stored.values())))[0]
    worth: dict[int, float] = {}
    for (number, _view), product in zip(stored, products, strict=True):
        worth[number] = worth.get(number, 0.0) + product
    return await _pages(office, file, worth)


async def _pages(office: Office, file: Attachment, worth: dict[int, float]) -> list[int]:
    page_of = await office.database.read(_page_of, file)
    ranked = sorted(worth, key=lambda number: -worth[number])
    return list(dict.fromkeys(int(page_of[number]) for number in ranked))


def _page_of(session: Session, file: Attachment) -> dict[int, Any]:
    rows = driver(session).execute(
        "SELECT number, json_extract(place, '$.page') FROM passage WHERE attachment_id = ?", (file.id,)
    )
    return dict(rows.fetchall())


def _rank(pages: list[int], question: Question) -> int | None:
    for position, page in enumerate(dict.fromkeys(pages), start=1):
        if page in question.pages:
            return position
    return None


def _attached(session: Session) -> list[Attachment]:
    found: list[Attachment] = []
    for conversation in chats.conversations(session):
        found += attachments.attachments(session, conversation.id)
    return found
