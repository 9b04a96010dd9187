"""A device in tests: real keys, real envelopes, real HTTP, and nothing of the client."""

import hashlib
import os
from collections.abc import Iterable
from typing import Any

import httpx2
import msgpack

from memory.sync import account_log, base64url, wire
from memory.sync.account import RECOVERY, Account
from memory.sync.account_log import Writer
from memory.sync.device_keys import DeviceKeys
from memory.sync.envelope import Edit, Envelope, Signer, seal, seal_erase
from memory.sync.hosted.requests import MSGPACK
from memory.sync.hosted.sign_in import signed_message
from memory.sync.key_wraps import FOR_RECOVERY, wrap
from memory.sync.markers import Marker
from memory.sync.plaintext import Entry, Record, encode
from memory.sync.recovery import RecoveryKeys
from memory.sync.space_keys import SpaceKey, SpaceKeys
from tests.memory.sync.hosted.running import Running

WORDS = "the quick brown secret"
"""Stands in every record; no dump of the service may contain it."""


class Device:
    """One device of one owner."""

    def __init__(self, running: Running, email: str, recovery: RecoveryKeys | None = None) -> None:
        self.running = running
        self.email = email
        self.keys = DeviceKeys.new()
        self.recovery = recovery or RecoveryKeys.of(os.urandom(32))
        self.http = running.http()
        self.access = self.refresh = self.account_id = ""
        self.space_id = os.urandom(16).hex()
        self.generation = ""
        self.space_keys: dict[int, SpaceKey] = {}

    # Signing in

    def magic(self, email: str | None = None) -> dict[str, str]:
        """Ask for a mail, read it, and return what redeems it."""
        email, verifier = email or self.email, os.urandom(32)
        hashed = base64url.encode(hashlib.sha256(verifier).digest())
        asked = self.http.post("/v1/auth/magic", json={"email": email, "verifier_hash": hashed})
        assert asked.status_code == 202, asked.text
        self.running.do_jobs()
        return {"token": self.running.inbox.code(email), "verifier": base64url.encode(verifier)}

    def redeem(self) -> "Device":
        answer = self.http.post("/v1/auth/redeem", json=self.magic())
        assert answer.status_code == 200, answer.text
        self.access = answer.json()["access"]
        return self

    def challenge(self) -> bytes:
        return base64url.decode(self.http.post("/v1/auth/challenge").json()["challenge"])

    def sign(self, purpose: bytes, challenge: bytes, *parts: bytes) -> str:
        server = self.running.service.settings.server.encode()
        return base64url.encode(self.keys.sign.sign(signed_message(purpose, challenge, server, *parts)))

    def session(self) -> httpx2.Response:
        challenge = self.challenge()
        body = {
            "device_id": self.keys.id,
            "challenge": base64url.encode(challenge),
            "sig": self.sign(b"aof/v1/auth", challenge, b"session"),
            "versions": "bureau 0.1.0, protocol 1",
        }
        answer = self.http.post("/v1/auth/session", json=body)
        if answer.status_code == 200:
            self.access, self.refresh = answer.json()["access"], answer.json()["refresh"]
            self.account_id = answer.json()["account_id"]
        return answer

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access}"}

    def get(self, path: str, **query: Any) -> httpx2.Response:
        return self.http.get(path, params=query, headers=self.headers)

    def post(self, path: str, **body: Any) -> httpx2.Response:
        return self.http.post(path, json=body, headers=self.headers)

    def put(self, path: str, **body: Any) -> httpx2.Response:
        return self.http.put(path, json=body, headers=self.headers)

    def delete(self, path: str, **body: Any) -> httpx2.Response:
        return self.http.request("DELETE", path, json=body, headers=self.headers)

    # The account log

    def account(self) -> Account:
        return account_log.verify(self.get("/v1/log").json()["entries"])

    @property
    def writer(self) -> Writer:
        return Writer(self.keys.id, self.keys.sign)

    def append(self, entry: dict[str, Any]) -> httpx2.Response:
        return self.post("/v1/log", entry=entry)

    def begin_account(self) -> "Device":
        """Sign in by mail, begin the log, sign in as its first device."""
        self.redeem()
        begun = self.append(account_log.genesis(self.keys, self.recovery.public, self.running.clock()))
        assert begun.status_code == 200, begun.text
        assert self.session().status_code == 200
        return self

    def admit(self, newcomer: "Device") -> None:
        """Add another device, give it every key, and let it sign in."""
        added = self.append(
            self.writer.add_device(self.account(), newcomer.keys.public, self.running.clock())
        )
        assert added.status_code == 200, added.text
        for key in self.space_keys.values():
            assert self.put_wraps(key, [(newcomer.keys.id, newcomer.keys.public.hpke)]).status_code == 200
        newcomer.space_id, newcomer.generation = self.space_id, self.generation
        newcomer.space_keys = dict(self.space_keys)
        assert newcomer.session().status_code == 200

    def recover(self) -> httpx2.Response:
        """Join by the recovery key, from a session by mail."""
        entry = Writer(RECOVERY, self.recovery.sign).add_device(
            self.account(), self.keys.public, self.running.clock()
        )
        return self.append(entry)

    # Spaces and their keys

    @property
    def signer(self) -> Signer:
        return Signer(self.keys.id, self.keys.sign)

    def path(self, rest: str = "") -> str:
        return f"/v1/spaces/{self.space_id}{rest}"

    def make_space(self) -> "Device":
        made = self.post("/v1/spaces", space_id=self.space_id)
        assert made.status_code == 201, made.text
        self.generation = made.json()["generation"]
        opened = self.open_epoch()
        assert opened.status_code == 200, opened.text
        return self

    def put_wraps(self, key: SpaceKey, recipients: list[tuple[str, bytes]]) -> httpx2.Response:
        wraps = []
        for recipient, public in recipients:
            made = wrap(key, recipient, public, self.signer)
            output, sig = base64url.encode(made.output), base64url.encode(made.sig)
            wraps.append({"recipient_id": recipient, "output": output, "sig": sig})
        return self.put(self.path("/wraps"), generation=self.generation, epoch=key.epoch, wraps=wraps)

    def open_epoch(self, head: int | None = None) -> httpx2.Response:
        account = self.account()
        key = SpaceKey.new(self.space_id, account.current_epoch(self.space_id) + 1)
        recipients = [(device.public.id, device.public.hpke) for device in account.active()]
        staged = self.put_wraps(key, [*recipients, (FOR_RECOVERY, account.recovery.kem)])
        assert staged.status_code == 200, staged.text
        answer = self.put(
            self.path("/epoch"),
            generation=self.generation,
            expected_head=self.head() if head is None else head,
            entry=self.writer.new_epoch(account, key, self.running.clock()),
        )
        if answer.status_code == 200:
            self.space_keys[key.epoch] = key
        return answer

    @property
    def key(self) -> SpaceKey:
        return self.space_keys[max(self.space_keys)]

    @property
    def held(self) -> SpaceKeys:
        return SpaceKeys(self.space_id, *self.space_keys.values())

    def head(self) -> int:
        spaces = self.get("/v1/spaces").json()["spaces"]
        return next(space["head"] for space in spaces if space["space_id"] == self.space_id)

    # Records

    def edit(self, rid: str | None = None, parent: int = 0, exp_day: int = 0) -> Edit:
        return Edit(rid or os.urandom(16).hex(), self.running.clock(), 0, parent, exp_day)

    def sealed(self, edit: Edit | None = None, text: str = WORDS, blobs: Iterable[bytes] = ()) -> Envelope:
        edit = edit or self.edit()
        stamped = Record("note", 1, {"text": Entry(text, _stamp(edit, self.keys.id))})
        return seal(edit, encode(stamped), self.key, self.signer, blobs=blobs)

    def erasing(self, rid: str) -> Envelope:
        return seal_erase(self.edit(rid), "note", 1, self.key, self.signer)

    def push(
        self, *envelopes: Envelope, op_ids: list[bytes] | None = None, generation: str | None = None
    ) -> httpx2.Response:
        ids = op_ids or [os.urandom(16) for _ in envelopes]
        ops = [
            {"op_id": op_id, "env": msgpack.unpackb(wire.to_msgpack(envelope))}
            for op_id, envelope in zip(ids, envelopes, strict=True)
        ]
        body = msgpack.packb({"generation": generation or self.generation, "ops": ops})
        headers = {**self.headers, "Content-Type": MSGPACK, "Accept": MSGPACK}
        return self.http.post(self.path("/push"), content=body, headers=headers)

    def pushed(self, *envelopes: Envelope, op_ids: list[bytes] | None = None) -> list[dict[str, Any]]:
        answer = self.push(*envelopes, op_ids=op_ids)
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = msgpack.unpackb(answer.content)["results"]
        return results

    def changes(self, after: int = 0, **query: Any) -> dict[str, Any]:
        query = {"generation": self.generation, "after": after, **query}
        headers = {**self.headers, "Accept": MSGPACK}
        answer = self.http.get(self.path("/changes"), params=query, headers=headers)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = msgpack.unpackb(answer.content)
        return page

    def ask_deletion(self, scope_id: str, mode: str, mail_code: str = "") -> dict[str, str]:
        challenge = self.challenge()
        return {
            "mode": mode,
            "challenge": base64url.encode(challenge),
            "device_sig": self.sign(b"aof/v1/delete", challenge, bytes.fromhex(scope_id), mode.encode()),
            "mail_code": mail_code,
        }


def envelope_of(item: dict[str, Any]) -> Envelope:
    """Read an item's envelope as the wire format demands."""
    found = wire.from_msgpack(msgpack.packb(item["env"]))
    assert isinstance(found, Envelope)
    return found


def marker_of(item: dict[str, Any]) -> Marker:
    """Read an item's marker as the wire format demands."""
    found = wire.from_msgpack(msgpack.packb(item["marker"]))
    assert isinstance(found, Marker)
    return found


def _stamp(edit: Edit, device_id: str) -> Any:
    from memory.sync.hlc import Stamp

    return Stamp(edit.ms, edit.counter, device_id)
