"""The set-up does its work once, repairs itself, and says what to do where it may not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import prepare
import pytest
import system_packages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Bureau in a folder with a blank in its name, set up once, with nothing to download."""
    folder = tmp_path_factory.mktemp("a folder") / "bureau"
    (folder / "packaging" / "lock").mkdir(parents=True)
    for name in ("prepare.py", "system_packages.py", "installation.py"):
        shutil.copy(ROOT / "packaging" / name, folder / "packaging")
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "packaging" / "lock" / "run.txt").write_text("")
    (folder / "desktop").mkdir()
    (folder / "desktop" / "command_line.py").write_text(
        "import sys\n\ndef program():\n    print('started with', sys.argv[1:])\n    return 3\n"
    )
    first = call(folder, "setup")
    assert first.returncode == 0, first.stderr
    assert "Creating" in first.stdout and "Installing 0 libraries" in first.stdout
    return folder


def call(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "packaging/prepare.py", *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_installs_once_and_again_only_when_the_lock_changes(copy: Path) -> None:
    assert call(copy, "setup").stdout == "Bureau is set up. `make run` opens it.\n"
    (copy / "packaging" / "lock" / "run.txt").write_text("# changed\n")
    changed = call(copy, "setup")
    assert "Installing" in changed.stdout and "Creating" not in changed.stdout


def test_a_broken_environment_is_made_anew(copy: Path) -> None:
    (copy / ".venv" / "bin" / "python").unlink()
    repaired = call(copy, "setup")
    assert repaired.returncode == 0 and "Creating" in repaired.stdout


def test_run_opens_the_window_or_says_that_there_is_no_screen(copy: Path) -> None:
    with_screen = call(copy, "run", "--home", "here", DISPLAY=":99")
    assert with_screen.returncode == 3
    assert with_screen.stdout.endswith("started with ['--home', 'here']\n")
    without = call(copy, "run")
    assert without.returncode == 3
    assert "There is no screen here" in without.stdout
    assert without.stdout.endswith("started with ['chat']\n")


def test_the_installation_is_known_to_other_tools(copy: Path) -> None:
    program = "import importlib.metadata as m; print(m.version('bureau')); import desktop.command_line"
    child = subprocess.run(
        [copy / ".venv" / "bin" / "python", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    assert child.stdout == "0.1.0\n"


def test_what_cannot_be_done_is_one_sentence_that_names_the_fix(copy: Path) -> None:
    nothing = call(copy, "bench-recall")
    assert nothing.returncode == 1 and "make bench-recall LOCOMO=PATH" in nothing.stderr
    absent = call(copy, "bench-recall", "absent.json")
    assert absent.returncode == 1 and "There is no file" in absent.stderr
    assert call(copy, "dance").returncode == 2
    assert "Traceback" not in nothing.stderr + absent.stderr


def test_a_lock_that_does_not_install_is_tried_again(copy: Path) -> None:
    lock = copy / "packaging" / "lock" / "run.txt"
    before = lock.read_text()
    lock.write_text(f"absent==1 --hash=sha256:{'0' * 64}\n")
    for _ in range(2):
        failed = call(copy, "setup", PIP_NO_INDEX="1", PIP_CONFIG_FILE=os.devnull)
        assert failed.returncode == 1
        assert failed.stderr.endswith("then run the same command again.\n")
    lock.write_text(before)
    assert call(copy, "setup").returncode == 0


def test_without_the_right_to_install_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(system_packages.NotAllowed) as refused:
        system_packages.install(["libegl1", "libgl1"], purpose="The window needs")
    assert "`sudo apt-get install --no-install-recommends libegl1 libgl1`" in str(refused.value)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(system_packages.NotAllowed, match="failed"):
        system_packages.install(["libegl1"], purpose="The window needs")
    (tmp_path / "apt-get").unlink()
    with pytest.raises(system_packages.NotAllowed, match="your system's package manager"):
        system_packages.install(["libegl1"], purpose="The window needs")
    system_packages.install([], purpose="The window needs")


def test_the_list_of_libraries_is_what_qt_is_linked_to() -> None:
    import PySide6

    qt = Path(PySide6.__file__).parent / "Qt"
    parts = ["plugins/platforms/libqxcb.so", "plugins/platforms/libqoffscreen.so", "lib/libQt6Widgets.so.6"]
    parts += ["lib/libQt6XcbQpa.so.6", "lib/libQt6Network.so.6", "lib/libQt6Svg.so.6", "lib/libQt6DBus.so.6"]
    wanted: set[str] = set()
    for part in parts:
        listing = subprocess.run(["ldd", str(qt / part)], capture_output=True, text=True, check=True).stdout
        assert "not found" not in listing, listing
        wanted |= {line.split()[0] for line in listing.splitlines() if "libxcb" in line or "libxkb" in line}
    assert wanted <= set(prepare.QT_LIBRARIES) | {"libxcb-dri2.so.0"}
