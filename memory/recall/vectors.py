"""Vectors as rows of the database: what lacks one, what fills the index, and the snapshot's record."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from memory.identifiers import new_id, now
from memory.recall.driver import driver
from memory.tables import EmbeddingTable, IndexSnapshotTable, OfficeTable

VIEWS = 2

_PENDING = """
SELECT p.number, p.text, p.context FROM passage p
WHERE p.number > ? AND NOT EXISTS (
    SELECT 1 FROM embedding e WHERE e.passage_number = p.number AND e.view = 1 AND e.embedder = ?)
ORDER BY p.source_kind = 'attachment', p.number LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Pending:
    """A passage without vectors: its number and the text of both views."""

    number: int
    text: str
    context: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What opens the sealed index, and the change mark at which it was complete."""

    id: str
    key: bytes
    change_mark: int
    chunks: int
    vectors: int


def pending(session: Session, embedder: str, through: int, limit: int) -> list[Pending]:
    """Return passages after number ``through`` that lack a vector; messages and notes before files."""
    connection = driver(session)
    return [Pending(*row) for row in connection.execute(_PENDING, (through, embedder, limit))]


def highest(session: Session) -> int:
    """Return the highest passage number, 0 when there is none."""
    connection = driver(session)
    return int(connection.execute("SELECT max(number) FROM passage").fetchone()[0] or 0)


def store(
    session: Session, embedder: str, numbers: Sequence[int], vectors: Sequence[bytes]
) -> tuple[int, int, list[str], list[bytes]]:
    """Write the vectors, VIEWS per passage, in the order of the passages.

    Passages removed meanwhile are passed over. Return the change mark before and after, and the random ids
    with the vectors that were written.
    """
    before = change_mark(session)
    connection = driver(session)
    marks = ",".join("?" * len(numbers))
    alive = {
        row[0]
        for row in connection.execute(f"SELECT number FROM passage WHERE number IN ({marks})", list(numbers))  # noqa: S608 - question marks only
    }
    ids: list[str] = []
    written: list[bytes] = []
    for position, number in enumerate(numbers):
        for view in range(VIEWS if number in alive else 0):
            ids.append(new_id())
            written.append(vectors[position * VIEWS + view])
            connection.execute(
                "INSERT INTO embedding(passage_number, view, embedder, vector, random_id)"
                " VALUES (?, ?, ?, ?, ?)",
                (number, view, embedder, written[-1], ids[-1]),
            )
    return before, change_mark(session), ids, written


def change_mark(session: Session) -> int:
    """Return the mark that every change of a vector raises."""
    return session.scalar(select(OfficeTable.change_mark)) or 0


def count(session: Session, embedder: str) -> int:
    """Return the number of vectors of this embedder."""
    chosen = select(func.count()).select_from(EmbeddingTable).where(EmbeddingTable.embedder == embedder)
    return session.scalar(chosen) or 0


def portion(session: Session, embedder: str, after: int, limit: int) -> tuple[int, list[str], list[bytes]]:
    """Return the last row read, and random ids and vectors of the rows after ``after``."""
    connection = driver(session)
    rows = connection.execute(
        "SELECT rowid, random_id, vector FROM embedding"
        " WHERE rowid > ? AND embedder = ? ORDER BY rowid LIMIT ?",
        (after, embedder, limit),
    ).fetchall()
    return (rows[-1][0] if rows else after), [row[1] for row in rows], [row[2] for row in rows]


def random_ids(session: Session, embedder: str) -> list[str]:
    """Return every name that the index may hold."""
    chosen = select(EmbeddingTable.random_id).where(EmbeddingTable.embedder == embedder)
    return list(session.scalars(chosen))


def fresh_snapshot(session: Session, embedder: str) -> Snapshot | None:
    """Return the snapshot that holds exactly the present vectors, if there is one."""
    row = session.scalars(
        select(IndexSnapshotTable).where(
            IndexSnapshotTable.embedder == embedder, IndexSnapshotTable.change_mark == change_mark(session)
        )
    ).first()
    return None if row is None else Snapshot(row.id, row.key, row.change_mark, row.chunks, row.vectors)


def keep_snapshot(session: Session, embedder: str, snapshot: Snapshot) -> bool:
    """Make this the only snapshot, unless vectors changed since it was taken; return whether it was kept."""
    drop_snapshots(session)
    if change_mark(session) != snapshot.change_mark:
        return False
    session.add(
        IndexSnapshotTable(
            id=snapshot.id,
            embedder=embedder,
            key=snapshot.key,
            change_mark=snapshot.change_mark,
            chunks=snapshot.chunks,
            vectors=snapshot.vectors,
            created_at=now(),
        )
    )
    return True


def drop_snapshots(session: Session) -> None:
    """Destroy the key of every snapshot, which makes the sealed file noise."""
    session.execute(delete(IndexSnapshotTable))
