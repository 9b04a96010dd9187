"""Writes ``revision_0001.sql`` anew from the mapped tables: ``python -m tests.memory.first_schema``.

Only until the first version is released; afterwards a change of the tables is a new revision.
"""

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from memory.migrations import upgrade
from memory.tables import Base


def rendered() -> str:
    """Return the statements that make the mapped tables, in an order that suits their references."""
    made: list[str] = []
    for table in Base.metadata.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=sqlite.dialect())).strip())
        made += [
            str(CreateIndex(index).compile(dialect=sqlite.dialect())).strip()
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        ]
    return (
        "\n\n".join(
            f"{statement.replace(chr(9), '    ').replace(' ' + chr(10), chr(10))};" for statement in made
        )
        + "\n"
    )


if __name__ == "__main__":
    (upgrade.FOLDER / "versions" / "revision_0001.sql").write_text(rendered())
