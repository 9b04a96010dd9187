"""Recall with weights that the questions of the other conversations chose."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.bench.locomo_bench import main

THINGS = (
    *("lamp", "kettle", "violin", "ladder", "carpet", "bicycle"),
    *("mirror", "saddle", "teapot", "compass", "anvil", "hammock"),
)


def sample(name: str, answers: str) -> dict[str, Any]:
    """Return a conversation in which two people bought the same things; the questions mean what one of them says.

    All of them name Ann: a weight for the named speaker helps where she answers and harms where Ben does.
    """
    turns = [
        {"dia_id": f"D1:{2 * number + place + 1}", "speaker": speaker, "text": text}
        for number, thing in enumerate(THINGS)
        for place, (speaker, text) in enumerate(
            (("Ann", f"I bought a {thing} at the fair."), ("Ben", f"At the fair a {thing} was bought."))
        )
    ]
    evidence = [turn["dia_id"] for turn in turns if turn["speaker"] == answers]
    asked = ["What was bought when Ann was at the fair?", "Which things did Ann see bought at the fair?"]
    return {
        "sample_id": name,
        "conversation": {"session_1_date_time": "1:56 pm on 8 May, 2023", "session_1": turns},
        "qa": [{"question": text, "category": 4, "evidence": evidence} for text in asked],
    }


async def test_a_conversation_has_no_part_in_choosing_its_weights(
    tmp_path: Path, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "locomo.json"
    file.write_text(json.dumps([sample("she answers", "Ann"), sample("he answers", "Ben")]), "utf-8")
    with pytest.raises(SystemExit, match="below"):
        await main(file)
    told = capsys.readouterr().out
    named = {
        name: (float(recall), float(speaker))
        for name, recall, speaker in re.findall(
            r"(\w+ answers), left out: recall@10 = ([\d.]+) .* speaker ([\d.]+)", told
        )
    }
    assert named["she answers"][1] == 0.0  # what he needs
    assert named["he answers"][1] > 0.0  # what she needs
    both = (named["she answers"][0] + named["he answers"][0]) / 2
    assert float(re.findall(r"recall@10_left_out = ([\d.]+)", told)[0]) == pytest.approx(both, abs=0.001)
    office = float(re.findall(r"recall@10 = ([\d.]+) \(", told)[0])
    assert both < office
