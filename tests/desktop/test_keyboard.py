"""A person with nothing but a keyboard, on the real window under Xvfb."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agents.office import Office
from memory import branches, chat_list
from memory.locations import Locations
from tests.desktop.conftest import PASSPHRASE
from vault.secret import Secret

_DRIVE = r"""
set -eu
"$PYTHON" -m desktop --home "$OFFICE" --passphrase-file "$SECRET" > "$OUT" 2>&1 &
window=$!
for _ in $(seq 600); do grep -q ready "$OUT" && break; sleep 0.1; done
xdotool search --sync --onlyvisible --name Bureau windowfocus --sync
sleep 0.5
xdotool type --delay 15 "What do you know about tides?"
xdotool key Return
sleep 3
xdotool key ctrl+n
sleep 1
xdotool type --delay 15 "half a thought"
sleep 1
xdotool key alt+2
sleep 1
xdotool key ctrl+k
sleep 1
xdotool type --delay 15 "tides"
xdotool key Return
sleep 1
xdotool key ctrl+q
wait $window
"""


@pytest.mark.window
async def test_write_send_begin_anew_go_about_and_quit_by_keys(own_home):
    assert shutil.which("xvfb-run") and shutil.which("xdotool"), "install xvfb and xdotool"
    secret, out, office_folder = own_home / "secret", own_home / "out.txt", own_home / "office"
    secret.write_text(PASSPHRASE)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "QT_QPA_PLATFORM"},
        "PYTHON": sys.executable,
        "OFFICE": str(office_folder),
        "SECRET": str(secret),
        "OUT": str(out),
        "BUREAU_TIMING": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    result = subprocess.run(
        ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", "bash", "-c", _DRIVE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    said = out.read_text() if out.exists() else ""
    assert result.returncode == 0, result.stderr + said
    assert "Traceback" not in said
    office = await Office.open(Locations(office_folder), passphrase=Secret(PASSPHRASE))
    try:
        entries = await office.database.read(chat_list.entries, view="open", limit=10)
        asked = next(entry for entry in entries if entry.title.startswith("What do you know"))
        turns = await office.database.read(branches.path, asked.id)
        assert [turn.messages[0].role for turn in turns] == ["owner", "agent"]
        assert turns[0].messages[0].text == "What do you know about tides?"
        assert turns[1].messages[0].agent_name == "Librarian"
        drafts = await office.database.read(_drafts)
        assert drafts == ["half a thought"]
        kept = await office.settings.value("window.layout")
        assert kept["conversation"] == asked.id
    finally:
        await office.close()


def _drafts(session) -> list[str]:
    from memory import chats

    return [each.draft["text"] for each in chats.conversations(session) if each.draft.get("text")]
