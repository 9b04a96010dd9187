"""Pictures that an answer names: shown where they are files of the chat, else left as links. Nothing is fetched."""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from desktop.transcript.citing import CODE
from desktop.transcript.markdown_html import PICTURE
from desktop.transcript.rows import Attachment

_IMAGE = re.compile(
    r"!\[(?P<alt>(?:\\.|[^\]\\])*)\]"
    r"\((?P<angle><)?(?P<address>(?(angle)[^<>\n]+|[^\s()<>]+))(?(angle)>)(?:[ \t]+\"[^\"\n]*\")?\)"
)
_SHOWN = re.compile(rf"(!\[(?:\\.|[^\]\\])*\])\({PICTURE}([^\s()]+)\)")
_BEFORE_NAME = re.compile(r"^(?:attachment:|\./)")


def with_pictures(text: str, files: Sequence[Attachment]) -> tuple[str, tuple[Attachment, ...]]:
    """Return Markdown in which images name the chat's pictures by their ids, and the pictures it names.

    A file is meant by its name or id, whatever its case; one without a ready picture stays a link. Of files
    of one name the last is meant. Code stays as it is.
    """
    if "![" not in text or not files:
        return text, ()
    known = {key.casefold(): file for file in files if file.picture for key in (file.id, file.name)}
    named: dict[str, Attachment] = {}

    def image(match: re.Match[str]) -> str:
        file = known.get(_BEFORE_NAME.sub("", unquote(match["address"])).casefold())
        if file is None:
            return match[0]
        named[file.id] = file
        return f"![{match['alt']}]({PICTURE}{file.id})"

    pieces = CODE.split(text)
    shown = "".join(piece if number % 2 else _IMAGE.sub(image, piece) for number, piece in enumerate(pieces))
    return shown, tuple(named.values())


def without_pictures(text: str, images: Sequence[Attachment]) -> str:
    """Return Markdown in which the pictures are named as files again."""
    names = {file.id: file.name for file in images}
    return _SHOWN.sub(
        lambda match: f"{match[1]}(<{names[match[2]]}>)" if match[2] in names else match[0], text
    )
