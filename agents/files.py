"""Files given to conversations: kept encrypted, read by confined workers, indexed, handed to models and tools."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.orm import Session

from agents.events import AttachmentChanged, EventBus
from memory import attachments, blobs
from memory.attachments import Attachment
from memory.blobs import BlobStore
from memory.database import Database
from memory.errors import NotFound, StorageError
from memory.readers.document import Document, Place
from memory.readers.errors import FileTooLarge, ReadingError
from memory.readers.passages import split
from memory.readers.workers import ReadingWorkers
from memory.recall.indexing import index_passages
from memory.recall.search import Recall
from resources.language import chosen_language
from resources.language import gettext as _

KEPT_CHARACTERS = 4_000_000
"""Characters of read files that stay in memory, so that paging through one does not read it again."""
INDEXED_AT_A_TIME = 100
_AT_WORK = 4

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReadableFile:
    """The text of a file as agents read it: each section under its place. ``starts`` are the sections' offsets."""

    text: str
    starts: tuple[int, ...]
    places: tuple[Place, ...]

    def place_at(self, offset: int) -> Place:
        """Return the place of the character at an offset."""
        import bisect

        if not self.places:
            return Place()
        return self.places[max(0, bisect.bisect_right(self.starts, offset) - 1)]


class Files:
    """The files of the office's conversations. ``close`` ends what is being read; it is read again at next start."""

    def __init__(self, database: Database, store: BlobStore, recall: Recall, bus: EventBus) -> None:
        self.workers = ReadingWorkers(language=chosen_language())
        self._database = database
        self._store = store
        self._recall = recall
        self._bus = bus
        self._reading: dict[str, asyncio.Task[None]] = {}
        self._kept: OrderedDict[str, ReadableFile] = OrderedDict()
        self._at_work = asyncio.Semaphore(_AT_WORK)

    async def attach(self, conversation_id: str, source: Path | str | bytes, name: str = "") -> Attachment:
        """Keep a file for the draft of a conversation and begin to read it; returns once it is on disk.

        Raises NotFound or another StorageError.
        """
        source = Path(source) if isinstance(source, str) else source
        name = Path(name or (source.name if isinstance(source, Path) else _("pasted text"))).name
        blob = await asyncio.to_thread(self._store.write, source)
        attachment = await self._database.write(_keep, conversation_id, blob, name)
        self._bus.publish(AttachmentChanged(attachment))
        self._begin(attachment)
        return attachment

    async def remove(self, attachment_id: str) -> None:
        """Take a file out of a draft. Raises NotFound, or Refused once a message carries it."""
        blob_id = await self._database.write(attachments.remove_attachment, attachment_id)
        if task := self._reading.pop(attachment_id, None):
            task.cancel()
        if blob_id is not None:
            await asyncio.to_thread(self._store.delete, blob_id)

    def forget(self, attachment_ids: Iterable[str]) -> None:
        """Stop reading these files and keep nothing of them in memory, because they were erased."""
        for attachment_id in attachment_ids:
            if task := self._reading.pop(attachment_id, None):
                task.cancel()
            self._kept.pop(attachment_id, None)

    async def read_waiting(self) -> None:
        """Begin to read what an earlier start or an import left unread."""
        for attachment in await self._database.read(attachments.attachments_in_state, "pending"):
            if attachment.id not in self._reading:
                self._begin(attachment)

    async def read_again(self, attachment: Attachment) -> None:
        """Read a file whose passages are not here, as after an import, and return when it is read."""
        if attachment.id not in self._reading:
            self._begin(attachment)
        await self.settled([attachment.id])

    async def settled(self, attachment_ids: Iterable[str]) -> None:
        """Return when none of the files is being read any more."""
        tasks = [self._reading[one] for one in attachment_ids if one in self._reading]
        if tasks:
            await asyncio.wait(tasks)

    async def content(self, attachment: Attachment) -> bytes:
        """Return the file itself. Raises BlobDamaged or NotFound."""
        if attachment.blob_id is None:
            sentence = _("“{name}” has not arrived from your other device yet: sync again.")
            raise NotFound(sentence.format(name=attachment.name))
        blob = await self._database.read(blobs.blob, attachment.blob_id)
        return await asyncio.to_thread(self._store.read, blob)

    async def readable(self, attachment: Attachment) -> ReadableFile:
        """Return the text of a file. Raises ReadingError or StorageError."""
        if attachment.id in self._kept:
            self._kept.move_to_end(attachment.id)
            return self._kept[attachment.id]
        document = await self._read(attachment)
        return self._keep_text(attachment.id, readable_of(document))

    async def close(self) -> None:
        """End what is being read and the workers."""
        tasks = list(self._reading.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.workers.close()

    def _begin(self, attachment: Attachment) -> None:
        task = asyncio.create_task(self._take_in(attachment), name=f"read {attachment.id}")
        self._reading[attachment.id] = task
        task.add_done_callback(lambda done: self._taken_in(attachment, done))

    def _taken_in(self, attachment: Attachment, task: "asyncio.Task[None]") -> None:
        self._reading.pop(attachment.id, None)
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("A file could not be taken in", exc_info=error)
        reason = (
            str(error)
            if isinstance(error, StorageError)
            else _("Something in Bureau broke ({kind}): attach the file again.").format(
                kind=type(error).__name__
            )
        )
        # Told though not even this could be written: what waits for the file must not wait for ever. On disk it is
        # unread, so the next start tries again.
        self._bus.publish(AttachmentChanged(replace(attachment, state="failed", reason=reason)))

    async def _take_in(self, attachment: Attachment) -> None:
        try:
            await self._update(attachment.id, state="reading")
            await self._read_and_index(attachment)
        except (ReadingError, StorageError) as error:
            await self._update(attachment.id, state="failed", reason=str(error))

    async def _read_and_index(self, attachment: Attachment) -> None:
        document = await self._read(attachment)
        passages = await asyncio.to_thread(split, document)
        for start in range(0, len(passages), INDEXED_AT_A_TIME):
            await self._database.write(
                index_passages, attachment, passages[start : start + INDEXED_AT_A_TIME]
            )
        self._recall.wake()
        readable = self._keep_text(attachment.id, readable_of(document))
        await self._update(
            attachment.id,
            state="ready",
            kind=document.kind.value,
            media_type=document.media_type,
            pages=document.pages,
            characters=len(readable.text),
            note=document.note,
        )

    async def _read(self, attachment: Attachment) -> Document:
        limit = self.workers.limits.file_megabytes
        if attachment.size > limit * 1024 * 1024:
            raise FileTooLarge(attachment.name, str(limit))
        # Thousands may wait after an import: only those at work may hold their content.
        async with self._at_work:
            return await self.workers.read(await self.content(attachment), attachment.name)

    async def _update(self, attachment_id: str, **values: object) -> None:
        try:
            changed = await self._database.write(attachments.update_attachment, attachment_id, **values)  # type: ignore[arg-type]  # names and types as in update_attachment
        except NotFound:
            return  # taken out of the draft meanwhile
        self._bus.publish(AttachmentChanged(changed))

    def _keep_text(self, attachment_id: str, readable: ReadableFile) -> ReadableFile:
        self._kept[attachment_id] = readable
        while len(self._kept) > 1 and sum(len(one.text) for one in self._kept.values()) > KEPT_CHARACTERS:
            self._kept.popitem(last=False)
        return readable


def readable_of(document: Document) -> ReadableFile:
    """Return a document's text with a line above each section that names its place."""
    parts: list[str] = []
    starts: list[int] = []
    length = 0
    for section in document.sections:
        label = section.place.label()
        part = f"[{label}]\n{section.text}\n\n" if label else f"{section.text}\n\n"
        starts.append(length)
        parts.append(part)
        length += len(part)
    places = tuple(section.place for section in document.sections)
    return ReadableFile("".join(parts).rstrip("\n"), tuple(starts), places)


def _keep(session: Session, conversation_id: str, blob: blobs.Blob, name: str) -> Attachment:
    blobs.record_blob(session, blob)
    return attachments.add_attachment(
        session, conversation_id, blob_id=blob.id, name=name, size=blob.size, state="pending"
    )
