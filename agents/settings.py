"""The settings in force, as the rest of the office asks for them."""

from typing import Any

from memory import settings
from memory.database import Database


class Settings:
    """The settings in force, each declared once in ``memory.settings``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def value(self, key: str) -> Any:
        """Return one value. Raises Refused for a key that is not declared."""
        return await self._database.read(settings.value, key)

    async def all(self) -> dict[str, Any]:
        """Return every declared setting's value."""
        return await self._database.read(settings.values)

    async def change(self, key: str, new: Any) -> Any:
        """Store a value. Raises Refused where it does not fit."""
        return await self._database.write(settings.change, key, new)
