"""Our age files against the reference library, both ways; and whatever may be wrong with one."""

import io
from collections.abc import Sequence
from pathlib import Path

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.transfer.age import AgeReader, Encryption, KeyMistyped, is_encrypted
from memory.transfer.bech32 import decode
from memory.transfer.errors import ArchiveDamaged, ArchiveLocked

SIZES = (0, 1, 65_535, 65_536, 65_537, 131_072, 300_000)


def sealed(path: Path, content: bytes, encryption: Encryption, step: int = 100_000) -> bytes:
    with path.open("wb") as file:
        sink = encryption(file)
        for start in range(0, len(content), step):
            sink.write(content[start : start + step])
        sink.close()
    return path.read_bytes()


def opened(path: Path, *, passphrase: str = "", identities: Sequence[str] = ()) -> bytes:
    with AgeReader(path.open("rb"), passphrase=passphrase, identities=identities) as reader:
        return reader.read()


@pytest.mark.parametrize("size", SIZES)
def test_the_reference_reads_what_we_write_for_recipients(tmp_path: Path, size: int) -> None:
    mine, hers = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    content = bytes(range(256)) * (size // 256) + bytes(size % 256)
    recipients = [str(one.to_public()) for one in (mine, hers)]
    written = sealed(tmp_path / "a.age", content, Encryption(recipients=recipients))
    for identity in (mine, hers):
        assert pyrage.decrypt(written, [identity]) == content
        assert opened(tmp_path / "a.age", identities=[str(identity)]) == content
    with pytest.raises(ArchiveLocked, match="identity"):
        opened(tmp_path / "a.age", identities=[str(pyrage.x25519.Identity.generate())])


@pytest.mark.parametrize("size", SIZES)
def test_we_read_what_the_reference_writes(tmp_path: Path, size: int) -> None:
    identity = pyrage.x25519.Identity.generate()
    content = b"x" * size
    (tmp_path / "a.age").write_bytes(pyrage.encrypt(content, [identity.to_public()]))
    assert opened(tmp_path / "a.age", identities=[str(identity)]) == content


def test_passphrases_both_ways(tmp_path: Path) -> None:
    content = b"lease" * 40_000
    written = sealed(tmp_path / "a.age", content, Encryption(passphrase="vier Wörter 🔑"))
    assert pyrage.passphrase.decrypt(written, "vier Wörter 🔑") == content
    assert opened(tmp_path / "a.age", passphrase="vier Wörter 🔑") == content
    with pytest.raises(ArchiveLocked, match="does not open"):
        opened(tmp_path / "a.age", passphrase="another")
    with pytest.raises(ArchiveLocked, match="give it"):
        opened(tmp_path / "a.age")
    (tmp_path / "b.age").write_bytes(pyrage.passphrase.encrypt(content, "theirs"))
    assert opened(tmp_path / "b.age", passphrase="theirs") == content


def test_it_reads_at_any_place(tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    content = bytes(index % 251 for index in range(200_000))
    sealed(tmp_path / "a.age", content, Encryption(recipients=[str(identity.to_public())]))
    with AgeReader((tmp_path / "a.age").open("rb"), identities=[str(identity)]) as reader:
        assert reader.size == len(content)
        for start, length in ((0, 10), (65_530, 12), (199_990, 50), (131_072, 1), (300_000, 5), (3, 150_000)):
            reader.seek(start)
            assert reader.read(length) == content[start : start + length]
        reader.seek(-5, io.SEEK_END)
        assert reader.read() == content[-5:]


@given(place=st.floats(0, 1, exclude_max=True), change=st.sampled_from(["flip", "cut", "grow"]))
def test_no_change_goes_unseen(tmp_path_factory: pytest.TempPathFactory, place: float, change: str) -> None:
    folder = tmp_path_factory.mktemp("age")
    identity = pyrage.x25519.Identity.generate()
    written = sealed(folder / "a.age", b"y" * 70_000, Encryption(recipients=[str(identity.to_public())]))
    at = int(place * len(written))
    changed = {
        "flip": written[:at] + bytes([written[at] ^ 1]) + written[at + 1 :],
        "cut": written[:at],
        "grow": written + b"z" * (at + 1),
    }[change]
    (folder / "b.age").write_bytes(changed)
    with pytest.raises((ArchiveDamaged, ArchiveLocked)):
        opened(folder / "b.age", identities=[str(identity)])


def test_keys_are_told_from_anything_else() -> None:
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    assert decode(recipient, "age") is not None and decode(str(identity), "age-secret-key-") is not None
    for wrong in ("", "age1", recipient[:-1], recipient[:-1] + "b", recipient.title(), str(identity)):
        with pytest.raises(KeyMistyped, match="age1"):
            Encryption(recipients=[wrong])
    with pytest.raises(KeyMistyped, match="not both"):
        Encryption(passphrase="a", recipients=[recipient])


def test_an_encrypted_file_is_known_by_its_beginning() -> None:
    assert is_encrypted(io.BytesIO(b"age-encryption.org/v1\n-> X"))
    assert not is_encrypted(io.BytesIO(b"PK\x03\x04"))
