"""Offices that sync with one another: what tests do with them, and what they ask them."""

from agents.office import Office
from memory import notes

_MOST = 6


async def settle(*offices: Office) -> None:
    """Do rounds until none of them brings anything more."""
    for _turn in range(_MOST):
        done = [await office.syncing.now() for office in offices]
        assert not any(each.refused for each in done)
        if not any(each.pulled or each.pushed or each.erased for each in done):
            return
    raise AssertionError("the devices talk for ever")


async def texts(office: Office) -> list[str]:
    """Return the texts of all notes."""
    return sorted(note.text for note in await office.database.read(notes.notes))


async def device_id(office: Office) -> str:
    """Return the id that the office has among the others."""
    return (await office.syncing.joined()).device_id
