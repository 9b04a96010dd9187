"""When the daily round was last done."""

from sqlalchemy.orm import Session

from memory import settings

_CLOCK = "lifecycle.clock"
_DAY = 24 * 60 * 60 * 1000


def last(session: Session) -> int | None:
    """Return when the last round was, in UTC milliseconds; None before the first."""
    seen_at: int | None = settings.value(session, _CLOCK).get("seen_at")
    return seen_at


def note(session: Session, at: int) -> None:
    """Note that a round is done at this time."""
    settings.change(session, _CLOCK, {"seen_at": at})


def is_due(session: Session, at: int) -> bool:
    """Say whether none was done on this day, by UTC."""
    seen_at = last(session)
    return seen_at is None or seen_at // _DAY != at // _DAY
