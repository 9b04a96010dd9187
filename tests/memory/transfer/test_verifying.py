"""``verify`` finds what was changed, cut, added, hidden or made to harm; and reads encrypted exports as they are."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest

from memory.transfer.age import Encryption
from memory.transfer.bag_reading import Unlock, open_bag
from memory.transfer.errors import (
    ArchiveDamaged,
    ArchiveLocked,
    ArchiveNewer,
    ArchiveUnknown,
    ArchiveUnreadable,
    ArchiveUnsafe,
    TransferCancelled,
    TransferError,
)
from memory.transfer.verifying import Verified, verify
from memory.transfer.watching import Watch
from tests.memory.transfer.bundles import Files, changed, encrypted, files_of, write
from tests.memory.transfer.profiles import SIGNER, Profile, fill

OWN = SIGNER.public_key().public_bytes_raw()


def verified(path: Path, unlock: Unlock | None = None, watch: Watch | None = None) -> Verified:
    with open_bag(path, unlock) as bag:
        return verify(bag, watch or Watch(), own_key=OWN)


@pytest.fixture(scope="module")
def bundle(empty_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that every test may read and none may change."""
    folder = tmp_path_factory.mktemp("bundle")
    profile = Profile.make(folder / "office", empty_database)
    try:
        fill(profile)
        return profile.export(folder / "office.aofx").path
    finally:
        profile.database.close()


@pytest.mark.req("R134")
def test_a_whole_export_is_told_as_such(office: Profile, tmp_path: Path) -> None:
    written = office.export(tmp_path / "office.aofx")
    office.export(tmp_path / "folder")
    found = verified(written.path)
    assert found.signed == "here" and found.sha256 == written.sha256 and found.unknown_types == ()
    assert found.summary.counts == written.counts and found.files > 20
    assert verified(tmp_path / "folder").summary.counts == written.counts
    with open_bag(written.path) as bag:
        assert verify(bag, Watch(), own_key=b"x" * 32).signed == "elsewhere"
    (tmp_path / "folder" / "signature.json").unlink()
    assert verified(tmp_path / "folder").signed == "unsigned"


def test_an_export_that_was_unzipped_and_zipped_again_is_still_whole(bundle: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "again.zip", "w", zipfile.ZIP_DEFLATED) as again:
        for name, content in files_of(bundle).items():
            again.writestr(f"my export/{name}", content)
    assert verified(tmp_path / "again.zip").signed == "here"


def test_encrypted_exports_are_read_without_unpacking_them(office: Profile, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    sealed = Encryption(recipients=[str(identity.to_public())])
    written = office.export(tmp_path / "office.aofx.age", encrypter=sealed)
    assert written.encrypted
    found = verified(written.path, Unlock(identities=(str(identity),)))
    assert found.sha256 == written.sha256
    with pytest.raises(ArchiveLocked, match="identity"):
        verified(written.path)
    plain = pyrage.decrypt(written.path.read_bytes(), [identity])
    assert zipfile.ZipFile(io.BytesIO(plain)).testzip() is None
    assert b"lease.txt" not in written.path.read_bytes()
    (tmp_path / "cut.age").write_bytes(written.path.read_bytes()[:-100])
    with pytest.raises(ArchiveDamaged):
        verified(tmp_path / "cut.age", Unlock(identities=(str(identity),)))


def test_passphrase(office: Profile, bundle: Path, tmp_path: Path) -> None:
    sealed = encrypted(bundle, tmp_path / "sealed.aofx.age", Encryption(passphrase="four plain words"))
    assert verified(sealed, Unlock(passphrase="four plain words")).signed == "here"
    with pytest.raises(ArchiveLocked, match="passphrase"):
        verified(sealed, Unlock(passphrase="four wrong words"))


def test_every_flipped_byte_of_a_folder_is_found(office: Profile, tmp_path: Path) -> None:
    folder = office.export(tmp_path / "folder").path
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        before = path.read_bytes()
        if not before:
            continue
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        with pytest.raises(TransferError):
            verified(folder)
        path.write_bytes(before)
    assert verified(folder).signed == "here"


def _line(name: str, change: Callable[[dict], None]) -> Callable[[Files], None]:
    def apply(files: Files) -> None:
        first, newline, rest = files[f"data/records/{name}.jsonl"].partition(b"\n")
        record = json.loads(first)
        change(record)
        files[f"data/records/{name}.jsonl"] = json.dumps(record).encode() + newline + rest

    return apply


def _put(name: str, content: bytes) -> Callable[[Files], None]:
    return lambda files: files.__setitem__(name, content)


def _append(name: str, content: bytes) -> Callable[[Files], None]:
    return lambda files: files.__setitem__(name, files[name] + content)


def _twice(files: Files) -> None:
    lines = files["data/records/messages.jsonl"].splitlines(keepends=True)
    files["data/records/messages.jsonl"] = b"".join([*lines[:-1], lines[0]])


REPAIRED: dict[str, tuple[Callable[[Files], None], type[TransferError]]] = {
    "a missing field": (_line("messages", lambda record: record.pop("text")), ArchiveDamaged),
    "a number as text": (_line("messages", lambda record: record.update(text=1)), ArchiveDamaged),
    "text as a switch": (_line("messages", lambda record: record.update(restricted="no")), ArchiveDamaged),
    "no key": (_line("messages", lambda record: record.update(id="")), ArchiveDamaged),
    "no time": (_line("messages", lambda record: record.update(created_at="soon")), ArchiveDamaged),
    "too large": (_line("messages", lambda record: record.update(ordinal=2**64)), ArchiveDamaged),
    "a path as id": (
        _line("blobs", lambda record: record.update(id="../../../../etc/passwd")),
        ArchiveDamaged,
    ),
    "a path out": (
        _line("workspace", lambda record: record.update(path="../x", stored="../x")),
        ArchiveDamaged,
    ),
    "a false store": (_line("workspace", lambda record: record.update(path="a", stored="b")), ArchiveDamaged),
    "twice the same": (_twice, ArchiveDamaged),
    "one too many": (_append("data/records/consents.jsonl", b'{"id":"a"}\n'), ArchiveDamaged),
    "not an object": (_put("data/records/consents.jsonl", b"[]\n"), ArchiveDamaged),
    "not JSON": (_put("data/records/consents.jsonl", b"{\n"), ArchiveDamaged),
    "not UTF-8": (_put("data/records/consents.jsonl", b'{"id":"\xff"}\n'), ArchiveDamaged),
    "deep": (_put("data/records/consents.jsonl", b"[" * 200_000 + b"\n"), ArchiveDamaged),
    "no number": (_put("data/records/consents.jsonl", b'{"id":NaN}\n'), ArchiveDamaged),
    "an endless number": (_put("data/records/consents.jsonl", b"9" * 10_000 + b"\n"), ArchiveDamaged),
    "an empty summary": (_put("data/export.json", b""), ArchiveDamaged),
    "a list as summary": (_put("data/export.json", b"[]"), ArchiveDamaged),
    "another format": (_put("data/export.json", b'{"format":"zip","version":1}'), ArchiveDamaged),
    "no summary": (lambda files: files.pop("data/export.json") and None, ArchiveUnknown),
    "no bag": (lambda files: files.pop("bagit.txt") and None, ArchiveUnknown),
    "another bag": (_put("bagit.txt", b"BagIt-Version: 0.97\n"), ArchiveUnknown),
}


@pytest.mark.parametrize("case", REPAIRED)
def test_what_is_wrong_inside_is_found_though_every_checksum_fits(
    bundle: Path, tmp_path: Path, case: str
) -> None:
    change, error = REPAIRED[case]
    with pytest.raises(error) as found:
        verified(changed(bundle, tmp_path / "changed.aofx", change))
    assert str(found.value).count(". ") <= 1 and ":" in str(found.value)


def test_a_later_version_is_refused_with_a_sentence(bundle: Path, tmp_path: Path) -> None:
    def later(files: Files) -> None:
        said = json.loads(files["data/export.json"])
        files["data/export.json"] = json.dumps(said | {"version": 2, "app": "bureau 7.0"}).encode()

    with pytest.raises(ArchiveNewer, match=r"bureau 7\.0.*update Bureau"):
        verified(changed(bundle, tmp_path / "later.aofx", later))


def test_unknown_fields_and_types_are_no_fault(bundle: Path, tmp_path: Path) -> None:
    def extended(files: Files) -> None:
        _line("messages", lambda record: record.update(mood="calm"))(files)
        files["data/records/dreams.jsonl"] = b'{"id":"1","about":"sheep"}\n'
        said = json.loads(files["data/export.json"])
        said["counts"]["dreams"] = 1
        files["data/export.json"] = json.dumps(said).encode()

    assert verified(changed(bundle, tmp_path / "more.aofx", extended)).unknown_types == ("dreams",)


def test_a_gigantic_line_is_refused_before_it_fills_the_memory(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from memory.transfer import record_reading

    monkeypatch.setattr(record_reading, "LONGEST", 1_000_000)
    huge = b'{"id":"' + b"x" * 9_000_000 + b'"}\n'
    path = changed(bundle, tmp_path / "huge.aofx", _put("data/records/consents.jsonl", huge))
    with pytest.raises(ArchiveUnsafe, match="larger than any"):
        verified(path)


def test_files_that_no_manifest_lists_or_that_are_missing(bundle: Path, tmp_path: Path) -> None:
    files = files_of(bundle)
    name = next(name for name in files if name.startswith("data/files/"))
    less = {key: value for key, value in files.items() if key != name}
    with pytest.raises(ArchiveDamaged, match="missing or was changed"):
        verified(write(tmp_path / "less.aofx", less, repair=False, unsigned=False))
    for extra in ("data/more.txt", "more.txt"):
        with pytest.raises(ArchiveDamaged, match="not listed"):
            verified(write(tmp_path / "more.aofx", {**files, extra: b"!"}, repair=False, unsigned=False))
    with pytest.raises(ArchiveDamaged, match="signature"):
        verified(write(tmp_path / "b.aofx", {**files, "data/README.md": b"!"}, unsigned=False))


def test_hostile_zips_are_refused(bundle: Path, tmp_path: Path) -> None:
    content = bundle.read_bytes()
    for cut in (0, 10, len(content) // 2, len(content) - 3):
        (tmp_path / "cut.aofx").write_bytes(content[:cut])
        with pytest.raises((ArchiveDamaged, ArchiveUnreadable, ArchiveUnknown)):
            verified(tmp_path / "cut.aofx")
    for name in ("../out.txt", "/etc/out", "data/../../out"):
        with pytest.raises(ArchiveUnsafe):
            verified(write(tmp_path / "out.aofx", {**files_of(bundle), name: b"!"}))
    with zipfile.ZipFile(tmp_path / "link.aofx", "w") as made:
        link = zipfile.ZipInfo("bagit.txt")
        link.external_attr = 0o120777 << 16
        made.writestr(link, "/etc/passwd")
    with pytest.raises(ArchiveUnsafe):
        verified(tmp_path / "link.aofx")
    with zipfile.ZipFile(tmp_path / "bomb.aofx", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("data/zeros", bytes(100_000_000))
    with pytest.raises(ArchiveUnsafe):
        verified(tmp_path / "bomb.aofx")


def test_what_is_no_export_at_all(tmp_path: Path) -> None:
    (tmp_path / "text.aofx").write_text("hello")
    with pytest.raises(ArchiveUnknown, match="aofx"):
        verified(tmp_path / "text.aofx")
    with pytest.raises(ArchiveUnreadable):
        verified(tmp_path / "missing.aofx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArchiveUnknown):
        verified(tmp_path / "empty")


def test_verifying_can_be_stopped(bundle: Path) -> None:
    with pytest.raises(TransferCancelled):
        verified(bundle, watch=Watch(cancelled=lambda: True))
