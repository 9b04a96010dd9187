"""Hints that no service gives: they are its fault, and the next connection hears others."""

from collections.abc import AsyncGenerator

import pytest

from memory.sync.service.faults import ServiceRefused
from memory.sync.service.hints import heads
from tests.memory.sync.service.conftest import Clients


async def test_a_hint_that_makes_no_sense_is_a_fault_of_the_service(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = clients.new()
    for hint in ("[" * 4000, "7", "{}", '{"space_id": 1, "head": "many"}'):

        async def lines(_path: str, hint: str = hint) -> AsyncGenerator[str, None]:
            yield f"data: {hint}"

        monkeypatch.setattr(one.calls, "lines", lines)
        with pytest.raises(ServiceRefused):
            async for _head in heads(one.calls, "ab" * 16):
                continue
