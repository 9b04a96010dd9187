"""The vectors of an export that asks for them: float32 in one file per embedder, and lines that say whose they are."""

import json
from collections.abc import Iterator
from typing import TypeVarTuple

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from memory.tables import EmbeddingTable, PassageTable
from memory.transfer.bag_writing import BLOCK
from memory.transfer.selection import Filters, conversations_of

_ROWS = 500
Row = TypeVarTuple("Row")


def files(session: Session, filters: Filters) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield name and content of each file: ``<embedder>.jsonl`` has a line for each vector of ``<embedder>.f32``."""
    for embedder in session.scalars(
        select(EmbeddingTable.embedder).distinct().order_by(EmbeddingTable.embedder)
    ):
        name = "".join(sign if sign.isalnum() or sign in "._-" else "_" for sign in embedder)
        yield f"{name}.jsonl", _lines(session, embedder, filters)
        yield f"{name}.f32", _vectors(session, embedder, filters)


def _lines(session: Session, embedder: str, filters: Filters) -> Iterator[bytes]:
    columns = (
        *(PassageTable.source_kind, PassageTable.source_id, PassageTable.ordinal, EmbeddingTable.view),
        PassageTable.text,
    )
    names = ("source_kind", "source_id", "ordinal", "view", "text")
    gathered = bytearray()
    for row in session.execute(_chosen(select(*columns), embedder, filters)):
        line = json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, separators=(",", ":"))
        gathered += line.encode() + b"\n"
        if len(gathered) >= BLOCK:
            yield bytes(gathered)
            gathered.clear()
    yield bytes(gathered)


def _vectors(session: Session, embedder: str, filters: Filters) -> Iterator[bytes]:
    yield from session.scalars(_chosen(select(EmbeddingTable.vector), embedder, filters))


def _chosen(query: Select[*Row], embedder: str, filters: Filters) -> Select[*Row]:
    query = (
        query.select_from(EmbeddingTable)
        .join(PassageTable, PassageTable.number == EmbeddingTable.passage_number)
        .where(EmbeddingTable.embedder == embedder)
        .order_by(PassageTable.number, EmbeddingTable.view)
        .execution_options(yield_per=_ROWS)
    )
    if filters.narrow:
        query = query.where(PassageTable.conversation_id.in_(conversations_of(filters)))
    return query
