"""Files of which the record has arrived are fetched piece by piece, after everything else; a cut costs one piece.

A piece is checked by its hash before it is opened, and written sealed under a key of this device. A file is named in
its row once all of it is on the disk and was read from there.
"""

import asyncio

from memory.blobs import BlobStore
from memory.errors import BlobDamaged, DiskFull, DiskReadOnly, StorageError
from memory.sync import transfers
from memory.sync.blob_chunks import CHUNK
from memory.sync.contents import FILE
from memory.sync.due import is_due
from memory.sync.errors import ChunkDamaged, ChunkLost
from memory.sync.sending_files import AT_ONCE, BESIDE
from memory.sync.taking import Parts, Round
from memory.sync.transfers import Arriving


async def fetch_files(parts: Parts, done: Round) -> None:
    """Fetch pieces of files that are not here yet. Raises OSError, ServiceFault; what was written stays so."""
    store, budget = parts.blobs, AT_ONCE
    if store is None:
        return
    tried: list[str] = []
    while (file := await parts.database.write(transfers.next_arriving, tried)) is not None:
        try:
            if file.pieces == file.blob.chunks:
                await _complete(parts, store, file, done)
            elif budget <= 0:
                done.files_left = True
                return
            else:
                length = await _fetch(parts, store, file)
                due = await parts.database.read(is_due, without=(FILE,))
                budget = 0 if due else budget - length - BESIDE
        except (ChunkLost, ChunkDamaged, BlobDamaged, DiskFull, DiskReadOnly) as error:
            await parts.database.write(transfers.note_fault, file.attachment_id, _fault(error))
            tried.append(file.attachment_id)
            if isinstance(error, DiskFull | DiskReadOnly):
                return  # the next one cannot be written either


async def _fetch(parts: Parts, store: BlobStore, file: Arriving) -> int:
    """Fetch the next piece of a file; return its bytes. Raises ChunkLost, ChunkDamaged, DiskFull, DiskReadOnly."""
    content, index, count = file.content, file.pieces, file.blob.chunks
    address = content.addresses[index]
    sealed = await parts.carrier.piece(address)
    piece = await asyncio.to_thread(content.key.open, index, count, sealed, address)
    if len(piece) != (CHUNK if index < count - 1 else content.size - CHUNK * (count - 1)):
        raise ChunkDamaged("length")
    await asyncio.to_thread(store.write_piece, file.blob, index, piece)
    if not await parts.database.write(transfers.note_pieces, file.attachment_id, index + 1):
        await asyncio.to_thread(store.delete, file.blob.id)  # it was erased meanwhile
    return len(piece)


async def _complete(parts: Parts, store: BlobStore, file: Arriving, done: Round) -> None:
    try:
        blob = await asyncio.to_thread(store.complete, file.blob)
    except BlobDamaged:
        # What was written is not there as it was: fetched anew from the first piece.
        await asyncio.to_thread(store.delete, file.blob.id)
        await parts.database.write(transfers.note_pieces, file.attachment_id, 0)
        raise
    if await parts.database.write(transfers.arrived, file, blob):
        done.files_arrived += 1
        done.touched.add((FILE, file.attachment_id))
    else:
        await asyncio.to_thread(store.delete, blob.id)


def _fault(error: StorageError) -> str:
    match error:
        case ChunkLost():
            return "lost"
        case DiskFull():
            return "disk_full"
        case DiskReadOnly():
            return "read_only"
    return "damaged"
