"""A service for each test, and owners with devices at it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.places import Place
from tests.memory.sync.hosted.running import Running, running_over
from tests.peers.postgres import Postgres

NewOwner = Callable[[str], Device]


@pytest.fixture(params=["sqlite", "postgresql"])
def service(tmp_path: Path, request: pytest.FixtureRequest, postgres: Postgres, s3: str) -> Iterator[Running]:
    """A service over SQLite files and a folder, and the same over PostgreSQL and a bucket."""
    with running_over(request.param, tmp_path, postgres, s3) as found:
        yield found


@pytest.fixture
def place_for_many(tmp_path: Path, postgres: Postgres, s3: str) -> Place:
    """Where a service over PostgreSQL and a bucket is stopped and started again."""
    return Place.for_many(tmp_path, postgres, s3)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(tmp_path: Path, request: pytest.FixtureRequest, place_for_many: Place) -> Place:
    """Where a service is stopped and started again, over either."""
    return Place.alone(tmp_path) if request.param == "sqlite" else place_for_many


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
