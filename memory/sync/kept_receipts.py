"""Receipts of deletion that this office keeps: they prove something as long as they are there, without the service."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.orm import Session

from memory.identifiers import now
from memory.sync import base64url, receipts
from memory.sync.errors import ReceiptWrong
from memory.sync.receipts import Receipt
from memory.sync.signed_json import canonical
from memory.tables import SyncReceiptTable

_FORM = "bureau-receipt"


@dataclass(frozen=True, slots=True)
class KeptReceipt:
    """A receipt that is proved by the key beside it. ``at`` is when it was kept, in milliseconds UTC."""

    receipt: Receipt
    key: bytes
    at: int


def keep(session: Session, receipt: Receipt, key: bytes) -> bool:
    """Keep a receipt that was proved; return whether it is new here."""
    made = insert(SyncReceiptTable).values(
        id=receipt.receipt_id,
        scope=receipt.scope,
        at=now(),
        key=key,
        receipt=canonical(receipt.members).decode(),
    )
    return bool(session.execute(made.on_conflict_do_nothing()).rowcount)  # type: ignore[attr-defined]  # a cursor


def kept(session: Session) -> tuple[KeptReceipt, ...]:
    """Return what is kept, proved anew, the oldest first. Raises ReceiptWrong."""
    rows = session.scalars(select(SyncReceiptTable).order_by(SyncReceiptTable.at, SyncReceiptTable.id))
    return tuple(
        KeptReceipt(_proved(json.loads(row.receipt), bytes(row.key)), bytes(row.key), row.at) for row in rows
    )


def to_file(receipt: KeptReceipt) -> bytes:
    """Return a file that proves itself."""
    members = {
        "form": _FORM,
        "key": base64url.encode(receipt.key),
        "receipt": dict(receipt.receipt.members),
    }
    return json.dumps(members, indent=1, ensure_ascii=False).encode() + b"\n"


def from_file(data: bytes) -> tuple[Receipt, bytes]:
    """Return the receipt of a file, and the key that proves it, which is the service's only if it says so.

    Raises ReceiptWrong.
    """
    try:
        members = json.loads(data)
        key = base64url.decode(members["key"], 32)
        return _proved(members["receipt"], key), key
    except (KeyError, TypeError, ValueError, RecursionError) as wrong:
        raise ReceiptWrong("not a receipt’s file") from wrong


def _proved(signed: Any, key: bytes) -> Receipt:
    key_id = str(signed.get("key_id")) if isinstance(signed, dict) else ""
    return receipts.verify(signed, {key_id: key})
