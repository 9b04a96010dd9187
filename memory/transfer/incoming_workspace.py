"""Workspace files of an import: put aside, checked, and moved to their places once the import is committed.

The folder they wait in carries the import's token. A start that finds one looks whether the audit trail knows
the token: then the import was committed and they are moved, else they are removed.
"""

import os
import shutil
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory.disk import create_private, flush_folder, told_by_system
from memory.tables import AuditTable
from memory.transfer import workspace
from memory.transfer.bag_reading import Bag
from memory.transfer.record_reading import read_records
from memory.transfer.record_types import from_rfc3339
from memory.transfer.watching import Watch

COMMITTED = "imported"
"""Kind of the audit entry whose subject is the token."""
_WAITING = ".incoming-"


def put_aside(bag: Bag, folder: Path, token: str, watch: Watch) -> None:
    """Write the files beside the workspace. Raises ArchiveDamaged, DiskFull, DiskReadOnly or TransferCancelled."""
    waiting = _place(folder, token)
    try:
        waiting.mkdir(mode=0o700)
        for record in read_records(
            workspace.RECORD, bag.pieces(f"records/{workspace.RECORD}.jsonl", Watch())
        ):
            if workspace.unfit(record):
                raise bag.damaged(f"data/records/{workspace.RECORD}.jsonl")
            path = waiting / record["path"]
            if record["folder"]:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                continue
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(bag, f"workspace/{record['stored']}", path, watch, executable=record["executable"])
            at = from_rfc3339(record["modified_at"]) * 1_000_000
            os.utime(path, ns=(at, at))
    except OSError as error:
        raise told_by_system(error, waiting) from error


def move_in(folder: Path, token: str) -> int:
    """Move the files to their places and return how many; one that differs from the one there stands beside it."""
    waiting = _place(folder, token)
    moved = 0
    for path in sorted(waiting.rglob("*")):
        goal = folder / path.relative_to(waiting)
        if path.is_dir():
            goal.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif not goal.exists() or not _same(path, goal):
            goal.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.replace(_free(goal))
            moved += 1
    discard(folder, token)
    return moved


def discard(folder: Path, token: str) -> None:
    """Remove the files that wait, if there are any."""
    shutil.rmtree(_place(folder, token), ignore_errors=True)


def settle(session: Session, folder: Path) -> None:
    """Finish what a crash cut short: move the files of committed imports, remove those of the others."""
    for waiting in folder.parent.glob(f"{_WAITING}*"):
        token = waiting.name.removeprefix(_WAITING)
        known = select(AuditTable.number).where(AuditTable.kind == COMMITTED, AuditTable.subject == token)
        if session.scalar(known) is not None:
            move_in(folder, token)
        else:
            discard(folder, token)


def _place(folder: Path, token: str) -> Path:
    return folder.parent / f"{_WAITING}{token}"


def _write(bag: Bag, name: str, path: Path, watch: Watch, *, executable: bool) -> None:
    with os.fdopen(create_private(path), "wb") as file:
        for piece in bag.pieces(name, watch):
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(0o700 if executable else 0o600)
    flush_folder(path.parent)


def _same(one: Path, other: Path) -> bool:
    if not other.is_file() or one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while piece := first.read(1 << 20):
            if piece != second.read(1 << 20):
                return False
    return True


def _free(goal: Path) -> Path:
    number, name = 1, goal
    while name.exists():
        number += 1
        name = goal.with_name(f"{goal.stem} ({number}){goal.suffix}")
    return name
