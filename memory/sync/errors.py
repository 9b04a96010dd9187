"""What can go wrong between the devices of one owner.

SyncError (a StorageError)
├── RecordRefused         a record that arrived is not taken; what is here stays as it is
│   ├── EnvelopeMalformed    its layout is not that of the protocol
│   ├── SpaceWrong           it belongs to another office
│   ├── SignatureWrong       the device that it names did not sign it
│   ├── SignerRefused        that device is not, or no longer, one of the owner's
│   ├── SpaceKeyMissing      the key of its epoch is not here
│   ├── SealBroken           key and text are not those that were signed
│   ├── PlaintextInvalid     what was sealed is not a record
│   └── RevisionOld          a service gives out again what was replaced or erased
├── RecordTooLarge        a record of this office is too long to be sealed
├── LogRefused            the list of devices that the service shows is not taken
│   ├── LogDamaged           an entry breaks a rule of the chain
│   ├── LogShorter           it ends before the last entry that was seen
│   ├── LogForked            it is not a continuation of what was seen
│   └── LogNewer             a later version of Bureau wrote an entry
├── WrapRefused           an office's key does not arrive as its devices agreed
│   └── RecoveryKeyOther     the recovery key is not that of the account
├── EnrolmentRefused      the new device is not the one that announced itself
├── ServiceWentBack       the service shows an older state of the office than before
├── AnswerMalformed       the service's answer is not that of the protocol
├── ChunkDamaged          a piece of a file is not the one that was named
├── ChunkLost             a piece of a file is not where it was put
├── NoRoom                there is no room for the pieces of a file
└── ReceiptWrong          a proof of deletion does not check out
    └── ReceiptKeyOther      it is signed with another key than the service showed first

``reason`` says in the protocol's words what was found; it is for logs and tests, and holds no content.
"""

from memory.errors import StorageError
from resources.language import gettext as _


class SyncError(StorageError):
    """A fault between devices, told in one sentence that names the fix."""

    def __init__(self, sentence: str, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class RecordRefused(SyncError):
    """A record that arrived is not taken; what is here stays as it is."""


class EnvelopeMalformed(RecordRefused):
    """The layout is not that of the protocol."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _("Something arrived that is not a record; update Bureau on every device, then sync again."),
            reason,
        )


class SpaceWrong(RecordRefused):
    """The record belongs to another office."""

    def __init__(self) -> None:
        super().__init__(
            _("A record of another office arrived and was not taken; check which service this office uses."),
            "space_id",
        )


class SignatureWrong(RecordRefused):
    """The device that the record names did not sign it."""

    def __init__(self, reason: str = "sig") -> None:
        super().__init__(
            _("A record was changed on its way and was not taken; sync again, or check the service."), reason
        )


class SignerRefused(RecordRefused):
    """The device is not, or no longer, one of the owner's."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _("A device that is not one of yours wrote a record; look through the list of your devices."),
            reason,
        )


class SpaceKeyMissing(RecordRefused):
    """The key of the record's ``epoch`` is not here."""

    def __init__(self, epoch: int) -> None:
        super().__init__(
            _(
                "A record is sealed with a key that this device has not received; open Bureau on another device."
            ),
            f"no key of epoch {epoch}",
        )
        self.epoch = epoch


class SealBroken(RecordRefused):
    """Key and text are not those that were signed."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _("A record does not open and was not taken; save it again on the device where it is whole."),
            reason,
        )


class PlaintextInvalid(RecordRefused):
    """What was sealed is not a record."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _(
                "One of your devices wrote a record that cannot be read; update Bureau there, and save it again."
            ),
            reason,
        )


class RevisionOld(RecordRefused):
    """A service gives out again what was replaced or erased."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _("The service gave out an older state of a record, which was not taken; ask who runs it why."),
            reason,
        )


class RecordTooLarge(SyncError):
    """A record of this office is too long to be sealed."""

    def __init__(self, size: int) -> None:
        super().__init__(
            _("This text is too long to sync: shorten it, or attach it as a file."), f"{size} bytes"
        )


class LogRefused(SyncError):
    """The list of devices that the service shows is not taken."""


class LogDamaged(LogRefused):
    """An entry breaks a rule of the chain; ``n`` is its place."""

    def __init__(self, n: int, reason: str) -> None:
        super().__init__(
            _(
                "The service’s list of your devices is damaged; sync has stopped, and nothing was changed here."
            ),
            f"entry {n}: {reason}",
        )
        self.n = n


class LogShorter(LogRefused):
    """The log ends before the last entry that was seen."""

    def __init__(self, n: int, seen: int) -> None:
        super().__init__(
            _(
                "The service shows an older list of your devices than this one knows: ask who runs it whether a backup "
                "was brought back. If so, leave sync here, join again, and look through your devices."
            ),
            f"ends at {n}, seen {seen}",
        )


class LogForked(LogRefused):
    """The log is not a continuation of what was seen."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _(
                "The service shows another list of your devices than before; do not trust it until you know why."
            ),
            reason,
        )


class LogNewer(LogRefused):
    """A later version of Bureau wrote an entry."""

    def __init__(self, n: int, reason: str) -> None:
        super().__init__(
            _("A newer Bureau wrote the list of your devices; update this one to go on."),
            f"entry {n}: {reason}",
        )


class WrapRefused(SyncError):
    """An office's key does not arrive as its devices agreed."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _(
                "The key of this office did not arrive whole; open Bureau on another of your devices, then try again."
            ),
            reason,
        )


class RecoveryKeyOther(WrapRefused):
    """The recovery key is not, or no longer, that of the account."""

    def __init__(self) -> None:
        SyncError.__init__(
            self,
            _(
                "These are the words of another recovery key: take those that were shown last for these devices."
            ),
            "another recovery key",
        )


class EnrolmentRefused(SyncError):
    """The new device is not the one that announced itself."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _("Someone may have stepped between the two devices; begin again from the start."), reason
        )


class ServiceWentBack(SyncError):
    """The service shows an older state of the office than before."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _(
                "The service shows an older state of this office than before; nothing was changed. Ask who runs it."
            ),
            reason,
        )


class AnswerMalformed(SyncError):
    """The service's answer is not that of the protocol."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _(
                "The service answered something that makes no sense; nothing was changed here. Try again later."
            ),
            reason,
        )


class ChunkDamaged(SyncError):
    """A piece of a file is not the one that was named."""

    def __init__(self, reason: str) -> None:
        super().__init__(_("A piece of a file arrived damaged; sync again to fetch it anew."), reason)


class ChunkLost(SyncError):
    """A piece of a file is not where it was put."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _(
                "A piece of a file is missing; it is asked for again, and comes from the device that has the file."
            ),
            reason,
        )


class NoRoom(SyncError):
    """There is no room for the pieces of a file: ``used`` of ``limit`` bytes are taken."""

    def __init__(self, used: int, limit: int) -> None:
        super().__init__(
            _("There is no room at the service for a file: erase something, or ask for more room."),
            f"{used} of {limit}",
        )
        self.used, self.limit = used, limit


class ReceiptWrong(SyncError):
    """A proof of deletion does not check out."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            _(
                "This receipt proves nothing, for the service’s key does not confirm it; ask the service for another."
            ),
            reason,
        )


class ReceiptKeyOther(ReceiptWrong):
    """A proof of deletion is signed with another key than the service showed first; ``name`` is its fingerprint."""

    def __init__(self, name: str) -> None:
        SyncError.__init__(
            self,
            _(
                "This receipt proves nothing: the service signed it with another key ({name}) than it showed at first. "
                "Ask who runs it; if they confirm that key, leave sync and join again."
            ).format(name=name),
            f"another key {name}",
        )
        self.name = name
