"""A BagIt bag (RFC 8493) as it is written: each file is hashed once, while it is copied."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from memory.transfer.targets import Target
from memory.transfer.watching import Watch

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST = "manifest-sha512.txt"
TAG_MANIFEST = "tagmanifest-sha512.txt"
BLOCK = 1024 * 1024
"""Bytes in which small pieces are gathered before they are hashed and written."""
_SMALL = 128 * 1024
_AHEAD = 3
"""Blocks that may wait for the hashing thread."""


@dataclass(slots=True)
class _Listed:
    """What a manifest says, and how much it lists."""

    lines: list[str] = field(default_factory=list)
    size: int = 0


class BagWriter:
    """Writes the files of a bag to a target. Use it as a context manager; ``seal`` is the last call."""

    def __init__(self, target: Target, watch: Watch) -> None:
        self._target = target
        self._watch = watch
        self._payload, self._tags = _Listed(), _Listed()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hashing")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def payload(self, name: str, pieces: Iterable[bytes], *, compress: bool, size: int = 0) -> int:
        """Write ``data/<name>`` and return its bytes; ``size`` is about how many will come, 0 if unknown."""
        return self._add(self._payload, f"data/{name}", pieces, compress=compress, size=size)

    def tag(self, name: str, content: bytes) -> None:
        """Write a file that describes the bag."""
        self._add(self._tags, name, [content], compress=False, size=len(content))

    def seal(self, information: dict[str, str]) -> bytes:
        """Write declaration, information and manifests; return the tag manifest, which names every byte."""
        oxum = f"{self._payload.size}.{len(self._payload.lines)}"
        said = {**information, "Payload-Oxum": oxum}
        self.tag("bagit.txt", DECLARATION)
        self.tag("bag-info.txt", "".join(f"{name}: {value}\n" for name, value in said.items()).encode())
        self.tag(MANIFEST, _text(self._payload))
        final = _text(self._tags)
        self.unlisted(TAG_MANIFEST, final)
        return final

    def unlisted(self, name: str, content: bytes) -> None:
        """Write a file that no manifest lists: the tag manifest itself and its signature."""
        with self._target.entry(name, compress=False, size=len(content)) as sink:
            sink.write(content)

    def _add(self, listed: _Listed, name: str, pieces: Iterable[bytes], *, compress: bool, size: int) -> int:
        digest, waiting, written = hashlib.sha512(), deque[Future[Any]](), 0
        with self._target.entry(name, compress=compress, size=size) as sink:
            for block in _blocks(pieces):
                if len(block) < _SMALL and not waiting:
                    digest.update(block)
                else:
                    waiting.append(self._thread.submit(digest.update, block))
                sink.write(block)
                written += len(block)
                self._watch.advance(len(block))
                if len(waiting) > _AHEAD:
                    waiting.popleft().result()
        for future in waiting:
            future.result()
        listed.lines.append(f"{digest.hexdigest()}  {name}\n")
        listed.size += written
        return written


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join small pieces until they are worth a call; large ones pass as they are."""
    gathered: list[bytes] = []
    length = 0
    for piece in pieces:
        if len(piece) >= BLOCK and not gathered:
            yield piece
            continue
        gathered.append(piece)
        length += len(piece)
        if length >= BLOCK:
            yield b"".join(gathered)
            gathered, length = [], 0
    if gathered:
        yield b"".join(gathered)


def _text(listed: _Listed) -> bytes:
    return "".join(listed.lines).encode()
