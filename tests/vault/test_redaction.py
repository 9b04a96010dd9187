"""One text is cleaned of every live secret in every form, and of what looks like one."""

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vault.master_keys import MasterKeys
from vault.redaction import MARK, redact
from vault.secret import Secret

pytestmark = pytest.mark.req("R026")

# Built here, so that no scanner of repositories takes them for real ones.
ANTHROPIC = "sk-ant-" + "api03-" + "Zz9_" * 6
OPENAI = "sk-" + "proj-" + "Zz9" * 10
TELEGRAM = "123456789" + ":" + "AAE" + "x-_9" * 8
PATTERNS = [
    ANTHROPIC,
    OPENAI,
    "AIza" + "Sy" + "Zz9_-" * 7,
    "ghp_" + "Zz9" * 12,
    "github_pat_" + "Zz9_" * 8,
    "xoxb-" + "1234567890-" + "Zz9" * 5,
    TELEGRAM,
    "eyJ" + "hbGciOiJI." + "eyJzdWIiOiIx." + "c2lnbmF0dXJl",
]


@pytest.mark.parametrize("token", PATTERNS)
@pytest.mark.parametrize(
    "context",
    [
        "{}",
        "key {}.",
        "'{}'",
        '{{"key": "{}"}}',
        "a={}&b=1",
        "x%3D{}",
        "line\\n{}",
        "({})",
        "k:{}",
        "[{}]",
        "\n{}\n",
    ],
)
def test_what_looks_like_a_key_is_cut(token: str, context: str) -> None:
    cleaned = redact(context.format(token))
    assert token not in cleaned
    assert MARK in cleaned
    assert token[-8:] not in cleaned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer planted-token-1234", f"Authorization: Bearer {MARK}"),
        ("authorization: bearer%20planted-token-1234", f"authorization: bearer%20{MARK}"),
        ("{'Authorization': 'Basic cGxhbnRlZDpwbGFudGVk'}", f"{{'Authorization': 'Basic {MARK}'}}"),
        ("GET /v1beta/models?key=planted&alt=sse", f"GET /v1beta/models?key={MARK}&alt=sse"),
        ("https://h/p?a=1&access_token=planted#x", f"https://h/p?a=1&access_token={MARK}#x"),
        ("POST /bot123:planted/sendMessage", f"POST /bot{MARK}/sendMessage"),
        ("POST /bot123%3Aplanted/sendMessage", f"POST /bot{MARK}/sendMessage"),
        ("x-api-key: planted-key-123", f"x-api-key: {MARK}"),
        ("b'x-api-key', b'planted-key-123'", f"b'x-api-key', b'{MARK}'"),
        ('{"api_key": "planted-key-123", "n": 1}', f'{{"api_key": "{MARK}", "n": 1}}'),
        ('{\\"password\\": \\"planted-word\\"}', f'{{\\"password\\": \\"{MARK}\\"}}'),
        ("api_key='planted-key-123')", f"api_key='{MARK}')"),
    ],
)
def test_named_values_are_cut_and_their_names_stay(text: str, expected: str) -> None:
    assert redact(text) == expected
    assert redact(expected) == expected


def test_a_private_key_is_cut_even_without_its_end() -> None:
    begin, end = "-----BEGIN " + "PRIVATE KEY-----", "-----END " + "PRIVATE KEY-----"
    assert redact(f"a {begin}\nplanted\n{end} b") == f"a {MARK} b"
    assert redact(f"a {begin}\nplanted") == f"a {MARK}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The task-list of the risk-free desk-top is done in 12345678 steps.",
        "The API key is wrong; enter it again.",
        "run 0123456789abcdef0123456789abcdef took 12 ms",
        "2026-11-21 10:12:13,123 INFO memory: 4096 rows",
        "GET /v1/models?limit=20&order=asc 200",
        "max_tokens: 123456789, monkey=1",
        "tests/vault/test_redaction.py::test_name[sk-short]",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert redact(text) == text


def _forms(text: str) -> dict[str, str]:
    data = text.encode("utf-8", "surrogatepass")
    forms = {
        "plain": text,
        "hex": data.hex(),
        "HEX": data.hex().upper(),
        "json": json.dumps(text)[1:-1],
        "json of json": json.dumps(json.dumps(text))[3:-3],
        "json unicode": json.dumps(text, ensure_ascii=False)[1:-1],
        "repr": repr(text)[1:-1],
        "bytes": repr(data)[2:-1],
        "html": html.escape(text),
    }
    if text.isprintable() or not re.search("[\ud800-\udfff]", text):
        forms |= {
            "url": quote(text, safe=""),
            "url path": quote(text),
            "url plus": quote_plus(text),
            "url lower": re.sub("%..", lambda match: match.group().lower(), quote(text, safe="")),
            "url twice": quote(quote(text, safe=""), safe=""),
        }
    return forms


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=60).filter(
    lambda text: len(set(text)) > 5
)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much],
)
@given(TEXTS)
@example("pass word+with/all=the?signs&\"'\\<>%\n\r\t~")
@example("ключ-от-всего-🗝️-é")
@example("0001234&")
@example("0001234%")
@example("0001234\\")
@example("\x00\x01\x7f\x80\xff\u2028 controls")
def test_every_written_form_of_a_live_secret_is_cut(text: str) -> None:
    secret = Secret(text)
    for name, form in _forms(text).items():
        cleaned = redact(f"<<{form}>>")
        assert form not in cleaned, name
        assert cleaned == f"<<{MARK}>>", name
    assert secret.reveal() == text


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=40), TEXTS, st.binary(max_size=40), st.booleans())
def test_a_live_secret_inside_base64_is_cut_at_every_alignment(
    before: bytes, text: str, after: bytes, urlsafe: bool
) -> None:
    secret = Secret(text)
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    data = text.encode()
    encoded = encode(before + data + after).decode()
    cleaned = redact(f"see {encoded} here")
    assert MARK in cleaned
    # Whatever is left on either side of a mark holds no four bytes of the secret, at any alignment.
    left = [part for word in cleaned.split(" ") for part in word.split(MARK)]
    if data not in before + after:
        for part in left:
            for offset in range(4):
                chunk = part[offset : offset + (len(part) - offset) // 4 * 4].rstrip("=")
                chunk = chunk[: len(chunk) // 4 * 4].replace("-", "+").replace("_", "/")
                if re.fullmatch(r"[A-Za-z0-9+/]*", chunk):
                    assert data not in base64.b64decode(chunk)
    assert len("".join(left)) <= len("see  here") + -(-len(before) * 8 // 6) + -(-len(after) * 8 // 6) + 2
    assert secret.reveal() == text


def test_a_secret_within_another_does_not_leave_the_rest() -> None:
    inner, outer = Secret("planted-inner"), Secret("start-planted-inner-end")
    assert redact("x start-planted-inner-end y") == f"x {MARK} y"
    assert redact("x planted-inner y") == f"x {MARK} y"
    assert inner != outer


def test_the_keys_of_the_office_are_cut_as_programs_write_them() -> None:
    keys = MasterKeys.generate()
    for key in (keys.database_key, keys.signing_seed):
        for form in (key.hex(), key.hex().upper(), base64.b64encode(key).decode(), repr(key)[2:-1]):
            assert redact(f"PRAGMA key = x'{form}'") == f"PRAGMA key = x'{MARK}'"
    assert keys.database_key.hex() not in repr(keys)
    item = keys.to_secret()
    assert len(item.reveal()) < 400
    assert redact(item.reveal()) == MARK


def test_a_long_text_is_cleaned_in_reasonable_steps() -> None:
    secrets = [Secret(f"planted-{number:03d}-" + "abc/+= " * 6) for number in range(20)]
    text = ("0123456789abcdef%20\\n&amp; sk- eyJ /bot1 Bearer x key=" * 4000) + secrets[7].reveal()
    assert secrets[7].reveal() not in redact(text)
