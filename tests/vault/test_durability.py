"""A crash, a full or read-only disk: the former content stays, and one sentence says what to do."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vault.durable_file import write_durably
from vault.errors import SavingFailed
from vault.keyslots import COPY, FILE
from vault.office_keys import open_vault, unlock_with_recovery
from vault.secret import Secret

FIRST, SECOND = "three quiet harbours", "four loud mountains"

KILL = """
import os, signal, sys
from pathlib import Path
from vault.office_keys import open_vault
from vault.secret import Secret

event, number = sys.argv[2], int(sys.argv[3])
vault = open_vault(Path(sys.argv[1]), passphrase=Secret(sys.argv[4]))
seen = 0

def strike(name, arguments):
    global seen
    if name == event and (name != "open" or str(arguments[0]).endswith((".new", "office"))):
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(strike)
vault.change_passphrase(Secret(sys.argv[5]))
"""

FULL = """
import resource, signal, sys
from pathlib import Path
from vault.errors import SavingFailed
from vault.office_keys import open_vault
from vault.secret import Secret

vault = open_vault(Path(sys.argv[1]), passphrase=Secret(sys.argv[2]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for change in (
    lambda: vault.change_passphrase(Secret(sys.argv[3])),
    lambda: vault.new_recovery_key(),
    lambda: vault.begin_rekey(),
    lambda: vault.write_key("abc", Secret("planted" * 30), "Anthropic"),
):
    try:
        change()
    except SavingFailed as error:
        print(error)
assert not vault.has_recovery_key
assert vault.keys.pending_database_key is None
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert vault.read_key("abc").reveal() == "planted-provider-key"
vault.change_passphrase(Secret(sys.argv[3]))
"""


def _python(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("event", "number"), [("open", 1), ("os.rename", 1), ("os.rename", 2), ("open", 4)])
def test_a_kill_at_any_step_leaves_an_office_that_opens(tmp_path: Path, event: str, number: int) -> None:
    folder = tmp_path / "office"
    keys = open_vault(folder, passphrase=Secret(FIRST)).keys
    done = _python(KILL, folder, event, number, FIRST, SECOND)
    assert done.returncode == -signal.SIGKILL, done.stderr
    # The change is made the moment that the file itself, after its copy, has its name.
    opens = SECOND if (event, number) == ("open", 4) else FIRST
    assert open_vault(folder, passphrase=Secret(opens)).keys == keys
    assert (folder / FILE).read_bytes() == (folder / COPY).read_bytes()
    vault = open_vault(folder, passphrase=Secret(opens))
    vault.new_recovery_key()
    assert sorted(path.name for path in folder.iterdir()) == [COPY, FILE]


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "office"
    vault = open_vault(folder, passphrase=Secret(FIRST))
    vault.write_key("abc", Secret("planted-provider-key"), "Anthropic (work)")
    done = _python(FULL, folder, FIRST, SECOND)
    assert done.returncode == 0, done.stderr
    sentences = done.stdout.splitlines()
    assert len(sentences) == 4
    assert all("disk is full" in sentence and "free some space" in sentence for sentence in sentences)
    assert open_vault(folder, passphrase=Secret(SECOND)).keys == vault.keys
    assert not [path for path in folder.rglob("*") if path.name.endswith(".new")]


def test_a_copy_that_cannot_be_written_leaves_the_former_recovery_key(tmp_path: Path) -> None:
    folder = tmp_path / "office"
    vault = open_vault(folder, passphrase=Secret(FIRST))
    words = vault.new_recovery_key()
    (folder / COPY).unlink()
    (folder / COPY).mkdir()
    with pytest.raises(SavingFailed):
        vault.new_recovery_key()
    (folder / COPY).rmdir()
    assert unlock_with_recovery(folder, Secret(words), passphrase=Secret(SECOND)).keys == vault.keys


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SavingFailed, match="make its folder writable"):
        open_vault(tmp_path / "file" / "office", passphrase=Secret(FIRST))


def test_a_name_that_cannot_be_replaced_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(SavingFailed, match="cannot be written"):
        write_durably(tmp_path / "target", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    path.chmod(0o644)
    (tmp_path / ".file.0123.new").write_bytes(b"left by a killed process")
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
