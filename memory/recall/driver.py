"""The driver's own connection, for the statements whose rows are many and whose mapping would cost more."""

from typing import Any

from sqlalchemy.orm import Session


def driver(session: Session) -> Any:
    """Return the connection of the session's transaction, as ``sqlcipher3`` made it."""
    return session.connection().connection.dbapi_connection
