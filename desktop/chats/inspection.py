"""Fills the inspector from what is saved of the runs and from the office's preview."""

from desktop.chats.feed import Feed
from desktop.chats.inspector import Deed, Inspector, UsedNote
from desktop.chats.tool_wording import sentence
from desktop.session import Session
from desktop.wording import ago, count, money
from memory import ledger
from memory.identifiers import now
from memory.ledger import UsageSum
from memory.run_summary import NoteOrigin, RunSummary, note_origins, summaries
from resources.language import gettext as _
from resources.language import ngettext

_MOST_DEEDS = 14
_MOST_NOTES = 8


class Inspection:
    """Shows what the last answers of a conversation did and were given."""

    def __init__(self, session: Session, inspector: Inspector) -> None:
        self._session = session
        self._inspector = inspector

    async def show(self, feed: Feed | None) -> None:
        """Read and show; None empties the inspector."""
        if feed is None:
            self._inspector.show_activity([])
            self._inspector.show_notes([])
            self._inspector.show_spent("")
            return
        run_ids = feed.active_runs() or feed.last_runs()
        database = self._session.office.database
        found = await database.read(summaries, run_ids)
        runs = [found[run_id] for run_id in run_ids if run_id in found]
        self._inspector.show_activity([deed for run in runs for deed in deeds(run)][-_MOST_DEEDS:])
        note_ids = [note_id for run in runs for note_id in run.note_ids]
        notes = await database.read(note_origins, note_ids) if note_ids else []
        self._inspector.show_notes([UsedNote(note.text, origin(note)) for note in notes[:_MOST_NOTES]])
        self._inspector.show_spent(
            spent(await database.read(ledger.conversation_usage, feed.conversation_id))
        )


def spent(usage: UsageSum) -> str:
    """Return what a conversation has used so far, empty where nothing was asked of a provider yet."""
    if not usage.requests:
        return ""
    tokens = count(usage.input_tokens + usage.output_tokens)
    cost = money(usage.cost) if usage.cost is not None else _("cost unknown")
    return _("This chat so far: {tokens} tokens, {cost}").format(tokens=tokens, cost=cost)


def deeds(run: RunSummary) -> list[Deed]:
    """Return what one run did, in order."""
    made = []
    if run.note_ids:
        words = ngettext(
            "{agent} was given {count} note", "{agent} was given {count} notes", len(run.note_ids)
        )
        made.append(Deed(words.format(agent=run.agent, count=len(run.note_ids))))
    for use in run.tools:
        made.append(
            Deed(sentence(run.agent, use.tool, use.arguments), "danger" if use.state == "failed" else "")
        )
    ends = {
        "queued": (_("{agent} is next"), ""),
        "running": (_("{agent} is writing"), ""),
        "needs_you": (_("{agent} waits for you"), "warn"),
        "done": (_("{agent} answered"), ""),
        "failed": (_("{agent} could not answer"), "danger"),
        "stopped": (_("{agent} was stopped"), "warn"),
        "interrupted": (_("{agent} was interrupted"), "warn"),
    }
    words, tone = ends.get(run.state, ("", ""))
    if words:
        made.append(Deed(words.format(agent=run.agent), tone))
    return made


def origin(note: NoteOrigin) -> str:
    """Return where a note comes from."""
    parts = [_("from {name}").format(name=note.author) if note.author else _("yours")]
    parts.append(_("pinned") if note.pinned else ago(note.created_at, now()))
    return ", ".join(parts)
