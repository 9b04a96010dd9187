"""``bureau sync`` at a real service, as its owner types it: the code from the mail, the key, six words, deletion."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from memory.sync import kept_receipts, receipts
from memory.sync.kept_receipts import KeptReceipt
from memory.sync.signed_json import sign
from tests.memory.sync.hosted.running import Running, running
from tests.memory.sync.making import VECTORS
from tests.terminal.program import PROGRAM, Terminal, in_terminal, window

EMAIL = "ada@example.org"
_CODE, _KEY, _SAME = "Code from the mail", "Recovery key of sync", "show the same words?"


def mailed(hosted: Running, email: str = EMAIL) -> Callable[[], bytes]:
    def code() -> bytes:
        hosted.do_jobs()
        return hosted.inbox.code(email).encode() + b"\n"

    return code


def typed(terminal: Terminal, *words: str, answers: list[tuple[str, bytes | Callable[[], bytes]]]) -> str:
    code, shown = in_terminal([*PROGRAM, *terminal.options, *words], terminal.environment, answers)
    assert code == 0, shown
    return shown


def key_in(shown: str) -> str:
    words = " ".join(re.findall(r"^  ((?:[a-z]+ ){5}[a-z]+)\r?$", shown, re.MULTILINE))
    assert len(words.split()) == 24
    return words


def made(folder: Path, name: str) -> Terminal:
    (folder / name).mkdir()
    return Terminal(folder / name)


@pytest.mark.slow
@pytest.mark.req("R002", "R005", "R025", "R142")
def test_devices_meet_at_a_service_until_its_owner_deletes_the_account(tmp_path: Path) -> None:
    with running(tmp_path / "hosted") as hosted:
        one, other, third = (made(tmp_path, name) for name in ("one", "other", "third"))
        one.here("memory add", text="The key hangs behind the clock", kind="fact")
        place = ("--email", EMAIL, hosted.url)
        words = key_in(typed(one, "sync", "on", *place, answers=[(_CODE, mailed(hosted))]))
        answers: list[tuple[str, bytes | Callable[[], bytes]]] = [
            (_CODE, mailed(hosted)),
            (_KEY, words.encode() + b"\n"),
        ]
        shown = typed(other, "sync", "join", *place, answers=answers)
        assert "1 other device is in your account" in shown
        with window(one), ThreadPoolExecutor(1) as beside:
            answers = [(_CODE, mailed(hosted)), (_SAME, b"y\n")]
            joining = beside.submit(typed, third, "sync", "join", *place, "--by-device", answers=answers)
            typed(one, "sync", "admit", answers=[(_SAME, b"y\n")])
            joining.result(60)
            status = one.value("sync", "status")
            assert isinstance(status, dict) and status["service"] == hosted.url
        listed = third.value("memory", "list")
        assert isinstance(listed, list) and [row["text"] for row in listed] == [
            "The key hangs behind the clock"
        ]
        devices = one.value("sync", "devices")
        assert isinstance(devices, list) and [row["state"] for row in devices] == ["active"] * 3
        assert all(row["seen"] == "2026-03-01" for row in devices)
        account = one.value("sync", "account")
        assert isinstance(account, dict) and account["state"] == "active" and account["records"] > 3
        assert one.value("sync", "freeze") == {"account": "frozen"}
        one.here("memory add", text="Waits", kind="fact")
        told = one.value("sync", "now")
        assert isinstance(told, dict) and "bureau sync unfreeze" in told["not taken"]
        assert other.value("sync", "unfreeze") == {"account": "active"}
        sessions = one.value("sync", "sessions", "--end-others")
        assert isinstance(sessions, list) and [row["this"] for row in sessions] == [True]
        new = "ada@example.com"
        assert new in typed(one, "sync", "address", new, answers=[(_CODE, mailed(hosted, new))])
        gone = next(row["id"] for row in third.value("sync", "devices") if row["this"])
        assert one.value("sync", "revoke", gone[:8])["devices"] == 2
        code, _output, errors = third.run("sync", "now")
        assert code == 1 and "taken off your account" in errors
        assert key_in(typed(one, "sync", "recovery", answers=[])) != words
        begun = one.value("sync", "delete", "--mode", "grace")
        assert isinstance(begun, dict) and begun["can be called off until"].startswith("2026-03")
        assert one.value("sync", "restore") == {"restored": "account"}
        typed(one, "sync", "delete", "--mode", "now", answers=[(_CODE, mailed(hosted, new))])
        hosted.do_jobs()
        code, _output, errors = other.run("sync", "now")
        assert code == 1 and "deleted for good" in errors
        receipts = tmp_path / "receipts"
        (row,) = other.value("sync", "receipts", "--offline", "--save", str(receipts))
        assert row["scope"] == "account"
    (file,) = receipts.iterdir()
    proved = other.value("sync", "verify", str(file), "--key", row["key"])
    assert isinstance(proved, dict) and proved["scope"] == "account"
    code, _output, errors = other.run("sync", "verify", str(file), "--key", "A" * 43)
    assert code == 1 and "Another key" in errors


def test_a_receipt_says_whether_it_is_whole_and_how_to_know_whose_it_is(tmp_path: Path) -> None:
    signer = Ed25519PrivateKey.generate()
    members = {name: value for name, value in VECTORS["receipt"].items() if name != "sig"}
    public = signer.public_key().public_bytes_raw()
    signed = receipts.verify(sign(b"aof/v1/receipt", members, signer), {members["key_id"]: public})
    file = tmp_path / "receipt.json"
    file.write_bytes(kept_receipts.to_file(KeptReceipt(signed, public, 0)))
    terminal = Terminal(tmp_path)
    told = terminal.value("sync", "verify", str(file))
    assert isinstance(told, dict) and told["from"] == members["server"]
    assert "--key" in told["and now"] and f"{members['server']}/.well-known/officesync" in told["and now"]
    told = terminal.value("sync", "verify", str(file), "--key", told["signed by"])
    assert isinstance(told, dict) and told["and now"] == f"It is as {members['server']} signed it."


def test_what_is_typed_wrongly_is_told_in_a_sentence(tmp_path: Path) -> None:
    one = Terminal(tmp_path)
    for words, part, expected in (
        (("on", "https://127.0.0.1:9"), "--email", 2),
        (("on", "http://sync.example.org", "--email", EMAIL), "https only", 1),
        (("on", "https://127.0.0.1:9", "--email", EMAIL), "cannot be reached", 1),
        (("join", "https://", "--email", EMAIL), "no address of a service", 1),
        (("admit",), "does not sync", 1),
        (("revoke",), "--others", 2),
        (("name", "Laptop"), "does not sync", 1),
        (("freeze",), "does not sync", 1),
        (("account",), "does not sync", 1),
        (("receipts", "--offline"), "", 0),
        (("delete", "--mode", "grace"), "does not sync", 1),
    ):
        code, _output, errors = one.run("sync", *words)
        assert code == expected and part in errors, (words, errors)
