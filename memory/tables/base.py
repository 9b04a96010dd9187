"""The declarative base and the column types that all tables share."""

from typing import Annotated, Any, ClassVar

from sqlalchemy import JSON, BigInteger, Dialect, ForeignKey, MetaData, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, mapped_column


class Text(TypeDecorator[str]):
    """Any Python text. Lone surrogates, which UTF-8 cannot hold, are joined or replaced on the way in."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return what can be stored: the text itself unless it holds a lone surrogate."""
        return value if value is None else mended(value)


def mended(text: str) -> str:
    """Return the text with lone surrogates joined where two make a character, else replaced."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


Identifier = Annotated[str, mapped_column(String(32))]
Instant = Annotated[int, mapped_column(BigInteger)]
"""Milliseconds since 1970-01-01 UTC."""
Micros = Annotated[int, mapped_column(BigInteger)]
"""Millionths of a US dollar."""
Document = Annotated[dict[str, Any], mapped_column(JSON)]
Documents = Annotated[list[Any], mapped_column(JSON)]


class Base(DeclarativeBase):
    """Base of every table; constraint names are fixed so that migrations can name them."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {str: Text}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def reference(target: str, *, on_delete: str = "CASCADE") -> ForeignKey:
    """Return a foreign key to ``table.column``; by default the row goes with what it belongs to."""
    return ForeignKey(target, ondelete=on_delete)
