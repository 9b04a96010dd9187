"""The window's start: nothing slow is imported before the first paint."""

import gc
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from desktop import first_look, timing
from desktop.vault_ahead import VaultAhead, passphrase_in
from memory.locations import Locations
from resources.language import chosen_language
from vault.hardening import forbid_core_dumps
from vault.redaction import install

if TYPE_CHECKING:
    from desktop.lifecycle import Lifecycle

_PAINT_GUARD_MILLISECONDS = 400
_SWITCH_INTERVAL_SECONDS = 0.001


def run(
    locations: Locations,
    passphrase_file: Path | None = None,
    beside: "Callable[[Lifecycle], Coroutine[Any, Any, None]] | None" = None,
) -> int:
    """Open the window of an office and return its exit code when it is closed.

    ``passphrase_file`` opens, or creates, an office that is protected by a passphrase instead of a keyring.
    ``beside`` is work that drives the open window: pictures and benchmarks of the real start.
    """
    os.environ["QT_API"] = "pyside6"  # qasync takes whichever Qt it finds first
    # Busy Python threads hold the GUI thread up by a whole interval each.
    sys.setswitchinterval(_SWITCH_INTERVAL_SECONDS)
    gc.disable()  # nothing that start makes is garbage; the collector of the window takes over
    forbid_core_dumps()
    install()
    # It reads the table of modules while it begins, and ends the process where another thread imports meanwhile.
    import shiboken6  # noqa: F401  # begun before the vault's thread

    vault = VaultAhead(locations, lambda: passphrase_in(passphrase_file) if passphrase_file else None)

    from PySide6.QtCore import QCoreApplication, QEventLoop, QLibraryInfo, QTimer, QTranslator
    from PySide6.QtWidgets import QApplication

    from desktop.chats.area import ChatsArea
    from desktop.theme.appearance import Scheme, appearance
    from desktop.window import Window

    known = QCoreApplication.instance()
    app = known if isinstance(known, QApplication) else QApplication(["bureau"])
    app.setApplicationName("bureau")
    app.setApplicationDisplayName("Bureau")
    app.setDesktopFileName("bureau")
    app.setQuitOnLastWindowClosed(False)
    # Qt's own words, as those of its menus in text fields.
    words = QTranslator(app)
    if words.load(
        f"qtbase_{chosen_language()}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    ):
        app.installTranslator(words)
    first = first_look.read(locations)
    appearance().language = first.language
    scheme = Scheme(first.scheme) if first.scheme in list(Scheme) else Scheme.SYSTEM
    appearance().apply(app, scheme, first.zoom, first.reduced_motion)

    window = Window(first)
    window.add_page("chats", ChatsArea())
    window.show_page("chats")
    seen: list[bool] = []
    window.once_painted(lambda: seen.append(True))
    window.once_painted(lambda: timing.mark("first-paint"))
    window.show()
    guard = QTimer()
    guard.setSingleShot(True)
    guard.start(_PAINT_GUARD_MILLISECONDS)
    while not seen and guard.isActive():
        app.processEvents(
            QEventLoop.ProcessEventsFlag.AllEvents | QEventLoop.ProcessEventsFlag.WaitForMoreEvents
        )

    from desktop.lifecycle import Lifecycle

    return Lifecycle(app, window, locations, passphrase_file, vault).run(beside)
