"""Whatever an office holds comes back: generated offices, out, in and out again."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from memory.transfer.record_types import record_types
from tests.memory.transfer import generated
from tests.memory.transfer.bundles import unzipped
from tests.memory.transfer.profiles import Profile
from tests.memory.transfer.test_importing import assert_same

_paths = st.lists(generated.names, min_size=1, max_size=3).map(tuple)


def _rows(session: Session) -> dict[str, Any]:
    return {
        kind.name: session.execute(kind.table.select()).fetchall()
        for kind in record_types()
        if kind.name not in ("audit", "exports", "blobs", "provenance")
    }


@pytest.mark.req("R115")
@pytest.mark.req("R134")
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(
    rows=generated.offices(),
    contents=st.tuples(st.binary(max_size=50), st.binary(max_size=50)),
    files=st.dictionaries(_paths, st.binary(max_size=20), max_size=4),
)
def test_out_in_and_out_again_is_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    empty_database: Path,
    rows: dict[str, list[dict[str, Any]]],
    contents: tuple[bytes, bytes],
    files: dict[tuple[str, ...], bytes],
) -> None:
    folder = tmp_path_factory.mktemp("round")
    one = Profile.make(folder / "one", empty_database)
    other = Profile.make(folder / "other", empty_database)
    try:
        generated.write(one, rows, contents)
        generated.write_workspace(one.workspace, files)
        first = unzipped(one.export(folder / "first.aofx").path)
        merged = other.bring_in(folder / "first.aofx")
        assert merged.orphans == 0
        assert_same(first, unzipped(other.export(folder / "second.aofx").path))
        assert one.database.write_now(_rows) == other.database.write_now(_rows)
    finally:
        one.database.close()
        other.database.close()
