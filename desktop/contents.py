"""What the window holds once its office is open: the chats, pages made when they are first wanted, keys."""

import importlib
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from desktop.chats.area import ChatsArea
from desktop.command_palette import Choice, CommandPalette
from desktop.rail import places
from desktop.session import Session
from desktop.shortcuts import ShortcutSheet, bind, shortcuts
from desktop.theme.appearance import ZOOM_STEPS, Scheme, appearance
from desktop.window import Window
from desktop.wording import moment
from memory.settings import declared
from resources.language import gettext as _

if TYPE_CHECKING:
    from desktop.alerts import Alerts
    from desktop.tray import Tray

# Imported when first wanted: the pages together take longer than the first paint.
_PAGES = {
    "team": ("desktop.pages.team", "TeamPage"),
    "outbox": ("desktop.pages.outbox", "OutboxPage"),
    "usage": ("desktop.pages.usage", "UsagePage"),
    "keys": ("desktop.pages.keys", "KeysPage"),
    "memory": ("desktop.pages.memory", "MemoryPage"),
    "privacy": ("desktop.pages.privacy.page", "PrivacyPage"),
    "sync": ("desktop.pages.sync.page", "SyncPage"),
    "settings": ("desktop.pages.settings", "SettingsPage"),
}


class Contents:
    """Fills the window and carries out its commands."""

    def __init__(self, window: Window) -> None:
        self._window = window
        area = window.page("chats")
        assert isinstance(area, ChatsArea)
        self.area = area
        self._session: Session | None = None

    async def fill(self, session: Session) -> None:
        """Build what is seen first and show the chat that was open last."""
        from agents.events import AppUnlocked, RunChanged, SyncChanged
        from desktop.chats.listing import Listing
        from desktop.chats.page import ChatPage
        from desktop.locking import Locking

        self._session = session
        await session.preferences.read()
        self.locking = Locking(session)
        await session.office.app_lock.begin()
        self.listing = Listing(session, self.area.list)
        self.chat = ChatPage(session, self.area)
        self._window.notices.stand_above(self.chat.place)
        self.palette = CommandPalette(self._window)
        self.palette.closed.connect(self._give_focus_back)
        session.on(
            AppUnlocked, lambda _event: self._give_focus_back()
        )  # after the locking took its card away
        session.on(RunChanged, lambda event: self.alerts.hear(event.run))
        session.on(SyncChanged, lambda _event: self._tell_of_sync(session))
        session.at_end(self._take_tray_away)
        self._bound = bind(self._window, self.command)
        self.locking.guard(self._bound, (self.palette, self.sheet))
        self._connect(session)
        await self.listing.read()
        await self.chat.open_first(self.listing.entries)
        self._tell_of_going_back(session)

    @cached_property
    def sheet(self) -> ShortcutSheet:
        """The list of keys, made when it is first wanted."""
        sheet = ShortcutSheet(self._window)
        sheet.closed.connect(self._give_focus_back)
        return sheet

    @cached_property
    def tray(self) -> "Tray":
        """Return the icon among the system's own; like the alerts, nothing is read of it before the first run."""
        from desktop.tray import Tray

        tray = Tray(self._window)
        tray.pressed.connect(lambda: self.alerts.open())
        return tray

    @cached_property
    def alerts(self) -> "Alerts":
        """Return who tells the owner who looks elsewhere how runs ended."""
        from desktop.alerts import Alerts

        assert self._session is not None
        return Alerts(self._session, self.tray)

    async def _take_tray_away(self) -> None:
        if "tray" in self.__dict__:
            self.tray.hide()

    def _tell_of_going_back(self, session: Session) -> None:
        """Say what became of a backup that this start was to go back to."""
        back = session.office.went_back
        if back is None:
            return
        if back.failure:
            session.fail(_("Bureau did not go back to the backup: {reason}").format(reason=back.failure))
        else:
            session.notify(_("The office is as it was: {when}.").format(when=moment(back.made_at)))

    def _tell_of_sync(self, session: Session) -> None:
        """Say at the rail, for whoever looks at another page, that sync does not go well or waits for its owner."""
        standing = session.office.sync_rounds.standing
        text = ""
        if standing.phase == "stopped" or (standing.last is not None and standing.last.waits_for_owner):
            text = _("waits for you")
        elif standing.phase == "failed":
            text = _("the last round did not go well")
        self._window.rail.set_badge("sync", text)

    def _connect(self, session: Session) -> None:
        self._window.page_wanted.connect(self.show_page)
        session.page_wanted.connect(self.show_page)
        session.chat_wanted.connect(self._open_chat)
        session.save_wanted.connect(self.chat.save_as)
        session.note_wanted.connect(self._show_note)
        session.privacy_wanted.connect(self._show_privacy)
        session.setting_wanted.connect(self._show_setting)
        self.area.list.opened.connect(lambda conversation_id: self._open_chat(conversation_id, ""))
        self.area.list.notes.chosen.connect(self._show_note)
        self.area.list.new_wanted.connect(self.chat.begin_new)
        self.chat.shown.connect(self.area.list.mark)

    def show_page(self, name: str) -> QWidget:
        """Show a page of the rail, made now where it was never wanted before."""
        assert self._session is not None
        if name != "chats" and self._window.page(name) is None:
            module, kind = _PAGES[name]
            self._window.add_page(name, getattr(importlib.import_module(module), kind)(self._session))
        self._window.show_page(name)
        page = self._window.page(name)
        assert page is not None
        if name == "chats":
            self.chat.focus_composer()
        else:
            page.setFocus()
        return page

    def command(self, name: str) -> None:
        """Carry out what a key or the palette asks for; see ``desktop.shortcuts`` for the names."""
        word, _space, number = name.partition(" ")
        if word == "chat":
            self._open_place(int(number) - 1)
        elif word == "page":
            self.show_page(places()[int(number) - 1].name)
        else:
            self._commands()[name]()

    def _commands(self) -> dict[str, Callable[[], object]]:
        return {
            "palette": self.open_palette,
            "new": self._new,
            "find": self._find,
            "search": self._search,
            "next": lambda: self._step(1),
            "previous": lambda: self._step(-1),
            "inspector": self.area.toggle_inspector,
            "settings": lambda: self.show_page("settings"),
            "larger": lambda: self._zoom(1),
            "smaller": lambda: self._zoom(-1),
            "normal": lambda: self._zoom(0),
            "lock": self.locking.lock,
            "quit": self._window.closing.emit,
            "sheet": lambda: self.sheet.toggle(),
        }

    def open_palette(self) -> None:
        """Open the palette over everything that can be gone to or done."""
        if self._session is not None:
            self._session.spawn(self._open_palette(), name="open the palette")

    async def _open_palette(self) -> None:
        assert self._session is not None
        team = await self._session.office.roster.all()
        choices = [*self._chat_choices(), *self._page_choices(), *self._command_choices()]
        choices += [
            Choice("team", agent.name, _("agent"), partial(self.chat.address, agent), words=agent.role)
            for agent in team
        ]
        choices += [
            Choice(
                "settings",
                setting.title,
                _("setting"),
                partial(self._show_setting, setting.key),
                words=setting.sentence,
            )
            for setting in declared()
            if setting.kind != "state"
        ]
        self.palette.open_with(choices, everywhere=self._search)

    def _chat_choices(self) -> list[Choice]:
        from desktop.chats.list_model import title_of

        return [
            Choice("chat", title_of(entry), _("chat"), partial(self._open_chat, entry.id, ""))
            for entry in self.listing.entries
        ]

    def _page_choices(self) -> list[Choice]:
        return [
            Choice(
                place.icon,
                place.title,
                _("page"),
                partial(self.show_page, place.name),
                f"Alt+{number}",
            )
            for number, place in enumerate(places(), 1)
        ]

    def _command_choices(self) -> list[Choice]:
        commands = self._commands()
        bound = [
            Choice("command", each.sentence, _("command"), commands[each.command], each.shown)
            for each in shortcuts()
            if each.command and each.command not in ("palette", "settings")
        ]
        looks = [
            Choice("moon", _("Dark look"), _("command"), lambda: self._set_scheme(Scheme.DARK)),
            Choice("sun", _("Light look"), _("command"), lambda: self._set_scheme(Scheme.LIGHT)),
            Choice("archive", _("Archived chats"), _("command"), lambda: self._list_view("archived")),
            Choice("trash", _("Trash"), _("command"), lambda: self._list_view("trash")),
        ]
        return bound + looks

    def _list_view(self, view: str) -> None:
        self.show_page("chats")
        self.area.show_list()
        self.area.list.view_wanted.emit(view)

    def _set_scheme(self, scheme: Scheme) -> None:
        assert self._session is not None
        change = self._session.preferences.change("appearance.theme", str(scheme))
        self._session.spawn(change, name="change the look")

    def _zoom(self, step: int) -> None:
        """Go one step up or down, 0 back to the normal size; the setting keeps within its bounds."""
        assert self._session is not None
        zoom = appearance().look.zoom
        nearest = min(range(len(ZOOM_STEPS)), key=lambda place: abs(ZOOM_STEPS[place] - zoom))
        wanted = ZOOM_STEPS[max(0, min(len(ZOOM_STEPS) - 1, nearest + step))] if step else 1.0
        percent = max(75, min(200, round(wanted * 100)))
        change = self._session.preferences.change("appearance.text_zoom", percent)
        self._session.spawn(change, name="change the text size")

    def _show_setting(self, key: str) -> None:
        from desktop.pages.settings import SettingsPage

        page = self.show_page("settings")
        if isinstance(page, SettingsPage):
            page.focus_setting(key)

    def _show_note(self, text: str) -> None:
        from desktop.pages.memory import MemoryPage

        page = self.show_page("memory")
        if isinstance(page, MemoryPage):
            page.show_found(text)

    def _show_privacy(self, part: str, report_id: str) -> None:
        from desktop.pages.privacy.erase import ErasePart
        from desktop.pages.privacy.page import PrivacyPage

        page = self.show_page("privacy")
        assert isinstance(page, PrivacyPage) and self._session is not None
        shown = page.show_part(part)
        if report_id and isinstance(shown, ErasePart):
            self._session.spawn(shown.show_report(report_id), name="read an erase report")

    def _open_chat(self, conversation_id: str, message_id: str) -> None:
        self._window.show_page("chats")
        self.area.show_list(False)
        self.chat.open(conversation_id, message_id)

    def _open_place(self, place: int) -> None:
        if place < len(self.listing.entries):
            self._open_chat(self.listing.entries[place].id, "")

    def _step(self, step: int) -> None:
        following = self.listing.after(self.chat.conversation_id, step)
        if following:
            self._open_chat(following, "")

    def _new(self) -> None:
        self._window.show_page("chats")
        self.area.show_list(False)
        self.chat.begin_new()

    def _find(self) -> None:
        if self._window.current_page == "chats":
            self.chat.open_find()

    def _search(self, text: str = "") -> None:
        self._window.show_page("chats")
        self.area.show_list()
        self.area.list.search.setFocus()
        if text:
            self.area.list.search.setText(text)
        else:
            self.area.list.search.selectAll()

    def _give_focus_back(self) -> None:
        if self._window.current_page == "chats":
            self.chat.focus_composer()
