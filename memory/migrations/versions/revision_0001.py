"""The first tables."""

from pathlib import Path

from alembic import op  # noqa: TID253 (only Alembic imports this module)

from memory.migrations.schema import create_full_text

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables as the first version had them, from the statements beside this file."""
    for statement in Path(__file__).with_suffix(".sql").read_text().split(";\n"):
        if statement.strip():
            op.execute(statement)
    create_full_text(op.get_bind())
