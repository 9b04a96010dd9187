"""Rows of the provider accounts; the clients made from them are in ``agents/connections``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from memory.errors import Refused
from memory.identifiers import new_id, now
from memory.tables import ConnectionTable, ConversationTable
from memory.tables.records import record, required
from resources.language import gettext as _

Kind = Literal["anthropic", "openai", "openai-compatible"]
_EDITABLE = frozenset(
    ("preset", "label", "base_url", "default_model", "proxy", "mask", "fingerprint", "price_overrides")
)


@dataclass(frozen=True, slots=True)
class Connection:
    """One provider account; its key is the vault's item of the same id."""

    id: str
    kind: Kind
    preset: str
    label: str
    base_url: str
    default_model: str
    proxy: str
    mask: str
    fingerprint: str
    position: int
    created_at: int
    rotated_at: int | None
    last_used_at: int | None
    last_checked_at: int | None
    last_check: dict[str, Any] | None
    models: tuple[dict[str, Any], ...]
    price_overrides: dict[str, Any]


def add_connection(
    session: Session,
    *,
    kind: Kind,
    label: str,
    base_url: str,
    preset: str = "",
    default_model: str = "",
    proxy: str = "",
    mask: str = "",
    fingerprint: str = "",
    connection_id: str | None = None,
) -> Connection:
    """Record a provider account after the others; the caller has put its key into the vault under the id.

    Raises Refused for an empty label.
    """
    last = session.scalar(select(func.max(ConnectionTable.position)))
    row = ConnectionTable(
        id=connection_id or new_id(),
        kind=kind,
        preset=preset,
        label=_label(label),
        base_url=base_url,
        default_model=default_model,
        proxy=proxy,
        mask=mask,
        fingerprint=fingerprint,
        position=0 if last is None else last + 1,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    return record(Connection, row)


def connection(session: Session, connection_id: str) -> Connection:
    """Return one connection. Raises NotFound."""
    return record(Connection, required(session, ConnectionTable, connection_id))


def connections(session: Session) -> tuple[Connection, ...]:
    """Return every connection in the owner's order; the first is the default."""
    rows = session.scalars(select(ConnectionTable).order_by(ConnectionTable.position, ConnectionTable.id))
    return tuple(record(Connection, row) for row in rows)


def default_connection(session: Session) -> Connection | None:
    """Return the connection of every agent that names none; None where no key was added yet."""
    return next(iter(connections(session)), None)


def update_connection(session: Session, connection_id: str, /, **values: Any) -> Connection:
    """Change fields of ``Connection``: label, base_url, proxy, default_model, price_overrides, …

    Raises NotFound, or Refused for an empty label.
    """
    unknown = sorted(values.keys() - _EDITABLE)
    if unknown:
        raise TypeError(f"not to be changed this way: {', '.join(unknown)}")
    row = required(session, ConnectionTable, connection_id)
    if "label" in values:
        values["label"] = _label(values["label"])
    for name, value in values.items():
        setattr(row, name, value)
    session.flush()
    return record(Connection, row)


def record_rotation(session: Session, connection_id: str, *, mask: str, fingerprint: str) -> Connection:
    """Record that the vault holds a new key; what the old one's check found no longer counts."""
    row = required(session, ConnectionTable, connection_id)
    row.mask, row.fingerprint, row.rotated_at = mask, fingerprint, now()
    row.last_check, row.last_checked_at = None, None
    session.flush()
    return record(Connection, row)


def record_arrival(session: Session, connection_id: str, *, mask: str, fingerprint: str) -> Connection:
    """Record that the vault holds a key that came in with an import. Raises NotFound."""
    row = required(session, ConnectionTable, connection_id)
    row.mask, row.fingerprint = mask, fingerprint
    session.flush()
    return record(Connection, row)


def record_check(session: Session, connection_id: str, result: dict[str, Any]) -> Connection:
    """Record what the five steps found, without any body of a request or reply. Raises NotFound."""
    row = required(session, ConnectionTable, connection_id)
    row.last_check, row.last_checked_at = result, now()
    session.flush()
    return record(Connection, row)


def set_models(session: Session, connection_id: str, models: Sequence[dict[str, Any]]) -> Connection:
    """Keep the models as the provider listed them. Raises NotFound."""
    row = required(session, ConnectionTable, connection_id)
    row.models = list(models)
    session.flush()
    return record(Connection, row)


def reorder_connections(session: Session, connection_ids: Sequence[str]) -> None:
    """Put the named connections first, in this order: the first is the default. Raises NotFound."""
    rest = [found.id for found in connections(session) if found.id not in connection_ids]
    for position, identifier in enumerate([*connection_ids, *rest]):
        required(session, ConnectionTable, identifier).position = position


def remove_connection(session: Session, connection_id: str) -> None:
    """Delete a connection; agents and chats that named it use their default again, its costs stay.

    Raises NotFound.
    """
    # What was chosen out of this provider's models means nothing to another one.
    session.execute(
        update(ConversationTable).where(ConversationTable.connection_id == connection_id).values(model="")
    )
    session.delete(required(session, ConnectionTable, connection_id))
    session.flush()


def _label(label: str) -> str:
    label = " ".join(label.split())
    if not label:
        raise Refused(_("A key needs a label, so that you know it again: type one."))
    return label
