"""${message}."""

from alembic import op  # noqa: TID253 (only Alembic imports this module)
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Change the tables."""
    ${upgrades if upgrades else "pass"}
