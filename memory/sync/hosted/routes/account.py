"""An account as its owner sees it, and its end."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from memory.sync.hosted import accounts, audit, deleting, erasure_receipts, sign_in
from memory.sync.hosted.callers import DEVICE, ENROLMENT, Caller, caller_of, session_needed
from memory.sync.hosted.requests import Body, Id, body_of, octets, takes
from memory.sync.hosted.service import Service

router = APIRouter(prefix="/v1", dependencies=[Depends(session_needed)])
_RIDS_BODY = 512 * 1024


class Deletion(Body):
    """What is to be deleted how, signed by a device; ``mail_code`` only for ``now``."""

    mode: Literal["grace", "now"]
    challenge: str
    device_sig: str
    mail_code: str = ""


class Consent(Body):
    """What the owner agrees to."""

    purpose: str
    text_version: str


class Address(Body):
    """A new mail address, proved by the code that was mailed there, and signed by a device."""

    token: str
    verifier: str
    challenge: str
    device_sig: str


class Erased(Body):
    """Records whose erasure is to be proved."""

    generation: Id
    rids: list[Id]


def _proof(asked: Deletion) -> deleting.Proof:
    challenge = octets(asked.challenge, 32, "challenge")
    return deleting.Proof(challenge, octets(asked.device_sig, 64, "device_sig"), asked.mail_code)


async def _owner(request: Request) -> tuple[Service, Caller]:
    return await caller_of(request)


@router.get("/account/data-summary")
async def summary(request: Request) -> dict[str, Any]:
    """Return what is held of the account."""
    service, caller = await _owner(request)
    return await accounts.summary(service, caller)


@router.get("/account/receipts")
async def receipts(request: Request) -> dict[str, Any]:
    """Return the receipts of what was deleted of the account."""
    service, caller = await _owner(request)
    return {"receipts": await accounts.receipts_of(service, caller)}


@router.get("/account/audit")
async def audit_entries(
    request: Request, after: Annotated[int, Query(ge=-1, lt=2**63)] = -1
) -> dict[str, Any]:
    """Return what was done to the account."""
    service, caller = await _owner(request)
    async with service.stores.records.read(caller.account_id) as connection:
        return {"entries": await audit.entries(connection, caller.account_id, after)}


@router.get("/account/sessions")
async def sessions(request: Request) -> dict[str, Any]:
    """Return the sessions of the account."""
    service, caller = await _owner(request)
    return {"sessions": await accounts.sessions(service, caller)}


@router.delete("/account/sessions")
async def end_others(request: Request) -> dict[str, Any]:
    """End every other session."""
    service, caller = await _owner(request)
    return {"ended": await accounts.end_others(service, caller)}


@router.delete("/account/sessions/{session_id}")
async def end_session(request: Request, session_id: Id) -> dict[str, Any]:
    """End one session."""
    service, caller = await _owner(request)
    await accounts.end_session(service, caller, session_id)
    return {}


@router.get("/account/consents")
async def consents(request: Request) -> dict[str, Any]:
    """Return what the owner agreed to."""
    service, caller = await _owner(request)
    return {"consents": await accounts.consents(service, caller)}


@router.post("/account/consents", status_code=201, openapi_extra=takes(Consent))
async def consent(request: Request) -> dict[str, Any]:
    """Agree to something."""
    service, caller = await _owner(request)
    await service.limits.take("consent", caller.account_id, 60, 3600)
    asked = await body_of(request, Consent)
    consent_id = await accounts.consent(service, caller, asked.purpose[:80], asked.text_version[:40])
    return {"consent_id": consent_id}


@router.delete("/account/consents/{consent_id}")
async def withdraw(request: Request, consent_id: Id) -> dict[str, Any]:
    """Withdraw a consent."""
    service, caller = await _owner(request)
    await accounts.withdraw(service, caller, consent_id)
    return {}


@router.patch("/account", openapi_extra=takes(Address))
async def address(request: Request) -> dict[str, Any]:
    """Change the mail address."""
    service, caller = await caller_of(request)
    await service.limits.take("address", caller.account_id, 10, 86_400)
    asked = await body_of(request, Address)
    await sign_in.change_address(
        service,
        caller,
        asked.token,
        octets(asked.verifier, 32, "verifier"),
        octets(asked.challenge, 32, "challenge"),
        octets(asked.device_sig, 64, "device_sig"),
    )
    return {}


@router.post("/account/freeze")
async def freeze(request: Request) -> dict[str, Any]:
    """Make the account read-only."""
    service, caller = await caller_of(request)
    return {"state": await accounts.freeze(service, caller, True)}


@router.post("/account/unfreeze")
async def unfreeze(request: Request) -> dict[str, Any]:
    """Make the account writable again."""
    service, caller = await caller_of(request)
    return {"state": await accounts.freeze(service, caller, False)}


@router.post("/account/mail-code", status_code=202)
async def mail_code(request: Request) -> dict[str, Any]:
    """Mail the code that a deletion at once needs."""
    service, caller = await caller_of(request)
    await service.limits.take("mail-code", caller.account_id, 5, 3600)
    await deleting.mail_code(service, caller)
    return {}


@router.post("/account/delete", status_code=202, openapi_extra=takes(Deletion))
async def delete_account(request: Request) -> dict[str, Any]:
    """Delete the account, after a time to think it over or at once."""
    service, caller = await caller_of(request)
    asked = await body_of(request, Deletion)
    proof = _proof(asked)
    return await deleting.by_device(service, caller, deleting.ACCOUNT, caller.account_id, asked.mode, proof)


@router.post("/account/restore")
async def restore_account(request: Request) -> dict[str, Any]:
    """Call the deletion of the account off."""
    service, caller = await caller_of(request, DEVICE, ENROLMENT)
    await deleting.restore(service, caller, deleting.ACCOUNT, caller.account_id)
    return {}


@router.delete("/spaces/{space_id}", status_code=202, openapi_extra=takes(Deletion))
async def delete_space(request: Request, space_id: Id) -> dict[str, Any]:
    """Delete a space, after a time to think it over or at once."""
    service, caller = await caller_of(request)
    asked = await body_of(request, Deletion)
    return await deleting.by_device(service, caller, deleting.SPACE, space_id, asked.mode, _proof(asked))


@router.post("/spaces/{space_id}/restore")
async def restore_space(request: Request, space_id: Id) -> dict[str, Any]:
    """Call the deletion of a space off."""
    service, caller = await caller_of(request)
    await deleting.restore(service, caller, deleting.SPACE, space_id)
    return {}


@router.post("/spaces/{space_id}/receipts", status_code=201, openapi_extra=takes(Erased))
async def prove_erased(request: Request, space_id: Id) -> dict[str, Any]:
    """Prove that records were erased, with a receipt."""
    service, caller = await caller_of(request)
    await service.limits.take("receipts", caller.account_id, 60, 3600)
    asked = await body_of(request, Erased, _RIDS_BODY)
    return await erasure_receipts.prove(service, caller, space_id, asked.generation, asked.rids)
