"""One office for all tests: its keys are never changed."""

import pytest

from tests.memory.sync.making import Office, make_office


@pytest.fixture(scope="session")
def office() -> Office:
    return make_office()
