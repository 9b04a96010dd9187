"""Looks for model servers on this machine, and only when its owner asks."""

import asyncio
from dataclasses import dataclass

import httpx2

from agents.connections.clients import http_client
from agents.connections.presets import Preset, presets
from agents.connections.transport import Sending
from memory.database import Database

PATIENCE = httpx2.Timeout(2.0)


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
    places = candidates if candidates is not None else tuple(known for known in presets() if known.local)
    async with httpx2.AsyncHTTPTransport(trust_env=False) as pool:
        http = http_client(pool, database, Sending("discovery"), None, PATIENCE)
        found = await asyncio.gather(*(_server(http, place) for place in places))
    return [server for server in found if server is not None]


async def _server(http: httpx2.AsyncClient, place: Preset) -> LocalServer | None:
    try:
        reply = await http.get(f"{place.base_url}/models")
        rows = reply.raise_for_status().json()["data"]
        return LocalServer(place, place.base_url, tuple(str(row["id"]) for row in rows))
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        return None
