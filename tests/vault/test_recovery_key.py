"""The recovery key: 24 words that open the office, and what people mistype."""

from pathlib import Path

import pytest

from vault import errors, recovery_key
from vault.office_keys import open_vault, unlock_with_recovery
from vault.redaction import redact
from vault.secret import Secret

PASSPHRASE = Secret("three quiet harbours")

pytestmark = pytest.mark.req("R186")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "office"


def test_words_and_bytes_are_those_of_bip_39() -> None:
    # The published test vectors of BIP-39 for 256 bits.
    assert recovery_key.words_of(bytes(32)) == "abandon " * 23 + "art"
    assert recovery_key.words_of(b"\xff" * 32) == "zoo " * 23 + "vote"
    assert recovery_key.key_of(Secret("zoo " * 23 + "vote")) == b"\xff" * 32


@pytest.mark.parametrize("write", [str.upper, str.title, lambda words: words.replace(" ", "\n  ")])
def test_ways_of_writing_that_are_accepted(write) -> None:
    words = recovery_key.words_of(bytes(range(32)))
    assert recovery_key.key_of(Secret(write(words))) == bytes(range(32))


def test_numbered_lists_and_first_four_letters_are_accepted() -> None:
    words = recovery_key.words_of(bytes(range(32))).split()
    numbered = "\n".join(f"{number}. {word}" for number, word in enumerate(words, 1))
    assert recovery_key.key_of(Secret(numbered)) == bytes(range(32))
    assert recovery_key.key_of(Secret(" ".join(word[:4] for word in words))) == bytes(range(32))


def test_mistakes_are_told_apart() -> None:
    words = recovery_key.words_of(bytes(range(32))).split()
    with pytest.raises(errors.RecoveryKeyWrong, match="these are 23; enter all 24"):
        recovery_key.key_of(Secret(" ".join(words[1:])))
    with pytest.raises(errors.RecoveryKeyWrong, match="Word 3 is not"):
        recovery_key.key_of(Secret(" ".join([*words[:2], "planted", *words[3:]])))
    swapped = [words[1], words[0], *words[2:]]
    with pytest.raises(errors.RecoveryKeyWrong, match="swapped"):
        recovery_key.key_of(Secret(" ".join(swapped)))


def test_no_message_repeats_a_word() -> None:
    words = recovery_key.words_of(bytes(range(32))).split()
    for wrong in ([*words[:2], "planted", *words[3:]], words[1:], [words[1], words[0], *words[2:]]):
        with pytest.raises(errors.RecoveryKeyWrong) as caught:
            recovery_key.key_of(Secret(" ".join(wrong)))
        assert not set(str(caught.value).lower().split()) & {"planted", *words}


def test_wrapping_opens_with_its_own_key_only() -> None:
    key, other = bytes(32), b"1" * 32
    wrapped = recovery_key.wrap(recovery_key.public_key(key), b"planted", b"purpose")
    assert recovery_key.unwrap(key, wrapped, b"purpose") == b"planted"
    assert b"planted" not in wrapped
    for attempt in [
        (other, wrapped, b"purpose"),
        (key, wrapped, b"another"),
        (key, wrapped[:-1], b"purpose"),
    ]:
        with pytest.raises(errors.RecoveryKeyWrong):
            recovery_key.unwrap(*attempt)
    for broken in (b"", b"short"):
        with pytest.raises(errors.RecoveryKeyWrong):
            recovery_key.unwrap(key, broken, b"purpose")


def test_a_new_recovery_key_replaces_the_former_one(folder: Path) -> None:
    vault = open_vault(folder, passphrase=PASSPHRASE)
    assert not vault.has_recovery_key
    first = Secret(vault.new_recovery_key())
    assert vault.has_recovery_key
    second = Secret(vault.new_recovery_key())
    with pytest.raises(errors.RecoveryKeyWrong, match="shown last"):
        unlock_with_recovery(folder, first, passphrase=PASSPHRASE)
    assert unlock_with_recovery(folder, second, passphrase=PASSPHRASE).keys == vault.keys


def test_the_words_are_kept_nowhere_and_redacted(folder: Path) -> None:
    vault = open_vault(folder, passphrase=PASSPHRASE)
    words = vault.new_recovery_key()
    contents = b"".join(path.read_bytes() for path in folder.iterdir())
    assert words.encode() not in contents
    assert recovery_key.key_of(Secret(words)) not in contents
    assert words not in redact(f"shown: {words}")


def test_another_offices_recovery_key_does_not_open(folder: Path, tmp_path: Path) -> None:
    open_vault(folder, passphrase=PASSPHRASE).new_recovery_key()
    other = Secret(open_vault(tmp_path / "other", passphrase=PASSPHRASE).new_recovery_key())
    with pytest.raises(errors.RecoveryKeyWrong, match="does not open this office"):
        unlock_with_recovery(folder, other, passphrase=PASSPHRASE)


def test_an_office_without_one_says_so(folder: Path) -> None:
    open_vault(folder, passphrase=PASSPHRASE)
    words = Secret(recovery_key.words_of(bytes(32)))
    with pytest.raises(errors.RecoveryKeyAbsent):
        unlock_with_recovery(folder, words, passphrase=PASSPHRASE)
    with pytest.raises(errors.NoOffice):
        unlock_with_recovery(folder / "elsewhere", words, passphrase=PASSPHRASE)
