"""The command as an operator meets it who forgot something: one sentence, exit code 2, and nothing is gone."""

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from memory.sync.hosted import backing_up
from memory.sync.hosted.errors import ServiceFault, SettingsInvalid
from memory.sync.hosted.occupation import nobody_serving, serving_here
from memory.sync.hosted.service import Service
from memory.sync.hosted.settings import Settings
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running, running

COMMAND = [sys.executable, "-m", "memory.sync.hosted.entry"]


def command(*arguments: str | Path, **environment: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command; what it says is never a traceback."""
    given = {
        **os.environ,
        **{f"BUREAU_HOSTED_{name.upper()}": str(each) for name, each in environment.items()},
    }
    ended = subprocess.run(
        [*COMMAND, *map(str, arguments)], env=given, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in ended.stderr
    return ended


def test_without_the_libraries_of_the_service_it_says_where_they_are_named(tmp_path: Path) -> None:
    """As after `make setup`, which installs the desktop's alone."""
    script = (
        "import sys; sys.modules['fastapi'] = None; sys.argv[1:] = ['serve', '--data', sys.argv[1]]\n"
        "from memory.sync.hosted.entry import program; sys.exit(program())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "data")], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (2, False)
    assert "fastapi" in ended.stderr and "packaging/hosted/README.md" in ended.stderr


def test_a_backup_of_no_service_replaces_no_backup(tmp_path: Path) -> None:
    """An operator who forgot --settings would else found an empty service, and back that up over the keys."""
    backup = tmp_path / "backup"
    backup.mkdir()
    (backup / "keys.backup").write_bytes(b"the keys of everybody")
    for words in (["backup", backup], ["drill"], ["incident", "list"]):
        ended = command(*words, data=tmp_path / "nothing")
        assert ended.returncode == 2 and "--settings" in ended.stderr
    assert (backup / "keys.backup").read_bytes() == b"the keys of everybody"
    assert not (tmp_path / "nothing").exists()


def test_what_a_service_writes_only_its_own_user_reads(tmp_path: Path) -> None:
    """Also in a folder that was there before, and where the shell lets everybody read."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    (data / "service.key").write_text("ab" * 32)
    ended = command("backup", tmp_path / "backup", data=data)
    assert ended.returncode == 0, ended.stderr
    written = [*data.glob("*.sqlite*"), *(tmp_path / "backup").iterdir()]
    assert len(written) >= 5 and all(each.stat().st_mode & 0o077 == 0 for each in written)


@pytest.fixture
def backed_up(service: Running, ada: Device, tmp_path: Path) -> backing_up.Backup:
    ada.pushed(ada.sealed())
    return service.run(backing_up.back_up(service.service, tmp_path / "backup"))


def test_what_is_no_backup_takes_nothing_away(
    service: Running, ada: Device, backed_up: backing_up.Backup, tmp_path: Path
) -> None:
    torn = tmp_path / "torn"
    torn.write_bytes(backed_up.keys.read_bytes()[:-9000])
    damaged = tmp_path / "damaged"
    sealed = bytearray(backed_up.records.read_bytes())
    sealed[-1] ^= 1
    damaged.write_bytes(sealed)
    gone = tmp_path / "gone"
    gone.write_bytes(b"BHB1" + bytes(4) + sealed[8:])  # of a day whose key was destroyed
    ada.pushed(ada.sealed())  # whose keys are in no backup yet
    wrong: list[tuple[Path | None, Path | None]] = [
        (None, tmp_path / "missing"),
        (tmp_path / "missing", backed_up.keys),
        (None, backed_up.records),
        (None, torn),
        (backed_up.keys, None),
        (None, tmp_path),
        (damaged, backed_up.keys),
        (gone, backed_up.keys),
    ]
    service.run(service.service.access_log.flush())  # or its timer would do it meanwhile
    before = _counted(service)
    for records, keys in wrong:
        with pytest.raises(ServiceFault):
            service.run(backing_up.restore(service.service, records, keys))
        assert _counted(service) == before


def _counted(service: Running) -> list[dict[str, int]]:
    return [service.run(backing_up.count_rows(store)) for store in service.service.stores]


def test_nothing_is_brought_back_under_a_service_that_runs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "service.key").write_text("ab" * 32)
    assert command("backup", tmp_path / "backup", data=data).returncode == 0
    with serving_here(Settings(data=data)), serving_here(Settings(data=data)):  # two replicas of one machine
        ended = command("restore", "--keys", tmp_path / "backup" / "keys.backup", data=data)
        assert ended.returncode == 2 and "stop" in ended.stderr
    kept = (tmp_path / "backup" / "keys.backup").stat()
    with nobody_serving(Settings(data=data)):  # the timer makes no backup of what is half back
        ended = command("backup", tmp_path / "backup", data=data)
        assert ended.returncode == 2 and "being brought back" in ended.stderr
    assert (tmp_path / "backup" / "keys.backup").stat().st_ino == kept.st_ino
    ended = command("restore", "--keys", tmp_path / "backup" / "keys.backup", data=data)
    assert ended.returncode == 0, ended.stderr


def test_no_empty_keys_take_the_place_of_keys_that_are_lost(tmp_path: Path) -> None:
    """Else the next backup of the keys, which replaces the one before, would be of none."""
    backup = tmp_path / "backup"
    with running(tmp_path / "hosted") as service:
        device = Device(service, "ada@example.org").begin_account()
        service.run(backing_up.back_up(service.service, backup))
        device.http.close()
    data = service.service.settings.data
    for each in data.glob("keys.sqlite*"):
        each.unlink()
    kept = (backup / "keys.backup").read_bytes()
    ended = command("restore", "--records", next(backup.glob("records-*")), data=data)
    assert ended.returncode == 2, ended.stderr
    for words in (["backup", backup], ["serve", "--port", "0"]):
        ended = command(*words, data=data)
        assert ended.returncode == 2 and "keys.sqlite" in ended.stderr
    assert (backup / "keys.backup").read_bytes() == kept
    for words in (["restore", "--keys", backup / "keys.backup"], ["backup", backup]):
        ended = command(*words, data=data)
        assert ended.returncode == 0, ended.stderr


def test_no_empty_ledger_takes_the_place_of_one_that_is_lost(tmp_path: Path) -> None:
    """Else a device that was away could send again what was erased meanwhile, and be believed."""
    backup = tmp_path / "backup"
    with running(tmp_path / "hosted") as service:
        device = Device(service, "ada@example.org").begin_account()
        done = service.run(backing_up.back_up(service.service, backup))
        device.http.close()
    data = service.service.settings.data
    for each in data.glob("ledger.sqlite*"):
        each.unlink()
    lost: list[list[str | Path]] = [
        ["serve", "--port", "0"],
        ["backup", backup],
        ["restore", "--records", done.records],
    ]
    for words in lost:
        ended = command(*words, data=data)
        assert ended.returncode == 2 and "edger" in ended.stderr and "--without-ledger" in ended.stderr
    begun: list[list[str | Path]] = [["restore", "--without-ledger"], ["backup", backup]]
    for words in begun:
        ended = command(*words, data=data)
        assert ended.returncode == 0, ended.stderr


def test_what_the_administrator_brings_back_belongs_to_the_user_of_the_service(tmp_path: Path) -> None:
    """A service that runs as a user of its own could neither read nor lock what root had made for it."""
    user = 65534 if os.geteuid() == 0 else os.geteuid()
    data = tmp_path / "data"
    data.mkdir()
    (data / "service.key").write_text("ab" * 32)
    assert command("backup", tmp_path / "backup", data=data).returncode == 0
    for each in (*data.iterdir(), data):
        os.chown(each, user, -1)
    (data / "serving.lock").unlink(missing_ok=True)
    ended = command("restore", "--keys", tmp_path / "backup" / "keys.backup", data=data)
    assert ended.returncode == 0, ended.stderr
    assert [each.name for each in data.iterdir() if each.stat().st_uid != user] == []
    assert (data / "serving.lock").exists() and (data / "keys.sqlite").exists()


def test_the_lock_holds_in_a_folder_of_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS makes record locks of it, and those want a file that is open for reading to be shared."""
    monkeypatch.setattr(fcntl, "flock", fcntl.lockf)
    with serving_here(Settings(data=tmp_path)):
        assert (tmp_path / "serving.lock").exists()
    with nobody_serving(Settings(data=tmp_path)):
        assert (tmp_path / "serving.lock").exists()


def test_a_folder_that_can_lock_nothing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locks_nothing(*_given: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", locks_nothing)
    with pytest.raises(SettingsInvalid, match=str(tmp_path)), serving_here(Settings(data=tmp_path)):
        pass


def test_a_mail_server_that_is_away_is_named(
    service: Running, ada: Device, caplog: pytest.LogCaptureFixture
) -> None:
    closed: Service = service.service
    object.__setattr__(closed, "settings", Settings(**{**vars(closed.settings), "smtp_port": 1}))
    ada.post("/v1/account/mail-code")
    assert service.do_jobs() == 1
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(said) == 1 and "127.0.0.1:1" in said[0] and "smtp_host" in said[0]
