"""The office: the one root that window and terminal open alike."""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy.orm import Session

from agents import sending
from agents.connections import Connections
from agents.events import ConversationChanged, EventBus, MessageAdded, RunChanged
from agents.preparation import OfficePreparation
from agents.roster import Roster, seed
from agents.runtime.recording import Recorder
from agents.runtime.runs import Runs, Side
from agents.runtime.work import Services
from agents.sending import Draft, Sent
from agents.spending import Spending
from memory import chats, runs, settings
from memory.attachments import Attachment
from memory.chats import Conversation, Message
from memory.database import Database
from memory.disk import told_by_system
from memory.locations import Locations
from memory.office_store import open_database
from memory.ownership import OwnerLock
from memory.runs import Run
from vault.office_keys import Vault, open_vault
from vault.secret import Secret


class Office:
    """An open office. Everything in it belongs to the event loop that opened it.

    ``events`` is what its faces listen to; ``database``, ``vault``, ``connections``, ``roster``, ``runs`` are
    its parts. ``interrupted`` are the runs that a crash left behind: resume or discard them.
    """

    def __init__(self, locations: Locations, lock: OwnerLock, vault: Vault, database: Database) -> None:
        self.locations = locations
        self.lock = lock
        self.vault = vault
        self.database = database
        self.events = EventBus()
        self.settings = Settings(database)
        self.connections = Connections(database, vault)
        self.roster = Roster(database, self.events)
        self.interrupted: tuple[Run, ...] = ()
        self._recorder = Recorder(database, self.events)
        self._spending = Spending(database)
        self._preparation = OfficePreparation(database)
        self.runs = Runs(
            Services(
                database=database,
                bus=self.events,
                recorder=self._recorder,
                budget=self._spending.budget,
                connections=self.connections,
                preparation=self._preparation,
                content=self._content,
                caps=self._spending.caps,
                finished=self._finished,
            )
        )

    @classmethod
    async def open(cls, locations: Locations, *, passphrase: str | Secret | None = None) -> Self:
        """Open or create the office of these locations; imports nothing slow and starts no process.

        Raises VaultError or StorageError.
        """
        secret = Secret(passphrase) if isinstance(passphrase, str) else passphrase
        lock, vault, database = await asyncio.to_thread(_open, locations, secret)
        office = cls(locations, lock, vault, database)
        office.interrupted = await database.write(_begin)
        return office

    async def create_conversation(self, *, title: str = "", agent_id: str | None = None) -> Conversation:
        """Begin a conversation."""
        made = await self.database.write(chats.create_conversation, title=title, agent_id=agent_id)
        self.events.publish(ConversationChanged(made.id))
        return made

    async def send(
        self,
        conversation_id: str,
        text: str,
        attachment_ids: Sequence[str] = (),
        agent_ids: Sequence[str] = (),
        model: str = "",
        effort: str = "",
    ) -> Sent:
        """Commit the message and start its runs, or queue them behind the turn that is at work.

        Raises NothingToSend, UnknownAgent, NotFound or Refused; then nothing was written.
        """
        draft = Draft(text, attachment_ids, agent_ids, model, effort)
        busy = self.runs.busy(conversation_id)
        return self._start(await self.database.write(sending.send, conversation_id, draft, busy=busy))

    async def edit(self, message_id: str, text: str) -> Sent:
        """Send the owner's message in other words, as a branch beside the old one."""
        busy = self.runs.busy((await self.message(message_id)).conversation_id)
        return self._start(await self.database.write(sending.edit, message_id, text, busy=busy))

    async def regenerate(self, message_id: str) -> Sent:
        """Ask the agent of an answer again; the old answer stays as a branch."""
        busy = self.runs.busy((await self.message(message_id)).conversation_id)
        return self._start(await self.database.write(sending.regenerate, message_id, busy=busy))

    async def stop(self, run_id: str) -> None:
        """Stop a run; what it wrote stays, other runs go on."""
        await self.runs.stop(run_id)

    async def resume(self, run_id: str) -> Run:
        """Go on with an interrupted, stopped or failed run. Raises RunNotResumable or NotFound."""
        return await self.runs.resume(run_id)

    async def discard(self, run_id: str) -> Run:
        """Give up an interrupted or queued run; its text so far stays."""
        return await self.runs.discard(run_id)

    async def message(self, message_id: str) -> Message:
        """Return one message. Raises NotFound."""
        return await self.database.read(_message, message_id)

    async def close(self) -> None:
        """Interrupt the runs, commit what they wrote, close the connections and the database."""
        await self.runs.close()
        await self._recorder.close()
        await self.connections.close()
        await asyncio.to_thread(self.database.close)
        self.lock.release()

    def _start(self, sent: Sent) -> Sent:
        question = sent.message
        self.events.publish(MessageAdded(question))
        for reply in sent.replies:
            self.events.publish(MessageAdded(reply))
        for run in sent.runs:
            self.events.publish(RunChanged(run))
        self.events.publish(ConversationChanged(question.conversation_id))
        sides = [
            Side(run, agent, reply)
            for run, agent, reply in zip(sent.runs, sent.agents, sent.replies, strict=True)
        ]
        self.runs.add(question, sides)
        return sent

    async def _content(self, attachment: Attachment) -> bytes:
        raise NotImplementedError

    async def _finished(self, message: Message) -> None:
        self.events.publish(ConversationChanged(message.conversation_id))


class Settings:
    """The settings in force, each declared once in ``memory.settings``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def value(self, key: str) -> Any:
        """Return one value. Raises Refused for a key that is not declared."""
        return await self._database.read(settings.value, key)

    async def all(self) -> dict[str, Any]:
        """Return every declared setting's value."""
        return await self._database.read(settings.values)

    async def change(self, key: str, new: Any) -> Any:
        """Store a value. Raises Refused where it does not fit."""
        return await self._database.write(settings.change, key, new)


def _open(locations: Locations, passphrase: Secret | None) -> tuple[OwnerLock, Vault, Database]:
    try:
        locations.create()
    except OSError as error:
        raise told_by_system(error, locations.home) from error
    lock = OwnerLock.acquire(locations)
    try:
        vault = open_vault(locations.home, passphrase=passphrase)
        return lock, vault, open_database(locations, vault.keys.database_key)
    except BaseException:
        lock.release()
        raise


def _begin(session: Session) -> tuple[Run, ...]:
    seed(session)
    return runs.runs(session, states=("interrupted",))


def _message(session: Session, message_id: str) -> Message:
    from memory import messages

    return messages.message(session, message_id)
