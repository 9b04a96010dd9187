"""Whether the database is whole: the seal of every page, the structure, the references between rows."""

from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from memory.database import engine

_SHOWN = 20


def check(session: Session) -> tuple[str, ...]:
    """Return what is wrong with the open database, empty where it is whole; reads every page."""
    return problems(session.connection())


def problems(connection: Connection) -> tuple[str, ...]:
    """Return what is wrong with the pages and the structure, the first 20 findings, in SQLite's words."""
    seals = connection.exec_driver_sql("PRAGMA cipher_integrity_check").scalars().all()
    if seals:
        return tuple(map(str, seals[:_SHOWN]))
    return structure(connection)


def problems_in(database: Path, key: bytes, *, read_only: bool = False) -> tuple[str, ...]:
    """Return what is wrong with a closed database, as `problems`."""
    with_engine = engine(database, key, read_only=read_only)
    try:
        with with_engine.connect() as connection:
            return problems(connection)
    finally:
        with_engine.dispose()


def structure(connection: Connection) -> tuple[str, ...]:
    """Return what is wrong with the structure and the references, the first 20 findings."""
    try:
        found = connection.exec_driver_sql(f"PRAGMA integrity_check({_SHOWN})").scalars().all()
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    except DatabaseError as error:
        return (str(error.orig),)
    said = [str(line) for line in found if line != "ok"]
    said += [f"{table} row {row} refers to a missing {parent}" for table, row, parent, _key in lost]
    return tuple(said[:_SHOWN])
