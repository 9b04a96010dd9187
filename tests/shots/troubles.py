"""What an owner also meets: refusals, cut streams, caps, files that cannot be read, pictures."""

import asyncio
from pathlib import Path

from agents.office import Office
from memory import attachments, chats
from tests.peers.aimock import Fixture
from vault.secret import Secret

LONG_FILE = "Протокол_заседания " * 4 + "— окончательный вариант 🏗️ (копия 2).txt"
_STREAM = {"ttft": 50, "tps": 40}


def trouble_fixtures(usage: dict[str, int]) -> list[Fixture]:
    """Return what the loopback provider answers to the questions below."""

    def refused(word: str, status: int, message: str, kind: str) -> Fixture:
        return {
            "match": {"userMessage": word},
            "response": {"error": {"message": message, "type": kind}, "status": status},
        }

    long_answer = (
        "The minutes say that the crane was moved in 1911, and that the quay was deepened after. " * 12
    )
    return [
        refused("ledger of zinc", 400, "Your credit balance is too low", "invalid_request_error"),
        {
            "match": {"userMessage": "minutes of yttrium"},
            "response": {"content": long_answer, "usage": usage},
            "chunkSize": 10,
            "streamingProfile": _STREAM,
            "disconnectAfterMs": 1500,
        },
    ]


async def add_troubles(office: Office, files: Path) -> None:
    """Make the chats; the last run is still at work on return, so that closing the office interrupts it."""
    await office.settings.change("recall.enabled", False)
    nowhere = await office.connections.add(
        "openai-compatible",
        Secret("loopback-test-nowhere-0002"),
        label="The server in the cellar, behind the second door on the left 🖥️",
        base_url="http://127.0.0.1:9/v1",
        model="llama3.3",
    )
    await _ask(office, "No credit", "@Analyst read the ledger of zinc")
    await _ask(office, "Cut off", "@Writer shorten the minutes of yttrium")
    offline = await office.create_conversation(title="Offline")
    await office.database.write(
        chats.choose, offline.id, connection_id=nowhere.id, model="llama3.3", agent_id=None
    )
    await _wait(office, offline.id, "@Lead is anybody there?")
    before = await office.settings.value("budget.run_cap")
    await office.settings.change("budget.run_cap", 10)
    await _ask(office, "Cap reached", "@Lead compare all of the tide tables")
    await office.settings.change("budget.run_cap", before)
    await _pictures(office, files)
    await _draft(office, files)
    interrupted = await office.create_conversation(title="Interrupted")
    await office.send(interrupted.id, "@Lead say this slowly")
    await asyncio.sleep(2.0)
    await office.settings.change("recall.enabled", True)


async def _pictures(office: Office, files: Path) -> None:
    conversation = await office.create_conversation(title="Photographs")
    given = [
        await office.attach(conversation.id, each)
        for each in (drawing(files / "crane.png", 1200, 800), drawing(files / "panorama.png", 2400, 300))
    ]
    await office.files.settled([file.id for file in given])
    await _wait(office, conversation.id, "@Writer what do these show?", [file.id for file in given])


async def _draft(office: Office, files: Path) -> None:
    conversation = await office.create_conversation(title="Half a thought")
    (files / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing more")
    (files / LONG_FILE).write_text("Решили: углубить причал.\n" * 40)
    names = ("crane.png", "broken.pdf", LONG_FILE, "survey-1907.pdf")
    given = [await office.attach(conversation.id, files / name) for name in names]
    await office.files.settled([file.id for file in given])
    found = await office.database.read(attachments.attachments, conversation.id)
    draft = {"text": "What do these have in common?", "attachment_ids": [file.id for file in found]}
    await office.database.write(chats.set_draft, conversation.id, draft)


async def _ask(office: Office, title: str, text: str) -> None:
    conversation = await office.create_conversation(title=title)
    await _wait(office, conversation.id, text)


async def _wait(office: Office, conversation_id: str, text: str, given: list[str] | None = None) -> None:
    sent = await office.send(conversation_id, text, given or [])
    await office.runs.wait([run.id for run in sent.runs])


def drawing(file: Path, width: int, height: int) -> Path:
    """Write a picture of a harbour crane under an evening sky."""
    from PySide6.QtCore import QPointF, QRectF
    from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPen

    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    sky = QLinearGradient(0, 0, 0, height)
    sky.setColorAt(0, QColor("#2f4a7c"))
    sky.setColorAt(0.7, QColor("#e8a66a"))
    sky.setColorAt(0.71, QColor("#24456b"))
    sky.setColorAt(1, QColor("#10243c"))
    painter.fillRect(image.rect(), sky)
    painter.setPen(QPen(QColor("#1a1a22"), height / 40))
    foot, top = QPointF(width * 0.4, height * 0.72), QPointF(width * 0.4, height * 0.2)
    painter.drawLine(foot, top)
    painter.drawLine(top, QPointF(width * 0.7, height * 0.12))
    painter.drawLine(QPointF(width * 0.66, height * 0.13), QPointF(width * 0.66, height * 0.5))
    painter.fillRect(QRectF(0, height * 0.7, width, height * 0.03), QColor("#1a1a22"))
    painter.end()
    image.save(str(file))
    return file
