"""Install packages of the operating system where that is allowed; otherwise name the exact command.

Standard library only: it runs before anything is installed.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path


class NotAllowed(Exception):
    """The packages could not be installed from here; the message names the command that does it."""


def install(packages: Sequence[str], *, purpose: str) -> None:
    """Install Debian packages with apt, as root or with a sudo that asks nothing.

    `purpose` begins the sentence of the error, for example "The window needs".
    Raises NotAllowed if there is no apt, no right to use it, or it fails.
    """
    if not packages:
        return
    listed = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise NotAllowed(
            f"{purpose} what Debian calls {listed}. Install the same with your system's package manager, "
            "then run this command again."
        )
    by_hand = f"sudo apt-get install --no-install-recommends {listed}"
    prefix = _privilege()
    if prefix is None:
        raise NotAllowed(f"{purpose} {listed}. Run `{by_hand}`, then this command again.")
    print(f"Installing {listed} …", flush=True)
    command = [*prefix, "apt-get", "install", "--yes", "-qq", "--no-install-recommends", *packages]
    if _quiet(command).returncode == 0:
        return
    _quiet([*prefix, "apt-get", "update", "-qq"])  # the lists may be old or absent
    outcome = _quiet(command)
    if outcome.returncode != 0:
        raise NotAllowed(f"{purpose} {listed}, but `{by_hand}` failed:\n{outcome.stderr.strip()}")


def download(packages: Sequence[str], folder: Path) -> None:
    """Fetch the .deb files of packages into `folder`, installing nothing. Raises NotAllowed if that fails."""
    command = ["apt-get", "download", "-qq", *packages]
    if shutil.which("apt-get") is not None:
        if _quiet(command, folder).returncode == 0:
            return
        prefix = _privilege()
        if prefix is not None:
            _quiet([*prefix, "apt-get", "update", "-qq"])
        if _quiet(command, folder).returncode == 0:
            return
    raise NotAllowed(
        f"The tests read documents of the Debian packages {' '.join(packages)}, which could not be had. "
        "Run `sudo apt-get update` with a network, on Debian 12, then this command again."
    )


def _privilege() -> list[str] | None:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _quiet(["sudo", "--non-interactive", "true"]).returncode == 0:
        return ["sudo", "--non-interactive"]
    return None


def _quiet(command: Sequence[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
