"""One conversation's transcript, kept in step with the office while it is open and while it is not seen."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from agents.events import (
    AttachmentChanged,
    MessageAdded,
    MessageChanged,
    RunChanged,
    TextDelta,
    ThinkingDelta,
    ToolFinished,
    ToolStarted,
)
from desktop.chats.live_texts import LiveTexts
from desktop.chats.picturing import Pictures
from desktop.chats.projection import Projection
from desktop.session import Session
from desktop.transcript.model import TranscriptModel
from desktop.transcript.rows import MessageState, TranscriptRow
from memory import attachments, branches, chats
from memory.chats import Message, Turn
from memory.run_summary import summaries

_FIRST = 40
"""Turns shown at once; earlier ones follow in larger pieces."""
_BEFORE_FILLING_SECONDS = 0.25
"""The first paint, the draft and the inspector come before what nobody sees yet."""
_BETWEEN_PIECES_SECONDS = 0.02
_FRESH = 120
"""Turns at the end that are read again when something changed."""
_PIECE = 400
_AT_A_TIME = 100
"""Rows made anew before the window gets its turn."""


class Feed:
    """Reads a conversation and applies the office's events to its model.

    The model is changed at once by events, so that no piece of a streaming answer is lost; what an event
    does not carry (tools, cost, branches) is read again from what is saved.
    """

    def __init__(self, session: Session, conversation_id: str, live: LiveTexts, pictures: Pictures) -> None:
        self._live = live
        self.conversation_id = conversation_id
        self.model = TranscriptModel()
        self.conversation: chats.Conversation | None = None
        self._session = session
        self._projection = Projection(pictures.known)
        self._pictures = pictures
        self._stored: dict[str, Message] = {}
        self._turns: list[Turn] = []
        self._reading = False
        self._again = False
        self._filling = False
        self._hurried = asyncio.Event()
        self._filled = asyncio.Event()

    @property
    def filling(self) -> bool:
        """Tell whether the beginning of the conversation is still being read."""
        return self._filling

    async def reach(self, identifier: str) -> bool:
        """Read without pauses until a row or message is in the model; tell whether it is."""
        while not self._has(identifier) and self._filling:
            self._hurried.set()
            await self._filled.wait()
        self._hurried.clear()
        return self._has(identifier)

    def _has(self, identifier: str) -> bool:
        return self.model.place(identifier) >= 0 or self.model.place_of_message(identifier) >= 0

    async def read(self, ended: asyncio.Event | None = None) -> None:
        """Read the whole shown path and show it, its end first; ``ended`` is set when that stands.

        Raises NotFound.
        """
        try:
            await self._read_end()
        finally:
            if ended is not None:
                ended.set()
        if len(self._turns) >= _FIRST:
            self._filling = True
            try:
                await self._fill()
            finally:
                self._filling = False
                self._tell_filled()

    async def _fill(self) -> None:
        """Read what stands before the turns that are shown, the last pieces first."""
        database = self._session.office.database
        await self._pause(_BEFORE_FILLING_SECONDS)
        earlier = await self._earlier()
        while earlier:
            await self._pause(_BETWEEN_PIECES_SECONDS)
            piece = await database.read(branches.turns, earlier[-_PIECE:])
            await self._learn_runs(piece)
            earlier = earlier[:-_PIECE]
            self._turns[:0] = piece
            self._remember(piece)
            self.model.insert(0, self._projection.rows(piece))
            self._tell_filled()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            # wait_for of Python 3.11 loses a cancellation that comes as the wait ends.
            async with asyncio.timeout(seconds):
                await self._hurried.wait()

    def _tell_filled(self) -> None:
        self._filled.set()
        self._filled = asyncio.Event()

    async def _earlier(self) -> tuple[chats.Step, ...]:
        """Return the outline of what stands before the turns that are shown."""
        steps = await self._session.office.database.read(branches.outline, self.conversation_id)
        first = self._turns[0].messages[0].id
        at = next((place for place, step in enumerate(steps) if first in step.message_ids), 0)
        return steps[:at]

    async def _read_end(self) -> None:
        database = self._session.office.database
        await self._learn_marks()
        await self._learn_faces()
        last = await database.read(branches.tail, self.conversation_id, _FIRST)
        await self._learn_runs(last)
        self._turns = [self._with_live_text(turn) for turn in last]
        self._remember(last)
        self.model.set_rows(self._projection.rows(self._turns))
        self._session.spawn(self._show_pictures(), name="show pictures")

    async def _learn_marks(self) -> None:
        """Read what stands beside the messages: the conversation and its files, and what of them is restricted."""
        database = self._session.office.database
        self.conversation = await database.read(chats.conversation, self.conversation_id)
        files = await database.read(attachments.attachments, self.conversation_id)
        self._projection.files = {file.id: file for file in files}
        self._projection.restricted = self.conversation.restricted

    async def _learn_faces(self) -> None:
        team = await self._session.office.roster.all()
        self._projection.faces = {agent.id: agent.avatar for agent in team}

    async def _show_pictures(self) -> None:
        """Show small pictures in their messages, the last ones first."""
        for file in reversed(tuple(self._projection.files.values())):
            if file.kind != "image" or file.message_id is None or self._pictures.known(file.id):
                continue
            if await self._pictures.small(file):
                for turn in self._turns:
                    if any(file.id in each.attachment_ids or "![" in each.text for each in turn.messages):
                        self._refresh_row(turn)

    async def look_again(self) -> None:
        """Show what was put away, brought back or restricted meanwhile. Raises NotFound."""
        whole, files = self._projection.restricted, self._projection.files
        await self._learn_marks()
        anew = self._projection.restricted != whole
        changed = {one for one, file in self._projection.files.items() if files.get(one) != file}
        for number, turn in enumerate(tuple(self._turns)):
            if anew or any(changed.intersection(each.attachment_ids) for each in turn.messages):
                self._refresh_row(turn)
            if number % _AT_A_TIME == _AT_A_TIME - 1:
                await asyncio.sleep(0)
        await self.refresh()

    async def refresh(self) -> None:
        """Read again and change only the rows that differ."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        try:
            while True:
                self._again = False
                await self._read_again()
                if not self._again:
                    return
        finally:
            self._reading = False

    def active_runs(self) -> list[str]:
        """Return the runs of answers that are queued or being written, first to last."""
        alive = ("queued", "streaming")
        return [
            message.run_id
            for message in self._stored.values()
            if message.role == "agent" and message.state in alive and message.run_id
        ]

    def last_queued(self) -> tuple[Message, list[str]] | None:
        """Return the owner's last message that waits behind another turn, and the runs that would answer it."""
        for place in range(len(self._turns) - 1, -1, -1):
            message = self._turns[place].messages[0]
            if message.role == "owner":
                following = self._turns[place + 1].messages if place + 1 < len(self._turns) else ()
                waiting = [each.run_id for each in following if each.state == "queued" and each.run_id]
                return (message, waiting) if message.state == "queued" and waiting else None
        return None

    def last_runs(self) -> list[str]:
        """Return the runs of the last answers."""
        for turn in reversed(self._turns):
            if turn.messages[0].role == "agent":
                return [message.run_id for message in turn.messages if message.run_id]
        return []

    def message(self, message_id: str) -> Message | None:
        """Return a message as last saved."""
        return self._stored.get(message_id)

    def last_owner_text(self) -> str:
        """Return what the owner wrote last, empty at the beginning."""
        return next(
            (turn.messages[0].text for turn in reversed(self._turns) if turn.messages[0].role == "owner"), ""
        )

    def apply(self, event: object) -> None:
        """Show what an event of this conversation says."""
        if isinstance(event, TextDelta | ThinkingDelta):
            self._grow(event)
        elif isinstance(event, MessageAdded):
            self._add(event.message)
        elif isinstance(event, MessageChanged):
            self._change(event.message)
        elif isinstance(event, AttachmentChanged):
            self._projection.files[event.attachment.id] = event.attachment
            if event.attachment.message_id:
                self._later()
                self._session.spawn(self._show_pictures(), name="show pictures")
        elif isinstance(event, RunChanged | ToolStarted | ToolFinished):
            self._later()

    def _grow(self, event: TextDelta | ThinkingDelta) -> None:
        shown = self.model.message(event.message_id)
        if shown is None:
            return
        if not self.model.is_live(event.message_id):
            self.model.update_message(replace(shown, state=MessageState.STREAMING, notice=None, footer=""))
        if isinstance(event, TextDelta):
            self.model.append_delta(event.message_id, event.text)
        else:
            self.model.append_thinking(event.message_id, event.text)

    def _add(self, message: Message) -> None:
        self._stored[message.id] = message
        same = [turn for turn in self._turns if turn.messages[0].batch_id == message.batch_id]
        if same:
            if all(each.id != message.id for each in same[0].messages):
                place = self._turns.index(same[0])
                turn = replace(same[0], messages=(*same[0].messages, message))
                self._turns[place] = turn
                self.model.replace_row(self._projection.row(turn.messages))
        elif message.parent_id == self._last_id():
            turn = Turn((message,), 1, 1)
            self._turns.append(turn)
            self.model.append(self._projection.row(turn.messages))
        else:
            self._later()

    def _change(self, message: Message) -> None:
        self._stored[message.id] = message
        for place, turn in enumerate(self._turns):
            if any(each.id == message.id for each in turn.messages):
                changed = tuple(message if each.id == message.id else each for each in turn.messages)
                self._turns[place] = replace(turn, messages=changed)
        shown = self.model.message(message.id)
        if shown is None:
            return
        if message.state in ("queued", "streaming") and self.model.is_live(message.id):
            return  # the live text is ahead of what is saved
        self.model.update_message(self._projection.message(message, shown.branch))
        self._later()

    def _last_id(self) -> str | None:
        return self._turns[-1].messages[0].id if self._turns else None

    def _later(self) -> None:
        self._session.spawn(self.refresh(), name="refresh a conversation")

    async def _read_again(self) -> None:
        database = self._session.office.database
        found = await database.read(branches.tail, self.conversation_id, _FRESH)
        await self._learn_runs(found)
        if not self._projection.faces:  # the conversation began here and was never read
            await self._learn_faces()
        self._remember(found)
        fresh = tuple(self._with_live_text(turn) for turn in found)
        if self._filling:
            # What stands before the first turn shown is on its way; it must not be shown twice.
            known = _batch(self._turns[0])
            start = next((place for place, turn in enumerate(fresh) if _batch(turn) == known), 0)
            fresh = fresh[start:]
        if len(fresh) < _FRESH:
            self._show(0, list(fresh))
            return
        first = _batch(fresh[0])
        at = next((place for place, turn in enumerate(self._turns) if _batch(turn) == first), None)
        if at is None:
            await self.read()
        else:
            self._show(at, list(fresh))

    def _show(self, at: int, fresh: list[Turn]) -> None:
        """Replace the turns from a place on, touching only rows that differ."""
        known = self._turns[at:]
        same = 0
        while same < min(len(known), len(fresh)) and _batch(known[same]) == _batch(fresh[same]):
            self._refresh_row(fresh[same])
            same += 1
        for turn in known[same:]:
            self.model.remove(_batch(turn))
        for turn in fresh[same:]:
            self.model.append(self._row(turn))
        self._turns[at:] = fresh

    def _refresh_row(self, turn: Turn) -> None:
        row = self._row(turn)
        place = self.model.place(row.id)
        if place >= 0 and self.model.row(place) != row:
            self.model.replace_row(row)

    def _row(self, turn: Turn) -> TranscriptRow:
        row = self._projection.row(turn.messages, (turn.alternative, turn.alternatives))
        # A live answer is ahead of what is saved: its text must not be set back.
        live = {each.id for each in row.messages if self.model.is_live(each.id)}
        return replace(
            row,
            messages=tuple(
                replace(each, state=MessageState.STREAMING)
                if each.id in live and each.state in (MessageState.QUEUED, MessageState.STREAMING)
                else each
                for each in row.messages
            ),
        )

    def _with_live_text(self, turn: Turn) -> Turn:
        """A conversation opened in mid-answer shows also what is not yet saved."""
        return replace(turn, messages=tuple(self._live.complete(message) for message in turn.messages))

    def _remember(self, turns: tuple[Turn, ...]) -> None:
        for turn in turns:
            for message in turn.messages:
                self._stored[message.id] = message

    async def _learn_runs(self, turns: tuple[Turn, ...]) -> None:
        wanted = [each.run_id for turn in turns for each in turn.messages if each.run_id]
        if wanted:
            self._projection.runs |= await self._session.office.database.read(summaries, wanted)


def _batch(turn: Turn) -> str:
    return turn.messages[0].batch_id


def conversation_of(event: object) -> str:
    """Return the conversation an event speaks of, empty where it names none."""
    holder = (
        getattr(event, "message", None) or getattr(event, "run", None) or getattr(event, "attachment", None)
    )
    return str(getattr(holder, "conversation_id", ""))
