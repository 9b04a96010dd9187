"""What a service answers instead of what was asked, one class for each thing that a client does about it.

Unreachable (an OSError)   nothing answers, or asks to wait: what was sent can be sent again
└── TooSlow                it does not answer in time
ServiceFault (a SyncError)
├── DeviceRevoked          another device took this one off the account
├── GenerationChanged      the service's copy was reset or came out of a backup
├── LogMoved               another device changed the list of devices first
├── ResyncRequired         markers since the last round were dropped: compare with what is live
├── AccountPurged          the account was deleted for good
├── SpacePurged            this office was deleted for good at the service
├── TooLarge               more was sent than the service takes at once
├── DeletionPending        nothing new is taken now
├── NewerProtocol          the service speaks a later protocol only
└── ServiceRefused         anything else, by its code
"""

from collections.abc import Callable, Mapping
from typing import Any

from memory.sync.errors import SyncError
from resources.language import gettext as _


class Unreachable(OSError):
    """Nothing answers, or the service asks to wait; ``retry_after`` is in seconds, None where it did not say."""

    def __init__(self, reason: str, retry_after: int | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class TooSlow(Unreachable):
    """The service answers byte after byte, or not at all, for longer than a call may take."""

    def __init__(self) -> None:
        super().__init__("no answer in time")


class ServiceFault(SyncError):
    """The service answered, but not with what was asked."""


class DeviceRevoked(ServiceFault):
    """Another device took this one off the account."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "This device was taken off your account; what is here stays. To sync again, leave sync here, then join."
            ),
            "device_revoked",
        )


class GenerationChanged(ServiceFault):
    """The service's copy of the space is another than before; ``generation`` names it."""

    def __init__(self, generation: str) -> None:
        super().__init__(
            _("The service’s copy was reset or came out of a backup: say how to go on; nothing was deleted."),
            "generation_changed",
        )
        self.generation = generation


class LogMoved(ServiceFault):
    """Another device appended to the account log first: fetch it and try again."""

    def __init__(self) -> None:
        super().__init__(
            _("Another of your devices changed the list of devices just now; try again."), "log_moved"
        )


class ResyncRequired(ServiceFault):
    """Markers since the last round were dropped; ``horizon`` is the number up to which."""

    def __init__(self, horizon: int) -> None:
        super().__init__(
            _("This device was away for so long that everything is compared anew; sync once more."),
            "resync_required",
        )
        self.horizon = horizon


class AccountPurged(ServiceFault):
    """The account was deleted for good; ``receipt_id`` proves it, empty while there is none yet."""

    def __init__(self, receipt_id: str) -> None:
        super().__init__(
            _(
                "Your account at the service was deleted for good; what is on this device stays until you erase it."
            ),
            "account_purged",
        )
        self.receipt_id = receipt_id


class SpacePurged(ServiceFault):
    """The space was deleted for good; ``receipt_id`` proves it, empty while there is none yet."""

    def __init__(self, receipt_id: str) -> None:
        super().__init__(
            _(
                "This office was deleted for good at the service; what is on this device stays until you erase it."
            ),
            "space_purged",
        )
        self.receipt_id = receipt_id


class TooLarge(ServiceFault):
    """More was sent than the service takes at once; ``limit`` is in the unit of the call, None where unsaid."""

    def __init__(self, limit: int | None) -> None:
        super().__init__(_("That is more than the service takes: try with less."), "too_large")
        self.limit = limit


class DeletionPending(ServiceFault):
    """Nothing new is taken now; ``state`` is ``deletion_pending``, ``frozen`` or ``suspended``."""

    def __init__(self, state: str) -> None:
        sentences = {
            "frozen": _(
                "The account is frozen: it can be read and erased, and takes nothing new until “bureau sync unfreeze”."
            ),
            "suspended": _(
                "Who runs the service has suspended the account: ask them; reading, export and erasing still work."
            ),
        }
        pending = _(
            "The account or this office is about to be deleted at the service: “bureau sync restore” calls it off."
        )
        super().__init__(sentences.get(state, pending), state)
        self.state = state


class NewerProtocol(ServiceFault):
    """The service speaks a later protocol only."""

    def __init__(self) -> None:
        super().__init__(
            _("The service needs a newer Bureau: update it to go on syncing; the office works on."),
            "newer_protocol",
        )


class ServiceRefused(ServiceFault):
    """Any other refusal; ``more`` holds the members of the answer beside ``code`` and ``detail``."""

    def __init__(self, code: str, detail: str, more: Mapping[str, Any] | None = None) -> None:
        known = _SENTENCES.get(code)
        sentence = _("The service refused that (“{code}”): update Bureau, or ask who runs the service.")
        super().__init__(known() if known else sentence.format(code=code), f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.more = dict(more or {})


_SENTENCES: dict[str, Callable[[], str]] = {
    "code_refused": lambda: _(
        "The code from the mail is wrong, used or older than 15 minutes: ask for another one."
    ),
    "mail_code_refused": lambda: _("The mailed code is wrong or too old: ask for another one."),
    "unknown_device": lambda: _("The service does not know this device: join your account again."),
    "signature_refused": lambda: _(
        "The service did not take this device’s signature: see that you use the address the service names itself by."
    ),
    "not_understood": lambda: _("The service answered what this Bureau does not understand: update Bureau."),
    "address_taken": lambda: _("Another account at this service has that mail address: choose another one."),
    "export_running": lambda: _("An export is being made at the service: wait for it."),
    "nothing_pending": lambda: _("No deletion is pending that could be called off."),
    "not_erased": lambda: _("Some of these are not erased at the service yet: sync, then ask again."),
    "enrolment_order": lambda: _("This step was done already: begin again on the new device."),
}


def fault_of(status: int, members: Mapping[str, Any]) -> ServiceFault:
    """Return what an answer of a status from 400 on means, by its code first."""
    code, detail = str(members.get("error", "")), str(members.get("detail", ""))
    receipt = str(members.get("receipt_id", ""))
    more = {name: value for name, value in members.items() if name not in ("error", "detail")}
    if status == 423:
        return DeletionPending(code)
    if status == 413 and code == "too_large":
        return TooLarge(_number(members.get("limit")))
    if status == 426:
        return NewerProtocol()
    kinds: dict[tuple[int, str], Callable[[], ServiceFault]] = {
        (403, "device_revoked"): DeviceRevoked,
        (409, "generation_changed"): lambda: GenerationChanged(str(members.get("generation", ""))),
        (409, "log_moved"): LogMoved,
        (410, "resync_required"): lambda: ResyncRequired(_number(members.get("horizon")) or 0),
        (410, "account_purged"): lambda: AccountPurged(receipt),
        (410, "space_purged"): lambda: SpacePurged(receipt),
    }
    made = kinds.get((status, code))
    return made() if made else ServiceRefused(code or str(status), detail, more)


def _number(value: Any) -> int | None:
    return value if type(value) is int else None
