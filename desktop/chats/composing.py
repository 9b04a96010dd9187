"""What is typed in a conversation: kept as typed, accounted for, sent, queued, taken back."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog
from sqlalchemy.orm import Session as DatabaseSession

from agents.errors import AgentsError
from agents.estimate import Estimate
from agents.events import (
    AttachmentChanged,
    ConnectionsChanged,
    ConversationChanged,
    OfficePaused,
    OfficeResumed,
    RosterChanged,
    TrashChanged,
)
from desktop.chats.choices import Choices
from desktop.chats.inspector import Inspector
from desktop.chats.leaving import destination, parts_of
from desktop.chats.picturing import Pictures, png
from desktop.chats.projection import file_label
from desktop.composer.composer import Composer
from desktop.composer.draft_files import DraftFile
from desktop.faults import sentence_of
from desktop.session import Session
from desktop.wording import count, money
from memory import attachments, chats
from memory.attachments import Attachment
from memory.errors import NotFound, StorageError
from memory.roster import Agent
from resources.language import gettext as _

_SAVE_MILLISECONDS = 300
_PREVIEW_MILLISECONDS = 250


class Composing(QObject):
    """``begun`` carries a conversation that was made for what is typed, ``sent`` one that was sent to.

    ``refused`` carries the sentence that says why something was not taken, empty to clear it; ``closed`` the one
    that says why nothing is taken at all, and the id of a restricted conversation whose restriction would have to
    be lifted, both empty where the composer is open.
    """

    begun = Signal(str)
    sent = Signal(str)
    refused = Signal(str)
    closed = Signal(str, str)

    def __init__(
        self, session: Session, composer: Composer, inspector: Inspector, pictures: Pictures
    ) -> None:
        super().__init__(composer)
        self._session = session
        self.composer = composer
        self._inspector = inspector
        self._pictures = pictures
        self.choices = Choices(session, composer)
        self.conversation: chats.Conversation | None = None
        self._files: dict[str, Attachment] = {}
        self._editing, self._paused = "", False
        self._sending = False
        self._making = asyncio.Lock()
        self._previews = 0
        self._save_timer = QTimer(self, singleShot=True, interval=_SAVE_MILLISECONDS)
        self._save_timer.timeout.connect(lambda: self._spawn(self.save_draft(), "save a draft"))
        self._preview_timer = QTimer(self, singleShot=True, interval=_PREVIEW_MILLISECONDS)
        self._preview_timer.timeout.connect(lambda: self._spawn(self._preview(), "account for a message"))
        self._connect()

    async def show(self, conversation: chats.Conversation | None) -> None:
        """Show the draft of a conversation; None begins a new one."""
        self._editing = ""
        self.refused.emit("")
        draft = conversation.draft if conversation is not None else {}
        ids = tuple(draft.get("attachment_ids", ()))
        found = await self._session.office.database.read(attachments.attachments_of, ids) if ids else ()
        self.conversation = conversation  # with its text in one step: a saving between would mix two drafts
        self._show_closed()
        self._files = {file.id: file for file in found}
        self._spawn(self._show_pictures(), "show pictures")
        self._fill(str(draft.get("text", "")))
        self.composer.set_meter("")
        self._inspector.show_nothing_known()  # the former conversation's account is not this one's
        await self.choices.show(conversation)
        self._preview_timer.stop()
        self._spawn(self._preview(), "account for a message")

    def forget(self) -> None:
        """Drop the draft of a conversation that is gone, without saving it."""
        self._save_timer.stop()
        self.conversation, self._editing, self._files = None, "", {}
        self._fill("")
        self._show_closed()

    async def save_draft(self) -> None:
        """Put what is typed on disk; the first word of a new conversation makes its row."""
        self._save_timer.stop()
        text = self.composer.text()
        if self._editing or (self.conversation is None and not text.strip()):
            return
        conversation_id = await self._ensure()
        draft = {"text": text, "attachment_ids": list(self._files)} if text or self._files else {}
        await self._session.office.database.write(chats.set_draft, conversation_id, draft)

    def edit(self, message_id: str, text: str) -> None:
        """Let the owner write a message anew; sending makes a branch beside the old one."""
        self._editing = message_id
        self._fill(text)
        self.refused.emit(
            _("You are editing an earlier message; the old one stays as a branch. Esc cancels.")
        )
        self.composer.editor.setFocus()

    @property
    def editing(self) -> bool:
        """Say whether an earlier message is being edited."""
        return bool(self._editing)

    def cancel_edit(self) -> None:
        """Leave the earlier message as it is."""
        self._editing = ""
        self._fill("")
        self.refused.emit("")

    def address(self, agent: Agent) -> None:
        """Write an agent's name where the message begins."""
        self.composer.insert(f"@{agent.name} ")

    def attach(self, sources: list[Path | tuple[bytes, str]]) -> None:
        """Give files, or bytes with a name, to the draft."""
        self._spawn(self._attach(sources), "attach files")

    def _connect(self) -> None:
        composer, session = self.composer, self._session
        composer.draft_changed.connect(self._typed)
        composer.submitted.connect(lambda text: self._spawn(self._submit(text), "send a message"))
        composer.attach_requested.connect(self._choose_files)
        composer.files_dropped.connect(lambda names: self.attach([Path(name) for name in names]))
        composer.image_pasted.connect(lambda image: self.attach([(png(image), _("pasted image") + ".png")]))
        composer.long_paste.connect(lambda text: self.attach([(text.encode(), _("pasted text") + ".txt")]))
        composer.attachment_removed.connect(lambda each: self._spawn(self._detach(each), "remove a file"))
        self.choices.changed.connect(self._preview_timer.start)
        self.choices.stored.connect(self._remember_choices)
        session.on(AttachmentChanged, self._file_changed)
        session.on(ConversationChanged, self._conversation_changed)
        session.on(TrashChanged, lambda _event: self._preview_timer.start())
        session.on(OfficePaused, lambda _event: self._pause(True))
        session.on(OfficeResumed, lambda _event: self._pause(False))
        for kind in (ConnectionsChanged, RosterChanged):
            session.on(kind, lambda _event: self._spawn(self.choices.refresh(), "list agents and models"))

    def _pause(self, paused: bool) -> None:
        self._paused = paused
        self._show_closed()

    def _conversation_changed(self, event: ConversationChanged) -> None:
        if self.conversation is not None and event.conversation_id == self.conversation.id:
            self._spawn(self._read_restriction(event.conversation_id), "read whether a chat is restricted")

    async def _read_restriction(self, conversation_id: str) -> None:
        with suppress(NotFound):  # erased this very moment: its own event closes it
            found = await self._session.office.database.read(chats.conversation, conversation_id)
            if self.conversation is not None and self.conversation.id == conversation_id:
                if found.restricted != self.conversation.restricted:
                    self._preview_timer.start()
                self.conversation = replace(self.conversation, restricted=found.restricted)
                self._show_closed()

    def _show_closed(self) -> None:
        """Take nothing while the office waits, or in a restricted chat, and say why."""
        sentence, chat = "", ""
        if self._paused:
            sentence = _("The office waits a moment. What you wrote stays here.")
        elif self.conversation is not None and self.conversation.restricted:
            sentence = _("This chat is restricted: it stays as it is, and no agent is given it.")
            chat = self.conversation.id
        self.composer.set_closed(bool(sentence))
        self.closed.emit(sentence, chat)

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        self._session.spawn(work, name=name)

    def _fill(self, text: str) -> None:
        self.composer.blockSignals(True)
        self.composer.set_text(text)
        self.composer.blockSignals(False)
        self._show_files()

    def _typed(self) -> None:
        if not self._editing:
            self.refused.emit("")
            self._save_timer.start()
        self._preview_timer.start()

    async def _ensure(self) -> str:
        """Return the conversation's id, made now where there is none."""
        async with self._making:
            if self.conversation is None:
                self.conversation = await self._session.office.create_conversation(
                    agent_id=self.choices.agent_id or None
                )
                if self.choices.model or self.choices.effort or self.choices.connection_id:
                    self.conversation = await self._session.office.database.write(
                        chats.choose,
                        self.conversation.id,
                        connection_id=self.choices.connection_id,
                        model=self.choices.model,
                        effort=self.choices.effort,
                    )
                self.begun.emit(self.conversation.id)
                self._preview_timer.start()  # what was typed before had nothing to be accounted with
            return self.conversation.id

    async def _submit(self, text: str) -> None:
        if self._sending:
            return
        self._sending = True
        try:
            await self._send(text)
        except (AgentsError, StorageError) as error:
            self.refused.emit(sentence_of(error))
        finally:
            self._sending = False

    async def _send(self, text: str) -> None:
        office = self._session.office
        if self._editing:
            await office.edit(self._editing, text)
            self._editing = ""
        else:
            conversation_id = await self._ensure()
            self._save_timer.stop()
            await office.send(
                conversation_id,
                text,
                tuple(self._files),
                model=self.choices.model,
                effort=self.choices.effort,
                connection_id=self.choices.connection_id,
            )
        self._files = {}
        if self.composer.text() == text:
            self._fill("")
        self.refused.emit("")
        self._preview_timer.start()
        if self.conversation is not None:
            self.sent.emit(self.conversation.id)

    def _choose_files(self) -> None:
        dialog = QFileDialog(self.composer, _("Attach files"), str(Path.home()))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(lambda names: self.attach([Path(name) for name in names]))
        dialog.open()

    async def _attach(self, sources: list[Path | tuple[bytes, str]]) -> None:
        conversation_id = await self._ensure()
        for source in sources:
            content, name = (source, source.name) if isinstance(source, Path) else source
            try:
                file = await self._session.office.attach(conversation_id, content, name)
            except StorageError as error:
                self.refused.emit(sentence_of(error))
                continue
            if self.conversation is None or self.conversation.id != conversation_id:
                with suppress(NotFound):  # erased meanwhile
                    await self._session.office.database.write(_into_draft, conversation_id, file.id)
                continue  # its owner looks at another conversation by now
            self._files[file.id] = file
            self._show_files()
        await self.save_draft()
        self._preview_timer.start()

    async def _detach(self, attachment_id: str) -> None:
        self._files.pop(attachment_id, None)
        self._show_files()
        await self._session.office.files.remove(attachment_id)
        await self.save_draft()
        self._preview_timer.start()

    def _file_changed(self, event: AttachmentChanged) -> None:
        if event.attachment.id in self._files:
            self._files[event.attachment.id] = event.attachment
            self._show_files()
            self._spawn(self._show_pictures(), "show pictures")
            self._preview_timer.start()

    async def _show_pictures(self) -> None:
        """Show the pictures among the files as soon as they are known to be pictures."""
        for file in list(self._files.values()):
            if (
                file.kind == "image"
                and not self._pictures.known(file.id)
                and await self._pictures.small(file)
            ):
                self._show_files()

    def _show_files(self) -> None:
        self.composer.set_attachments(
            tuple(
                DraftFile(
                    file.id,
                    file_label(file),
                    failed=file.state == "failed",
                    image=file.kind == "image",
                    picture=self._pictures.known(file.id),
                )
                for file in self._files.values()
            )
        )

    def _remember_choices(self) -> None:
        if self.conversation is not None:
            self._spawn(self._store_choices(self.conversation.id), "keep agent, model and effort")

    async def _store_choices(self, conversation_id: str) -> None:
        self.conversation = await self._session.office.database.write(
            chats.choose,
            conversation_id,
            agent_id=self.choices.agent_id,
            connection_id=self.choices.connection_id,
            model=self.choices.model,
            effort=self.choices.effort,
        )

    async def _preview(self) -> None:
        self._previews += 1
        turn, conversation = self._previews, self.conversation
        if conversation is None:
            self.composer.set_meter("")
            self._inspector.show_nothing_leaves(_("Write a message to see what it would send, part by part."))
            return
        try:
            estimates = await self._session.office.preview(
                conversation.id,
                self.composer.text(),
                tuple(self._files),
                model=self.choices.model,
                connection_id=self.choices.connection_id,
            )
        except (AgentsError, StorageError) as error:
            if turn == self._previews:
                self.composer.set_meter("", sentence_of(error))
                self._inspector.show_nothing_leaves(sentence_of(error))
            return
        here = self.conversation is not None and conversation.id == self.conversation.id
        if here and turn == self._previews:  # else another account is on its way
            self._show_account(estimates)

    def _show_account(self, estimates: tuple[Estimate, ...]) -> None:
        leaving = [each for each in estimates if each.connection is not None]
        if not leaving:
            self.composer.set_meter(_("nothing leaves this machine") if estimates else "")
            self._inspector.show_nothing_leaves(_("Nothing: the librarian answers on this machine."))
            return
        costs = [each.cost for each in leaving]
        cost = None if None in costs else sum(each or 0 for each in costs)
        tokens = sum(each.tokens for each in leaving)
        words = _("{count} tokens · price unknown").format(count=count(tokens))
        if cost is not None:
            words = _("{count} tokens · about {cost}").format(count=count(tokens), cost=money(cost))
        self.composer.set_meter(words, _("What this message sends; the inspector lists each part (Ctrl+I)"))
        self._inspector.show_leaving(parts_of(leaving), destination(leaving), cost)


def _into_draft(session: DatabaseSession, conversation_id: str, attachment_id: str) -> None:
    draft = chats.conversation(session, conversation_id).draft
    ids = [*draft.get("attachment_ids", ()), attachment_id]
    chats.set_draft(session, conversation_id, {"text": draft.get("text", ""), "attachment_ids": ids})
