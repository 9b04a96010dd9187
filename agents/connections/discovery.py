"""Looks for model servers on this machine, and only when its owner asks."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.connections.clients import http_client
from agents.connections.presets import Preset, presets
from agents.connections.sending import Sending
from memory.database import Database

if TYPE_CHECKING:
    import httpx2

_PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that answered on this machine, and the models it lists."""

    preset: Preset
    base_url: str
    models: tuple[str, ...]


async def local_servers(
    database: Database, candidates: tuple[Preset, ...] | None = None
) -> list[LocalServer]:
    """Ask the known local ports for their models, all at once; each question stands in the outbox."""
    import httpx2

    places = candidates if candidates is not None else tuple(known for known in presets() if known.local)
    async with httpx2.AsyncHTTPTransport(trust_env=False) as pool:
        http = http_client(pool, database, Sending("discovery"), None, _PATIENCE_SECONDS)
        found = await asyncio.gather(*(_server(http, place) for place in places))
    return [server for server in found if server is not None]


async def _server(http: "httpx2.AsyncClient", place: Preset) -> LocalServer | None:
    import httpx2

    try:
        reply = await http.get(f"{place.base_url}/models")
        rows = reply.raise_for_status().json()["data"]
        return LocalServer(place, place.base_url, tuple(str(row["id"]) for row in rows))
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        return None
