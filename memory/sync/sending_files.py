"""Files go to the other devices piece by piece, before their records: an upload that was cut goes on where it was.

Key and id of a content, and the hashes of its pieces, are on the disk before one is sent. One piece is in memory at a
time, and the database is not held while it is on its way.
"""

import asyncio
from dataclasses import replace

from sqlalchemy.orm import Session

from memory.blobs import BlobStore
from memory.errors import BlobDamaged
from memory.sync import sealing_anew, transfers
from memory.sync.blob_chunks import CHUNK, address_of
from memory.sync.carrier import OverQuota
from memory.sync.contents import FILE
from memory.sync.due import is_due
from memory.sync.envelope import TAG
from memory.sync.errors import NoRoom
from memory.sync.taking import Parts, Round
from memory.sync.transfers import Leaving

AT_ONCE = 4 * CHUNK
"""So many bytes go in one round, or fewer once something is edited: neither waits for a large file."""
BESIDE = 2**16
"""So many bytes a piece counts beside its own, for its calls."""


async def send_files(parts: Parts, done: Round) -> None:
    """Send pieces of files that the others do not have. Raises OSError, ServiceFault; what was confirmed stays so."""
    store, budget = parts.blobs, AT_ONCE
    if store is None:
        return
    tried: set[str] = set()
    begun: set[str] = set()
    asked: set[str] = set()
    while (file := await parts.database.write(transfers.next_leaving, tried)) is not None:
        begun |= {file.attachment_id} if file.new else set()
        try:
            if file.pieces == file.blob.chunks:
                # What has just been confirmed need not be again.
                if file.attachment_id in begun or await _is_whole(parts, file):
                    done.files_sent += await parts.database.write(_left, parts, file)
            elif budget <= 0:
                done.files_left = True
                return
            elif file.attachment_id in begun | asked:
                await _send(parts, store, file)
                due = await parts.database.read(is_due, without=(FILE,))
                budget = 0 if due else budget - _length(file, file.pieces) - BESIDE
            else:
                asked.add(file.attachment_id)
                await _pass_over(parts, file)
        except _Stopped as stopped:
            await parts.database.write(transfers.note_fault, file.attachment_id, stopped.fault)
            done.quota = stopped.quota or done.quota
            tried.add(file.attachment_id)


class _Stopped(Exception):
    """A file does not go on for now; the others do."""

    def __init__(self, fault: str, quota: OverQuota | None = None) -> None:
        super().__init__(fault)
        self.fault, self.quota = fault, quota


async def _pass_over(parts: Parts, file: Leaving) -> None:
    """Count what is there already: the piece of which nobody heard that it arrived, or what was not lost."""
    sent = file.addresses[file.pieces :] if file.again else file.addresses[file.pieces :][:1]
    lacking = await parts.carrier.lacking(sent) if sent else ()
    through = next((count for count, each in enumerate(sent) if each in lacking), len(sent))
    if through:
        await parts.database.write(transfers.note_pieces, file.attachment_id, file.pieces + through)


async def _send(parts: Parts, store: BlobStore, file: Leaving) -> None:
    """Send the next piece of a file. Raises _Stopped."""
    largest = await parts.carrier.largest_file()
    if largest is not None and file.blob.size > largest:
        raise _Stopped("too_large")
    try:
        file = await _hashed(parts, store, file)
        address = file.addresses[file.pieces]
        # The first time all of them, so that a lack of room is known before anything is sent.
        announced = range(file.blob.chunks) if file.pieces == 0 else (file.pieces,)
        places = await parts.carrier.announce(
            {file.addresses[each]: _length(file, each) + TAG for each in announced}
        )
        if address in places:
            sealed = await asyncio.to_thread(_sealed, store, file, file.pieces)
            await parts.carrier.put_piece(places[address], sealed)
    except BlobDamaged:
        raise _Stopped("unreadable") from None
    except NoRoom as full:
        raise _Stopped("no_room", OverQuota("", full.used, full.limit, "bytes")) from None
    if await parts.carrier.lacking([address]):
        raise _Stopped("lost")
    await parts.database.write(transfers.note_pieces, file.attachment_id, file.pieces + 1)


async def _hashed(parts: Parts, store: BlobStore, file: Leaving) -> Leaving:
    """Return a file with the hashes of all its pieces. Raises BlobDamaged."""
    addresses = list(file.addresses)
    for index in range(len(addresses), file.blob.chunks):
        addresses.append(address_of(await asyncio.to_thread(_sealed, store, file, index)))
    if len(addresses) > len(file.addresses):
        await parts.database.write(transfers.note_addresses, file.attachment_id, addresses)
    return replace(file, addresses=tuple(addresses))


async def check_files(parts: Parts) -> None:
    """Have a carrier confirm the pieces of every file that is here; those that it lost are put again.

    Raises OSError, ServiceFault.
    """
    behind: str | None = ""
    while parts.blobs is not None and behind is not None:
        some = await parts.database.read(transfers.here, behind)
        lacking = await parts.carrier.lacking([each for _id, pieces in some for each in pieces])
        for attachment_id, pieces in some:
            if lacking.intersection(pieces):
                await parts.database.write(transfers.check_again, attachment_id)
        behind = some[-1][0] if some else None


async def _is_whole(parts: Parts, file: Leaving) -> bool:
    """Whether all pieces are there: a service lets those go that no record has named within two days."""
    addresses = await parts.database.read(transfers.addresses_of, file.attachment_id)
    lacking = await parts.carrier.lacking(addresses)
    if lacking:
        first = min(index for index, each in enumerate(addresses) if each in lacking)
        await parts.database.write(transfers.note_pieces, file.attachment_id, first)
    return not lacking


def _sealed(store: BlobStore, file: Leaving, index: int) -> bytes:
    return file.key.seal(index, file.blob.chunks, store.piece(file.blob, index))


def _length(file: Leaving, index: int) -> int:
    return CHUNK if index < file.blob.chunks - 1 else file.blob.size - CHUNK * (file.blob.chunks - 1)


def _left(session: Session, parts: Parts, file: Leaving) -> bool:
    if not transfers.left(session, file):
        return False
    sealing_anew.file(session, parts.credentials, parts.clock(), file.attachment_id)
    return True
