"""From a mapped row to the frozen dataclass of the same columns."""

from dataclasses import fields
from typing import Any, Protocol, TypeVar

from sqlalchemy.orm import Session

from memory.errors import NotFound
from memory.tables.base import Base
from resources.language import gettext as _

T = TypeVar("T")
B = TypeVar("B", bound=Base)


class _Columns(Protocol):
    def __getattr__(self, name: str, /) -> Any: ...


def record(kind: type[T], row: _Columns | Base) -> T:
    """Return the dataclass filled from the row's columns of the same names; lists become tuples."""
    values = {field.name: getattr(row, field.name) for field in fields(kind)}  # type: ignore[arg-type]  # T is a dataclass
    return kind(
        **{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    )


def required(session: Session, table: type[B], identifier: str) -> B:
    """Return the row with this id. Raises NotFound."""
    row = session.get(table, identifier)
    if row is None:
        raise NotFound(
            _("Nothing here has the id {id}: it was deleted, or the id is mistyped.").format(id=identifier)
        )
    return row
