"""Offices at a service that have files, and write down what they ask of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2

from memory.sync.taking import Parts
from tests.memory.sync.filing import Filing
from tests.memory.sync.service.offices import Hosted, Office


class FilingOffice(Office):
    """One of them; ``cut_at`` cuts the how manieth request for a piece from now."""

    filing: Filing

    def __init__(self, hosted: Hosted, member: Any, home: Path) -> None:
        self.journal: list[tuple[str, str]] = []
        self.cut_at = 0
        super().__init__(hosted, member, home)
        self.filing = Filing.at(self.do, home)

    def reach(self) -> None:
        super().reach()
        onward = self.wire.handle_async_request

        async def noted(request: httpx2.Request) -> httpx2.Response:
            path = request.url.path
            self.journal.append((request.method, path))
            if path.startswith("/objects/") and self.cut_at:
                self.cut_at -= 1
                if self.cut_at == 0:
                    raise httpx2.ConnectError("cut", request=request)
            return await onward(request)

        self.wire.handle_async_request = noted  # type: ignore[method-assign]  # the wire of this office alone

    def parts(self) -> Parts:
        return replace(super().parts(), blobs=self.filing.store)

    def send_all(self) -> None:
        """Do rounds as long as there are pieces to move."""
        while self.sync().files_left:
            continue

    def moved(self, method: str) -> list[str]:
        """Return the pieces that were put or got, in order."""
        return [
            path.rpartition("/")[2]
            for asked, path in self.journal
            if asked == method and path.startswith("/objects/")
        ]

    def hosted_objects(self) -> list[Path]:
        """Return the pieces that lie at the service."""
        return [path for path in (self.hosted.settings.data / "objects").rglob("*") if path.is_file()]
