"""Files as a model gets them: as they are where it can read them, else as text with the rest a tool call away."""

from collections.abc import Mapping
from dataclasses import dataclass

from agents.runtime.tokens import IMAGE, PDF_PAGE, likely_tokens
from agents.tools.declaration import as_data
from memory.attachments import Attachment
from resources.language import gettext as _
from resources.language import ngettext

SHOWN = 8_000
"""Characters of an extracted file that go along; the rest is read with the tool."""
MOST_NATIVE_BYTES = 20_000_000
MOST_NATIVE_PAGES = 90
NATIVE_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


@dataclass(frozen=True, slots=True)
class Given:
    """A piece of a message: text, or the file that goes along as it is."""

    text: str = ""
    file: Attachment | None = None


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the model takes as it is, and whether the agent may read on with the tool."""

    images: bool
    pdf: bool
    reads_on: bool


@dataclass(frozen=True, slots=True)
class Material:
    """The abilities of the model and the extracted beginning of every file, by attachment id."""

    abilities: Abilities
    beginnings: Mapping[str, str]


def goes_native(attachment: Attachment, abilities: Abilities) -> bool:
    """Say whether the file goes to the model as it is."""
    if attachment.size > MOST_NATIVE_BYTES:
        return False
    if attachment.media_type == "application/pdf":
        # A file without readable text is worth sending as pictures; a long one is cheaper as text.
        return abilities.pdf and attachment.pages is not None and attachment.pages <= MOST_NATIVE_PAGES
    return abilities.images and attachment.media_type in NATIVE_IMAGES


def attachment_given(attachment: Attachment, material: Material) -> tuple[list[Given], str, int]:
    """Return the pieces for one file, the words that say how much of it goes along, and its likely tokens."""
    name, abilities = attachment.name, material.abilities
    if goes_native(attachment, abilities):
        marker = Given(as_data("The file follows.", kind="file", name=name, id=attachment.id))
        if attachment.media_type == "application/pdf":
            pages = attachment.pages or 1
            what = ngettext("all of its {count} page", "all {count} pages", pages).format(count=pages)
            return [marker, Given(file=attachment)], what, pages * PDF_PAGE
        return [marker, Given(file=attachment)], _("the whole image"), IMAGE
    text, total = material.beginnings.get(attachment.id, ""), attachment.characters or 0
    if attachment.state != "ready" or not text:
        reason = attachment.reason or _("this model cannot see it and it has no text")
        if attachment.state in ("pending", "reading"):
            reason = _("it is still being read")
        elif attachment.state == "arriving":
            reason = _("it has not arrived from another device yet")
        told = as_data(
            f"This file could not be given to you: {reason}", kind="file", name=name, id=attachment.id
        )
        return [Given(told)], _("not sent: {reason}").format(reason=reason), likely_tokens(told)
    if total <= len(text):
        told = as_data(text, kind="file", name=name, id=attachment.id, part="all of it, as text")
        return [Given(told)], _("all of it as text"), likely_tokens(told)
    part = f"characters 0 to {len(text)} of {total}, as text"
    what = _("first {shown} of {all} characters").format(shown=f"{len(text):,}", all=f"{total:,}")
    if abilities.reads_on:
        part += "; read on or search with read_attachment"
        what += " — " + _("read more with the tool")
    told = as_data(text, kind="file", name=name, id=attachment.id, part=part)
    return [Given(told)], what, likely_tokens(told)
