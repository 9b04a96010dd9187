"""Names of devices: given on one, seen on all, never by the service or out of the host."""

import platform
from pathlib import Path

import pytest

from agents.commands import sync_account as commands
from agents.commands.serving import Served
from memory.errors import Refused
from memory.sync.device_names import DeviceName
from tests.agents.syncing_offices import settle
from tests.agents.test_sync_service import Offices, found, hosted, join
from tests.agents.test_syncing import both
from tests.memory.sync.hosted.running import Running

__all__ = ["hosted"]


async def test_a_device_is_named_on_any_and_called_so_on_all(offices: Offices, folder: Path) -> None:
    one, other, _key = await both(offices, folder)
    await settle(one, other)
    here = await one.syncing.joined()
    neutral = (await other.sync_decisions.device_names())[here.device_id]
    assert neutral == DeviceName(here.device_id, "", "linux")
    assert neutral.title == f"Linux computer {here.device_id[:8]}" and platform.node() not in neutral.title
    await commands.name(Served(one), {"name": "  Laptop\n of Ada ", "device": ""})
    await settle(one, other)
    rows = await commands.devices(Served(other), {})
    assert {each["name"] for each in rows if not each["this"]} == {"Laptop of Ada"}
    await other.sync_decisions.name_device("Old laptop", here.device_id[:6])
    await settle(one, other)
    assert (await one.sync_decisions.device_names())[here.device_id].title == "Old laptop"
    for name, device in (("x" * 61, ""), ("Laptop", "zz")):
        with pytest.raises(Refused):
            await one.sync_decisions.name_device(name, device)
    await one.sync_decisions.name_device("")
    await settle(one, other)
    assert (await other.sync_decisions.device_names())[here.device_id] == neutral
    # What is switched off are categories; names go along with every choice, and stay behind where sync is left.
    await one.sync_decisions.choose([])
    await one.sync_decisions.name_device("Kept")
    await settle(one, other)
    assert (await other.sync_decisions.device_names())[here.device_id].title == "Kept"
    await one.syncing.leave()
    assert await one.sync_decisions.device_names() == {}
    with pytest.raises(Refused):
        await one.sync_decisions.name_device("Nobody")


async def test_a_device_that_is_listed_and_not_known_yet_is_named_after_a_round(
    offices: Offices, hosted: Running
) -> None:
    """The list comes from the account, which a device is in before its first words of itself are here."""
    one, other = await offices("one"), await offices("other")
    await join(other, hosted, await found(one, hosted))
    listed = {each["id"] for each in await commands.devices(Served(one), {}) if not each["this"]}
    (newcomer,) = listed
    with pytest.raises(Refused, match="bureau sync now"):
        await one.sync_decisions.name_device("Old laptop", newcomer[:8])
    await one.syncing.now()
    assert (await one.sync_decisions.name_device("Old laptop", newcomer[:8])).title == "Old laptop"


@pytest.mark.req("R009")
async def test_the_service_never_sees_a_name(offices: Offices, hosted: Running) -> None:
    one, other = await offices("one"), await offices("other")
    await join(other, hosted, await found(one, hosted))
    here = await one.syncing.joined()
    await one.sync_decisions.name_device("Quetzal")
    await settle(one, other)
    named = await other.sync_decisions.device_names()
    assert "Quetzal" in {each.title for each in named.values()}
    assert b"Quetzal" not in (dumped := hosted.dump()) and b"device_name" not in dumped
    assert here.device_id.encode() in dumped
