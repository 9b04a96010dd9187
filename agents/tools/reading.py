"""The tool that reads on in a file: page by page, or where a word stands."""

import re
from dataclasses import dataclass

from agents.files import Files, ReadableFile
from agents.tools.declaration import as_data, tool
from memory.attachments import Attachment
from memory.readers.errors import ReadingError

PAGE = 8_000
"""Characters of one page of the tool."""
MOST_MATCHES = 10
AROUND = 200


@dataclass(slots=True)
class ReadingTools:
    """What one run may read: the files of its conversation and those its searches came across."""

    files: Files
    known: dict[str, Attachment]
    """By name; filled further by the run's searches."""

    @tool("read")
    async def read_attachment(self, file: str, offset: int = 0, search: str = "") -> str:
        """Read on in a file of this conversation, or find where words stand in it.

        Args:
            file: The name or the id of the file.
            offset: The character to begin at; the result says where to go on.
            search: Words to find; the result is then their places instead of a page.
        """
        attachment = self._named(file)
        if attachment is None:
            names = ", ".join(self.known) or "none"
            return f"There is no such file here. Files you may read: {names}."
        try:
            readable = await self.files.readable(attachment)
        except ReadingError as error:
            return f"This file could not be read: {error}"
        if not readable.text:
            return "This file has no text."
        if search.strip():
            return _matches(attachment, readable, search)
        start = max(0, min(offset, len(readable.text)))
        end = min(len(readable.text), start + PAGE)
        more = f"go on with offset={end}" if end < len(readable.text) else "this is the end"
        return as_data(
            readable.text[start:end],
            kind="file",
            name=attachment.name,
            part=f"characters {start} to {end} of {len(readable.text)}; {more}",
            place=readable.place_at(start).label(),
        )

    def _named(self, file: str) -> Attachment | None:
        wanted = file.strip().casefold()
        for name, attachment in self.known.items():
            if wanted in (name.casefold(), attachment.id):
                return attachment
        return None


def _matches(attachment: Attachment, readable: ReadableFile, search: str) -> str:
    pattern = re.compile(r"\s+".join(re.escape(word) for word in search.split()), re.IGNORECASE)
    shown: list[str] = []
    after = 0
    for match in pattern.finditer(readable.text):
        if match.start() < after:
            continue  # it stands in the piece already shown
        start, after = max(0, match.start() - AROUND), min(len(readable.text), match.end() + AROUND)
        shown.append(
            as_data(
                readable.text[start:after],
                kind="file",
                name=attachment.name,
                place=readable.place_at(match.start()).label(),
                part=f"characters {start} to {after}",
            )
        )
        if len(shown) == MOST_MATCHES:
            break
    return "\n".join(shown) or "These words do not stand in this file. Try other words, or recall."
