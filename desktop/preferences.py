"""The office's settings as the window uses them: read once, kept in memory, written through."""

from collections.abc import Callable
from typing import Any

from desktop.theme.appearance import Scheme, appearance
from memory import settings
from memory.database import Database


class Preferences:
    """``value`` answers at once; ``change`` stores, then tells those who listen and applies the look."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._values: dict[str, Any] = {}
        self._listeners: list[Callable[[str, Any], None]] = []

    async def read(self) -> None:
        """Read every setting and apply the look it asks for."""
        self._values = await self._database.read(settings.values)
        for key in self._values:
            self._apply(key)

    async def read_again(self) -> None:
        """Take over what was changed elsewhere, and tell those who listen."""
        former, self._values = self._values, await self._database.read(settings.values)
        for key, value in self._values.items():
            if former.get(key) != value:
                self._told(key)

    def value(self, key: str) -> Any:
        """Return the value in force. Raises KeyError for what is not declared."""
        return self._values[key]

    def on_change(self, callback: Callable[[str, Any], None]) -> None:
        """Call back with (key, value) after every change."""
        self._listeners.append(callback)

    async def change(self, key: str, value: Any) -> None:
        """Store a value. Raises memory.errors.Refused where it does not fit; the former one then stays."""
        if self._values.get(key) == value:
            return
        self._values[key] = await self._database.write(settings.change, key, value)
        self._told(key)

    async def reset(self, key: str) -> None:
        """Go back to the default."""
        self._values[key] = await self._database.write(settings.reset, key)
        self._told(key)

    def _told(self, key: str) -> None:
        self._apply(key)
        for callback in tuple(self._listeners):
            callback(key, self._values[key])

    def _apply(self, key: str) -> None:
        value = self._values[key]
        if key == "appearance.theme":
            appearance().set_scheme(Scheme(value))
        elif key == "appearance.text_zoom":
            appearance().set_zoom(value / 100)
        elif key == "appearance.reduced_motion":
            appearance().set_reduced_motion(value)
        elif key == "appearance.language":
            appearance().language = value
