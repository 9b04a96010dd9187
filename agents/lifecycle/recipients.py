"""Who receives the owner's data: from the connections, the team that works on them, and what left so far."""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from memory import accounts, consents, roster
from memory.consents import Standing
from memory.tables import OutboxTable


@dataclass(frozen=True, slots=True)
class Recipient:
    """A host that data go to or went to.

    ``connections`` are the labels of the accounts there, ``agents`` the names of those that work on them now.
    ``categories`` are the kinds of data that were sent, ``bytes_sent`` and ``requests`` count all of it.
    ``here`` means that the host is this computer. Times are in milliseconds UTC, None where nothing was sent.
    """

    host: str
    connections: tuple[str, ...]
    agents: tuple[str, ...]
    categories: tuple[str, ...]
    requests: int
    bytes_sent: int
    first_at: int | None
    last_at: int | None
    consent: Standing
    here: bool


def recipients(session: Session) -> tuple[Recipient, ...]:
    """Return every recipient, those that something was sent to last first. Nothing else leaves the machine."""
    known = accounts.connections(session)
    labels: dict[str, list[str]] = {}
    hosts: dict[str, str] = {}
    for connection in known:
        host = urlsplit(connection.base_url).netloc
        hosts[connection.id] = host
        labels.setdefault(host, []).append(connection.label)
    fallback = accounts.default_connection(session)
    teams: dict[str, list[str]] = {}
    for agent in roster.agents(session):
        works_on = agent.connection_id or (fallback.id if fallback else None)
        if works_on in hosts and not agent.librarian:
            teams.setdefault(hosts[works_on], []).append(agent.name)
    sent = {row.host: row for row in session.execute(_totals())}
    kinds = _kinds(session)
    found = [
        Recipient(
            host=host,
            connections=tuple(labels.get(host, ())),
            agents=tuple(teams.get(host, ())),
            categories=tuple(sorted(kinds.get(host, ()))),
            requests=sent[host].requests if host in sent else 0,
            bytes_sent=sent[host].bytes if host in sent else 0,
            first_at=sent[host].first if host in sent else None,
            last_at=sent[host].last if host in sent else None,
            consent=consents.standing(session, host),
            here=is_here(host),
        )
        for host in {*labels, *sent}
    ]
    return tuple(sorted(found, key=lambda one: (-(one.last_at or 0), one.host)))


def is_here(host: str) -> bool:
    """Return whether a host, with or without its port, is this computer."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _totals() -> Any:
    return select(
        OutboxTable.host,
        func.count().label("requests"),
        func.sum(OutboxTable.bytes_sent).label("bytes"),
        func.min(OutboxTable.at).label("first"),
        func.max(OutboxTable.at).label("last"),
    ).group_by(OutboxTable.host)


def _kinds(session: Session) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for host, categories in session.execute(select(OutboxTable.host, OutboxTable.categories).distinct()):
        found.setdefault(host, set()).update(categories)
    return found
