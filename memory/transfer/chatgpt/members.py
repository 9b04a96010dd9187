"""Files of a ChatGPT export, found by the pointers that messages hold."""

from bisect import bisect_left
from collections.abc import Iterable


class Members:
    """The files of an archive by the beginning of their names: pointers name no more of them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted((name.rpartition("/")[2], name) for name in names)

    def find(self, pointer: str) -> str:
        """Return the member that a pointer such as ``sediment://file_0a1b`` means, empty where it is missing."""
        wanted = file_id(pointer)
        if not wanted:
            return ""
        for base, name in self._names[bisect_left(self._names, (wanted, "")) :]:
            if not base.startswith(wanted):
                break
            if not base[len(wanted) : len(wanted) + 1].isalnum():
                return name
        return ""


def file_id(pointer: str) -> str:
    """Return the id in a pointer, whatever its scheme, without what follows ``#`` or ``?``."""
    identifier = pointer.rpartition("://")[2]
    for mark in "#?":
        identifier = identifier.partition(mark)[0]
    return identifier.strip("/")
