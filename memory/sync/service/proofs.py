"""Receipts of deletion as the service shows them, verified with its keys that count (`memory.sync.service_keys`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memory.sync import base64url, receipts, service_keys
from memory.sync.errors import ReceiptKeyOther, ReceiptWrong
from memory.sync.receipts import Receipt
from memory.sync.service.calls import Calls, understood
from memory.sync.service.spaces import Space

MOST = 5000
"""The most records of one receipt."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A receipt that is proved, and the public key of the service that proves it, 32 bytes."""

    receipt: Receipt
    key: bytes


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a service that count, and those that it shows now, each by its id."""

    counting: Mapping[str, bytes]
    shown: Mapping[str, bytes]


async def proof_of(calls: Calls, keys: Keys, receipt_id: str) -> Proof:
    """Return one receipt, which needs no session. Raises ReceiptWrong."""
    proof = _proved(await calls.open("GET", f"/v1/receipts/{receipt_id}"), keys)
    if proof.receipt.receipt_id != receipt_id:
        raise ReceiptWrong("receipt_id")
    return proof


async def proofs(calls: Calls, keys: Keys) -> tuple[tuple[Proof, ...], ReceiptWrong | None]:
    """Return every receipt of the account that is proved, and why the first of those that are not is not."""
    answer = await calls.get("/v1/account/receipts")
    with understood():
        listed = list(answer["receipts"])
    found: list[Proof] = []
    fault: ReceiptWrong | None = None
    for signed in listed:
        try:
            found.append(_proved(signed, keys))
        except ReceiptWrong as wrong:
            fault = fault or wrong
    return tuple(found), fault


async def prove_erased(calls: Calls, keys: Keys, space: Space, rids: Sequence[str]) -> Proof:
    """Have the service prove that nothing of erased records is left. Raises ReceiptWrong, ServiceFault."""
    body = {"generation": space.generation, "rids": sorted(set(rids))}
    proof = _proved(await calls.send("POST", space.path("/receipts"), body), keys)
    if proof.receipt.members.get("records_hash") != receipts.hash_of_ids(rids):
        raise ReceiptWrong("records_hash")
    return proof


async def published_keys(calls: Calls) -> dict[str, bytes]:
    """Return the keys by which the service signs receipts and what expired, 32 bytes each, by their ids."""
    answer = await calls.open("GET", "/.well-known/officesync")
    with understood():
        shown = {str(name): base64url.decode(key, 32) for name, key in answer["receipt_keys"].items()}
        if len(shown) > service_keys.MOST:
            raise ValueError("receipt_keys")
        return shown


def _proved(signed: Any, keys: Keys) -> Proof:
    name = str(signed.get("key_id")) if isinstance(signed, dict) else ""
    if name not in keys.counting and name in keys.shown:
        raise ReceiptKeyOther(service_keys.fingerprint(keys.shown[name]))
    receipt = receipts.verify(signed, keys.counting)
    return Proof(receipt, keys.counting[name])
