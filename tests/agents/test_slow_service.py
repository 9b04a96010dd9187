"""A service that drips: signing in and rounds end with a sentence, and rounds are tried later and later."""

import pytest
from sqlalchemy.orm import Session

from agents.sync_rounds import Pace
from agents.sync_service.connecting import NotReached
from memory.sync import space
from memory.sync.service.patience import Patience
from tests.agents.conftest import until
from tests.agents.test_sync_service import EMAIL, Offices, found, hosted
from tests.memory.sync.hosted.running import Running
from tests.memory.sync.service.slow import dripping

__all__ = ["hosted"]

SHORT = Patience(seconds=0.2)


def _meet_at(session: Session, place: str) -> None:
    here = space.of(session)
    assert here is not None
    here.place = place


@pytest.mark.parametrize("where", ["head", "body"])
async def test_signing_in_ends(offices: Offices, where: str) -> None:
    one = await offices("one")
    one.syncing._connecting.patience = SHORT
    async with dripping() as service:
        service.where = where
        with pytest.raises(NotReached, match="does not answer in time"):
            await one.syncing.joining.promises(service.url)
        with pytest.raises(NotReached, match="does not answer in time"):
            await one.syncing.joining.ask_code(service.url, EMAIL)
    assert (await one.syncing.status()).here is None


async def test_rounds_end_and_are_tried_later_and_later(offices: Offices, hosted: Running) -> None:
    one = await offices("one")
    await found(one, hosted)
    await one.notes.add("milk")
    one.syncing._connecting.patience = SHORT
    one.syncing.account.forget()
    one.sync_rounds.pace = Pace(first_again=0.01, latest_again=0.02)
    async with dripping() as service:
        await one.database.write(_meet_at, service.url)
        one.sync_rounds.start()
        await until(lambda: one.sync_rounds._failures >= 3)
        asked = service.asked
        assert asked >= 3
        here = await one.syncing.joined()
        assert "does not answer in time" in here.fault
        assert one.sync_rounds.standing.phase in ("failed", "working")
        await one.database.write(_meet_at, hosted.url)
        one.syncing.account.forget()
        await until(lambda: one.sync_rounds.standing.phase == "waiting")
    status = await one.syncing.status()
    assert status.here is not None and status.here.fault == "" and status.waiting.outbox == 0
