"""The scenes of the Privacy page."""

from pathlib import Path

from agents.lifecycle.recipients import recipients
from desktop.chats.hidden_messages import show_hidden
from desktop.pages.page import Page
from desktop.pages.privacy.asking import ask_to_erase
from desktop.pages.privacy.backups import BackupPart
from desktop.pages.privacy.diagnostics import DiagnosticsPart
from desktop.pages.privacy.doing import ask_marks
from desktop.pages.privacy.erase import ErasePart
from desktop.pages.privacy.exporting import ExportPart
from desktop.pages.privacy.importing import ImportPart
from desktop.pages.privacy.page import PrivacyPage, parts
from desktop.pages.privacy.retention import RetentionPart
from memory import consents, notes
from memory.lifecycle.reports import reports
from memory.lifecycle.subjects import Subject
from memory.transfer.watching import Watch
from resources.language import gettext, ngettext
from tests.memory.transfer import foreign_archives
from tests.shots import PASSPHRASE
from tests.shots.camera import Camera, Scene, press

_SEALED, _OPEN = "moved.aofx", "bureau-open.aofx"


def privacy_empty_scenes() -> dict[str, Scene]:
    """Return the parts of an office in which nothing has happened."""
    return {f"privacy-{part.name}-empty": _part(part.name) for part in parts()}


def privacy_scenes() -> dict[str, Scene]:
    """Return the scenes in their order; each sets up what it shows."""
    return {
        "privacy-data": _part("data"),
        "privacy-receivers": _receivers,
        "privacy-purposes": _purposes,
        "privacy-backups": _backups,
        "privacy-backups-ready": _backup_ready,
        "privacy-diagnostics": _diagnostics,
        "privacy-lock": _part("lock"),
        "privacy-trash": _trash,
        "privacy-marks": _marks,
        "privacy-export": _export,
        "privacy-export-locked": _export_locked,
        "privacy-export-done": _exported,
        "privacy-export-verified": _verified,
        "privacy-erase-asking": _asking,
        "privacy-erase-many": _many,
        "privacy-erase-locked": _asking_locked,
        "privacy-erase-key": _erase_key,
        "privacy-report": _report,
        "privacy-erase": _erase,
        "privacy-retention": _retention,
        "privacy-retention-list": _leaving,
        "privacy-import": _part("import"),
        "privacy-import-working": _importing,
        "privacy-import-preview": _preview,
        "privacy-import-fault": _not_an_export,
        "privacy-import-locked": _own_locked,
        "privacy-import-own": _own_preview,
        "chat-not-shown": _not_shown,
        "privacy-audit": _part("audit"),
    }


async def show(camera: Camera, name: str) -> Page:
    """Show a part anew and wait until it was read."""
    await camera.opened()
    camera.forget("privacy")
    page = camera.contents.show_page("privacy")
    assert isinstance(page, PrivacyPage)
    part = page.show_part(name)
    await part._load()
    await camera.still()
    return part


async def _subject(camera: Camera, title: str) -> tuple[Subject, str]:
    """Return a conversation by words of its title, and the title."""
    entry = await camera.entry(title)
    return Subject("conversation", entry.id), entry.title


def _part(name: str) -> Scene:
    async def act(camera: Camera) -> None:
        await show(camera, name)

    return act


async def _trash(camera: Camera) -> None:
    office = camera.office
    await camera.contents.listing.read()
    entries = camera.contents.listing.entries
    thrown = [entry for entry in entries if "Bread" in entry.title or "so long" in entry.title]
    kept = (await office.database.read(notes.notes))[-1]
    subjects = [Subject("conversation", entry.id) for entry in thrown] + [Subject("note", kept.id)]
    subjects.append(Subject("agent", (await office.roster.all())[-1].id))
    await office.keeping.put_away(subjects)
    await office.keeping.hold(subjects[0], held=True)
    await show(camera, "trash")


async def _receivers(camera: Camera) -> None:
    found = await camera.office.database.read(recipients)
    await camera.office.database.write(consents.withdraw, found[-1].host)
    await show(camera, "receivers")


async def _purposes(camera: Camera) -> None:
    writer = next(one for one in await camera.office.roster.all() if one.name == "Writer")
    await camera.office.database.write(notes.add_note, "Letters end with “Yours”.", agent_id=writer.id)
    await camera.office.keeping.switch("memory", writer.id, on=False)
    await camera.office.keeping.switch("usage", "", on=False)
    await show(camera, "purposes")


async def _backup_part(camera: Camera) -> BackupPart:
    part = await show(camera, "backups")
    assert isinstance(part, BackupPart)
    return part


async def _backups(camera: Camera) -> None:
    part = await _backup_part(camera)
    away = camera.folder / "A disk that is not always here"
    away.mkdir()
    await part.put_into(None)
    await camera.office.backups.make()
    await part.put_into(away)
    await camera.office.backups.make("schedule")
    away.rename(camera.folder / "away")
    await part._load()


async def _backup_ready(camera: Camera) -> None:
    backups = camera.office.backups
    await backups.choose_folder(None)
    part = await _backup_part(camera)
    await part._go_back(await backups.make())


async def _diagnostics(camera: Camera) -> None:
    await camera.office.backups.call_off_restore()
    shown = await show(camera, "diagnostics")
    assert isinstance(shown, DiagnosticsPart)
    await shown.preview()


async def _marks(camera: Camera) -> None:
    subject, title = await _subject(camera, "Harbour")
    camera.lying_over = await ask_marks(camera.contents.chat.session, subject, title)


async def _export_part(camera: Camera) -> ExportPart:
    part = await show(camera, "export")
    assert isinstance(part, ExportPart)
    return part


async def _export(camera: Camera) -> None:
    part = await _export_part(camera)
    _protect(part)
    part._choose_categories.setChecked(True)


def _protect(part: ExportPart) -> None:
    part.passphrase.setText(PASSPHRASE)
    part.repeat.setText(PASSPHRASE)


async def _export_locked(camera: Camera) -> None:
    part = await _export_part(camera)
    _protect(part)
    part.since.setCurrentIndex(3)
    part.embeddings.setChecked(True)
    camera.office.app_lock._given_at = None
    press(part, "Export…")
    await camera.until(part.owner.isVisible, "the question for the passphrase")


async def _asking_locked(camera: Camera) -> None:
    subject, title = await _subject(camera, "Harbour")
    session = camera.contents.chat.session
    asking = await ask_to_erase(session, (subject,), title)
    camera.office.app_lock._given_at = None
    asking.owner.field.setText("wrong horse")
    asking._begin()
    await camera.until(asking.owner.fault.isVisible, "the refusal")
    camera.lying_over = asking


async def _erase_key(camera: Camera) -> None:
    part = await show(camera, "erase")
    assert isinstance(part, ErasePart)
    part.kind.setCurrentIndex(2)
    await camera.settle()
    one = (await camera.office.connections.all())[0]
    camera.lying_over = await ask_to_erase(part.session, (Subject("connection", one.id),), one.label)


async def _not_shown(camera: Camera) -> None:
    found = foreign_archives.branched(40)
    archive = foreign_archives.zipped(camera.folder / "hidden.zip", {"conversations.json": [found]})
    await camera.office.imports.bring_in(archive, Watch())
    await camera.contents.listing.read()
    entry = next(each for each in camera.contents.listing.entries if each.imported)
    camera.contents.show_page("chats")
    camera.lying_over = await show_hidden(camera.contents.chat.session, entry.id, entry.title)


async def _exported(camera: Camera) -> None:
    for earlier in camera.folder.glob("*.aofx"):
        earlier.unlink()
    part = await _export_part(camera)
    _protect(part)
    part.owner.field.setText(PASSPHRASE)
    assert await part.owner.passed()
    await part._export(camera.folder / "bureau-2026-11-22.aofx")
    part.passphrase.clear()
    part.repeat.clear()
    await part._export(camera.folder / _OPEN)
    (camera.folder / "bureau-2026-11-22.aofx").rename(camera.folder / _SEALED)
    await part._load()


async def _written(camera: Camera, name: str) -> Path:
    """Return an export by its name, made now where there is none."""
    path = camera.folder / name
    if not path.exists():
        await _exported(camera)
    return path


async def _verified(camera: Camera) -> None:
    sealed = await _written(camera, _SEALED)
    part = await _export_part(camera)
    part.verify.look(sealed, PASSPHRASE)
    await camera.until(lambda: part.verify._result.count(), "the result")


async def _own_locked(camera: Camera) -> None:
    sealed = await _written(camera, _SEALED)
    part = await _import_part(camera)
    part.look(sealed)
    await camera.until(part.result.isVisible, "the question for the passphrase")


async def _own_preview(camera: Camera) -> None:
    unsealed = await _written(camera, _OPEN)
    part = await _import_part(camera)
    part.look(unsealed)
    await camera.until(lambda: part.result.accessibleName().endswith(_OPEN), "the preview")


async def _asking(camera: Camera) -> None:
    subject, title = await _subject(camera, "Harbour")
    session = camera.contents.chat.session
    camera.lying_over = await ask_to_erase(session, (subject,), title)


async def _many(camera: Camera) -> None:
    from memory.errors import ManyAtOnce

    subject, _title = await _subject(camera, "Harbour")
    session = camera.contents.chat.session
    asking = await ask_to_erase(session, (subject,), "214 things in the trash")
    asking._ask_number(ManyAtOnce(214))
    camera.lying_over = asking


async def _report(camera: Camera) -> None:
    erased = await _erase_letter(camera)
    part = await show(camera, "erase")
    assert isinstance(part, ErasePart)
    await part.show_report(erased)


async def _erase(camera: Camera) -> None:
    await _erase_letter(camera)
    await show(camera, "erase")


async def _erase_letter(camera: Camera) -> str:
    """Erase a chat where nothing was erased yet; the id of its report is returned."""
    office = camera.office
    made = await office.database.read(reports)
    if made:
        return made[0].id
    subject, _title = await _subject(camera, "Letter")
    report = await office.erasing.erase([subject])
    await office.erasing.proved(report.id)
    return report.id


async def _retention(camera: Camera) -> None:
    keeping = camera.office.keeping
    await keeping.set_rule("category", "conversations", 30)
    await keeping.set_rule("agent", (await camera.office.roster.all())[0].id, 7)
    await keeping.set_rule("file_type", "pdf", None)
    note = (await camera.office.database.read(notes.notes))[0]
    await keeping.restrict(Subject("note", note.id), restricted=True)
    await show(camera, "retention")


async def _leaving(camera: Camera) -> None:
    await _retention(camera)
    part = await show(camera, "retention")
    assert isinstance(part, RetentionPart)
    part.leaving.see.setChecked(True)


async def _import_part(camera: Camera) -> ImportPart:
    part = await show(camera, "import")
    assert isinstance(part, ImportPart)
    return part


async def _importing(camera: Camera) -> None:
    part = await _import_part(camera)
    part.begin.hide()
    part.working.begin(gettext("Bringing in {file} …").format(file="chatgpt-export-2026-11-12.zip"))
    part.working.progress(370, 1000)


async def _preview(camera: Camera) -> None:
    part = await _import_part(camera)
    found = [foreign_archives.branched(number) for number in range(12)]
    archive = foreign_archives.zipped(
        camera.folder / "chatgpt-export-2026-11-12.zip", {"conversations.json": [*found, {"broken": 1}]}
    )
    part.look(archive)
    await camera.until(part.result.isVisible, "what the archive holds")
    words = ngettext("{count} thing could not come in", "{count} things could not come in", 1)
    press(part.result, words.format(count=1))


async def _not_an_export(camera: Camera) -> None:
    part = await _import_part(camera)
    file = camera.folder / "holiday.zip"
    foreign_archives.zipped(file, {"picture.png": foreign_archives.PICTURE})
    part.look(file)
    await camera.until(part.fault.isVisible, "why it cannot come in")
