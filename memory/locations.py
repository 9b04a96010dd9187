"""Where an office keeps its things on this machine."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from memory.errors import Refused
from resources.language import gettext as _


@dataclass(frozen=True, slots=True)
class Locations:
    """Every path of one office, derived from its folder."""

    home: Path

    @classmethod
    def find(cls, home: str | os.PathLike[str] | None = None) -> Self:
        """Return the paths of the named folder, else of ``BUREAU_HOME``, else of the user's data folder.

        Raises Refused where the folder cannot be known: it names a user that is not here, or this user has none.
        """
        chosen = home or os.environ.get("BUREAU_HOME")
        try:
            if chosen:
                return cls(Path(chosen).expanduser().absolute())
            from platformdirs import user_data_path

            return cls(user_data_path("bureau", appauthor=False).expanduser())
        except RuntimeError as error:
            raise Refused(
                _("The folder of the office is not known: write the whole path after --home.")
            ) from error

    @property
    def database(self) -> Path:
        """The encrypted database."""
        return self.home / "office.db"

    @property
    def blobs(self) -> Path:
        """Encrypted files."""
        return self.home / "blobs"

    @property
    def workspace(self) -> Path:
        """The agents' files, plain because tools use them."""
        return self.home / "workspace"

    @property
    def keyslots(self) -> Path:
        """Passphrase and recovery slots."""
        return self.home / "keyslots.json"

    @property
    def backups(self) -> Path:
        """Encrypted snapshots of the database."""
        return self.home / "backups"

    @property
    def logs(self) -> Path:
        """Logs without content."""
        return self.home / "logs"

    @property
    def crash_log(self) -> Path:
        """The stacks of a crash, if the process died of one."""
        return self.logs / "crash.log"

    @property
    def snapshot(self) -> Path:
        """The sealed vector index."""
        return self.home / "chroma.sealed"

    @property
    def restoring(self) -> Path:
        """What a restore is about to put in place."""
        return self.home / "restoring"

    @property
    def replaced(self) -> Path:
        """What a restore is taking out of its place."""
        return self.home / "replaced"

    @property
    def erasing(self) -> Path:
        """Notes that the owner had everything erased; written by the vault, whose keys go first."""
        return self.home / "erasing.json"

    @property
    def lock(self) -> Path:
        """Locked by the process that owns the office."""
        return self.home / "office.lock"

    @property
    def socket(self) -> Path:
        """The door to the owning process."""
        return self.home / "office.sock"

    def create(self) -> None:
        """Make the folders, readable by their owner only. Raises OSError."""
        for folder in (self.home, self.blobs, self.workspace, self.backups, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
