"""A Secret shows itself to nobody but the caller of reveal()."""

import copy
import gc
import hashlib
import hmac
import json
import pickle
import traceback
from dataclasses import asdict, dataclass

import pytest

from vault.redaction import MARK, redact
from vault.secret import Secret

TEXT = "planted-" + "0123456789abcdef" * 2


def test_reveals_its_text_to_the_caller_only() -> None:
    assert Secret(TEXT).reveal() == TEXT


@pytest.mark.req("R026")
@pytest.mark.parametrize(
    "render", [repr, str, "{}".format, "{:>50}".format, "%s".__mod__, "%r".__mod__, ascii]
)
def test_no_way_of_printing_shows_it(render) -> None:
    assert "planted" not in str([Secret(TEXT)])
    assert "planted" not in render(Secret(TEXT))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_is_refused(protocol: int) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(Secret(TEXT), protocol)


def test_json_is_refused() -> None:
    with pytest.raises(TypeError):
        json.dumps({"key": Secret(TEXT)})
    assert "planted" not in json.dumps({"key": Secret(TEXT)}, default=str)


def test_a_copy_is_the_same_object() -> None:
    @dataclass
    class Holder:
        key: Secret

    secret = Secret(TEXT)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret
    assert asdict(Holder(secret))["key"] is secret


def test_it_cannot_be_changed_or_looked_into() -> None:
    secret = Secret(TEXT)
    with pytest.raises(AttributeError):
        secret._text = "other"
    with pytest.raises(AttributeError):
        del secret._text
    with pytest.raises(TypeError):
        vars(secret)
    with pytest.raises(TypeError):
        hash(secret)


def test_equality() -> None:
    assert Secret(TEXT) == Secret(TEXT)
    assert Secret(TEXT) != Secret(TEXT + "x")
    assert Secret(TEXT) != TEXT
    assert Secret("ключ-\udcff") == Secret("ключ-\udcff")


@pytest.mark.req("R026")
def test_locals_in_a_traceback_show_the_mask() -> None:
    def fail() -> None:
        key = Secret(TEXT)
        raise ValueError(f"cannot use {key}")

    with pytest.raises(ValueError) as caught:
        fail()
    rendered = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert "key = Secret(" in rendered
    assert "planted" not in rendered


@pytest.mark.req("R023")
@pytest.mark.parametrize(
    ("text", "mask"),
    [
        ("sk-" + "z" * 20 + "a1b2", "sk-…a1b2"),
        ("sk-ant-" + "z" * 20 + "a1b2", "sk-ant-…a1b2"),
        ("AIza" + "z" * 31 + "QQQQ", "AIza…QQQQ"),
        ("z" * 12 + "tail", "…tail"),
        ("z" * 11 + "tail", "…"),
        ("sk-" + "z" * 11 + "tail", "…"),
        ("", "…"),
    ],
)
def test_mask_shows_at_most_four_characters(text: str, mask: str) -> None:
    assert Secret(text).mask() == mask


@pytest.mark.req("R023")
def test_fingerprint_is_eight_digits_of_a_salted_hmac() -> None:
    salt = b"s" * 32
    expected = hmac.new(salt, TEXT.encode(), hashlib.sha256).hexdigest()[:8]
    assert Secret(TEXT).fingerprint(salt) == expected
    assert Secret(TEXT).fingerprint(b"t" * 32) != expected


@pytest.mark.req("R026")
def test_it_is_redacted_as_long_as_it_lives() -> None:
    secret = Secret(TEXT)
    assert redact(f"see {TEXT}!") == f"see {MARK}!"
    del secret
    gc.collect()
    assert redact(f"see {TEXT}!") == f"see {TEXT}!"


def test_two_secrets_of_one_text_are_forgotten_one_by_one() -> None:
    first, second = Secret(TEXT), Secret(TEXT)
    del first
    gc.collect()
    assert TEXT not in redact(TEXT)
    assert second.reveal() == TEXT


def test_a_short_secret_does_not_mangle_other_text() -> None:
    short = Secret("test")
    assert redact("a test of tests") == "a test of tests"
    assert short.mask() == "…"
