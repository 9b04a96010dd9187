"""What a face of the office shows of a run beside its text: tools, notes used, time and cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from memory.runs import RunState
from memory.tables import AgentTable, ConversationTable, MessageTable, NoteTable, RunEventTable, RunTable

_VARIABLES = 500
_QUESTION = 200
"""Characters of a question that a list shows."""
_LINES = 500
_TOLD = ("tool_started", "tool_finished", "memory_used", "usage", "finished")


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One tool call; ``result`` is empty and ``state`` ``running`` until it is finished."""

    call: str
    tool: str
    arguments: dict[str, Any]
    state: str
    result: str


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run. Times are UTC milliseconds, ``spent`` and ``cap`` millionths of a dollar.

    ``priced`` is False where a request had no known price, so that ``spent`` is not the whole cost.
    ``cap_reached`` names the cap that ended it: ``run``, ``agent``, ``day``, or empty.
    """

    id: str
    agent: str
    state: str
    reason: str
    started_at: int | None
    finished_at: int | None
    spent: int
    cap: int | None
    priced: bool
    input_tokens: int
    output_tokens: int
    tools: tuple[ToolUse, ...]
    note_ids: tuple[str, ...]
    cap_reached: str = ""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One run in a list of runs: whose it is, where, on which question, and how much of its answer is written.

    ``question`` is the beginning of the owner's message, ``written`` counts characters.
    """

    id: str
    state: RunState
    reason: str
    agent: str
    conversation_id: str
    title: str
    question: str
    written: int
    created_at: int


@dataclass(frozen=True, slots=True)
class NoteOrigin:
    """A note that was given to a run, and who wrote it: an agent's name, or empty for the owner."""

    id: str
    text: str
    author: str
    pinned: bool
    created_at: int


def summaries(session: Session, run_ids: Iterable[str]) -> dict[str, RunSummary]:
    """Return the named runs by id; the unknown are left out."""
    wanted = list(dict.fromkeys(run_ids))
    found: dict[str, RunSummary] = {}
    for start in range(0, len(wanted), _VARIABLES):
        part = wanted[start : start + _VARIABLES]
        events: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        told = (
            select(RunEventTable.run_id, RunEventTable.kind, RunEventTable.body)
            .where(RunEventTable.run_id.in_(part), RunEventTable.kind.in_(_TOLD))
            .order_by(RunEventTable.run_id, RunEventTable.seq)
        )
        for run_id, kind, body in session.execute(told):
            events.setdefault(run_id, []).append((kind, body))
        query = (
            select(
                RunTable.id,
                AgentTable.name,
                RunTable.state,
                RunTable.reason,
                RunTable.started_at,
                RunTable.finished_at,
                RunTable.spent,
                RunTable.cap,
            )
            .outerjoin(AgentTable, AgentTable.id == RunTable.agent_id)
            .where(RunTable.id.in_(part))
        )
        for run_id, agent, *values in session.execute(query):
            found[run_id] = _summary(run_id, agent or "", values, events.get(run_id, []))
    return found


def run_lines(session: Session, states: Sequence[RunState]) -> tuple[RunLine, ...]:
    """Return the runs in some states, the latest first; conversations in the trash are left out."""
    answer, asked = aliased(MessageTable), aliased(MessageTable)
    query = (
        select(
            RunTable.id,
            RunTable.state,
            RunTable.reason,
            func.coalesce(AgentTable.name, answer.agent_name, ""),
            RunTable.conversation_id,
            ConversationTable.title,
            func.coalesce(func.substr(asked.text, 1, _QUESTION), ""),
            func.coalesce(func.length(answer.text), 0),
            RunTable.created_at,
        )
        .join(ConversationTable, ConversationTable.id == RunTable.conversation_id)
        .outerjoin(AgentTable, AgentTable.id == RunTable.agent_id)
        .outerjoin(answer, answer.run_id == RunTable.id)
        .outerjoin(asked, asked.id == answer.parent_id)
        .where(RunTable.state.in_(states), ConversationTable.trashed_at.is_(None))
        .order_by(RunTable.created_at.desc(), RunTable.id)
        .limit(_LINES)
    )
    return tuple(RunLine(*row) for row in session.execute(query))


def note_origins(session: Session, note_ids: Iterable[str]) -> list[NoteOrigin]:
    """Return the named notes in the order given; forgotten ones are left out."""
    wanted = list(dict.fromkeys(note_ids))[:_VARIABLES]
    query = (
        select(NoteTable.id, NoteTable.text, AgentTable.name, NoteTable.pinned_at, NoteTable.created_at)
        .outerjoin(AgentTable, AgentTable.id == NoteTable.agent_id)
        .where(NoteTable.id.in_(wanted), NoteTable.trashed_at.is_(None))
    )
    rows = {
        identifier: NoteOrigin(identifier, text, author or "", pinned_at is not None, created_at)
        for identifier, text, author, pinned_at, created_at in session.execute(query)
    }
    return [rows[identifier] for identifier in wanted if identifier in rows]


def _summary(
    run_id: str, agent: str, values: list[Any], events: list[tuple[str, dict[str, Any]]]
) -> RunSummary:
    state, reason, started_at, finished_at, spent, cap = values
    tools: dict[str, ToolUse] = {}
    notes: list[str] = []
    tokens_in, tokens_out, priced, cap_reached = 0, 0, True, ""
    for kind, body in events:
        call = str(body.get("call", ""))
        if kind == "tool_started":
            tools[call] = ToolUse(call, str(body.get("tool", "")), body.get("arguments") or {}, "running", "")
        elif kind == "tool_finished" and call in tools:
            known = tools[call]
            ended = "failed" if body.get("failed") else "done"
            tools[call] = ToolUse(call, known.tool, known.arguments, ended, str(body.get("result", "")))
        elif kind == "memory_used":
            notes += [str(each["id"]) for each in body["used"] if each["kind"] == "note"]
        elif kind == "usage":
            tokens_in += int(body.get("input_tokens") or 0)
            tokens_out += int(body.get("output_tokens") or 0)
            priced = priced and body.get("cost") is not None
        elif kind == "finished":
            cap_reached = str(body.get("cap", ""))
    return RunSummary(
        id=run_id,
        agent=agent,
        state=state,
        reason=reason,
        started_at=started_at,
        finished_at=finished_at,
        spent=spent,
        cap=cap,
        priced=priced,
        input_tokens=tokens_in,
        output_tokens=tokens_out,
        tools=tuple(tools.values()),
        note_ids=tuple(dict.fromkeys(notes)),
        cap_reached=cap_reached if state == "stopped" else "",
    )
