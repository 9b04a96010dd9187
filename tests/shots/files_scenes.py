"""The scenes of files between devices: one that arrives in a chat, and what the Sync page says of it."""

import os
from collections.abc import Awaitable, Callable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from agents.events import AttachmentChanged
from desktop.pages.sync.page import SyncPage
from memory import attachments
from memory.identifiers import new_id
from memory.tables import AttachmentTable, SyncTransferTable
from tests.shots.camera import Camera, Scene


def files_scenes(at_rest: Callable[[Camera], Awaitable[SyncPage]]) -> dict[str, Scene]:
    """Return the scenes in their order; ``at_rest`` shows the page of an office that syncs."""

    async def on_the_page(camera: Camera) -> None:
        page = await at_rest(camera)
        await camera.office.database.write(_let_arrive)
        await page._load()

    async def in_the_chat(camera: Camera) -> None:
        if not await camera.office.database.read(attachments.attachments_in_state, "arriving"):
            await at_rest(camera)
            await camera.office.database.write(_let_arrive)
        await _chat(camera)

    return {"sync-files": on_the_page, "chat-arriving": in_the_chat}


async def _chat(camera: Camera) -> None:
    page = await camera.chat("Harbour")
    for file in await camera.office.database.read(attachments.attachments_in_state, "arriving"):
        camera.office.events.publish(AttachmentChanged(file))
    await camera.settle(0.3)
    page.view.verticalScrollBar().setValue(0)


def _let_arrive(session: Session) -> None:
    """Let the office look as if its files were known and not here, for the disk is full."""
    files = select(AttachmentTable.id).where(
        AttachmentTable.content.is_not(None), AttachmentTable.state != "arriving"
    )
    for file_id in session.scalars(files).all():
        session.execute(
            update(AttachmentTable)
            .where(AttachmentTable.id == file_id)
            .values(blob_id=None, state="arriving", kind="", pages=None)
        )
        session.add(
            SyncTransferTable(
                attachment_id=file_id, arrives=True, key=os.urandom(32), blob_id=new_id(), content_id=new_id(),
                addresses=b"", pieces=0, fault="disk_full",
            )
        )  # fmt: skip
