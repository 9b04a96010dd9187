"""Objects in a bucket of an S3-compatible store, spoken to by signed addresses alone (AWS Signature Version 4).

The same signature serves devices, who get the address, and the service, which calls it itself.
"""

import asyncio
import hashlib
import hmac
import html
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx2

from memory.sync.hosted.errors import ServiceFault, SettingsInvalid
from memory.sync.hosted.objects import PIECE, VALID_SECONDS
from memory.sync.hosted.settings import Settings
from resources.language import gettext as _

_ALGORITHM = "AWS4-HMAC-SHA256"
_KEY = re.compile(r"<Key>([^<]*)</Key>")


class Bucket:
    """The bucket that the settings name."""

    def __init__(self, settings: Settings, clock: Callable[[], int]) -> None:
        try:
            self._secret = Path(settings.s3_secret_file).read_text("utf-8").strip()
        except OSError as wrong:
            raise SettingsInvalid(_("s3_secret_file cannot be read.")) from wrong
        self._access_key = settings.s3_access_key
        self._region = settings.s3_region
        self._endpoint = settings.s3_endpoint.rstrip("/")
        self._bucket = settings.s3_bucket
        self._clock = clock
        self._client = httpx2.AsyncClient(timeout=60)

    def signed(
        self,
        method: str,
        key: str,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> str:
        """Return the address at which one request may be made, with exactly these headers."""
        at = datetime.fromtimestamp(self._clock() // 1000, UTC)
        scope = f"{at:%Y%m%d}/{self._region}/s3/aws4_request"
        signed_headers = {"host": urlsplit(self._endpoint).netloc, **(headers or {})}
        names = ";".join(sorted(signed_headers))
        parameters = {
            **(query or {}),
            "X-Amz-Algorithm": _ALGORITHM,
            "X-Amz-Credential": f"{self._access_key}/{scope}",
            "X-Amz-Date": f"{at:%Y%m%dT%H%M%SZ}",
            "X-Amz-Expires": str(VALID_SECONDS),
            "X-Amz-SignedHeaders": names,
        }
        path = quote(f"/{self._bucket}/{key}" if key else f"/{self._bucket}")
        asked = "&".join(f"{quote(name, '')}={quote(parameters[name], '')}" for name in sorted(parameters))
        lines = [f"{name}:{signed_headers[name]}" for name in sorted(signed_headers)]
        canonical = "\n".join([method, path, asked, *lines, "", names, "UNSIGNED-PAYLOAD"])
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = "\n".join([_ALGORITHM, f"{at:%Y%m%dT%H%M%SZ}", scope, hashed])
        signing = f"AWS4{self._secret}".encode()
        for part in scope.split("/"):
            signing = hmac.digest(signing, part.encode(), "sha256")
        signature = hmac.digest(signing, to_sign.encode(), "sha256").hex()
        return f"{self._endpoint}{path}?{asked}&X-Amz-Signature={signature}"

    def put_url(self, key: str, size: int) -> str:
        """Return where exactly so many bytes may be put."""
        return self.signed("PUT", key, headers={"content-length": str(size)})

    def get_url(self, key: str) -> str:
        """Return where an object may be read."""
        return self.signed("GET", key)

    async def size(self, key: str) -> int | None:
        """Return the size of an object, None if there is none."""
        answer = await self._client.head(self.signed("HEAD", key))
        if answer.status_code == 404:
            return None
        return int(self._good(answer).headers["content-length"])

    async def put_file(self, key: str, file: Path) -> None:
        """Store a file under a key and remove the file."""
        size = (await asyncio.to_thread(file.stat)).st_size

        async def pieces() -> AsyncIterator[bytes]:
            with file.open("rb") as opened:
                while piece := await asyncio.to_thread(opened.read, PIECE):
                    yield piece

        headers = {"content-length": str(size)}
        self._good(await self._client.put(self.put_url(key, size), content=pieces(), headers=headers))
        await asyncio.to_thread(file.unlink)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Yield the pieces of an object."""
        async with self._client.stream("GET", self.get_url(key)) as answer:
            self._good(answer)
            async for piece in answer.aiter_bytes(PIECE):
                yield piece

    async def delete(self, key: str) -> None:
        """Delete an object; nothing happens where there is none."""
        self._good(await self._client.delete(self.signed("DELETE", key)))

    async def delete_all(self, prefix: str) -> int:
        """Delete everything under a prefix and return how many objects there were."""
        count = 0
        while keys := await self._listed(prefix):
            for key in keys:
                await self.delete(key)
            count += len(keys)
        return count

    async def is_empty(self, prefix: str) -> bool:
        """Whether nothing lies under a prefix."""
        return not await self._listed(prefix)

    async def _listed(self, prefix: str) -> list[str]:
        answer = await self._client.get(self.signed("GET", "", {"list-type": "2", "prefix": prefix}))
        return [html.unescape(key) for key in _KEY.findall(self._good(answer).text)]

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    def _good(self, answer: httpx2.Response) -> httpx2.Response:
        if answer.status_code >= 300:
            raise ServiceFault(
                _("The bucket {name} answered {status}; check s3_endpoint, its keys and its rules.").format(
                    name=self._bucket, status=answer.status_code
                )
            )
        return answer
