"""§4 and §8 of the document: the account log, wraps of space keys, enrolment, receipts."""

import base64
import json
from typing import Any

from tests.memory.sync.second import hpke
from tests.memory.sync.second.primitives import check_signature, sha256, sign, uint

NO_RECIPIENT = bytes(16)


def jcs(value: Any) -> bytes:
    """RFC 8785 of texts and whole numbers whose member names are ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def hash_of(signed: dict[str, Any]) -> str:
    return "sha256:" + sha256(jcs(signed)).hex()


def signed(purpose: bytes, members: dict[str, Any], seed: bytes) -> dict[str, Any]:
    return members | {"sig": b64(sign(seed, purpose + jcs(members)))}


def check(purpose: bytes, entry: dict[str, Any], public: bytes) -> None:
    members = {name: value for name, value in entry.items() if name != "sig"}
    check_signature(public, unb64(entry["sig"]), purpose + jcs(members))


def entry(
    log: list[dict[str, Any]], kind: str, at: str, body: dict[str, Any], by: str, seed: bytes
) -> dict[str, Any]:
    previous = hash_of(log[-1]) if log else "sha256:" + "0" * 64
    members = {"v": 1, "n": len(log), "prev": previous, "type": kind, "at": at, "body": body, "by": by}
    return signed(b"aof/v1/log", members, seed)


def read(log: list[dict[str, Any]]) -> set[str]:
    """Check a chain of well-formed entries and return the ids of the active devices."""
    keys: dict[str, bytes] = {}
    active: set[str] = set()
    for n, each in enumerate(log):
        body = each["body"]
        if each["type"] == "genesis":
            keys = {body["device"]["id"]: unb64(body["device"]["sign"])}
            keys["recovery"] = unb64(body["recovery"]["sign"])
            active = set(keys) - {"recovery"}
        if each["n"] != n or (n and each["prev"] != hash_of(log[n - 1])):
            raise ValueError("chain")
        if each["by"] not in active | {"recovery"}:
            raise ValueError("signer")
        check(b"aof/v1/log", each, keys[each["by"]])
        if each["type"] == "add_device":
            keys[body["device"]["id"]] = unb64(body["device"]["sign"])
            active = active | {body["device"]["id"]}
        elif each["type"] == "revoke_device":
            active = active - {body["device_id"]}
        elif each["type"] == "new_recovery":
            keys["recovery"] = unb64(body["recovery"]["sign"])
    return active


def sk_commit(space_id: bytes, epoch: int, space_key: bytes) -> bytes:
    return sha256(b"aof/v1/sk" + space_id + uint(epoch, 4) + space_key)


def wrap(
    space_id: bytes,
    epoch: int,
    space_key: bytes,
    recipient: bytes,
    public: bytes,
    ephemeral: bytes,
    seed: bytes,
) -> tuple[bytes, bytes]:
    """Return the wrapped key and the wrapping device's signature."""
    seal = hpke.seal if len(public) == 32 else hpke.hybrid_seal
    output = seal(public, ephemeral, space_key, b"aof/v1/vk" + space_id + uint(epoch, 4))
    return output, sign(seed, b"aof/v1/wrap" + space_id + uint(epoch, 4) + recipient + sha256(output))


def unwrap(space_id: bytes, epoch: int, output: bytes, private: bytes) -> bytes:
    return hpke.unseal(private, output, b"aof/v1/vk" + space_id + uint(epoch, 4))


def sas_commit(n_new: bytes, ed_pub: bytes, hpke_pub: bytes) -> bytes:
    return sha256(b"aof/v1/sas-commit", n_new, ed_pub, uint(len(hpke_pub), 2), hpke_pub)


def sas(fingerprint: bytes, head: bytes, ed_pub: bytes, hpke_pub: bytes, n_new: bytes, n_old: bytes) -> bytes:
    keys = ed_pub + uint(len(hpke_pub), 2) + hpke_pub
    return sha256(b"aof/v1/sas" + fingerprint + head + keys + n_new + n_old)


def six_words(compared: bytes, words: list[str]) -> list[str]:
    bits = "".join(f"{byte:08b}" for byte in compared)[:66]
    return [words[int(bits[place : place + 11], 2)] for place in range(0, 66, 11)]
