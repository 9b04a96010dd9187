"""An office that the tests of this folder command from a terminal."""

from pathlib import Path

import pytest

from tests.terminal.program import Terminal


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """``bureau`` on an office of its own, which a passphrase protects."""
    return Terminal(tmp_path)
