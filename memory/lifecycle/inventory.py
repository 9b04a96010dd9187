"""What the office holds, by category: how much of it, how large, from when to when. Built from the data map."""

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from sqlalchemy import LargeBinary, String, func, select
from sqlalchemy.orm import Session

from memory.lifecycle.data_map import Category, Entry, data_map
from memory.locations import Locations
from memory.tables import Base, BlobTable

_TIMES = ("created_at", "at", "given_at")


@dataclass(frozen=True, slots=True)
class Holding:
    """What one place of the data map holds; ``size`` in bytes of text or file, times in milliseconds UTC."""

    place: str
    category: Category
    count: int
    size: int
    oldest: int | None
    newest: int | None


@dataclass(frozen=True, slots=True)
class Share:
    """What a category holds in all its places."""

    category: Category
    count: int
    size: int
    oldest: int | None
    newest: int | None
    places: tuple[Holding, ...]


def held_in_tables(session: Session) -> tuple[Holding, ...]:
    """Return what each mapped table holds; reads each of them once, so give it a lane of its own."""
    return tuple(_table(session, entry) for entry in data_map() if entry.table in Base.metadata.tables)


def held_in_files(locations: Locations) -> tuple[Holding, ...]:
    """Return what each mapped file of the office's folder holds. Blocks."""
    known: dict[str, list[tuple[int, int]]] = {}
    patterns = [
        (entry.place, pattern)
        for entry in data_map()
        for kind, _colon, pattern in [entry.place.partition(":")]
        if kind == "file"
    ]
    for name, path in _files(locations.home):
        place = next((place for place, pattern in patterns if fnmatch(name, pattern)), None)
        if place is not None:
            status = path.stat()
            known.setdefault(place, []).append((status.st_size, int(status.st_mtime * 1000)))
    entries = {entry.place: entry for entry in data_map()}
    return tuple(
        Holding(
            place,
            entries[place].category,
            len(found),
            sum(size for size, _at in found),
            min(at for _size, at in found),
            max(at for _size, at in found),
        )
        for place, found in known.items()
    )


def by_category(holdings: tuple[Holding, ...]) -> tuple[Share, ...]:
    """Return the share of every category, empty ones too, in the order of the categories."""
    shares = []
    for category in Category:
        places = tuple(one for one in holdings if one.category is category)
        oldest = [one.oldest for one in places if one.oldest is not None]
        newest = [one.newest for one in places if one.newest is not None]
        shares.append(
            Share(
                category,
                sum(one.count for one in places),
                sum(one.size for one in places),
                min(oldest, default=None),
                max(newest, default=None),
                places,
            )
        )
    return tuple(shares)


def _table(session: Session, entry: Entry) -> Holding:
    table = Base.metadata.tables[entry.table]
    time: Any = next((table.c[name] for name in _TIMES if name in table.c), None)
    texts = [
        column
        for column in table.c
        if isinstance(column.type, String | LargeBinary) or "JSON" in repr(column.type)
    ]
    size: Any = sum((func.coalesce(func.length(column), 0) for column in texts), start=0) if texts else 0
    if table is BlobTable.__table__:
        size = table.c["size"]
    asked = [func.count(), func.coalesce(func.sum(size), 0)]
    if time is not None:
        asked += [func.min(time), func.max(time)]
    row = session.execute(select(*asked).select_from(table)).one()
    oldest, newest = (row[2], row[3]) if time is not None else (None, None)
    return Holding(entry.place, entry.category, row[0], int(row[1]), oldest, newest)


def _files(home: Path) -> Iterator[tuple[str, Path]]:
    for path in home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(home).as_posix(), path
