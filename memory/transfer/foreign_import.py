"""One import of another app's export, step by step: what is read, kept and counted on the way to the database.

Its methods block and are called from worker threads, one at a time but for ``take``, which may run beside them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from memory.blobs import Blob, BlobStore
from memory.errors import Refused
from memory.identifiers import now
from memory.transfer.archives import Archive
from memory.transfer.arriving import Closing, Known
from memory.transfer.foreign import incoming
from memory.transfer.incoming import (
    Incoming,
    IncomingAgent,
    IncomingConversation,
    IncomingFile,
    IncomingMessage,
    IncomingNote,
    Problem,
)
from memory.transfer.incoming_rows import Identities, Row, Stored, growth_of, growth_rows, rows_of
from memory.transfer.recognition import Recognised
from memory.transfer.watching import Watch
from resources.language import gettext as _

_BATCH_CHARACTERS = 500_000
_BATCH_MESSAGES = 400
_PIECE = 1024 * 1024


@dataclass(slots=True)
class Summary:
    """What an archive holds, or what of it was brought in. Times are in milliseconds, None where there are none."""

    conversations: int = 0
    messages: int = 0
    hidden: int = 0
    files: int = 0
    missing_files: int = 0
    agents: int = 0
    notes: int = 0
    grown: int = 0
    """Conversations that were here before and have new messages, counted among ``messages``."""
    already_here: int = 0
    """Conversations that are here with everything the archive has of them."""
    erased: int = 0
    problems: int = 0
    earliest: int | None = None
    latest: int | None = None

    def add(self, conversation: IncomingConversation) -> None:
        """Count a conversation with what is in it."""
        self.conversations += 1
        self._add_messages(conversation.messages, conversation.created_at)

    def grow(self, messages: Sequence[IncomingMessage]) -> None:
        """Count the new messages of a conversation that is here."""
        self.grown += 1
        self._add_messages(messages, messages[0].created_at)

    def _add_messages(self, messages: Sequence[IncomingMessage], begun: int) -> None:
        hidden = sum(message.hidden for message in messages)
        self.messages += len(messages) - hidden
        self.hidden += hidden
        for message in messages:
            self.files += len(message.files)
            self.missing_files += sum(not file.member and file.content is None for file in message.files)
        times = [message.created_at for message in messages] or [begun]
        self.earliest = min(times) if self.earliest is None else min(self.earliest, *times)
        self.latest = max(times) if self.latest is None else max(self.latest, *times)

    def counts(self) -> dict[str, int]:
        """Return the counts that an import keeps."""
        names = (
            "conversations",
            "messages",
            "hidden",
            "files",
            "missing_files",
            "grown",
            "already_here",
            "erased",
            "problems",
        )
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class ForeignImport:
    """The state of one reading of an archive; without a store it only looks."""

    archive: Archive
    recognised: Recognised
    watch: Watch
    blobs: BlobStore | None = None
    summary: Summary = field(default_factory=Summary)
    problems: list[Problem] = field(default_factory=list)
    closing: Closing = field(init=False)
    written_blobs: list[str] = field(default_factory=list)
    _recorded: set[str] = field(default_factory=set)
    _empty: Blob | None = None
    _told: int = 0
    _records: Iterator[Incoming] = field(init=False)

    def __post_init__(self) -> None:
        self.closing = Closing(self.recognised.kind, problems=self.problems)
        self.archive.taken = 0
        members = (*self.recognised.conversations, *self.recognised.projects, *self.recognised.memories)
        self.watch.total = sum(self.archive.members[name].size for name in members)
        self._records = incoming(self.archive, self.recognised, now())

    def take(self) -> list[Identities]:
        """Return the next conversations, none at the end. Raises TransferError, TransferCancelled among them."""
        taken: list[Identities] = []
        characters = messages = 0
        for record in self._records:
            if isinstance(record, IncomingConversation):
                taken.append(Identities(self.recognised.kind, record))
                messages += len(record.messages)
                characters += sum(len(message.text) for message in record.messages)
            else:
                self._note(record)
            if messages >= _BATCH_MESSAGES or characters >= _BATCH_CHARACTERS:
                break
        self.watch.advance(min(self.archive.taken, self.watch.total) - self._told)
        self._told = min(self.archive.taken, self.watch.total)
        return taken

    def new_ones(self, batch: list[Identities], known: Known) -> list[Identities]:
        """Return what of a batch comes in: what is new, wholly or in part, and not erased; count all."""
        chosen: dict[str, Identities] = {}
        for one in batch:
            if one.id in known.erased:
                self.summary.erased += 1
            elif one.id in chosen:
                self.summary.already_here += 1
            elif one.id in known.here:
                if new := self._new_messages(one, known):
                    chosen[one.id] = one
                    self.summary.grow(new)
                else:
                    self.summary.already_here += 1
            else:
                chosen[one.id] = one
                self.summary.add(one.conversation)
                self.summary.erased += sum(
                    one.message(message.original_id) in known.erased for message in one.conversation.messages
                )
                if one.conversation.project:
                    self.closing.links[one.id] = one.conversation.project
        return [*chosen.values()]

    def rows(self, one: Identities, import_id: str, known: Known) -> Iterator[list[Row]]:
        """Keep the files of a conversation and yield its rows in batches for one transaction each."""
        batch: list[Row] = []
        size = 0
        for row in self._rows(one, import_id, known):
            batch.append(row)
            size += row.size
            if size >= _BATCH_CHARACTERS or len(batch) >= 4 * _BATCH_MESSAGES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _rows(self, one: Identities, import_id: str, known: Known) -> Iterator[Row]:
        if one.id not in known.here:
            return rows_of(one, import_id, known.erased, self._keep, self._recorded)
        growth = growth_of(one, known.erased, known.within)
        if growth is None:
            return iter(())
        self.closing.growths.append(growth)
        parts = (one, growth, import_id, known.erased, known.within)
        return growth_rows(*parts, self._keep, self._recorded)

    @staticmethod
    def _new_messages(one: Identities, known: Known) -> list[IncomingMessage]:
        settled = known.within | known.erased
        return [each for each in one.conversation.messages if one.message(each.original_id) not in settled]

    def _note(self, record: IncomingAgent | IncomingNote | Problem) -> None:
        if isinstance(record, Problem):
            self.summary.problems += 1
            self.problems.append(record)
        elif isinstance(record, IncomingAgent):
            self.summary.agents += 1
            self.closing.agents.append(record)
        else:
            self.summary.notes += 1
            self.closing.notes.append(record)

    def _keep(self, file: IncomingFile) -> Stored | None:
        try:
            if file.content is not None:
                blob = self._store.write(file.content)
            elif file.member:
                size = self.archive.members[file.member].size
                with self.archive.open(file.member) as stream:
                    blob = self._store.write(iter(lambda: stream.read(_PIECE), b""), size=size)
            else:
                return Stored(self._nothing, _("The export names this file but does not hold it."))
        except Refused as refusal:
            return Stored(self._nothing, str(refusal))
        self.written_blobs.append(blob.id)
        return Stored(blob)

    @property
    def _store(self) -> BlobStore:
        if self.blobs is None:
            raise RuntimeError("looking at an archive keeps no files")
        return self.blobs

    @property
    def _nothing(self) -> Blob:
        """The empty blob that stands for every file whose bytes are missing."""
        if self._empty is None:
            self._empty = self._store.write(b"")
            self.written_blobs.append(self._empty.id)
        return self._empty
