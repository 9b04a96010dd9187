"""An import of our own killed at named and at random moments: all of it is here afterwards, or nothing."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from agents.office import Office
from memory import chats, integrity, notes
from memory.transfer.comparing import Choice
from tests.agents.conftest import PASSPHRASE
from tests.agents.merge_to_kill import MOMENTS
from tests.agents.test_transfer import filled

Offices = Callable[..., Awaitable[Office]]


async def test_killed_on_the_way_all_is_here_or_nothing(
    own_home: Path, offices: Offices, tmp_path: Path
) -> None:
    one = await offices("one")
    chat_id = await filled(one, tmp_path)
    (one.locations.workspace / "plan.md").write_text("Dredge in spring.\n")
    path = (await one.transfers.export(tmp_path / "out.aofx")).path
    blobs = len(list(one.locations.blobs.iterdir()))
    chance = random.Random(7)
    moments = [*MOMENTS, *(f"{chance.uniform(0.0, 0.4):.3f}" for _each in range(4))]
    for number, moment in enumerate(moments):
        home = f"other{number}"
        office = await offices(home)
        await office.notes.add("Mine from before")
        await office.close()
        killed = subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.agents.merge_to_kill",
                str(own_home / home),
                PASSPHRASE,
                path,
                moment,
            ],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL, moment
        office = await offices(home)
        await office.transfers.start()  # as a warm office does
        assert await office.database.read(integrity.check) == ()
        assert list(office.locations.home.rglob(".incoming-*")) == [], moment
        found = [chat.id for chat in await office.database.read(chats.conversations)]
        said = {note.text for note in await office.database.read(notes.notes)}
        whole = found == [chat_id]
        assert whole or found == []
        assert said == {"Mine from before", *(["Prefers tea to coffee"] if whole else [])}
        assert (office.locations.workspace / "plan.md").exists() == whole
        assert len(list(office.locations.blobs.iterdir())) == (blobs if whole else 0)
        if moment in MOMENTS:
            assert whole == (moment == "all is committed")
        await office.transfers.bring_in(path, Choice(differing="mine"))
        assert [chat.id for chat in await office.database.read(chats.conversations)] == [chat_id]
        assert (office.locations.workspace / "plan.md").read_text() == "Dredge in spring.\n"
        await office.close()
