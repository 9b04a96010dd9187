"""What anybody may ask: how the service is, what it promises, who works for it, and receipts."""

import asyncio
import json
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from sqlalchemy import text

from memory.sync import base64url
from memory.sync.hosted import policies, protocols, published, receipts
from memory.sync.hosted.callers import enter, network, service_of
from memory.sync.hosted.errors import Refusal, not_found
from memory.sync.hosted.requests import Id

router = APIRouter()


@router.get("/healthz")
async def healthz(request: Request) -> Response:
    """Say whether the three databases answer."""
    service = service_of(request)
    await service.limits.take_here("health", network(request), 300, 60)
    well = {}
    for store in service.stores:
        try:
            async with store.read() as connection:
                await connection.execute(text("SELECT 1"))
            well[store.name] = "well"
        except Exception:  # noqa: BLE001  # whatever it is, the answer is that this store is away
            well[store.name] = "away"
    good = set(well.values()) == {"well"}
    return JSONResponse({"status": "well" if good else "ill", "stores": well}, 200 if good else 503)


@router.get("/.well-known/officesync")
async def well_known(request: Request) -> dict[str, Any]:
    """Say which protocol is spoken, within which limits and promises."""
    service = await enter(request)
    settings = service.settings
    return {
        "protocol": protocols.PROTOCOLS[-1],
        "protocols": list(protocols.PROTOCOLS),
        "server": settings.server,
        "region": settings.region,
        "limits": {
            name: getattr(settings, name)
            for name in (
                "push_ops",
                "push_bytes",
                "record_bytes",
                "attachment_bytes",
                "account_bytes",
                "account_records",
                "pushes_per_minute",
                "pulls_per_minute",
                "exports_per_day",
                "deletions_per_day",
            )
        },
        "deletion": {
            name: getattr(settings, name)
            for name in (
                "grace_days",
                "purge_sla_days",
                "key_backup_horizon_days",
                "records_backup_horizon_days",
                "promised_days",
            )
        },
        "policy": {
            "version": settings.policy_version,
            "effective": settings.policy_effective,
            "at": "/privacy",
            "next": await policies.following(service),
        },
        "receipt_keys": {service.keys.key_id: base64url.encode(service.keys.public)},
    }


@router.get("/privacy", response_class=HTMLResponse)
async def privacy(request: Request) -> HTMLResponse:
    """Say what the service can see, for how long it keeps it, and who works for it."""
    return published.privacy_page((await enter(request)).settings)


@router.get("/subprocessors.json")
async def subprocessors(request: Request) -> dict[str, Any]:
    """Name those who work for the operator and may hold data."""
    settings = (await enter(request)).settings
    listed: list[Any] = []
    if settings.subprocessors_file:
        text_ = await asyncio.to_thread(Path(settings.subprocessors_file).read_text, "utf-8")
        listed = json.loads(text_)
    return {
        "version": settings.policy_version,
        "effective": settings.policy_effective,
        "subprocessors": listed,
    }


@router.get("/v1/receipts/{receipt_id}")
async def receipt(request: Request, receipt_id: Id) -> dict[str, Any]:
    """Return a receipt of deletion. It names nobody."""
    service = await enter(request)
    found = await receipts.find(service, receipt_id)
    if found is None:
        raise not_found()
    return found


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Give figures to Prometheus, where the operator allows it."""
    service = await enter(request)
    if not service.settings.metrics:
        raise Refusal(404, "not_found", "Metrics are switched off.")
    return Response(service.metrics.page(), media_type="text/plain; version=0.0.4")
