"""One call to the service: encoded, sent in the device's session, its answer decoded or turned into a fault.

A session ends after a quarter of an hour. It is renewed by its refresh token, which works once, and where that is not
taken any more by the device's signature over a challenge.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgpack
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from memory.sync import base64url
from memory.sync.service.faults import ServiceRefused, TooLarge, TooSlow, Unreachable, fault_of
from memory.sync.service.patience import Patience, Progress, in_time

if TYPE_CHECKING:
    # Imported where it is first used, so that opening an office does not wait for it.
    import httpx2

MSGPACK = "application/msgpack"
EVENTS = "text/event-stream"
_PROTOCOL = "protocol 1"
_MOST_BYTES = 64 * 2**20
"""So long may an answer be; a page of changes ends beyond 8 MiB."""
_MOST_OPEN_BYTES = 2**20
"""The same for what needs no session, and for what anything but the service answers."""
_PLAIN = {"Accept-Encoding": "identity"}
"""What is sealed packs badly, and what a few bytes unpack to may fill the memory."""
_LONGEST_WAIT = 86_400
_LONGEST_LINE = 4_096

Keep = Callable[["Tokens"], Awaitable[None]]
"""Keeps new tokens where keys are kept, before they are used."""
Bare = Callable[[str], Awaitable["httpx2.AsyncClient"]]
"""Returns a client that carries no token, for an address that a service names."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a session is known by; ``refresh`` is empty where the session came by mail."""

    access: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)


class Session:
    """The session of this device at a service, of which ``url`` is scheme and host. Only ``keep`` keeps its tokens."""

    def __init__(
        self,
        url: str,
        device_id: str = "",
        key: Ed25519PrivateKey | None = None,
        tokens: Tokens | None = None,
        keep: Keep | None = None,
    ) -> None:
        self.url = url
        self.tokens = tokens or Tokens()
        self.device_id = device_id
        self._key = key
        self._keep = keep
        self.renewing = asyncio.Lock()

    @property
    def host(self) -> str:
        """The host that signatures name, so that they are worth nothing elsewhere."""
        return urlsplit(self.url).netloc

    @property
    def signs(self) -> bool:
        """Whether a device is there that can sign a new session."""
        return self._key is not None

    def become(self, device_id: str, key: Ed25519PrivateKey) -> None:
        """Be a device from now on, which the account log has just taken."""
        self.device_id, self._key = device_id, key

    async def take(self, tokens: Tokens) -> None:
        """Keep new tokens, then use them; those of a session by mail end soon and are kept nowhere."""
        if self._keep is not None and tokens.refresh:
            await self._keep(tokens)
        self.tokens = tokens

    def signed(self, purpose: bytes, challenge: bytes, *parts: bytes) -> str:
        """Return this device's signature for a purpose over challenge, host and parts, each after its length."""
        if self._key is None:
            raise ServiceRefused("device_needed", "no device signs here")
        message = purpose + b"".join(
            len(part).to_bytes(2, "big") + part for part in (challenge, self.host.encode(), *parts)
        )
        return base64url.encode(self._key.sign(message))


class Calls:
    """Calls within one session. Every method raises Unreachable or ServiceFault."""

    def __init__(
        self,
        http: "httpx2.AsyncClient",
        session: Session,
        bare: Bare | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._http = http
        self._bare = bare
        self.session = session
        self.patience = patience or Patience()
        self.told_at: int | None = None
        """The service's own time in its last answer, in milliseconds UTC; None where it tells none."""

    async def get(self, path: str, *, query: Mapping[str, Any] | None = None, packed: bool = False) -> Any:
        """Return the answer to a GET; ``packed`` asks for MessagePack, where bytes are bytes."""
        return await self._in_session("GET", path, None, query, packed)

    async def send(self, method: str, path: str, body: Mapping[str, Any], *, packed: bool = False) -> Any:
        """Send a body, as MessagePack if ``packed``, and return the answer."""
        return await self._in_session(method, path, body, None, packed)

    async def led_to(self, path: str) -> str:
        """Return the address to which a GET leads."""
        return str(await self._in_session("GET", path, None, None, False, leads=True))

    async def put_at(self, address: str, content: bytes | AsyncIterator[bytes], size: int) -> None:
        """Put so many bytes at an address that the service named; no token goes along to another host."""
        client, headers = await self._client_for(address), {**_PLAIN, "Content-Length": str(size)}
        async with (
            self._reaching(size) as progress,
            client.stream("PUT", address, content=content, headers=headers) as response,
        ):
            await _whole(response, progress, _MOST_OPEN_BYTES)
            if response.status_code >= 300:
                raise _turned_away(response)

    async def get_at(self, address: str, most: int) -> bytes | None:
        """Return what lies at an address that the service named, None where nothing does; more than ``most`` is cut."""
        client = await self._client_for(address)
        async with self._reaching() as progress, client.stream("GET", address, headers=_PLAIN) as response:
            if response.status_code == 404:
                return None
            if response.status_code != 200:
                raise _turned_away(response)
            return await _read_up_to(response, progress, most)

    @asynccontextmanager
    async def _reaching(self, sent: int = 0) -> AsyncIterator[Progress]:
        """Let a call that sends so many bytes take its time. Raises Unreachable, TooSlow."""
        import httpx2

        try:
            async with in_time(self.patience, sent) as progress:
                yield progress
        except (httpx2.ReadTimeout, httpx2.WriteTimeout) as error:
            raise TooSlow from error
        except httpx2.RequestError as error:
            raise Unreachable(type(error).__name__) from error

    async def _client_for(self, address: str) -> "httpx2.AsyncClient":
        named, own = urlsplit(address), urlsplit(self.session.url)
        if (named.scheme, named.netloc) == (own.scheme, own.netloc):
            return self._http
        if named.scheme != "https" and own.scheme == "https":
            raise Unreachable("the service names an address without encryption")
        if self._bare is None:
            raise Unreachable("the service names another host")
        return await self._bare(address)

    async def lines(self, path: str) -> AsyncGenerator[str, None]:
        """Yield the lines of a stream of events, for as long as the service keeps it open."""
        used = self.session.tokens.access or await self._renewed("")
        try:
            async with aclosing(self._streamed(path, used)) as lines:
                async for line in lines:
                    yield line
                return
        except ServiceRefused as refused:
            if refused.code != "signed_out" or not self.session.signs:
                raise
        async with aclosing(self._streamed(path, await self._renewed(used))) as lines:
            async for line in lines:
                yield line

    async def open(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call what needs no session."""
        return await self._once(method, path, body, None, False, "")

    async def challenge(self) -> bytes:
        """Return 32 bytes to be signed once within five minutes."""
        answer = await self.open("POST", "/v1/auth/challenge", {})
        with understood():
            return base64url.decode(answer["challenge"], 32)

    async def sign_in(self) -> None:
        """Begin a new session as this device."""
        session, challenge = self.session, await self.challenge()
        body = {
            "device_id": session.device_id,
            "challenge": base64url.encode(challenge),
            "sig": session.signed(b"aof/v1/auth", challenge, b"session"),
            "versions": await asyncio.to_thread(_versions),
        }
        await session.take(_tokens(await self.open("POST", "/v1/auth/session", body)))

    async def _in_session(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, Any] | None,
        packed: bool,
        *,
        leads: bool = False,
    ) -> Any:
        used = self.session.tokens.access
        if not used and self.session.signs:
            used = await self._renewed(used)
        try:
            return await self._once(method, path, body, query, packed, used, leads=leads)
        except ServiceRefused as refused:
            if refused.code != "signed_out" or not self.session.signs:
                raise
        renewed = await self._renewed(used)
        return await self._once(method, path, body, query, packed, renewed, leads=leads)

    async def _renewed(self, used: str) -> str:
        """Renew the session, once for all calls that found the same token used up; return the new access token."""
        async with self.session.renewing:
            renewed = self.session.tokens.access != used
            if not renewed and not (self.session.tokens.refresh and await self._refreshed()):
                await self.sign_in()
            return self.session.tokens.access

    async def _refreshed(self) -> bool:
        body = {"refresh": self.session.tokens.refresh}
        try:
            answer = await self.open("POST", "/v1/auth/session", body)
        except ServiceRefused as refused:
            if refused.code != "signed_out":
                raise
            return False
        await self.session.take(_tokens(answer))
        return True

    async def _once(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        query: Mapping[str, Any] | None,
        packed: bool,
        access: str,
        *,
        leads: bool = False,
    ) -> Any:
        headers = {**_PLAIN, "Accept": MSGPACK if packed else "application/json"}
        if access:
            headers["Authorization"] = f"Bearer {access}"
        sent = None
        if body is not None:
            headers["Content-Type"] = MSGPACK if packed else "application/json"
            sent = msgpack.packb(dict(body)) if packed else json.dumps(dict(body)).encode()
        address, most = self.session.url + path, _MOST_BYTES if access else _MOST_OPEN_BYTES
        async with (
            self._reaching(len(sent or b"")) as progress,
            self._http.stream(method, address, params=query, content=sent, headers=headers) as response,
        ):
            self.told_at = _instant(response.headers.get("Date", ""))
            content = await _whole(response, progress, most)
            if leads and response.status_code == 302:
                return response.headers.get("Location", "")
            return _read(response, content)

    async def _streamed(self, path: str, access: str) -> AsyncGenerator[str, None]:
        import httpx2

        headers = {**_PLAIN, "Accept": EVENTS, "Authorization": f"Bearer {access}"}
        request = self._http.build_request("GET", self.session.url + path, headers=headers)
        async with self._reaching() as progress:
            response = await self._http.send(request, stream=True)
            try:
                _require_plain(response)
                if response.headers.get("Content-Type", "").partition(";")[0].strip() != EVENTS:
                    _read(response, await _whole(response, progress, _MOST_OPEN_BYTES))
                    raise Unreachable("no stream of events answers")
            except BaseException:
                await response.aclose()
                raise
        try:
            async with aclosing(response):
                rest = b""
                async for piece in response.aiter_bytes():
                    *lines, rest = (rest + piece).split(b"\n")
                    for line in lines:
                        yield line.decode(errors="replace")
                    if len(rest) > _LONGEST_LINE:
                        raise Unreachable("a line of the stream does not end")
        except httpx2.RequestError as error:
            raise Unreachable(type(error).__name__) from error


async def _whole(response: "httpx2.Response", progress: Progress, most: int) -> bytes:
    """Return an answer. Raises Unreachable for one that is longer than an answer may be."""
    read = await _read_up_to(response, progress, most + 1)
    if len(read) > most:
        raise Unreachable("the answer does not end")
    return read


async def _read_up_to(response: "httpx2.Response", progress: Progress, most: int) -> bytes:
    """Return the beginning of what is answered, ``most`` bytes of it."""
    _require_plain(response)
    read = bytearray()
    async for piece in response.aiter_bytes():
        read += piece
        if len(read) >= most:
            break
        progress.came(len(piece))
    return bytes(read[:most])


def _require_plain(response: "httpx2.Response") -> None:
    """Raise Unreachable for an answer that reading it would unpack."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Unreachable("the answer is packed")


def _read(response: "httpx2.Response", content: bytes) -> Any:
    status = response.status_code
    if status == 429 or status >= 500:
        raise _turned_away(response)
    packed = response.headers.get("Content-Type", "").partition(";")[0].strip() == MSGPACK
    try:
        members = msgpack.unpackb(content) if packed else json.loads(content)
    except (ValueError, msgpack.UnpackException, RecursionError):
        members = None
    if status == 413 and not isinstance(members, dict):
        raise TooLarge(
            None
        )  # a proxy in front of the service takes less than the service, and says so in a page
    if not isinstance(members, dict) or 300 <= status < 400:
        # The page of a hotel's network, or a proxy's: the service itself always answers with a map.
        raise Unreachable(f"something else answers, with status {status}")
    if status >= 400:
        raise fault_of(status, members)
    return members


def _turned_away(response: "httpx2.Response") -> Unreachable:
    return Unreachable(f"status {response.status_code}", _seconds(response.headers.get("Retry-After", "")))


def _versions() -> str:
    """Return which Bureau and which protocol speaks, as the service notes it of this device."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"bureau {version('bureau')}, {_PROTOCOL}"
    except PackageNotFoundError:
        return f"bureau, {_PROTOCOL}"  # run from its sources


def _instant(date: str) -> int | None:
    """Return what a Date header says, in milliseconds UTC; None for one that says nothing."""
    try:
        return round(parsedate_to_datetime(date).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _seconds(text: str) -> int | None:
    return min(int(text), _LONGEST_WAIT) if text.isascii() and text.isdecimal() else None


def _tokens(answer: Mapping[str, Any]) -> Tokens:
    with understood():
        return Tokens(str(answer["access"]), str(answer["refresh"]))


@contextmanager
def understood() -> Iterator[None]:
    """Read members of an answer; raises ServiceRefused where they are not as the protocol says."""
    try:
        yield
    except (KeyError, TypeError, ValueError, RecursionError) as wrong:
        raise ServiceRefused("not_understood", str(wrong)) from wrong
