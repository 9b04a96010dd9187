"""docs/requirements.md says what the tests prove, and nothing else."""

from pathlib import Path
from typing import Any

import requirements

_PROMISES: dict[str, Any] = {
    "capabilities": {"sync": "The optional sync"},
    "requirements": {
        "R001": {"scope": "D", "promise": "A lid is on the box."},
        "R002": {"scope": "D+S", "owed": ["sync"], "promise": "The box travels shut."},
        "R003": {"scope": "OUT", "promise": "Cards.", "reason": "There are no payments."},
    },
}


def test_every_promise_is_proved_or_owed_and_the_table_says_so() -> None:
    assert requirements.main(["check"]) == 0


def test_marks_are_read_from_functions_classes_and_modules(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "box"
    folder.mkdir(parents=True)
    (folder / "test_lid.py").write_text(
        "import pytest\n\npytestmark = [pytest.mark.req('R002')]\n\n\n"
        "@pytest.mark.req('R001', 'R009')\nasync def test_shut() -> None:\n    assert True\n\n\n"
        "def shut() -> None:\n    pass\n",
        "utf-8",
    )

    found = requirements.proofs(tmp_path / "tests")

    assert found == {id_: ["tests/box/test_lid.py::test_shut"] for id_ in ("R001", "R002", "R009")}


def test_a_promise_without_proof_and_a_mark_without_promise_are_faults() -> None:
    assert list(requirements.faults(_PROMISES, {"R001": ["tests/a.py::test_b"]})) == []

    found = list(requirements.faults(_PROMISES, {"R777": ["tests/a.py::test_b"]}))

    assert len(found) == 2
    assert "R777" in found[0] and "R001" in found[1]


def test_the_table_names_proofs_owed_parts_and_reasons() -> None:
    text = requirements.table(_PROMISES, {"R002": ["tests/a/test_b.py::test_c"]})

    assert "1 of 2 promises" in text
    assert "| R002 | D+S | The box travels shut. | `a/test_b.py::test_c` | sync |" in text
    assert "| R003 | OUT | Cards. |  | There are no payments. |" in text
