"""The search for traces: what was erased, looked for in the files of the office and inside its database.

Every page of the database is decrypted with the key it has now, free ones and what is left at the end of pages
included. The search itself folds ASCII case, so that no spelling escapes it.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from memory.lifecycle.finder import Finder
from memory.lifecycle.fingerprints import Fingerprints
from memory.locations import Locations
from memory.pages import PAGE, decrypted, log_of
from memory.recall.driver import driver

BLOCK = 1 << 20
QUICK_FILE = 4 << 20
"""Bytes of a file that the quick proof still reads; the full search reads every one."""
_SLACK = 120
"""Seconds by which a file may be younger than its time says: file systems round, and clocks are set."""
_TEMPORARY = ("bureau-*", "etilqs_*")
_KEPT = tuple(
    f"SELECT 1 FROM {table} WHERE {condition} (instr({column}, :words) OR instr(lower({column}), :folded)) LIMIT 1"  # noqa: S608 - our names
    for table, column, condition in (
        *(
            ("message", "text", ""),
            ("message", "thinking", ""),
            ("note", "text", ""),
            ("passage", "text", ""),
        ),
        *(("conversation", "title", ""), ("conversation", "draft", ""), ("attachment", "name", "")),
        *(("agent", "instructions", ""), ("agent", "personality", ""), ("agent_revision", "markdown", "")),
        ("connection", "proxy", ""),
        ("run_event", "body", "kind IN ('text', 'thinking') AND"),
        ("sqlite_schema", "sql", ""),
    )
)
"""Where the same words may stand in what its owner keeps, or name a table or column."""


@dataclass(slots=True)
class Findings:
    """What a search read, and how often it found pieces in each place; ``pieces`` are those it found."""

    files: int = 0
    size: int = 0
    pages: int = 0
    unread: int = 0
    found: Counter[str] = field(default_factory=Counter)
    pieces: set[bytes] = field(default_factory=set)

    def add(self, place: str, hits: Iterable[bytes]) -> None:
        """Note the pieces found in a place."""
        for piece in hits:
            self.found[place] += 1
            self.pieces.add(piece)


def search_pages(
    finder: Finder,
    database: Path,
    key: bytes,
    findings: Findings,
    numbers: Iterable[int] | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Search the database's pages, decrypted with the key: the numbered ones, else all. Raises OSError."""
    for joined in decrypted(database, key, numbers):
        if stopped():
            return
        findings.pages += -(-len(joined) // PAGE)
        findings.add(database.name, finder.search(joined))


def search_files(
    finder: Finder,
    paths: Iterable[tuple[str, Path]],
    findings: Findings,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Search files as they lie on the disk, named for the report.

    A file that went meanwhile is no trace; one that cannot be read is counted as unread.
    """
    for name, path in paths:
        if stopped():
            return
        try:
            with path.open("rb") as file:
                findings.files += 1
                kept = b""
                while block := file.read(BLOCK):
                    findings.size += len(block)
                    findings.add(name, finder.search(kept + block))
                    # A piece may begin in one block and end in the next.
                    kept = (kept + block)[-(finder.longest - 1) :] if finder.longest > 1 else b""
        except FileNotFoundError:
            continue
        except OSError:
            findings.unread += 1


def places(locations: Locations, exports: Collection[Path] = ()) -> Iterator[tuple[str, Path]]:
    """Yield every file where the office may leave something, with the name it has in a report.

    The office's folder, the caches and logs of Bureau, and what it and SQLite put into temporary folders. The
    database itself is not among them: as it lies on the disk it is noise. Nor are ``exports``, wherever their owner
    put them: a report names those that still hold something.
    """
    for name, path in _everywhere(locations):
        if not any(path.is_relative_to(export) for export in exports):
            yield name, path


def _everywhere(locations: Locations) -> Iterator[tuple[str, Path]]:
    from platformdirs import user_cache_path, user_log_path

    yield from own_places(locations)
    for root in (user_cache_path("bureau", appauthor=False), user_log_path("bureau", appauthor=False)):
        for path in _files(root):
            yield f"{root.name}/{path.relative_to(root).as_posix()}", path
    for folder in _temporary_folders():
        for pattern in _TEMPORARY:
            for found in folder.glob(pattern):
                for path in _files(found) if found.is_dir() else [found]:
                    if path.is_file() and not path.is_symlink():
                        yield f"{folder.name}/{path.relative_to(folder).as_posix()}", path


def own_places(locations: Locations) -> Iterator[tuple[str, Path]]:
    """Yield every file of the office's folder but the database."""
    own = {locations.database, log_of(locations.database)}
    for path in _files(locations.home):
        if path not in own:
            yield path.relative_to(locations.home).as_posix(), path


def touched_places(
    locations: Locations, made_at: int, exports: Collection[Path] = ()
) -> Iterator[tuple[str, Path]]:
    """Yield the files of the office's folder that may hold something made at ``made_at``, for the quick proof.

    Left out are those above QUICK_FILE bytes, those last written before it was made, and what is sealed whole under
    keys of its own, attached files and backups, and ``exports``: in them nothing can be found that is not known to
    be there.
    """
    sealed = (locations.blobs, locations.backups, *exports)
    for name, path in own_places(locations):
        if not any(path.is_relative_to(folder) for folder in sealed) and _may_hold(path, made_at):
            yield name, path


def _may_hold(path: Path, made_at: int) -> bool:
    try:
        state = path.stat()
    except FileNotFoundError:
        return False
    return state.st_size <= QUICK_FILE and state.st_mtime + _SLACK >= made_at / 1000


def _temporary_folders() -> list[Path]:
    named = (tempfile.gettempdir(), "/var/tmp", "/dev/shm", os.environ.get("XDG_RUNTIME_DIR", ""))  # noqa: S108 - read only
    return [path for path in {Path(name) for name in named if name} if path.is_dir()]


def _files(root: Path) -> Iterator[Path]:
    for folder, _folders, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path


def said_elsewhere(session: Session, marks: Fingerprints, found: frozenset[bytes]) -> frozenset[bytes]:
    """Return the pieces found whose words also stand in something that is kept, or in the schema."""
    kept: set[bytes] = set()
    for words in {marks.said[piece] for piece in found if piece in marks.said}:
        values = {"words": words, "folded": words.casefold()}
        if any(driver(session).execute(query, values).fetchone() for query in _KEPT):
            kept |= {piece for piece in found if marks.said.get(piece) == words}
    return frozenset(kept)


def summary(marks: Fingerprints, findings: Findings, kept: int) -> dict[str, Any]:
    """Return the proof as an erase report keeps it: counts and places, no content."""
    return {
        "fingerprints": len(marks),
        "too_short": marks.too_short,
        "files": findings.files,
        "bytes": findings.size,
        "pages": findings.pages,
        "unread": findings.unread,
        "found": dict(findings.found),
        "said_elsewhere": kept,
    }
