"""Triggers that note what is changed or erased here, in the transaction of the change.

They are made from the data map, and stand only in an office that has a space: each row that is written pays for them.
A change leaves a mark only while sync is on; an erasure takes the words of a record out of every table of sync whether
it is on or not, and leaves the number by which the others know it. A new row tells the records that wait for it.
"""

from sqlalchemy import Connection

from memory.lifecycle.data_map.syncing import Synced
from memory.sync.shapes import shapes

_ON = "EXISTS (SELECT 1 FROM sync_space WHERE enabled AND NOT applying)"
_NOW = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
_WRITTEN = """
CREATE TRIGGER sync_{table}_{event} AFTER {on} ON {table} WHEN {when} BEGIN
    INSERT INTO sync_change (type, local_id, at) VALUES ('{type}', {row}.{key}, {now})
    ON CONFLICT (type, local_id) DO UPDATE SET at = excluded.at;
END
"""
_ERASED = """
CREATE TRIGGER sync_{table}_erased AFTER DELETE ON {table} BEGIN
    DELETE FROM sync_change WHERE type = '{type}' AND local_id = old.{key};
    DELETE FROM sync_outbox WHERE rid IN (
        SELECT rid FROM sync_record WHERE type = '{type}' AND local_id = old.{key});
    DELETE FROM sync_conflict WHERE rid IN (
        SELECT rid FROM sync_record WHERE type = '{type}' AND local_id = old.{key});
    DELETE FROM sync_awaited WHERE rid IN (
        SELECT rid FROM sync_record WHERE type = '{type}' AND local_id = old.{key});
    UPDATE sync_record SET local_id = NULL, stamps = '{{}}', beside = '{{}}', base = '{{}}', former = '{{}}',
        waiting = NULL, state = CASE state WHEN 'erasing' THEN 'erased' ELSE 'erase' END
    WHERE type = '{type}' AND local_id = old.{key};
END
"""
_ARRIVED = """
CREATE TRIGGER sync_{table}_arrived AFTER INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM sync_awaited) BEGIN
    UPDATE sync_awaited SET arrived = 1 WHERE target IN ({targets});
END
"""


def create(connection: Connection) -> None:
    """Make the triggers; those that are there are left alone."""
    there = _there(connection)
    for name, statement in _demanded().items():
        if name not in there:
            connection.exec_driver_sql(statement)


def drop(connection: Connection) -> None:
    """Take the triggers away."""
    for name in _there(connection):
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')


def renew(connection: Connection) -> bool:
    """Let the triggers be those that tables and data map demand today; return whether they were not.

    A table that a revision rebuilt has none any more, and one with another column has those of before.
    """
    if _there(connection) == _demanded():
        return False
    drop(connection)
    create(connection)
    return True


def _there(connection: Connection) -> dict[str, str]:
    """Return the triggers of the database by their names."""
    chosen = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name GLOB 'sync_*'"
    return {row.name: row.sql for row in connection.exec_driver_sql(chosen)}


def _demanded() -> dict[str, str]:
    """Return the triggers by their names, each as the database keeps its text."""
    statements: list[str] = []
    for shape in shapes().values():
        each = shape.synced
        written = ", ".join(column for column in _watched(each))
        statements.append(_written(each, "added", "INSERT", "new"))
        statements.append(_written(each, "changed", f"UPDATE OF {written}", "new"))
        if each.reappears:
            statements.append(_written(each, "reset", "DELETE", "old"))
        else:
            statements.append(_ERASED.format(table=each.table, type=each.type, key=each.key))
        if shape.targets:
            targets = ", ".join(f"new.{column.name}" for column in shape.targets)
            statements.append(_ARRIVED.format(table=each.table, targets=targets))
    return {each.split()[2]: each.strip() for each in statements}


def _written(each: Synced, event: str, on: str, row: str) -> str:
    conditions = [_ON]
    if each.when:
        conditions.append(each.when)
    if each.only:
        conditions.append(f"{row}.{each.key} IN ({', '.join(repr(one) for one in each.only)})")
    return _WRITTEN.format(
        table=each.table,
        event=event,
        on=on,
        when=" AND ".join(conditions),
        type=each.type,
        row=row,
        key=each.key,
        now=_NOW,
    )


def _watched(each: Synced) -> tuple[str, ...]:
    """Return the columns whose change counts; what makes a row ready counts too."""
    ready = tuple(column for column in each.stays if f"new.{column} " in each.when)
    return (*each.columns, *ready)
