"""Writes ``vectors.json`` beside the tests: fixed inputs, and the bytes that the document makes of them.

``python -m tests.memory.sync.second.write_vectors``. Everything but ``hybrid`` comes out the same each time; ML-KEM
draws its own random bytes, so there the vector says what must open.
"""

import json
from pathlib import Path
from typing import Any

from mnemonic import Mnemonic

from tests.memory.sync.second import chain, envelopes, hpke
from tests.memory.sync.second.primitives import hkdf, public_of, sha256

FILE = Path(__file__).parents[1] / "vectors.json"
_AT = "2026-03-01T12:00:00Z"


def fixed(name: str, length: int = 32) -> bytes:
    """Return bytes that a name stands for."""
    return b"".join(sha256(name.encode(), bytes([block])) for block in range(-(-length // 32)))[:length]


SPACE, DEVICE, OTHER = fixed("space", 16), fixed("device", 16), fixed("other device", 16)
SEED, OTHER_SEED, SPACE_KEY, NEXT_KEY = (
    fixed("sign"),
    fixed("other sign"),
    fixed("space key"),
    fixed("next key"),
)


def _record(text: str) -> dict[str, Any]:
    stamp = [1_772_366_400_000, 7, DEVICE.hex()]
    return {
        "type": "note",
        "schema": 1,
        "f": {"text": [text, stamp], "tags/Küche": [True, stamp], "size": [2**53 - 1, stamp]},
        "later": {"a": [1, None, -3]},
    }


def _envelope(
    name: str, record: dict[str, Any], kind: int, parent: int, exp_day: int, blobs: list[bytes]
) -> dict[str, Any]:
    header = {
        "kind": kind,
        "epoch": 3,
        "parent": parent,
        "exp_day": exp_day,
        "space_id": SPACE,
        "rid": fixed(name + " rid", 16),
        "rev": fixed(name + " rev", 16),
        "device_id": DEVICE,
        "ms": 1_772_366_400_000,
        "counter": 65_535,
    }
    ok, nonce = fixed(name + " ok"), fixed(name + " nonce", 12)
    data = envelopes.plaintext(record)
    parts = envelopes.seal(header, data, SPACE_KEY, SEED, ok, nonce, blobs)
    other_nonce = fixed(name + " next nonce", 12)
    return {
        "name": name,
        "header": {key: value.hex() if isinstance(value, bytes) else value for key, value in header.items()},
        "ok": ok.hex(),
        "nonce": nonce.hex(),
        "plaintext": data.decode(),
        "envelope": {
            key: [each.hex() for each in value] if isinstance(value, list) else value.hex()
            for key, value in parts.items()
        },
        "msgpack_sha256": sha256(envelopes.to_msgpack(parts)).hex(),
        "next_nonce": other_nonce.hex(),
        "rewrapped": envelopes.wrap(NEXT_KEY, 4, other_nonce, ok, parts["hdr"]).hex(),
        "marker": {key: value.hex() for key, value in envelopes.marker(parts).items()},
    }


def _envelopes() -> list[dict[str, Any]]:
    return [
        _envelope("first", _record("Grüße 🏡\n"), 0, 0, 0, []),
        _envelope("edit", _record("x" * 3000), 0, 2**40, 20_600, [fixed("b"), fixed("a")]),
        _envelope("erase", {"type": "note", "schema": 1, "f": {}}, 2, 12, 0, []),
    ]


def _log() -> list[dict[str, Any]]:
    recovery = fixed("recovery")
    keys = {
        "sign": chain.b64(public_of(hkdf(recovery, b"aof/v1/recovery-sign"))),
        "kem": chain.b64(hpke.public_of(hkdf(recovery, b"aof/v1/recovery-kem"))),
    }
    first = {
        "id": DEVICE.hex(),
        "sign": chain.b64(public_of(SEED)),
        "hpke": chain.b64(hpke.public_of(fixed("hpke"))),
    }
    second = {
        "id": OTHER.hex(),
        "sign": chain.b64(public_of(OTHER_SEED)),
        "hpke": chain.b64(hpke.hybrid_public_of(fixed("other hpke", 96))),
    }
    log: list[dict[str, Any]] = []
    by, other = (DEVICE.hex(), SEED), (OTHER.hex(), OTHER_SEED)
    recovered = ("recovery", hkdf(recovery, b"aof/v1/recovery-sign"))
    steps: list[tuple[str, dict[str, Any], tuple[str, bytes]]] = [
        ("genesis", {"device": first, "recovery": keys}, by),
        ("new_epoch", _epoch(1, fixed("key 1")), by),
        ("new_epoch", _epoch(2, fixed("key 2")), by),
        ("add_device", {"device": second}, recovered),
        ("new_epoch", _epoch(3, SPACE_KEY), other),
        ("revoke_device", {"device_id": OTHER.hex()}, by),
        ("new_epoch", _epoch(4, NEXT_KEY), by),
        ("new_recovery", {"recovery": {"sign": chain.b64(fixed("any")), "kem": keys["kem"]}}, by),
    ]
    for kind, body, (name, seed) in steps:
        log.append(chain.entry(log, kind, _AT, body, name, seed))
    return log


def _epoch(epoch: int, key: bytes) -> dict[str, Any]:
    commit = chain.sk_commit(SPACE, epoch, key)
    return {"space_id": SPACE.hex(), "epoch": epoch, "sk_commit": "sha256:" + commit.hex()}


def _wraps() -> dict[str, Any]:
    private, ephemeral = fixed("hpke"), fixed("ephemeral")
    hybrid = fixed("other hpke", 96)
    found = {}
    for name, recipient, key, public in (
        ("curve", DEVICE, private, hpke.public_of(private)),
        ("hybrid", OTHER, hybrid, hpke.hybrid_public_of(hybrid)),
    ):
        output, signature = chain.wrap(SPACE, 3, SPACE_KEY, recipient, public, ephemeral, SEED)
        found[name] = {
            "recipient": recipient.hex(),
            "private": key.hex(),
            "public": public.hex(),
            "ephemeral": ephemeral.hex(),
            "output": output.hex(),
            "sig": signature.hex(),
        }
    return found


def _enrolment(log: list[dict[str, Any]]) -> dict[str, Any]:
    ed_pub, hpke_pub = public_of(OTHER_SEED), hpke.public_of(fixed("new hpke"))
    n_new, n_old = fixed("n_new"), fixed("n_old")
    fingerprint, head = (bytes.fromhex(chain.hash_of(each)[7:]) for each in (log[0], log[-1]))
    compared = chain.sas(fingerprint, head, ed_pub, hpke_pub, n_new, n_old)
    return {
        "n_new": n_new.hex(),
        "n_old": n_old.hex(),
        "sign": ed_pub.hex(),
        "hpke": hpke_pub.hex(),
        "commitment": chain.sas_commit(n_new, ed_pub, hpke_pub).hex(),
        "compared": compared.hex(),
        "words": chain.six_words(compared, Mnemonic("english").wordlist),
    }


def _receipt() -> dict[str, Any]:
    members = {
        "v": 1,
        "receipt_id": fixed("receipt", 16).hex(),
        "key_id": "2026-a",
        "scope": "account",
        "subject": "hmac-sha256:" + fixed("subject").hex(),
        "requested_at": _AT,
        "mode": "now",
        "grace_until": None,
        "purged_at": _AT,
        "counts": {"records": 3, "blobs": 2, "bytes": 8_400_000, "key_rows": 3},
        "keys_destroyed": ["sha256:" + fixed("row").hex()],
        "backup_horizon": {"keys": "2026-03-02T12:00:00Z", "records": "2026-03-31T12:00:00Z"},
        "retained": [{"category": "access log", "until": _AT, "basis": "security"}],
        "policy_version": "1",
        "server": "sync.example",
        "prev": "sha256:" + fixed("prev").hex(),
    }
    return chain.signed(b"aof/v1/receipt", members, fixed("service"))


def vectors() -> dict[str, Any]:
    """Return all vectors; bytes are hexadecimal."""
    recovery, log = fixed("recovery"), _log()
    blob, blob_id = fixed("blob"), fixed("blob id", 16)
    return {
        "keys": {
            "space_key": SPACE_KEY.hex(),
            "epoch": 3,
            "next_key": NEXT_KEY.hex(),
            "next_epoch": 4,
            "device_seed": SEED.hex(),
            "device_public": public_of(SEED).hex(),
        },
        "padding": [[n, envelopes.size(n + 4)] for n in (0, 252, 253, 300, 508, 509, 1024, 5000, 10**6)],
        "envelopes": _envelopes(),
        "log": log,
        "head": chain.hash_of(log[-1]),
        "wraps": _wraps(),
        "recovery": {
            "key": recovery.hex(),
            "words": Mnemonic("english").to_mnemonic(recovery),
            "sign": public_of(hkdf(recovery, b"aof/v1/recovery-sign")).hex(),
            "kem": hpke.public_of(hkdf(recovery, b"aof/v1/recovery-kem")).hex(),
        },
        "enrolment": _enrolment(log),
        "chunks": {
            "key": blob.hex(),
            "blob_id": blob_id.hex(),
            "sealed": [
                envelopes.chunk(blob, blob_id, 0, 1, b"").hex(),
                envelopes.chunk(blob, blob_id, 1, 2, b"the end").hex(),
            ],
        },
        "service": public_of(fixed("service")).hex(),
        "receipt": _receipt(),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n", "utf-8")
