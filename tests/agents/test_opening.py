"""Opening the office: quick by what it leaves alone, refusing in sentences."""

import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agents.office import Office
from memory import audit
from memory.database import engine
from memory.errors import OfficeInUse
from memory.locations import Locations
from tests.agents.conftest import PASSPHRASE
from vault.errors import PassphraseNeeded, PassphraseWrong

SLOW = (
    "pydantic_ai",
    "anthropic",
    "openai",
    "numpy",
    "chromadb",
    "chromadb_rust_bindings",
    "onnxruntime",
    "tokenizers",
    "PySide6",
    "httpx2",
)


def test_opening_imports_nothing_slow(own_home: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from agents.office import Office\n"
        "from memory.locations import Locations\n"
        "async def main():\n"
        "    office = await Office.open(Locations(Path(sys.argv[1])), passphrase=sys.argv[2])\n"
        "    conversation = await office.create_conversation()\n"
        "    await office.preview(conversation.id, 'hello', (), ())\n"
        f"    print([name for name in {SLOW!r} if name in sys.modules])\n"
        "    await office.close()\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(own_home / "office"), PASSPHRASE],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


async def test_a_second_owner_is_refused_and_the_first_lets_go(
    offices: Callable[..., Awaitable[Office]],
) -> None:
    first = await offices()
    with pytest.raises(OfficeInUse):
        await offices()
    await first.close()
    await first.close()
    again = await offices()
    assert len(await again.roster.all()) == 5


async def test_a_wrong_passphrase_leaves_the_office_free(
    own_home: Path, offices: Callable[..., Awaitable[Office]]
) -> None:
    await (await offices()).close()
    with pytest.raises(PassphraseWrong):
        await Office.open(Locations.find(own_home / "office"), passphrase="another one, quite wrong")
    with pytest.raises(PassphraseNeeded):
        await Office.open(Locations.find(own_home / "office"))
    assert await (await offices()).interrupted() == ()


@pytest.mark.parametrize("rekeyed", [True, False])
async def test_a_change_of_keys_that_a_crash_cut_short_is_settled_at_the_next_start(
    rekeyed: bool, own_home: Path, offices: Callable[..., Awaitable[Office]]
) -> None:
    office = await offices()
    pending = office.vault.begin_rekey()
    await office.close()
    locations = Locations.find(own_home / "office")
    if rekeyed:
        lane = engine(locations.database, office.vault.keys.database_key)
        driver = lane.raw_connection().driver_connection
        driver.execute(f"PRAGMA rekey = \"x'{pending.hex()}'\"")
        lane.dispose()
    again = await offices()
    assert len(await again.roster.all()) == 5
    assert again.vault.keys.pending_database_key is None
    assert (again.vault.keys.database_key == pending) is rekeyed


async def test_a_new_recovery_key_is_in_the_audit_trail(office: Office) -> None:
    words = await office.new_recovery_key()
    (entry,) = await office.database.read(audit.entries)
    assert entry.kind == "recovery key made" and words.split()[0] not in str(entry)
