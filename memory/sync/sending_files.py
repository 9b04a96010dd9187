"""Files go to the other devices piece by piece, before their records: an upload that was cut goes on where it was.

Key and id of a content, and the hashes of its pieces, are on the disk before a piece is sent. Neither more than two
pieces are in memory at once, nor is the database held while one is on its way.
"""

import asyncio
from collections.abc import Mapping

from sqlalchemy.orm import Session

from memory.blobs import BlobStore
from memory.errors import BlobDamaged
from memory.sync import sealing_anew, transfers
from memory.sync.blob_chunks import CHUNK, address_of
from memory.sync.carrier import OverQuota
from memory.sync.envelope import TAG
from memory.sync.errors import NoRoom
from memory.sync.taking import Parts, Round
from memory.sync.transfers import Leaving

PIECES = 16
"""So many pieces go in one round: what was edited meanwhile does not wait for more."""
_TOGETHER = 4
"""So many are announced and confirmed with one call."""


async def send_files(parts: Parts, done: Round) -> None:
    """Send pieces of files that the others do not have. Raises OSError, ServiceFault; what was confirmed stays so."""
    store, budget = parts.blobs, PIECES
    if store is None:
        return
    tried: list[str] = []
    while (file := await parts.database.write(transfers.next_leaving, tried)) is not None:
        if budget <= 0:
            done.files_left = True
            return
        try:
            pieces = await _send(parts, store, file, budget)
        except _Stopped as stopped:
            await parts.database.write(transfers.note_fault, file.attachment_id, stopped.fault)
            done.quota = stopped.quota or done.quota
            tried.append(file.attachment_id)
            continue
        budget -= pieces
        if file.pieces + pieces == file.blob.chunks and await _is_whole(parts, file):
            done.files_sent += await parts.database.write(_left, parts, file)


class _Stopped(Exception):
    """A file does not go on for now; the others do."""

    def __init__(self, fault: str, quota: OverQuota | None = None) -> None:
        super().__init__(fault)
        self.fault, self.quota = fault, quota


async def _send(parts: Parts, store: BlobStore, file: Leaving, budget: int) -> int:
    """Send some pieces of a file; return how many were confirmed. Raises _Stopped."""
    largest = await parts.carrier.largest_file()
    if largest is not None and file.blob.size > largest:
        raise _Stopped("too_large")
    first, last = file.pieces, min(file.blob.chunks, file.pieces + min(budget, _TOGETHER))
    known = list(file.addresses)
    before = frozenset(known[first:last])
    try:
        while len(known) < last:
            known.append(await asyncio.to_thread(_address, store, file, len(known)))
            await asyncio.sleep(0)
        if len(known) > len(file.addresses):
            await parts.database.write(transfers.note_addresses, file.attachment_id, known)
        sizes = {known[index]: _length(file, index) + TAG for index in range(first, last)}
        # What was announced before may have arrived, though nobody heard so.
        lacking = sizes.keys() - before
        if before:
            lacking |= await parts.carrier.lacking(sorted(before))
        if lacking:
            places = await parts.carrier.announce({each: sizes[each] for each in lacking})
            await _put(parts, store, file, known, places)
            if await parts.carrier.lacking(sorted(places)):
                raise _Stopped("lost")
    except BlobDamaged:
        raise _Stopped("unreadable") from None
    except NoRoom as full:
        raise _Stopped("no_room", OverQuota("", full.used, full.limit, "bytes")) from None
    await parts.database.write(transfers.note_pieces, file.attachment_id, last)
    return last - first


async def check_files(parts: Parts) -> None:
    """Have a service confirm the pieces of every file that is here; those that it lost are put again.

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


async def _put(
    parts: Parts, store: BlobStore, file: Leaving, known: list[bytes], places: Mapping[bytes, str]
) -> None:
    for index, address in enumerate(known):
        if address in places:
            await parts.carrier.put_piece(
                places[address], await asyncio.to_thread(_sealed, store, file, index)
            )


def _sealed(store: BlobStore, file: Leaving, index: int) -> bytes:
    return file.key.seal(index, file.blob.chunks, store.piece(file.blob, index))


def _address(store: BlobStore, file: Leaving, index: int) -> bytes:
    return address_of(_sealed(store, file, index))


def _length(file: Leaving, index: int) -> int:
    return CHUNK if index < file.blob.chunks - 1 else file.blob.size - CHUNK * (file.blob.chunks - 1)


def _left(session: Session, parts: Parts, file: Leaving) -> bool:
    if not transfers.left(session, file):
        return False
    sealing_anew.file(session, parts.credentials, parts.clock(), file.attachment_id)
    return True
