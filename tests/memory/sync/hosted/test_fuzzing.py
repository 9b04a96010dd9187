"""Replicas that are killed in the middle of whatever they do; README.md names the command that does it for longer."""

from pathlib import Path

import pytest

from tests.memory.sync.hosted.fuzzing import fuzz
from tests.peers.postgres import Postgres


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_replicas_are_killed(
    tmp_path: Path, postgres: Postgres, s3: str
) -> None:
    found = fuzz(tmp_path, postgres.databases(), s3, seconds=12, seed=20)
    assert found.kills >= 5 and found.taken > 50 and found.records > 10, found
