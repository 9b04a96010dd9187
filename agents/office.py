"""The office: the one root that window and terminal open alike."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sqlalchemy.orm import Session

from agents import sending
from agents.connections import Connections
from agents.estimate import Estimate
from agents.events import ConversationChanged, EventBus, MessageAdded, RecallChanged, RunChanged
from agents.files import Files
from agents.housekeeping import Housekeeping
from agents.indexing import index_said
from agents.librarian.model import librarian_model
from agents.lifecycle import trail
from agents.lifecycle.app_lock import AppLock
from agents.notebook import Notebook
from agents.opening import open_stores
from agents.preparation import OfficePreparation
from agents.roster import Roster
from agents.runtime.recording import Recorder
from agents.runtime.runs import Runs, Side
from agents.runtime.work import Services
from agents.sending import Draft, Sent
from agents.settings import Settings
from agents.spending import Spending
from memory import audit, chats, messages, runs
from memory.attachments import Attachment
from memory.blobs import BlobStore
from memory.chats import Conversation, Message
from memory.database import Database
from memory.lifecycle import reports
from memory.locations import Locations
from memory.ownership import OwnerLock
from memory.recall.ahead import RecallAhead
from memory.recall.search import Recall
from memory.runs import Run
from vault.office_keys import Vault
from vault.secret import Secret

if TYPE_CHECKING:
    from agents.lifecycle.backing_up import Backups
    from agents.lifecycle.bringing_in import Imports
    from agents.lifecycle.daily import Daily
    from agents.lifecycle.erasing import Erasing
    from agents.lifecycle.going_back import WentBack
    from agents.lifecycle.keeping import Keeping
    from agents.lifecycle.transfer import Transfers
    from agents.sync_decisions import SyncDecisions
    from agents.sync_rounds import SyncRounds
    from agents.syncing import Syncing


class Office:
    """An open office. Everything in it belongs to the event loop that opened it.

    ``events`` is what its faces listen to; ``database``, ``vault``, ``blobs``, ``recall``, ``connections``,
    ``roster``, ``files``, ``imports``, ``runs`` and ``settings`` are its parts; ``lock.socket`` is where its door
    belongs. ``went_back`` says what became of a restore that this opening carried out.
    """

    def __init__(
        self,
        locations: Locations,
        lock: OwnerLock,
        vault: Vault,
        database: Database,
        blobs: BlobStore,
        office_id: str,
        went_back: "WentBack | None" = None,
        ahead: RecallAhead | None = None,
    ) -> None:
        self.locations = locations
        self.lock = lock
        self.vault = vault
        self.database = database
        self.blobs = blobs
        self.went_back = went_back
        self.events = EventBus()
        self.settings = Settings(database)
        self.connections = Connections(database, vault)
        self.roster = Roster(database, self.events)
        self.recall = Recall(database, locations, office_id, ahead=ahead)
        self.files = Files(database, blobs, self.recall, self.events)
        self.app_lock = AppLock(database, vault, self.events)
        self.notes = Notebook(database, self.recall, self.events)
        self._warm = self._closed = False
        self.housekeeping = Housekeeping(self)
        self._recorder = Recorder(database, self.events)
        self._spending = Spending(database)
        self._preparation = OfficePreparation(database, self.files, self.recall, self.events)
        self.runs = Runs(
            Services(
                database=database,
                bus=self.events,
                recorder=self._recorder,
                budget=self._spending.budget,
                connections=self.connections,
                preparation=self._preparation,
                content=self.files.content,
                caps=self._spending.caps,
                finished=self._finished,
                librarian=librarian_model,
            )
        )

    @cached_property
    def imports(self) -> "Imports":
        """Brings in what other apps exported."""
        from agents.lifecycle.bringing_in import Imports

        return Imports(self.database, self.blobs, self.recall, self.files, self.events)

    @cached_property
    def backups(self) -> "Backups":
        """Makes, checks, lists and removes backups."""
        from agents.lifecycle.backing_up import Backups

        return Backups(self.database, self.vault, self.locations, self.events)

    @cached_property
    def transfers(self) -> "Transfers":
        """Exports the office, verifies exports and brings them in."""
        from agents.lifecycle.transfer import Transfers

        return Transfers(self)

    @cached_property
    def erasing(self) -> "Erasing":
        """Erases with proof."""
        from agents.lifecycle.erasing import Erasing, Parts

        return Erasing(
            Parts(
                locations=self.locations,
                database=self.database,
                blobs=self.blobs,
                recall=self.recall,
                files=self.files,
                runs=self.runs,
                recorder=self._recorder,
                bus=self.events,
                vault=self.vault,
            )
        )

    @cached_property
    def syncing(self) -> "Syncing":
        """The office on the owner's other devices."""
        from agents.syncing import Syncing

        return Syncing(
            *(self.database, self.vault, self.recall, self.events, self.erasing, self.blobs, self.files)
        )

    @cached_property
    def sync_rounds(self) -> "SyncRounds":
        """Rounds of sync by themselves, and those its owner wants at once."""
        from agents.sync_rounds import SyncRounds

        return SyncRounds(self.syncing, self.database, self.events, self.app_lock)

    @cached_property
    def sync_decisions(self) -> "SyncDecisions":
        """What its owner decides about sync: what takes part, and which words stay."""
        from agents.sync_decisions import SyncDecisions

        return SyncDecisions(
            *(self.database, self.roster, self.notes, self.events),
            *(self.keeping, self.erasing, self.syncing),
        )

    @cached_property
    def keeping(self) -> "Keeping":
        """Trash, holds, restriction and rules of retention."""
        from agents.lifecycle.keeping import Keeping

        return Keeping(self.database, self.runs, self.recall, self.events)

    @cached_property
    def daily(self) -> "Daily":
        """What is done at start and every day: retention, trash, logs."""
        from agents.lifecycle.daily import Daily

        return Daily(self.database, self.locations, self.events, self.erasing)

    @classmethod
    async def open(
        cls,
        locations: Locations,
        *,
        passphrase: str | Secret | None = None,
        vault: Vault | None = None,
        ahead: RecallAhead | None = None,
    ) -> Self:
        """Open or create the office of these locations; imports nothing slow and starts no process.

        ``vault`` is this office's, where it was opened already; ``ahead`` is a recall process that was started
        for it, which belongs to the office once it is open. Raises VaultError or StorageError.
        """
        secret = Secret(passphrase) if isinstance(passphrase, str) else passphrase
        return cls(locations, *await asyncio.to_thread(open_stores, locations, secret, vault), ahead=ahead)

    async def warm(self) -> None:
        """Start what a first paint need not wait for: recall, the reading workers, what was left unread.

        A little later the office begins to keep house.
        """
        if self._warm:
            return
        self._warm = True
        self.recall.watch(lambda: self.events.publish(RecallChanged(self.recall.condition.state)))
        await self.recall.start()
        await self.files.read_waiting()
        self.housekeeping.begin_soon()

    async def interrupted(self) -> tuple[Run, ...]:
        """Return the runs that a crash or a closed window left behind: resume or discard them."""
        return await self.database.read(_interrupted)

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
        connection_id: str = "",
    ) -> Sent:
        """Commit the message and start its runs, or queue them behind the turn that is at work.

        ``connection_id`` names the account that ``model`` belongs to, for every agent that is asked.

        Raises NothingToSend, UnknownAgent, NotFound or Refused; then nothing was written.
        """
        draft = Draft(text, attachment_ids, agent_ids, model, effort, connection_id)
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
        return await self.database.read(messages.message, message_id)

    async def attach(self, conversation_id: str, source: Path | str | bytes, name: str = "") -> Attachment:
        """Give a file to the draft of a conversation; it is on disk on return and read afterwards.

        Raises NotFound or another StorageError.
        """
        return await self.files.attach(conversation_id, source, name)

    async def new_recovery_key(self) -> str:
        """Return 24 words, to be shown once, that open this office from now on. Raises VaultError, StorageError."""
        words = await asyncio.to_thread(self.vault.new_recovery_key)
        await self._renewed("recovery key", "recovery key made")
        return words

    async def take_over_recovery_key(self) -> None:
        """Know of the recovery key that another process has just made. Raises VaultError, StorageError."""
        await asyncio.to_thread(self.vault.reload)
        await self._renewed("recovery key", "recovery key made")

    async def change_passphrase(self, passphrase: Secret) -> None:
        """Let another passphrase open this office. Raises VaultError, StorageError."""
        await asyncio.to_thread(self.vault.change_passphrase, passphrase)
        await self._renewed("passphrase", "passphrase changed")

    async def _renewed(self, opener: str, kind: str) -> None:
        await self.database.write(audit.append, kind, self.vault.office_id)
        await self.database.write(reports.renewed, opener)
        await self.backups.take_over_keys()

    async def preview(
        self,
        conversation_id: str,
        text: str,
        attachment_ids: Sequence[str] = (),
        agent_ids: Sequence[str] = (),
        model: str = "",
        connection_id: str = "",
    ) -> tuple[Estimate, ...]:
        """Return for each addressed agent what would be sent now; nothing is sent. Raises UnknownAgent."""
        draft = Draft(text, attachment_ids, agent_ids, model, connection_id=connection_id)
        accounts = []
        for agent, connection, name in await self.database.read(sending.ahead, conversation_id, draft):
            price = self.connections.price(connection, name) if connection else None
            context = await self._preparation.preview(
                conversation_id, text, attachment_ids, agent, connection, price
            )
            accounts.append(Estimate(agent, connection, name, context.parts))
        return tuple(accounts)

    async def close(self) -> None:
        """Interrupt the runs, commit what they wrote, seal the index, let go of the office. Safe to call twice.

        Raises StorageError where the disk refused the last commit; everything is closed all the same.
        """
        if self._closed:
            return
        self._closed = True
        async with AsyncExitStack() as stages:
            # Last in, first out; each stage runs even if one before it failed.
            stages.callback(self.lock.release)
            stages.push_async_callback(asyncio.to_thread, self.database.close)
            stages.push_async_callback(self.note_trail)
            stages.push_async_callback(self.connections.close)
            stages.push_async_callback(self.recall.close)
            stages.push_async_callback(self.files.close)
            for name in ("imports", "backups", "transfers"):
                self._close_if_made(stages, name)
            stages.push_async_callback(self._recorder.close)
            stages.push_async_callback(self.runs.close)
            for name in ("erasing", "daily", "syncing", "sync_rounds"):
                self._close_if_made(stages, name)
            stages.push_async_callback(self.housekeeping.close)

    def _close_if_made(self, stages: AsyncExitStack, name: str) -> None:
        if name in self.__dict__:
            stages.push_async_callback(self.__dict__[name].close)

    async def note_trail(self) -> None:
        """Keep outside the database where the audit trail ends now. Raises StorageError or VaultError."""
        end = await self.database.read(audit.end)
        await asyncio.to_thread(trail.note_end, self.locations, self.vault.keys, end)

    def _start(self, sent: Sent) -> Sent:
        question = sent.message
        self.recall.wake()
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

    async def _finished(self, message: Message) -> None:
        """Index what an agent said and tell the list of conversations."""
        if message.text:
            await self.database.write(index_said, message.id)
            self.recall.wake()
        self.events.publish(ConversationChanged(message.conversation_id))


def _interrupted(session: Session) -> tuple[Run, ...]:
    return runs.runs(session, states=("interrupted",))
