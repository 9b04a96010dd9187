"""Set Bureau up and start what was asked for: the one script behind every command of the Makefile.

    python3 packaging/prepare.py COMMAND [arguments]      COMMAND: any of the Makefile's

Runs on a bare Python 3.11 of any supported system, standard library only. What was done leaves a stamp in the
virtual environment, so that a second call starts at once and needs no network.
"""

from __future__ import annotations  # an older Python shall get as far as the sentence that refuses it

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import system_packages

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".venv"
PACKAGING = ROOT / "packaging"
LOCK = PACKAGING / "lock"
PEERS = ROOT / "tests" / "peers"
WINDOWS = sys.platform == "win32"
PROGRAMS = ENVIRONMENT / ("Scripts" if WINDOWS else "bin")
PYTHON = PROGRAMS / ("python.exe" if WINDOWS else "python")

# What Qt loads at run time, by the Debian package that has it.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}

INSTALLATION = (PACKAGING / "prepare.py", PACKAGING / "system_packages.py", PACKAGING / "installation.py")


class SetUpFailed(Exception):
    """The set-up cannot go on; the message is a sentence that names the fix."""


def stamped(name: str, *files: Path) -> tuple[Path, str]:
    """Return the stamp file of a step and what it must contain: a hash of this place and of `files`."""
    digest = hashlib.sha256(str(ROOT).encode())
    for file in files:
        digest.update(file.read_bytes())
    return ENVIRONMENT / f".{name}.stamp", digest.hexdigest()


def done(stamp: tuple[Path, str]) -> bool:
    """Say whether a step was done for just these files and its environment still works."""
    path, wanted = stamp
    return PYTHON.exists() and path.is_file() and path.read_text("utf-8") == wanted


def environment() -> None:
    """Create the virtual environment; on Debian, install the package it needs first."""
    if PYTHON.exists() and subprocess.run([PYTHON, "-c", "import pip"], check=False).returncode == 0:
        return
    if not importable("ensurepip"):
        system_packages.install(["python3-venv"], purpose="Setting up needs")
    if ENVIRONMENT.exists():
        shutil.rmtree(ENVIRONMENT)  # left half made by an interrupted set-up
    print(f"Creating {ENVIRONMENT} …", flush=True)
    # Not from inside another environment: that one may go away.
    base = getattr(sys, "_base_executable", None) or sys.executable
    if subprocess.run([base, "-m", "venv", str(ENVIRONMENT)], check=False).returncode != 0:
        raise SetUpFailed(f"Python could not create {ENVIRONMENT}; see above. Repair that and try again.")


def importable(module: str) -> bool:
    """Say whether this Python has a module (Debian's may lack parts of the standard library)."""
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def libraries(name: str) -> None:
    """Install the locked dependencies of `packaging/lock/NAME.txt`, checked against their hashes."""
    lock = LOCK / f"{name}.txt"
    stamp = stamped(name, lock, *INSTALLATION)
    if done(stamp):
        return
    environment()
    count = sum("==" in line for line in lock.read_text("utf-8").splitlines())
    print(f"Installing {count} libraries; the first time this takes a minute or two …", flush=True)
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", str(lock)]
    if subprocess.run(command, check=False).returncode != 0:
        raise SetUpFailed(
            "The libraries could not be installed; see above. Check the network and that 2 GB are free, "
            "then run the same command again."
        )
    stamp[0].write_text(stamp[1], "utf-8")


def project() -> None:
    """Make the folders importable in the environment and write the command `bureau`."""
    stamp = stamped("project", ROOT / "pyproject.toml", *INSTALLATION)
    if not done(stamp):
        subprocess.run([str(PYTHON), str(PACKAGING / "installation.py")], check=True)
        stamp[0].write_text(stamp[1], "utf-8")


def window_libraries() -> None:
    """Make sure that the system has what Qt loads (Linux only; elsewhere Qt brings everything)."""
    if not sys.platform.startswith("linux"):
        return
    stamp = stamped("window", *INSTALLATION)
    if done(stamp):
        return
    missing = [package for library, package in QT_LIBRARIES.items() if not loadable(library)]
    system_packages.install(missing, purpose="The window needs")
    stamp[0].write_text(stamp[1], "utf-8")


def loadable(library: str) -> bool:
    """Say whether the system's loader finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def test_peers() -> None:
    """Install the programs the tests talk to."""
    sources = (
        PEERS / "package-lock.json",
        PEERS / "documents.json",
        PACKAGING / "peers.py",
        LOCK / "moto.txt",
    )
    stamp = stamped("peers", *sources, *INSTALLATION)
    if done(stamp):
        return
    if subprocess.run([str(PYTHON), str(PACKAGING / "peers.py")], check=False).returncode != 0:
        raise SetUpFailed("The tests cannot run without their peers; see above.")
    stamp[0].write_text(stamp[1], "utf-8")


def has_screen() -> bool:
    """Say whether a window can be shown."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def become(*command: str | Path) -> int:
    """Replace this process by a program (on Windows, run it) and return its exit code."""
    words = [str(word) for word in command]
    sys.stdout.flush()
    if WINDOWS:
        return subprocess.call(words, cwd=ROOT)
    os.chdir(ROOT)
    os.execv(words[0], words)


def run(arguments: list[str]) -> int:
    """Open the window, or the conversation in the terminal where there is no screen."""
    libraries("run")
    project()
    bureau = PROGRAMS / ("bureau.cmd" if WINDOWS else "bureau")
    if has_screen():
        window_libraries()
        return become(bureau, *arguments)
    print("There is no screen here (DISPLAY is not set), so this is the conversation in the terminal.")
    return become(bureau, "chat", *arguments)


def setup(_arguments: list[str]) -> int:
    """Only set up."""
    libraries("run")
    project()
    window_libraries()
    print("Bureau is set up. `make run` opens it.")
    return 0


def develop() -> None:
    """Set up all that developing and testing need."""
    libraries("run")
    libraries("develop")
    project()
    window_libraries()


def check(_arguments: list[str]) -> int:
    """Run every check that runs no test."""
    develop()
    return become(PYTHON, PACKAGING / "check.py")


def test(arguments: list[str]) -> int:
    """Run the checks, then every test, or those named by `arguments`, cut off from the network."""
    develop()
    test_peers()
    checked = subprocess.run([str(PYTHON), str(PACKAGING / "check.py")], cwd=ROOT, check=False)
    if checked.returncode != 0:
        return checked.returncode
    return become(PYTHON, PACKAGING / "cut_off.py", "pytest", *(arguments or ["-n", "2"]))


def bench(arguments: list[str]) -> int:
    """Print the measured figures beside what they must be."""
    develop()
    test_peers()
    return become(PYTHON, "-m", "tests.bench", *arguments)


def bench_recall(arguments: list[str]) -> int:
    """Measure evidence recall on a LoCoMo file."""
    if not arguments or not arguments[0]:
        raise SetUpFailed("Name the file to measure on: make bench-recall LOCOMO=PATH.")
    file = Path(arguments[0]).resolve()
    if not file.is_file():
        raise SetUpFailed(f"There is no file {file}. Name a LoCoMo file: make bench-recall LOCOMO=PATH.")
    develop()
    return become(PYTHON, "-m", "tests.bench.locomo_bench", file, *arguments[1:])


def bench_librarian(arguments: list[str]) -> int:
    """Measure how often the librarian finds the page, on the documents of the set-up."""
    develop()
    test_peers()
    return become(PYTHON, "-m", "tests.evaluation.librarian", *arguments)


def prove_erasure(arguments: list[str]) -> int:
    """Erase deeply on a disk image and read the raw device; needs root and a loop device."""
    develop()
    return become(PYTHON, "-m", "tests.evaluation.prove_erasure", *arguments)


def shots(arguments: list[str]) -> int:
    """Take a picture of every page and state."""
    develop()
    test_peers()
    return become(PYTHON, "-m", "tests.shots", *arguments)


def lock(arguments: list[str]) -> int:
    """Resolve the dependencies anew and write the third-party notices."""
    develop()
    subprocess.run([str(PYTHON), str(PACKAGING / "lock.py"), *arguments], check=True)
    develop()
    return become(PYTHON, PACKAGING / "notices.py")


def requirements(arguments: list[str]) -> int:
    """Write docs/requirements.md from the promises and the tests that prove them."""
    develop()
    return become(PYTHON, PACKAGING / "requirements.py", *arguments)


COMMANDS = {
    "run": run,
    "setup": setup,
    "check": check,
    "test": test,
    "bench": bench,
    "bench-recall": bench_recall,
    "bench-librarian": bench_librarian,
    "prove-erasure": prove_erasure,
    "shots": shots,
    "lock": lock,
    "requirements": requirements,
}


def main() -> int:
    """Carry out one command; return its exit code."""
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f"Usage: python3 packaging/prepare.py {'|'.join(COMMANDS)} [arguments]", file=sys.stderr)
        return 2
    if sys.version_info < (3, 11):  # noqa: UP036  (said to whoever starts it with an older one)
        version = ".".join(map(str, sys.version_info[:2]))
        print(f"Bureau needs Python 3.11 or newer, this is {version}. Name another: make run PYTHON=…")
        return 1
    try:
        return COMMANDS[sys.argv[1]](sys.argv[2:])
    except (SetUpFailed, system_packages.NotAllowed) as problem:
        print(problem, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
