"""The account log of a folder as it is there: which entries count, and which of its files are damaged."""

from dataclasses import dataclass
from pathlib import Path

from memory.sync.errors import LogFileDamaged, LogForked, LogShorter
from memory.sync.folder_account import FolderAccount, LogFiles
from memory.sync.log_forks import Resolved, resolve


@dataclass(frozen=True, slots=True)
class LogRead:
    """What counts of a log, and the files from which it was read; ``damaged`` hold nothing that somebody signed."""

    resolved: Resolved
    files: LogFiles
    damaged: frozenset[Path]

    def told(self) -> tuple[str, ...]:
        """Return the damaged files of which their owner should know: those of a device that is off nobody mends."""
        devices = self.resolved.account.devices
        off = {each.public.id for each in devices.values() if each.revoked is not None}
        return self.files.names(path for path in self.damaged if path.parent.name not in off)


def read_log(folder: FolderAccount, seen: tuple[int, bytes] | None = None) -> LogRead:
    """Return the log of a folder; ``seen`` are number and hash of the last entry that this device took; blocks.

    Raises LogFileDamaged where something is missing and files are damaged, another LogRefused, OSError.
    """
    files = folder.log()
    entries = [entry for _path, entry in files.entries]
    try:
        resolved = resolve(entries, seen)
    except (LogShorter, LogForked) as lacking:
        damaged = files.unsound(lacking.refused)
        if not damaged:
            raise
        raise LogFileDamaged(files.names(damaged), lacking.reason) from lacking
    return LogRead(resolved, files, files.unsound(resolved.refused))
