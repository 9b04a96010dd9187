"""A service for each test, and owners with devices at it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running, running
from tests.peers.postgres import Postgres

NewOwner = Callable[[str], Device]


@pytest.fixture(params=["sqlite", "postgresql"])
def service(tmp_path: Path, request: pytest.FixtureRequest, postgres: Postgres) -> Iterator[Running]:
    """A service over SQLite files, and the same over PostgreSQL."""
    urls = postgres.databases() if request.param == "postgresql" else {}
    with running(tmp_path / "hosted", **urls) as found:
        yield found


@pytest.fixture
def new_owner(service: Running) -> Iterator[NewOwner]:
    """Makes owners who have one device and one space."""
    made: list[Device] = []

    def make(name: str) -> Device:
        made.append(Device(service, f"{name}@example.org"))
        return made[-1].begin_account().make_space()

    yield make
    for device in made:
        device.http.close()


@pytest.fixture
def ada(new_owner: NewOwner) -> Device:
    return new_owner("ada")


@pytest.fixture
def second(service: Running, ada: Device) -> Iterator[Device]:
    """Ada's second device."""
    device = Device(service, ada.email)
    ada.admit(device)
    yield device
    device.http.close()
