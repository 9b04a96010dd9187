"""``python -m tests.shots [FOLDER [SCENE…]]``: every page and state, light and dark, wide, narrow and large.

Named scenes alone are taken where any are named; BUREAU_LANGUAGE says in which language. Each part is a process of its
own that starts the window as ``bureau`` does; a screen is made with Xvfb where there is none.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.shots import PASSPHRASE

os.environ["QT_API"] = "pyside6"

PARTS = ("locked", "first", "full")


def main(arguments: list[str]) -> int:
    """Take all pictures; the exit code is that of the first part that failed."""
    if len(arguments) > 3 and arguments[0] in (*PARTS, "seed"):
        return one_part(arguments[0], Path(arguments[1]), Path(arguments[2]), arguments[3], arguments[4:])
    target = Path(arguments[0] if arguments else "shots").resolve()
    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob("*.png"):
        old.unlink()
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        if shutil.which("xvfb-run") is None:
            sys.stderr.write("There is no screen and no xvfb-run: install xvfb, then try again.\n")
            return 1
        screen = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
        return subprocess.call([*screen, sys.executable, "-m", "tests.shots", str(target), *arguments[1:]])
    with tempfile.TemporaryDirectory(prefix="bureau-shots-") as folder:
        return take(target, Path(folder), arguments[1:])


def take(target: Path, folder: Path, names: list[str]) -> int:
    """Seed an office against the loopback provider, then run the parts one after another."""
    from tests.peers import aimock
    from tests.shots.seed import fixtures

    (folder / "passphrase").write_text(PASSPHRASE + "\n")
    (folder / "aimock").mkdir()
    server = aimock.start(folder / "aimock", fixtures())
    try:
        for part in ("seed", *PARTS):
            told = [part, str(target), str(folder), server.anthropic_url, *names]
            code = subprocess.call([sys.executable, "-m", "tests.shots", *told])
            if code:
                sys.stderr.write(f"The part “{part}” failed.\n")
                return code
    finally:
        server.stop()
    sys.stdout.write(f"{len(list(target.glob('*.png')))} pictures in {target}\n")
    return 0


def one_part(part: str, target: Path, folder: Path, url: str, names: list[str]) -> int:
    """Seed, or start the window and take one part's pictures."""
    from memory.locations import Locations
    from vault.secret import Secret

    if part == "seed":
        from tests.shots.seed import fill

        asyncio.run(fill(Locations.find(folder / "full"), Secret(PASSPHRASE), url, folder))
        return 0
    from desktop.application import run
    from resources.language import choose_language
    from tests.shots.camera import Camera
    from tests.shots.scenes import scenes

    choose_language(os.environ.get("BUREAU_LANGUAGE"))
    home = folder / ("full" if part in ("full", "locked") else "first")
    wanted = {name: act for name, act in scenes(part).items() if not names or name in names}
    camera = Camera(target, folder)
    run(
        Locations.find(home),
        None if part == "locked" else folder / "passphrase",
        lambda lifecycle: camera.drive(lifecycle, wanted),
    )
    for fault in camera.faults:
        sys.stderr.write(f"{fault}\n")
    return 1 if camera.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
