"""Brings an export into an office: looks at all of it first, then everything or nothing.

Files are encrypted into the blob folder first; until the one transaction that names them is committed they are
noise, which a failure removes at once and a crash at the next start.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy.orm import Session

from memory.blobs import Blob, BlobStore
from memory.database import Database
from memory.errors import StorageError
from memory.identifiers import new_id
from memory.transfer import incoming_workspace, workspace
from memory.transfer.bag_reading import Bag
from memory.transfer.comparing import STAYS, Choice, Comparison, Verdict, batches
from memory.transfer.merging import Merged, is_untouched, merge
from memory.transfer.record_reading import read_records
from memory.transfer.record_types import RecordType, record_types
from memory.transfer.verifying import (
    Signed,
    Summary,
    check_records,
    check_signature,
    compare_counts,
    read_summary,
)
from memory.transfer.watching import Watch

_THREADS = 2


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do. ``counts`` has for each type how many records get which verdict.

    ``untouched`` says that nothing was done in this office yet, so it becomes a copy of the exported one.
    """

    summary: Summary
    signed: Signed
    untouched: bool
    counts: dict[str, dict[Verdict, int]]
    new_blobs: dict[str, tuple[str, int]] = field(repr=False)
    """Id of each file to bring in, with its SHA-256 and its size in bytes."""
    counted: dict[str, int] = field(repr=False)

    def total(self, verdict: Verdict) -> int:
        """Return how many records get this verdict."""
        return sum(count.get(verdict, 0) for count in self.counts.values())


@dataclass(slots=True)
class Staged:
    """Files that are on disk and that no row names yet."""

    token: str
    store: BlobStore
    workspace: Path
    blobs: dict[str, Blob] = field(default_factory=dict)

    def undo(self) -> None:
        """Remove them; what cannot be removed now the next start removes."""
        for blob_id in self.blobs:
            with suppress(StorageError):
                self.store.delete(blob_id)
        incoming_workspace.discard(self.workspace, self.token)


def preview(session: Session, bag: Bag, choice: Choice, watch: Watch, *, own_key: bytes = b"") -> Preview:
    """Check everything but the contents of files, and say what bringing it in would do; blocks.

    Raises what ``verify`` raises.
    """
    summary = read_summary(bag)
    signed = check_signature(bag, own_key)
    untouched = is_untouched(session)
    known = {f"records/{kind.name}.jsonl": kind for kind in record_types()}
    counts: dict[str, dict[Verdict, int]] = {}
    counted: dict[str, int] = {}
    new_blobs: dict[str, tuple[str, int]] = {}
    for name in bag.listed:
        if name.startswith(("files/", "workspace/")):
            continue
        if not name.startswith("records/"):
            for _piece in bag.pieces(name, watch):
                pass
            continue
        counted[name] = check_records(name, known.get(name), bag.pieces(name, watch))
    compare_counts(bag, summary, counted)
    for name, kind in known.items():
        if name in counted and kind.name not in STAYS:
            judged = _judged(session, bag, kind, choice)
            counts[kind.name] = dict(Counter(verdict for verdict, _record in judged(new_blobs)))
    return Preview(summary, signed, untouched, counts, new_blobs, counted)


def _judged(session: Session, bag: Bag, kind: RecordType, choice: Choice) -> Any:
    def judge(new_blobs: dict[str, tuple[str, int]]) -> Iterator[tuple[Verdict, dict[str, Any]]]:
        comparison = Comparison(session, kind, choice)
        records = read_records(kind.name, bag.pieces(f"records/{kind.name}.jsonl", Watch()))
        for batch in batches(records):
            for verdict, record in zip(comparison.judge(batch), batch, strict=True):
                if kind.name == "blobs" and verdict == "new":
                    new_blobs[record["id"]] = (record["sha256"], record["size"])
                yield verdict, record

    return judge


def stage(bag: Bag, plan: Preview, store: BlobStore, folder: Path, watch: Watch) -> Staged:
    """Encrypt the new files into the blob folder, put workspace files aside, check all others; blocks.

    Raises ArchiveDamaged, DiskFull, TransferCancelled and what else a write raises; then nothing is left of it.
    """
    staged = Staged(new_id(), store, folder)
    wanted: dict[str, list[str]] = {}
    for blob_id, (digest, _size) in plan.new_blobs.items():
        wanted.setdefault(f"files/{digest[:2]}/{digest}", []).append(blob_id)

    def take_in(name: str) -> None:
        for blob_id in wanted.get(name, ()):
            blob = store.write(bag.pieces(name, watch), size=bag.size_of(name), identifier=blob_id)
            staged.blobs[blob_id] = blob
            if blob.sha256 != PurePosixPath(name).name or blob.size != plan.new_blobs[blob_id][1]:
                raise bag.damaged(f"data/{name}")
        if name not in wanted:
            for _piece in bag.pieces(name, watch):
                pass

    names = [name for name in bag.listed if name.startswith("files/")]
    try:
        with ThreadPoolExecutor(_THREADS, thread_name_prefix="importing") as threads:
            try:
                for _done in threads.map(take_in, names):
                    pass
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
        if f"records/{workspace.RECORD}.jsonl" in bag.listed:
            incoming_workspace.put_aside(bag, folder, staged.token, watch)
    except BaseException:
        staged.undo()
        raise
    return staged


def commit(session: Session, bag: Bag, plan: Preview, choice: Choice, staged: Staged) -> Merged:
    """Write every record in this one transaction. Raises ArchiveDamaged or Refused; then nothing is written."""
    return merge(session, bag, choice, staged.blobs, staged.token, untouched=plan.untouched)


async def bring_in(
    database: Database, bag: Bag, store: BlobStore, folder: Path, choice: Choice, watch: Watch
) -> Merged:
    """Bring an export into the office whose workspace is ``folder``: all of it, or nothing.

    Raises TransferError or StorageError; then the office is as it was.
    """
    watch.total = bag.size
    plan = await database.read_apart(preview, bag, choice, watch)
    staged = await asyncio.to_thread(stage, bag, plan, store, folder, watch)
    try:
        merged = await database.write(commit, bag, plan, choice, staged)
    except StorageError:
        await asyncio.to_thread(staged.undo)
        raise
    await asyncio.to_thread(incoming_workspace.move_in, folder, staged.token)
    return merged
