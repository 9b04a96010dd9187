"""Notices that another process put the office's keys back, as ``bureau recovery unlock`` does."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer

_QUIET_MILLISECONDS = 300
"""The file of the key slots and its copy are written one after the other; nobody should read in between."""


class KeysWatch(QObject):
    """Calls ``changed`` when the key slots are written anew; ends with its parent."""

    def __init__(self, keyslots: Path, changed: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._keyslots = keyslots
        self._changed = changed
        self._seen = self._state()
        self._quiet = QTimer(self, singleShot=True, interval=_QUIET_MILLISECONDS)
        self._quiet.timeout.connect(self._compare)
        # The folder, since a file that is replaced is no longer the one that was watched.
        self._watcher = QFileSystemWatcher([str(keyslots.parent)] if keyslots.parent.is_dir() else [], self)
        self._watcher.directoryChanged.connect(lambda _folder: self._quiet.start())

    def _state(self) -> tuple[int, int] | None:
        try:
            found = self._keyslots.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _compare(self) -> None:
        state = self._state()
        if state is not None and state != self._seen:
            self._seen = state
            self._changed()
