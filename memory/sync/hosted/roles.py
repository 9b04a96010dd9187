"""PostgreSQL only: who may do what, and that a transaction for one account sees no row of another.

bureau_app      answers requests: all of records and keys, row by row of one account; adds to the ledger
bureau_purge    purges: every row of records and keys; adds to the ledger
bureau_backup   reads everything
bureau_ops      reads what names nobody: states, jobs, incidents

The service logs in as a user that is a member of the first two; each transaction takes one of the roles.
"""

import hashlib
from pathlib import Path

from sqlalchemy import MetaData, Table, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateIndex, CreateTable

APP, PURGE, BACKUP, OPS = "bureau_app", "bureau_purge", "bureau_backup", "bureau_ops"
_OF_ACCOUNT = "current_setting('bureau.account', true) IN ({column}, '*')"
_FOR_OPS = {"jobs": "job_id, kind, state, due_at, asked_at, tries, error", "incidents": "*", "policies": "*"}


async def is_prepared(connection: AsyncConnection, store: str, metadata: MetaData) -> bool:
    """Whether the tables, roles and rules of just this version were made here."""
    mark = text("SELECT obj_description(to_regclass(:table), 'pg_class')")
    found = await connection.scalar(mark, {"table": metadata.sorted_tables[0].name})
    return bool(found == _mark_of(store, metadata))


async def prepare(connection: AsyncConnection, store: str, metadata: MetaData) -> None:
    """Make the roles, grant what each may, and switch row-level security on. May be done again."""
    tables = metadata.sorted_tables
    for role in (APP, PURGE, BACKUP, OPS):
        await _run(
            connection,
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; "
            "END $$",
        )
        await _run(connection, f"GRANT USAGE ON SCHEMA public TO {role}")
    for role in (APP, PURGE):
        await _run(connection, f"GRANT {role} TO CURRENT_USER")
    for table in tables:
        changes = "SELECT, INSERT" if store == "ledger" else "SELECT, INSERT, UPDATE, DELETE"
        for role in (APP, PURGE):
            await _run(connection, f"GRANT {changes} ON {table.name} TO {role}")
        await _run(connection, f"GRANT SELECT ON {table.name} TO {BACKUP}")
        if store == "records" and (columns := _FOR_OPS.get(table.name)):
            listed = "" if columns == "*" else f" ({columns})"
            await _run(connection, f"GRANT SELECT{listed} ON {table.name} TO {OPS}")
        await _restrict(connection, table)
    await _run(connection, f"COMMENT ON TABLE {tables[0].name} IS '{_mark_of(store, metadata)}'")


def _mark_of(store: str, metadata: MetaData) -> str:
    """Return what tells this version of tables and rules from any other."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it bare
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    for table in metadata.sorted_tables:
        made += sorted(str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes)
    rules = Path(__file__).read_text("utf-8")
    return hashlib.sha256("\n".join((store, rules, *made)).encode()).hexdigest()


async def _restrict(connection: AsyncConnection, table: Table) -> None:
    column = "account_id" if "account_id" in table.c else "subject" if table.name == "audit" else None
    if column is None:
        return
    await _run(connection, f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY")
    rule = _OF_ACCOUNT.format(column=column)
    if table.name == "jobs":  # work of the service itself belongs to nobody
        rule = f"account_id IS NULL OR {rule}"
    policies = {
        APP: f"FOR ALL TO {APP} USING ({rule}) WITH CHECK ({rule})",
        PURGE: f"FOR ALL TO {PURGE} USING (true) WITH CHECK (true)",
        BACKUP: f"FOR SELECT TO {BACKUP} USING (true)",
        OPS: f"FOR SELECT TO {OPS} USING (true)",
    }
    for role, policy in policies.items():
        await _run(connection, f"DROP POLICY IF EXISTS {role} ON {table.name}")
        await _run(connection, f"CREATE POLICY {role} ON {table.name} {policy}")


async def may_create(connection: AsyncConnection) -> bool:
    """Whether the user that logged in may make tables here."""
    return bool(await connection.scalar(text("SELECT has_schema_privilege('public', 'CREATE')")))


async def _run(connection: AsyncConnection, statement: str) -> None:
    await connection.execute(text(statement))
