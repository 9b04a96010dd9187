"""Whatever the service's OpenAPI allows, and whatever it forbids, is answered as it says; schemathesis asks."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running

EXAMPLES = 6
"""For each operation, mode and owner of the ids; there are some sixty operations."""
# What a signature covers and which members go together no schema says: what fits the schema may be refused.
STREAM = "/v1/events"
"""Answers for as long as somebody listens; tests of hints do."""


def _own(case: schemathesis.Case, device: Device) -> None:
    """Let a case be about what the caller really has, so that it gets beyond the first door."""
    if "space_id" in case.path_parameters:
        case.path_parameters["space_id"] = device.space_id
    if "generation" in (case.query or {}):
        case.query["generation"] = device.generation
    if isinstance(case.body, dict) and "generation" in case.body:
        case.body["generation"] = device.generation


def _ask(service: Running, device: Device, operation: Any, mode: GenerationMode, own: bool) -> None:
    @seed(11)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        if own:
            _own(case, device)
        case.call_and_validate(
            base_url=service.url, headers=device.headers, excluded_checks=[positive_data_acceptance]
        )

    ask()


@pytest.mark.slow
@pytest.mark.req("R179", "R180")
def test_every_operation_answers_as_it_is_described(service: Running, ada: Device) -> None:
    schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json")
    asked, wrong = 0, []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == STREAM:
            continue
        modes = [GenerationMode.POSITIVE]
        if (
            operation.body or operation.query or operation.path_parameters
        ):  # else there is nothing to get wrong
            modes.append(GenerationMode.NEGATIVE)
        for mode in modes:
            for own in (False, True) if mode is GenerationMode.POSITIVE else (False,):
                service.forget_limits()
                try:
                    _ask(service, ada, operation, mode, own)
                except Unsatisfiable:
                    continue  # nothing is wrong there: every text is a key of an object
                except (FailureGroup, Failure) as failed:
                    wrong.append(
                        f"{operation.label} {mode.value}: {failed!r} {getattr(failed, 'exceptions', '')}"
                    )
                ada.post("/v1/account/unfreeze")
                asked += 1
    assert wrong == [], "\n".join(wrong)
    assert asked > 150
