"""What can go wrong with what leaves the office or comes into it.

TransferError (a StorageError)
├── ArchiveRefused        what was given is no archive that this office can take
│   ├── ArchiveUnreadable the file or folder is missing, empty, or may not be read
│   ├── ArchiveDamaged    it is cut short, or does not match its own checksums
│   ├── ArchiveUnsafe     it is made so as to reach outside itself, or to fill memory or disk
│   ├── ArchiveUnknown    nothing in it is what this office can bring in
│   ├── ArchiveNewer      a later version of Bureau wrote it in a form that this one cannot read
│   └── ArchiveLocked     it is encrypted, and not with the passphrase or identity that was given
├── TargetRefused         an export cannot be put where it was to go
└── TransferCancelled     its owner stopped it; the office is as it was
"""

from memory.errors import StorageError


class TransferError(StorageError):
    """A fault of an export or import, told in one sentence that names the fix."""


class ArchiveRefused(TransferError):
    """What was given is no archive that this office can take: another must be given."""


class ArchiveUnreadable(ArchiveRefused):
    """The file or folder is missing, empty, or may not be read."""


class ArchiveDamaged(ArchiveRefused):
    """It is cut short, or does not match its own checksums."""


class ArchiveUnsafe(ArchiveRefused):
    """It is made so as to reach outside itself, or to fill memory or disk."""


class ArchiveUnknown(ArchiveRefused):
    """Nothing in it is what this office can bring in."""


class ArchiveNewer(ArchiveRefused):
    """A later version of Bureau wrote it in a form that this one cannot read."""


class ArchiveLocked(ArchiveRefused):
    """It is encrypted, and not with the passphrase or identity that was given."""


class TargetRefused(TransferError):
    """An export cannot be put where it was to go."""


class TransferCancelled(TransferError):
    """Its owner stopped it; the office is as it was."""
