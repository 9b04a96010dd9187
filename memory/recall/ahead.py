"""A recall process that is started before its office is open, and loads its model meanwhile.

It gets an empty folder in memory and learns nothing of the office before the office's keeper takes it over.
"""

from memory.recall.client import RecallProcess
from memory.recall.home import Scratch


class RecallAhead:
    """Starts the process at once. Belongs to the keeper that takes it, else to who made it and must close it."""

    def __init__(self) -> None:
        """Make the folder and have the process started; a few milliseconds. Raises OSError."""
        self._scratch = Scratch.make(0)
        self._process = RecallProcess()
        self._process.launch(self._scratch.folder)
        self._taken = False

    def take(self) -> tuple[RecallProcess, Scratch]:
        """Give the process and its folder away."""
        self._taken = True
        return self._process, self._scratch

    def close(self) -> None:
        """End a process that no keeper took; again is harmless."""
        if not self._taken:
            self._taken = True
            self._process.abandon()
            self._scratch.remove()
