"""One owner per office, in one process and across processes, whatever the owner's end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from memory.errors import OfficeInUse
from memory.locations import Locations
from memory.ownership import OwnerLock, socket_of_owner

HOLD = """
import sys
from memory.locations import Locations
from memory.ownership import OwnerLock
lock = OwnerLock.acquire(Locations.find(sys.argv[1]))
lock.socket.touch()
print(lock.socket, flush=True)
sys.stdin.read()
"""


def located(home: Path) -> Locations:
    locations = Locations.find(home)
    locations.create()
    return locations


def hold(locations: Locations, root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(locations.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )


def test_a_second_owner_is_told_of_the_first(tmp_path: Path) -> None:
    locations = located(tmp_path / "o")
    lock = OwnerLock.acquire(locations)
    with pytest.raises(OfficeInUse, match=str(os.getpid())) as refusal:
        OwnerLock.acquire(locations)
    assert refusal.value.pid == os.getpid() and refusal.value.socket == lock.socket
    lock.release()
    lock.release()
    OwnerLock.acquire(locations).release()


@pytest.mark.parametrize("depth", [1, 60])
def test_a_killed_owner_leaves_no_lock(tmp_path: Path, pytestconfig: pytest.Config, depth: int) -> None:
    locations = located(tmp_path / ("o" * depth) / ("f" * depth))
    owner = hold(locations, pytestconfig.rootpath)
    assert owner.stdout is not None and owner.stdin is not None
    door = Path(owner.stdout.readline().strip())
    with pytest.raises(OfficeInUse) as refusal:
        OwnerLock.acquire(locations)
    assert (refusal.value.pid, refusal.value.socket) == (owner.pid, door)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()
    assert door.exists()
    lock = OwnerLock.acquire(locations)
    assert not door.exists()
    if door == locations.socket:
        assert lock.socket == door
    else:
        assert not door.parent.exists() and lock.socket.parent.is_dir()
    lock.release()


def test_a_long_path_gets_a_socket_that_can_be_bound(tmp_path: Path) -> None:
    locations = located(tmp_path / ("long" * 30))
    lock = OwnerLock.acquire(locations)
    assert len(os.fsencode(lock.socket)) <= 100
    assert lock.socket.parent.stat().st_mode & 0o077 == 0
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(lock.socket))
    lock.release()
    assert not lock.socket.parent.exists()


def test_a_lock_file_with_rubbish_in_it(tmp_path: Path) -> None:
    locations = located(tmp_path / "o")
    locations.lock.write_bytes(b"\xff{not json")
    lock = OwnerLock.acquire(locations)
    with pytest.raises(OfficeInUse) as refusal:
        OwnerLock.acquire(locations)
    assert refusal.value.pid == os.getpid()
    lock.release()


def die_holding(home: Path, root: Path) -> None:
    """Leave the lock file and the socket that a killed owner leaves."""
    owner = hold(located(home), root)
    assert owner.stdin is not None and owner.stdout is not None
    owner.stdout.readline()
    owner.kill()
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()


def test_an_office_reached_by_another_path_stays(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    # Its folder is named like those that are made for sockets.
    home, link = tmp_path / "bureau-office", tmp_path / "link"
    die_holding(home, pytestconfig.rootpath)
    (home / "office.db").write_bytes(b"kept")
    link.symlink_to(home)
    OwnerLock.acquire(Locations.find(link)).release()
    assert (home / "office.db").read_bytes() == b"kept" and (home / "blobs").is_dir()


@pytest.mark.parametrize("name", ["bureau-office", "long" * 30])
def test_a_copied_office_touches_nothing_of_the_open_one(tmp_path: Path, name: str) -> None:
    first, copied = located(tmp_path / name), tmp_path / "copy"
    lock = OwnerLock.acquire(first)
    lock.socket.touch()
    shutil.copytree(first.home, copied)
    second = Locations.find(copied)
    assert socket_of_owner(first) == lock.socket and socket_of_owner(second) is None
    OwnerLock.acquire(second).release()
    assert lock.socket.exists() and first.blobs.is_dir()
    lock.release()
