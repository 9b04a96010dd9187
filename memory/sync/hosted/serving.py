"""Uvicorn around the application, and logs in JSON that name routes and no addresses."""

import json
import logging
import socket
import sys
from datetime import UTC, datetime

import uvicorn

from memory.sync.hosted.application import application
from memory.sync.hosted.hints import Hints
from memory.sync.hosted.occupation import serving_here
from memory.sync.hosted.service import make_service
from memory.sync.hosted.settings import Settings

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        members = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "said": record.getMessage(),
        }
        members |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_text:
            members["exception"] = record.exc_text
        elif record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        return json.dumps(members, default=str)


def log_in_json() -> None:
    """Send every log to the standard error output, one JSON object a line, without secrets."""
    from vault.redaction import RedactingFilter

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(RedactingFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it names addresses


class Server(uvicorn.Server):
    """Lets go of devices that listen before it waits for requests: each would hold it up for as long as it may."""

    def __init__(self, config: uvicorn.Config, hints: Hints) -> None:
        super().__init__(config)
        self._hints = hints

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._hints.end()
        await super().shutdown(sockets)


def server(settings: Settings, *, working: bool = True) -> Server:
    """Return a server that is not started yet. Raises SettingsInvalid."""
    service = make_service(settings)
    config = uvicorn.Config(
        application(service, working=working),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,  # whole addresses stand in it
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        server_header=False,
        timeout_graceful_shutdown=5,  # Docker kills after ten
        ws="none",
    )
    return Server(config, service.hints)


def serve(settings: Settings, *, working: bool = True) -> None:
    """Serve until the process is told to stop. Raises SettingsInvalid."""
    with serving_here(settings):
        log_in_json()
        server(settings, working=working).run()
