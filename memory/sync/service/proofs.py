"""Receipts of deletion as the service shows them, verified with the keys that it publishes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from memory.sync import base64url, receipts
from memory.sync.errors import ReceiptWrong
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


async def proof_of(calls: Calls, receipt_id: str) -> Proof:
    """Return one receipt, which needs no session. Raises ReceiptWrong."""
    signed = await calls.open("GET", f"/v1/receipts/{receipt_id}")
    proof = _proved(signed, await published_keys(calls))
    if proof.receipt.receipt_id != receipt_id:
        raise ReceiptWrong("receipt_id")
    return proof


async def proofs(calls: Calls) -> tuple[Proof, ...]:
    """Return every receipt of the account. Raises ReceiptWrong."""
    answer, keys = await calls.get("/v1/account/receipts"), await published_keys(calls)
    with understood():
        listed = list(answer["receipts"])
    return tuple(_proved(signed, keys) for signed in listed)


async def prove_erased(calls: Calls, space: Space, rids: Sequence[str]) -> Proof:
    """Have the service prove that nothing of erased records is left. Raises ReceiptWrong, ServiceFault."""
    body = {"generation": space.generation, "rids": sorted(set(rids))}
    proof = _proved(await calls.send("POST", space.path("/receipts"), body), await published_keys(calls))
    if proof.receipt.members.get("records_hash") != receipts.hash_of_ids(rids):
        raise ReceiptWrong("records_hash")
    return proof


async def published_keys(calls: Calls) -> dict[str, bytes]:
    """Return the keys by which the service signs receipts and what expired, 32 bytes each, by their ids."""
    answer = await calls.open("GET", "/.well-known/officesync")
    with understood():
        return {str(name): base64url.decode(key, 32) for name, key in answer["receipt_keys"].items()}


def _proved(signed: Any, keys: dict[str, bytes]) -> Proof:
    receipt = receipts.verify(signed, keys)
    return Proof(receipt, keys[str(receipt.members["key_id"])])
