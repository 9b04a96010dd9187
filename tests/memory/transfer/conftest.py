"""Profiles that are closed after the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.memory.transfer.profiles import Opener, Profile, fill


@pytest.fixture
def profiles(tmp_path: Path, empty_database: Path) -> Iterator[Opener]:
    """A function that makes empty profiles by name."""
    made: list[Profile] = []

    def make(name: str) -> Profile:
        made.append(Profile.make(tmp_path / name, empty_database))
        return made[-1]

    yield make
    for profile in made:
        profile.database.close()


@pytest.fixture
def office(profiles: Opener) -> Profile:
    """A small office that holds something of everything."""
    profile = profiles("office")
    fill(profile)
    return profile
