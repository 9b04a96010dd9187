"""The stream of hints."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from memory.sync.hosted.callers import caller_of, session_needed
from memory.sync.hosted.hints import events as lines

router = APIRouter(prefix="/v1", dependencies=[Depends(session_needed)])


@router.get("/events")
async def events(request: Request) -> StreamingResponse:
    """Say that a space has moved on, for as long as the session's token holds."""
    service, caller = await caller_of(request)
    await service.limits.take("events", caller.device, 20, 60)
    seconds = max(0, caller.access_until - service.now()) / 1000
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        lines(service.hints, caller.account_id, seconds), media_type="text/event-stream", headers=headers
    )
