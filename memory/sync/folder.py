"""Records in a plain folder: ``<space>/<device>/<counter>.msgpack``, one envelope in each file.

A device writes only below its own name, so whatever brings the folder to the others never meets two versions of a
file. It may bring the files in any order, late, or twice: what was read is remembered by number, not by the last one.
A revision that a later one of the same device replaced is removed; an order to erase stays for ever.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from memory.ending import to_its_end
from memory.sync import wire
from memory.sync.arrival import Item
from memory.sync.carrier import Accepted, Page, Position
from memory.sync.errors import EnvelopeMalformed
from memory.sync.folder_pieces import PART, FolderPieces, put_in_place, write_part
from memory.sync.header import ERASE, Header
from memory.sync.outbox import Op

log = logging.getLogger(__name__)

_SUFFIX = ".msgpack"
_COUNT = "count"
"""A file with the last number, where the revision that had it is erased."""
_GAP = 1_000_000
"""More numbers than were ever given since the latest file that is still there."""
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class _Own:
    counter: int
    rev: str
    erases: bool


class FolderCarrier(FolderPieces):
    """The folder as one device sees it."""

    linear = False

    def __init__(self, root: Path, space_id: str, device_id: str) -> None:
        self._space = root / space_id
        self._mine = self._space / device_id
        super().__init__(self._space, self._mine)
        self._own: dict[str, _Own] | None = None
        self._last = 0
        self._listed: deque[tuple[str, int, Path]] | None = None
        """What of a round's one look into the folder is still to be read."""
        self._last_item = ""
        """The last revision that was given out of it."""

    async def pull(self, position: Position, skip: AbstractSet[str]) -> Page:
        """Return unread revisions of the other devices. Raises OSError where the folder is not there."""
        return await to_its_end(asyncio.to_thread(self._pull, position, skip))

    async def push(self, ops: Sequence[Op]) -> Sequence[Accepted]:
        """Write revisions, each whole or not at all, then remove what they replace."""
        return await to_its_end(asyncio.to_thread(self._push, ops))

    async def forget(self, rids: AbstractSet[str]) -> None:
        """Remove the revisions of erased records that lie below this device's name."""
        await to_its_end(asyncio.to_thread(self._forget, rids))

    def portions(self, page: Page, most: int) -> Iterator[Page]:
        """Cut a page; what was read is remembered item by item."""
        for at in range(0, len(page.items), most):
            yield replace(page, items=page.items[at : at + most])

    def after(self, position: Position, page: Page, left: Sequence[Item]) -> Position:
        """Return the position with what was taken."""
        again = {item.source for item in left}
        taken: dict[str, list[int]] = {}
        for item in page.items:
            if item.source not in again:
                device, counter = _place(item.source)
                taken.setdefault(device, []).append(counter)
        return {**position, **{each: _joined(position.get(each, ()), _ranges(taken[each])) for each in taken}}

    def lacking_own(self, revisions: Mapping[str, str]) -> frozenset[str]:
        """Return the records of which this device's latest revision is not here; blocks. Raises OSError."""
        own = self._written()
        return frozenset(rid for rid, rev in revisions.items() if rid not in own or own[rid].rev != rev)

    def leave_numbers_out(self) -> None:
        """Give no number that this device may have given elsewhere; blocks. Raises OSError."""
        self._written()
        self._last += _GAP
        self._keep_count()

    def _pull(self, position: Position, skip: AbstractSet[str]) -> Page:
        items: list[Item] = []
        damaged: list[tuple[str, str]] = []
        if self._last_item not in skip and not _is_read(position, self._last_item):
            self._listed = None  # what was given out was not taken, because the round ended there
        if self._listed is None:
            self._listed = deque(self._unread(position))
        while self._listed:
            device, counter, path = self._listed[0]
            source = f"{device}/{counter}"
            if source in skip:
                self._listed.popleft()
                continue
            if len(items) == _AT_ONCE:
                self._last_item = items[-1].source
                return Page(tuple(items), more=True, damaged=tuple(damaged))
            self._listed.popleft()
            try:
                sealed = wire.from_msgpack(_read(path))
                items.append(Item(_number(sealed.hdr), sealed, source))
            except FileNotFoundError:
                continue  # its device replaced it meanwhile
            except EnvelopeMalformed as wrong:
                damaged.append((source, wrong.reason))
        self._listed, self._last_item = None, ""  # the next round looks again
        return Page(tuple(items), more=False, damaged=tuple(damaged))

    def _push(self, ops: Sequence[Op]) -> Sequence[Accepted]:
        own = self._written()
        parts: list[Path] = []
        replaced: list[Path] = []
        for op in ops:
            header = Header.unpack(op.envelope.hdr)
            former = own.get(header.rid)
            if former is None or former.rev != header.rev:
                self._last += 1
                parts.append(self._write(self._last, wire.to_msgpack(op.envelope)))
                own[header.rid] = _Own(self._last, header.rev, op.erases)
                if former is not None:
                    replaced.append(self._path(former.counter))
        try:
            put_in_place(parts)
        except BaseException:
            self._own = None  # what of it stands there is read again
            raise
        for path in replaced:
            path.unlink(missing_ok=True)
        return [Accepted(op.op_id, _number(op.envelope.hdr)) for op in ops]

    def _forget(self, rids: AbstractSet[str]) -> None:
        own = self._written()
        for rid in rids & own.keys():
            if not own[rid].erases:
                if own[rid].counter == self._last:
                    # The others have read this number: it must not come again for something else.
                    self._keep_count()
                self._path(own.pop(rid).counter).unlink(missing_ok=True)

    def _unread(self, position: Position) -> Iterator[tuple[str, int, Path]]:
        if not self._space.is_dir():
            raise FileNotFoundError(self._space)
        for folder in sorted(self._space.iterdir()):
            if folder == self._mine or not folder.is_dir():
                continue
            read = set(_numbers(position.get(folder.name, ())))
            for counter, path in sorted(revisions(folder)):
                if counter not in read:
                    yield folder.name, counter, path

    def _written(self) -> dict[str, _Own]:
        """Return the latest of what this device wrote of each record; a crash may have left two."""
        if self._own is None:
            own: dict[str, _Own] = {}
            self._mine.mkdir(exist_ok=True)
            for part in self._mine.glob(f".*{PART}"):
                part.unlink()  # a crash left it before anybody could read it
            gap = self._read_count()
            for counter, path in sorted(revisions(self._mine)):
                self._last = max(self._last, counter)
                try:
                    header = Header.unpack(wire.from_msgpack(_read(path)).hdr)
                except EnvelopeMalformed as wrong:
                    log.warning("own file %s is damaged: %s", path.name, wrong.reason)
                    continue
                if (former := own.get(header.rid)) is not None:
                    self._path(former.counter).unlink()
                own[header.rid] = _Own(counter, header.rev, header.kind == ERASE)
            self._last += gap
            self._own = own
        return self._own

    def _path(self, counter: int) -> Path:
        return self._mine / f"{counter:012d}{_SUFFIX}"

    def _read_count(self) -> int:
        """Read the last number; return how many are left out because it cannot be known: none comes twice."""
        count = self._mine / _COUNT
        self._last = 0
        if not count.exists():
            return 0
        try:
            self._last = int(count.read_bytes())
        except ValueError:
            log.warning("the last number in the folder is damaged: %s are left out", _GAP)
            return _GAP
        return 0

    def _keep_count(self) -> None:
        part = self._mine / f".{_COUNT}{PART}"
        part.write_text(str(self._last))
        put_in_place([part])

    def _write(self, counter: int, data: bytes) -> Path:
        return write_part(self._path(counter), data)


def _read(path: Path) -> bytes:
    """Return what a file holds, no more of it than shows that it is no envelope. Raises OSError."""
    with path.open("rb") as file:
        return file.read(wire.LONGEST + 1)


def _number(hdr: bytes) -> int:
    """Return what stands for a revision as the parent of the next: nobody counts them in a folder."""
    return int.from_bytes(bytes.fromhex(Header.unpack(hdr).rev)[:8], "big") >> 1 or 1


def revisions(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the revisions below one device's name with their numbers."""
    for path in folder.iterdir():
        if path.suffix == _SUFFIX and path.stem.isascii() and path.stem.isdigit():
            yield int(path.stem), path


def is_behind(space: Path, position: Position, device_ids: Iterable[str]) -> bool:
    """Whether something of these devices was read that is neither there nor followed by anything; blocks."""
    for device_id in position.keys() & set(device_ids):
        mine = space / device_id
        there = [number for number, _path in revisions(mine)] if mine.is_dir() else []
        count = mine / _COUNT
        if count.exists() and (said := count.read_bytes()).isdigit():
            there.append(int(said))
        if max((last for _first, last in position[device_id]), default=0) > max(there, default=0):
            return True
    return False


def _numbers(ranges: Iterable[Sequence[int]]) -> Iterator[int]:
    for first, last in ranges:
        yield from range(first, last + 1)


def _ranges(numbers: Iterable[int]) -> list[list[int]]:
    return _joined((), [(number, number) for number in numbers])


def _joined(ranges: Iterable[Sequence[int]], more: Iterable[Sequence[int]]) -> list[list[int]]:
    found: list[list[int]] = []
    for first, last in sorted([*map(tuple, ranges), *map(tuple, more)]):
        if found and first <= found[-1][1] + 1:
            found[-1][1] = max(found[-1][1], last)
        else:
            found.append([first, last])
    return found


def _place(source: str) -> tuple[str, int]:
    device, _slash, counter = source.partition("/")
    return device, int(counter)


def _is_read(position: Position, source: str) -> bool:
    if not source:
        return True
    device, counter = _place(source)
    return any(first <= counter <= last for first, last in position.get(device, ()))
