"""After records came in: trees are made sure of, references to what is not here emptied, and
what cannot be without it taken out.
"""

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from memory.tables import Base

_CROOKED = """
    UPDATE message SET parent_id = NULL WHERE rowid > ? AND EXISTS (
        SELECT 1 FROM message AS parent WHERE parent.id = message.parent_id
        AND (parent.conversation_id <> message.conversation_id OR parent.ordinal >= message.ordinal
             OR parent.hidden > message.hidden))
"""


_NEEDED = {("attachment", "blob_id")}
"""References without which what was brought in is worth nothing, though they may be empty in a row."""


def straighten(session: Session, before: int) -> None:
    """Let no message with a rowid above ``before`` stand below one of another chat, a later or a hidden one.

    So no tree that comes in leads in a circle or out of its conversation.
    """
    session.connection().exec_driver_sql(_CROOKED, (before,))


def mend(session: Session) -> int:
    """Leave no reference that leads nowhere, and return how many rows were taken out for that.

    Only within a transaction that defers its foreign keys. Taking out a row may leave others behind, so it is
    looked again until nothing is found.
    """
    connection = session.connection()
    removed = 0
    while found := _dangling(connection):
        for (table, column), rows in found.items():
            numbers = [(number,) for number in rows]
            if (table, column) not in _NEEDED and Base.metadata.tables[table].columns[column].nullable:
                statement = f'UPDATE "{table}" SET "{column}" = NULL WHERE rowid = ?'  # noqa: S608 (our own names)
            else:
                statement = f'DELETE FROM "{table}" WHERE rowid = ?'  # noqa: S608 (our own names)
                removed += len(numbers)
            connection.exec_driver_sql(statement, numbers)
    session.expire_all()
    return removed


def _dangling(connection: Connection) -> dict[tuple[str, str], set[int]]:
    found: dict[tuple[str, str], set[int]] = {}
    columns: dict[str, dict[int, str]] = {}
    for table, number, _target, key in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        if table not in columns:
            keys = connection.exec_driver_sql(f'PRAGMA foreign_key_list("{table}")')
            columns[table] = {row[0]: row[3] for row in keys}
        found.setdefault((table, columns[table][key]), set()).add(number)
    return found
