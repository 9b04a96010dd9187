"""Signing in: without a password, by a mail that only the asking device can redeem, and then by the device's own key.

A device signs ``"aof/v1/auth" ‖ challenge ‖ host ‖ action``, each part after its length (uint16).
"""

import hashlib
import hmac
import os
import secrets
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from memory.identifiers import new_id
from memory.sync.hosted import audit, mailing, protocols
from memory.sync.hosted.callers import ACTIVE, DEVICE, PURGING, Caller, new_token, token_hash
from memory.sync.hosted.errors import Refusal, malformed
from memory.sync.hosted.service import DAY, Service
from memory.sync.hosted.service_keys import seal_with
from memory.sync.hosted.tables.keys import account_keys
from memory.sync.hosted.tables.ledger import gone
from memory.sync.hosted.tables.records import accounts, challenges, consents, devices, magic_links, sessions

QUARTER_MS = 900_000
CHALLENGE_MS = 300_000
REFRESH_MS = 30 * DAY
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE_LENGTH, _CODE_PART = 20, 5
_LONGEST_ADDRESS = 254


async def ask_magic(service: Service, address: str, verifier_hash: bytes) -> None:
    """Mail a code that only the holder of the verifier can redeem; whether the address is known changes nothing."""
    name, _, domain = address.strip().rpartition("@")
    if (
        not name
        or not domain
        or len(address) > _LONGEST_ADDRESS
        or any(each.isspace() for each in address.strip())
    ):
        raise malformed("email")
    if any(ord(each) < 32 for each in address):
        raise malformed("email")
    lookup = service.keys.lookup(address)
    await service.limits.take("magic", lookup.hex(), service.settings.magic_per_hour_address, 3600)
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    now = service.now()
    async with service.stores.records.write() as connection:
        await connection.execute(
            insert(magic_links).values(
                token_hash=token_hash(code),
                address_lookup=lookup,
                address=service.keys.seal(address.strip(), "magic"),
                verifier_hash=verifier_hash,
                asked_at=now,
                until=now + QUARTER_MS,
            )
        )
        parts = [code[at : at + _CODE_PART] for at in range(0, _CODE_LENGTH, _CODE_PART)]
        await mailing.ask_to_address(service, connection, address.strip(), "sign_in", code="-".join(parts))


async def redeem(service: Service, token: str, verifier: bytes, kind: str) -> tuple[str, int]:
    """Return a session of the account that a code leads to, and its end; an account is made if there is none.

    Raises Refusal.
    """
    async with service.stores.records.write() as connection:
        row = await _redeemed(service, connection, token, verifier)
        account_id = await _account(service, connection, row.address_lookup, row.address)
        return await begin(service, connection, account_id, kind, 2 * QUARTER_MS)


async def _redeemed(service: Service, connection: AsyncConnection, token: str, verifier: bytes) -> Any:
    """Use a code up and return what it was mailed for. Raises Refusal."""
    hashed = token_hash(token.strip().upper().replace("-", ""))
    row: Any = (
        await connection.execute(
            select(magic_links).where(magic_links.c.token_hash == hashed).with_for_update()
        )
    ).first()
    if (
        row is None
        or row.used
        or row.until <= service.now()
        or not hmac.compare_digest(hashlib.sha256(verifier).digest(), bytes(row.verifier_hash))
    ):
        raise Refusal(401, "code_refused", "The code is wrong, used, too old, or was asked for elsewhere.")
    await connection.execute(update(magic_links).where(magic_links.c.token_hash == hashed).values(used=1))
    return row


async def begin(
    service: Service, connection: AsyncConnection, account_id: str, kind: str, lasts: int
) -> tuple[str, int]:
    """Begin a session without a device; return its token and its end."""
    token, now = new_token(), service.now()
    await connection.execute(
        insert(sessions).values(
            session_id=new_id(),
            account_id=account_id,
            kind=kind,
            access_hash=token_hash(token),
            access_until=now + lasts,
            refresh_until=now + lasts,
            signed_at=now,
            last_seen_day=service.today,
        )
    )
    await audit.note(connection, account_id, now, "signed_in_by_mail", kind=kind)
    return token, now + lasts


async def _account(service: Service, connection: AsyncConnection, lookup: bytes, sealed: bytes) -> str:
    query = select(accounts.c.account_id, accounts.c.state).where(accounts.c.address_lookup == lookup)
    row: Any = (await connection.execute(query)).first()
    if row is not None:
        if row.state == PURGING:
            raise Refusal(
                410, "account_purged", "The account of this address is being purged; try again later."
            )
        return str(row.account_id)
    account_id, data_key = new_id(), os.urandom(32)
    async with service.stores.keys.write(account_id) as keys:
        await keys.execute(insert(account_keys).values(account_id=account_id, data_key=data_key))
    address = seal_with(data_key, service.keys.open(sealed, "magic"), account_id)
    await connection.execute(
        insert(accounts).values(
            account_id=account_id,
            address=address,
            address_lookup=lookup,
            state=ACTIVE,
            created_day=service.today,
            policy_version=service.settings.policy_version,
        )
    )
    await connection.execute(
        insert(consents).values(
            consent_id=new_id(),
            account_id=account_id,
            purpose="policy",
            text_version=service.settings.policy_version,
            given_at=service.now(),
        )
    )
    await audit.note(connection, account_id, service.now(), "account_made")
    return account_id


async def new_challenge(service: Service) -> bytes:
    """Return 32 bytes for one signature within five minutes."""
    challenge = os.urandom(32)
    async with service.stores.records.write() as connection:
        await connection.execute(
            insert(challenges).values(challenge=challenge, until=service.now() + CHALLENGE_MS)
        )
    return challenge


async def spend_challenge(service: Service, connection: AsyncConnection, challenge: bytes) -> None:
    """Use a challenge up. Raises Refusal for one that is not, or not any more, valid."""
    spent = await connection.execute(
        delete(challenges).where(challenges.c.challenge == challenge, challenges.c.until > service.now())
    )
    if spent.rowcount != 1:
        raise Refusal(401, "challenge_refused", "The challenge was used or is too old; ask for another.")


def signed_message(purpose: bytes, *parts: bytes) -> bytes:
    """Return what a device signs: the purpose, then each part after its length."""
    return purpose + b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def check_signature(public: bytes, signature: bytes, message: bytes) -> None:
    """Raise Refusal unless a device signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        raise Refusal(401, "signature_refused", "The device’s signature does not fit.") from None


async def device_session(
    service: Service, device_id: str, challenge: bytes, signature: bytes, versions: str
) -> dict[str, Any]:
    """Return the tokens of a new session of a device. Raises Refusal."""
    protocols.require_known(versions)
    async with service.stores.records.write() as connection:
        await spend_challenge(service, connection, challenge)
        device: Any = (
            await connection.execute(
                select(devices, accounts.c.state)
                .join(accounts, accounts.c.account_id == devices.c.account_id)
                .where(devices.c.device_id == device_id)
            )
        ).first()
        if device is not None and device.state == PURGING:
            raise Refusal(410, "account_purged", "This account is being purged.")
        if device is None:
            raise await purged_or(
                service, "device", device_id, Refusal(401, "unknown_device", "No such device.")
            )
        message = signed_message(b"aof/v1/auth", challenge, service.settings.server.encode(), b"session")
        check_signature(device.sign, signature, message)
        if device.revoked is not None:
            raise Refusal(403, "device_revoked", "This device was revoked.")
        await connection.execute(
            update(devices)
            .where(devices.c.device_id == device_id)
            .values(last_seen_day=service.today, versions=versions[:80])
        )
        session_id = new_id()
        await connection.execute(
            insert(sessions).values(
                session_id=session_id,
                account_id=device.account_id,
                device_id=device_id,
                kind=DEVICE,
                access_hash=os.urandom(32),
                access_until=0,
                refresh_until=0,
                signed_at=service.now(),
                last_seen_day=service.today,
            )
        )
        return await _tokens(service, connection, session_id, device.account_id, device.state, None)


async def refreshed(service: Service, refresh: str) -> dict[str, Any]:
    """Return new tokens for a refresh token, which works once; a second use ends the session. Raises Refusal."""
    hashed = token_hash(refresh)
    signed_out = Refusal(401, "signed_out", "Sign a new session.")
    async with service.stores.records.write() as connection:
        row: Any = (
            await connection.execute(
                select(sessions, accounts.c.state, devices.c.revoked, devices.c.versions)
                .join(accounts, accounts.c.account_id == sessions.c.account_id)
                .join(devices, devices.c.device_id == sessions.c.device_id)
                .where(or_(sessions.c.refresh_hash == hashed, sessions.c.former_refresh_hash == hashed))
            )
        ).first()
        if (
            row is None
            or row.refresh_until <= service.now()
            or row.revoked is not None
            or row.state == PURGING
        ):
            raise signed_out
        protocols.require_known(row.versions)
        if row.refresh_hash == hashed:
            return await _tokens(service, connection, row.session_id, row.account_id, row.state, hashed)
        await connection.execute(delete(sessions).where(sessions.c.session_id == row.session_id))
        await audit.note(connection, row.account_id, service.now(), "session_ended_on_reuse")
    raise signed_out


async def _tokens(
    service: Service,
    connection: AsyncConnection,
    session_id: str,
    account_id: str,
    state: str,
    former: bytes | None,
) -> dict[str, Any]:
    access, refresh, now = new_token(), new_token(), service.now()
    await connection.execute(
        update(sessions)
        .where(sessions.c.session_id == session_id)
        .values(
            access_hash=token_hash(access),
            access_until=now + QUARTER_MS,
            refresh_hash=token_hash(refresh),
            former_refresh_hash=former,
            refresh_until=now + REFRESH_MS,
            last_seen_day=service.today,
        )
    )
    return {
        "access": access,
        "access_until": now + QUARTER_MS,
        "refresh": refresh,
        "refresh_until": now + REFRESH_MS,
        "session_id": session_id,
        "account_id": account_id,
        "state": state,
    }


async def purged_or(service: Service, kind: str, id_: str, otherwise: Refusal) -> Refusal:
    """Return the refusal that tells of a purge, if the ledger knows of one."""
    async with service.stores.ledger.read() as connection:
        receipt_id = await connection.scalar(
            select(gone.c.receipt_id).where(gone.c.subject == service.keys.subject(kind, id_))
        )
    if receipt_id is None:
        return otherwise
    code = "account_purged" if kind == "device" else f"{kind}_purged"
    return Refusal(410, code, "This was purged; the receipt proves it.", receipt_id=receipt_id)


async def change_address(
    service: Service, caller: Caller, token: str, verifier: bytes, challenge: bytes, signature: bytes
) -> None:
    """Give an account another address: its code proves the mailbox, the device signs with action ``address``."""
    assert caller.sign is not None
    async with service.stores.records.write() as connection:
        await spend_challenge(service, connection, challenge)
        message = signed_message(b"aof/v1/auth", challenge, service.settings.server.encode(), b"address")
        check_signature(bytes(caller.sign), signature, message)
        row = await _redeemed(service, connection, token, verifier)
        taken = await connection.scalar(
            select(accounts.c.account_id).where(accounts.c.address_lookup == row.address_lookup)
        )
        if taken not in (None, caller.account_id):
            raise Refusal(409, "address_taken", "Another account has this address.")
        async with service.stores.keys.read(caller.account_id) as keys:
            data_key = (
                await keys.execute(
                    select(account_keys.c.data_key).where(account_keys.c.account_id == caller.account_id)
                )
            ).scalar_one()
        address = seal_with(
            bytes(data_key), service.keys.open(bytes(row.address), "magic"), caller.account_id
        )
        await connection.execute(
            update(accounts)
            .where(accounts.c.account_id == caller.account_id)
            .values(address=address, address_lookup=row.address_lookup)
        )
        await audit.note(connection, caller.account_id, service.now(), "address_changed")
