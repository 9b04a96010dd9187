"""The path of headings above a piece of text."""

SEPARATOR = " › "
_PATH_PARTS = 4


class HeadingPath:
    """The headings that the reading has come to, outermost first."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def enter(self, title: str, level: int) -> None:
        """Go on below a heading; its level counts from 0."""
        del self._parts[level:]
        self._parts += [""] * (level - len(self._parts))
        self._parts.append(title)

    def __str__(self) -> str:
        return SEPARATOR.join([part for part in self._parts if part][-_PATH_PARTS:])
