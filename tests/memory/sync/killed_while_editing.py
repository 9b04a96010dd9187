"""A process that edits notes of a synced office until it is killed: ``python -m … HOME``.

Every second edit is taken back before it is committed, so that a mark without its edit would show.
"""

import sys
from pathlib import Path

from sqlalchemy.orm import Session

from memory.database import Database
from memory.tables import NoteTable
from tests.memory.conftest import KEY


class _TakenBackError(Exception):
    pass


def edit(session: Session, note_id: str, number: int, *, keep: bool) -> None:
    session.get_one(NoteTable, note_id).text = f"edit {number}"
    session.flush()
    if not keep:
        raise _TakenBackError


def main() -> None:
    database = Database.open(Path(sys.argv[1]) / "office.db", KEY)
    number = 0
    while True:
        for note_id in sys.argv[2:]:
            number += 1
            try:
                database.write_now(edit, note_id, number, keep=number % 2 == 1)
            except _TakenBackError:
                continue
            print(note_id, number, flush=True)


if __name__ == "__main__":
    main()
