"""The passphrase vault: where there is no keyring, and when something about its files is wrong."""

import hashlib
import json
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.peers.keyring import NO_SECRET_SERVICE
from vault import errors, keyslots
from vault.durable_file import write_durably
from vault.keyslots import COPY, FILE, Argon2Cost, KeyslotFile, derive_slot_key
from vault.office_keys import Vault, open_vault, unlock_with_recovery
from vault.secret import Secret

PASSPHRASE = Secret("three quiet harbours")
KEY = Secret("planted-provider-key-0123456789")


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any contact with a keyring would fail."""
    for name, value in NO_SECRET_SERVICE.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "office"


def _open(folder: Path, passphrase: Secret = PASSPHRASE) -> Vault:
    return open_vault(folder, passphrase=passphrase)


@pytest.mark.req("R020")
def test_it_is_created_at_first_use_and_opens_again(folder: Path) -> None:
    first = _open(folder)
    first.write_key("abc", KEY, "Anthropic (work)")
    second = _open(folder)
    assert second.keys == first.keys
    assert second.office_id == first.office_id
    assert second.read_key("abc") == KEY
    assert second.store.identity == "passphrase"


@pytest.mark.req("R022")
def test_no_file_holds_a_secret_in_any_form(folder: Path) -> None:
    vault = _open(folder)
    vault.write_key("abc", KEY, "Anthropic (work)")
    vault.new_recovery_key()
    contents = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    for planted in [KEY.reveal().encode(), PASSPHRASE.reveal().encode(), b"Anthropic", b"abc-"]:
        assert planted not in contents
    assert vault.keys.database_key not in contents
    assert vault.keys.database_key.hex().encode() not in contents


def test_files_are_readable_by_their_owner_alone(folder: Path) -> None:
    _open(folder).write_key("abc", KEY, "Anthropic (work)")
    for path in [folder, *folder.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_wrong_passphrase_is_told(folder: Path) -> None:
    _open(folder)
    with pytest.raises(errors.PassphraseWrong, match="try again"):
        _open(folder, Secret("three quiet harbors"))


def test_a_missing_passphrase_is_told(folder: Path) -> None:
    _open(folder)
    with pytest.raises(errors.PassphraseNeeded, match="--passphrase-file"):
        open_vault(folder)


def test_a_passphrase_typed_in_another_normal_form_opens(folder: Path) -> None:
    made = _open(folder, Secret("caf\u00e9 au lait"))
    assert _open(folder, Secret("cafe\u0301 au lait")).keys == made.keys


def test_a_short_passphrase_is_refused_and_creates_nothing(folder: Path) -> None:
    with pytest.raises(errors.PassphraseTooShort, match="at least 8"):
        _open(folder, Secret("harbour"))
    assert not (folder / FILE).exists()


@pytest.mark.req("R004")
def test_the_passphrase_can_be_changed(folder: Path) -> None:
    vault = _open(folder)
    vault.write_key("abc", KEY, "Anthropic (work)")
    vault.change_passphrase(Secret("four loud mountains"))
    with pytest.raises(errors.PassphraseWrong):
        _open(folder)
    assert _open(folder, Secret("four loud mountains")).read_key("abc") == KEY


@pytest.mark.req("R004")
def test_the_slot_is_argon2id_with_its_own_salt(folder: Path, tmp_path: Path) -> None:
    _open(folder)
    _open(tmp_path / "other")
    slots = [json.loads((each / FILE).read_text())["slots"][0] for each in (folder, tmp_path / "other")]
    assert all(slot["kdf"]["name"] == "argon2id" for slot in slots)
    assert all(slot["kdf"]["memory_kib"] >= 64 * 1024 for slot in slots)
    assert slots[0]["kdf"]["salt"] != slots[1]["kdf"]["salt"]


def test_slot_key_depends_on_salt_and_cost() -> None:
    cost = Argon2Cost(memory_kib=64, iterations=1, lanes=1)
    key = derive_slot_key(PASSPHRASE, b"0" * 16, cost)
    assert len(key) == 32
    assert key != derive_slot_key(PASSPHRASE, b"1" * 16, cost)
    assert key != derive_slot_key(PASSPHRASE, b"0" * 16, Argon2Cost(memory_kib=64, iterations=2, lanes=1))


def test_a_deleted_key_is_gone_and_deleting_twice_is_no_error(folder: Path) -> None:
    vault = _open(folder)
    vault.write_key("abc", KEY, "Anthropic (work)")
    vault.delete_key("abc")
    vault.delete_key("abc")
    assert not list((folder / "sealed").iterdir())
    with pytest.raises(errors.KeyNotFound, match="add it again"):
        vault.read_key("abc")


@pytest.mark.req("R021")
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "exchange"])
def test_a_damaged_sealed_file_is_told_and_the_others_open(folder: Path, damage: str) -> None:
    vault = _open(folder)
    vault.write_key("first", KEY, "Anthropic (work)")
    first = next((folder / "sealed").iterdir())
    vault.write_key("second", Secret("another-provider-key"), "OpenAI")
    second = next(path for path in (folder / "sealed").iterdir() if path != first)
    data = first.read_bytes()
    changed = {
        "flip": data[:-1] + bytes([data[-1] ^ 1]),
        "cut": data[: len(data) // 2],
        "empty": b"",
        "exchange": second.read_bytes(),
    }[damage]
    first.write_bytes(changed)
    with pytest.raises(errors.SealedFileDamaged, match="restore it from a backup"):
        vault.read_key("first")
    assert vault.read_key("second").reveal() == "another-provider-key"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version": 1}'])
def test_damaged_slots_open_from_the_copy_and_are_repaired(folder: Path, damage: bytes) -> None:
    vault = _open(folder)
    for damaged, intact in [(FILE, COPY), (COPY, FILE)]:
        (folder / damaged).write_bytes(damage)
        assert _open(folder).keys == vault.keys
        assert (folder / damaged).read_bytes() == (folder / intact).read_bytes()


def test_slots_that_the_system_does_not_let_be_read_are_told(folder: Path) -> None:
    _open(folder)
    for name in (FILE, COPY):
        (folder / name).unlink()
        (folder / name).mkdir()
    with pytest.raises(errors.ReadingFailed, match="make it readable"):
        _open(folder)


def test_truncation_is_noticed_wherever_it_happens(folder: Path) -> None:
    _open(folder)
    data = (folder / FILE).read_bytes()
    for length in [*range(0, len(data), 7), len(data) - 2]:
        (folder / FILE).write_bytes(data[:length])
        (folder / COPY).write_bytes(data[:length])
        with pytest.raises(errors.SlotsDamaged):
            KeyslotFile.load(folder)


def test_both_files_damaged_is_told_and_nothing_is_created(folder: Path) -> None:
    _open(folder)
    for name in (FILE, COPY):
        (folder / name).write_bytes(b"damaged")
    with pytest.raises(errors.SlotsDamaged, match="restore it from a backup"):
        _open(folder)
    assert (folder / FILE).read_bytes() == b"damaged"


def test_an_office_whose_slots_are_gone_is_not_given_new_keys(folder: Path) -> None:
    folder.mkdir()
    (folder / "office.db").write_bytes(b"ciphertext")
    with pytest.raises(errors.SlotsDamaged):
        _open(folder)
    assert [path.name for path in folder.iterdir()] == ["office.db"]


def _change(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Set one field of the file, named as in ``slots.0.kdf.lanes``."""

    def change(fields: dict[str, Any]) -> None:
        place: Any = fields
        *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in way:
            place = place[step]
        place[last] = value

    return change


def _rewrite(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the file and its copy, with a checksum that fits."""
    fields = json.loads((folder / FILE).read_text())
    change(fields)
    del fields["checksum"]
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    data = json.dumps({**fields, "checksum": hashlib.sha256(canonical).hexdigest()}).encode()
    for name in (FILE, COPY):
        (folder / name).write_bytes(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("slots.0.kdf.memory_kib", 1 << 30),
        ("slots.0.kdf.memory_kib", 0),
        ("slots.0.kdf.iterations", 10_000),
        ("slots.0.kdf.lanes", 1000),
        ("slots.0.kdf.lanes", "many"),
        ("slots.0.kdf.name", "pbkdf2"),
        ("slots.0.kdf.salt", "AAAA"),
        ("slots.0.nonce", "AAAA"),
        ("slots.0.wrapped", "not base64"),
        ("slots.1.public_key", "AAAA"),
        ("slots", []),
        ("slots", None),
        ("store", "kwallet"),
        ("store", None),
        ("office", "../../elsewhere"),
        ("office", 7),
        ("version", 0),
        ("version", "1"),
    ],
)
def test_settings_that_bureau_never_wrote_are_refused_before_they_are_used(
    folder: Path, path: str, value: object
) -> None:
    _open(folder).new_recovery_key()
    _rewrite(folder, _change(path, value))
    with pytest.raises(errors.SlotsDamaged):
        _open(folder)


def test_an_office_of_a_later_version_is_told_from_a_damaged_one(folder: Path) -> None:
    _open(folder)
    _rewrite(folder, _change("version", 2))
    with pytest.raises(errors.OfficeTooNew, match="update Bureau"):
        _open(folder)


def test_no_office_and_none_to_be_created(folder: Path) -> None:
    with pytest.raises(errors.NoOffice, match="--home"):
        open_vault(folder, passphrase=PASSPHRASE, create=False)
    assert not folder.exists()


def test_without_keyring_and_passphrase_nothing_is_created(folder: Path) -> None:
    with pytest.raises(errors.KeyringAbsent, match="--passphrase-file"):
        open_vault(folder)
    assert not folder.exists()


@pytest.mark.req("R186")
def test_the_recovery_key_opens_a_vault_whose_passphrase_is_forgotten(folder: Path) -> None:
    vault = _open(folder)
    vault.write_key("abc", KEY, "Anthropic (work)")
    words = Secret(vault.new_recovery_key())
    with pytest.raises(errors.PassphraseNeeded):
        unlock_with_recovery(folder, words)
    recovered = unlock_with_recovery(folder, words, passphrase=Secret("four loud mountains"))
    assert recovered.keys == vault.keys
    again = _open(folder, Secret("four loud mountains"))
    assert again.read_key("abc") == KEY
    with pytest.raises(errors.PassphraseWrong):
        _open(folder)


def test_the_store_proves_itself(folder: Path) -> None:
    vault = _open(folder)
    vault.store.probe()
    assert not list((folder / "sealed").iterdir())


def test_another_passphrase_is_written_while_nobody_else_writes_the_slots(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = _open(folder)
    vault.new_recovery_key()
    free: list[bool] = []

    def write_and_look(path: Path, data: bytes) -> None:
        with ThreadPoolExecutor(1) as another:
            free.append(another.submit(vault._lock.acquire, blocking=False).result())
        write_durably(path, data)

    monkeypatch.setattr(keyslots, "write_durably", write_and_look)
    vault.change_passphrase(Secret("seven other quiet words"))
    assert free and not any(free)
