"""Pictures among a chat's files: read from their encrypted blobs, small for chips, large for the source column."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader

from agents.office import Office
from memory.attachments import Attachment
from memory.errors import StorageError

SMALL = QSize(240, 160)
"""The most that a small picture measures, in pixels."""
LARGE = QSize(2400, 2400)
_FORMATS = ("png", "jpeg", "gif", "webp")
_MOST_MEGABYTES = 256
"""What decoding one picture may take; a picture bomb asks for more and is not shown."""
_KEPT = 200


class Pictures:
    """Small pictures are kept for the office's time, the last seen ``_KEPT`` of them."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()

    def known(self, attachment_id: str) -> bytes:
        """Return a small picture as PNG where it was made already, else nothing."""
        return self._kept.get(attachment_id, b"")

    def forget(self, attachment_ids: Iterable[str]) -> None:
        """Keep nothing of these files, because they were erased."""
        for attachment_id in attachment_ids:
            self._kept.pop(attachment_id, None)

    async def small(self, file: Attachment) -> bytes:
        """Return a small picture as PNG; nothing where the file is no picture that can be shown."""
        async with self._one_at_a_time:
            if file.id not in self._kept:
                image = await self._decoded(file, SMALL)
                self._kept[file.id] = png(image) if image is not None else b""
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        self._kept.move_to_end(file.id)
        return self._kept[file.id]

    async def large(self, file: Attachment) -> QImage | None:
        """Return a picture to be looked at, None where it cannot be shown. Raises StorageError."""
        return await asyncio.to_thread(decoded, await self._office.files.content(file), LARGE)

    async def _decoded(self, file: Attachment, most: QSize) -> QImage | None:
        try:
            content = await self._office.files.content(file)
        except StorageError:
            return None  # the chip stays without a picture; opening the file says why
        return await asyncio.to_thread(decoded, content, most)


def decoded(content: bytes, most: QSize) -> QImage | None:
    """Return the picture that bytes hold, no larger than a size, upright; None where there is none."""
    buffer = QBuffer()
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    reader.setAutoTransform(True)
    if bytes(reader.format().data()).decode() not in _FORMATS:
        return None
    reader.setAllocationLimit(_MOST_MEGABYTES)
    size = reader.size()
    if size.isValid() and (size.width() > most.width() or size.height() > most.height()):
        reader.setScaledSize(size.scaled(most, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else image


def png(image: QImage) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stub lacks the device overload's str format
    return bytes(buffer.data().data())
