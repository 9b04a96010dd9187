"""What the owner agreed to: sending to a named recipient, in a text of a known version, given and withdrawn.

A recipient is consented to by sending to it for the first time. From a withdrawal on nothing is sent to it; that does
not make unsaid what was sent before, and the trail keeps both.
"""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from memory import audit
from memory.identifiers import new_id, now
from memory.tables import ConsentTable
from memory.tables.records import record
from resources.language import gettext as _

TEXT_VERSION = "1"
"""Raised whenever what ``text_of`` says changes in meaning; the text of an earlier one stays in the history."""
_SENDING = "send:"


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent as it was given, and its end."""

    id: str
    purpose: str
    text_version: str
    given_at: int
    withdrawn_at: int | None

    @property
    def host(self) -> str:
        """The recipient that it names."""
        return self.purpose.removeprefix(_SENDING)


Standing = Literal["none", "given", "withdrawn"]


def text_of(host: str) -> str:
    """Return what is agreed to, version TEXT_VERSION."""
    return _(
        "What you write to agents that work on {host}, with what they need of files, notes and earlier messages, "
        "is sent to {host}. What becomes of it there is told by its own terms."
    ).format(host=host)


def standing(session: Session, host: str) -> Standing:
    """Return whether sending to a host was agreed to, as things are now."""
    latest = _latest(session, _SENDING + host)
    if latest is None:
        return "none"
    return "given" if latest.withdrawn_at is None else "withdrawn"


def admits(session: Session, host: str) -> bool:
    """Return whether something may be sent to a host; the first time is the consent, and is recorded as such."""
    now_is = standing(session, host)
    if now_is == "none":
        give(session, host)
    return now_is != "withdrawn"


def give(session: Session, host: str) -> Consent:
    """Record the consent, unless it stands."""
    return record(Consent, allow(session, _SENDING + host, {"recipient": host}))


def withdraw(session: Session, host: str) -> None:
    """Send nothing to a host from now on; for one never sent to this is an objection ahead of time."""
    object_to(session, _SENDING + host, {"recipient": host})


def allow(session: Session, purpose: str, detail: dict[str, Any]) -> ConsentTable:
    """Record that a purpose may be followed, unless that stands; ``detail`` is what the trail says of it."""
    row = _latest(session, purpose)
    if row is None or row.withdrawn_at is not None:
        row = ConsentTable(id=new_id(), purpose=purpose, text_version=TEXT_VERSION, given_at=now())
        session.add(row)
        audit.append(session, "consent given", row.id, {**detail, "text": TEXT_VERSION})
        session.flush()
    return row


def object_to(session: Session, purpose: str, detail: dict[str, Any]) -> None:
    """Record that a purpose may not be followed from now on; ``detail`` is what the trail says of it."""
    row = _latest(session, purpose)
    if row is None:
        row = ConsentTable(id=new_id(), purpose=purpose, text_version=TEXT_VERSION, given_at=now())
        session.add(row)
    if row.withdrawn_at is None:
        row.withdrawn_at = now()
        audit.append(session, "consent withdrawn", row.id, detail)
        session.flush()


def consents(session: Session) -> tuple[Consent, ...]:
    """Return every consent to send, the latest first."""
    chosen = select(ConsentTable).where(ConsentTable.purpose.startswith(_SENDING))
    rows = session.scalars(chosen.order_by(ConsentTable.given_at.desc(), ConsentTable.id))
    return tuple(record(Consent, row) for row in rows)


def _latest(session: Session, purpose: str) -> ConsentTable | None:
    chosen = select(ConsentTable).where(ConsentTable.purpose == purpose)
    return session.scalar(chosen.order_by(ConsentTable.given_at.desc(), ConsentTable.id).limit(1))
