"""One office for all tests: its keys are never changed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from memory.sync.device_keys import DeviceKeys
from tests.memory.sync.devices import Device, Ring, make_empty, settle
from tests.memory.sync.making import SPACE, Office, make_office


@pytest.fixture(scope="session")
def office() -> Office:
    return make_office()


@pytest.fixture(scope="session")
def empty_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_empty(tmp_path_factory.mktemp("sync") / "office.db")


@pytest.fixture
def devices(tmp_path: Path, empty_office: Path) -> Iterator[list[Device]]:
    """Two devices that sync through a folder; the first founded the space."""
    ring = Ring([DeviceKeys.new(), DeviceKeys.new()])
    folder = tmp_path / "folder"
    folder.mkdir()
    made = [Device.make(tmp_path / str(n), empty_office, ring, n, folder) for n in range(2)]
    try:
        (folder / SPACE).mkdir()
        for device in made:
            device.join()
        settle(*made)
        yield made
    finally:
        for device in made:
            device.database.close()
