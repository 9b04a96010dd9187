"""One field for a key: the provider is recognised where the key says it, else chosen; nothing is sent before."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from agents.connections.discovery import LocalServer
from agents.connections.errors import ProviderError
from agents.connections.presets import Preset, presets, recognised
from agents.events import ConnectionsChanged
from desktop.faults import sentence_of
from desktop.pages.check_steps import CheckSteps
from desktop.pages.folding import FlowLayout, FoldingRow
from desktop.pages.page import clear, label
from desktop.session import Session
from memory.accounts import Connection
from memory.errors import StorageError
from resources.language import gettext as _
from resources.language import ngettext
from vault.errors import VaultError
from vault.secret import Secret


class KeyForm(QWidget):
    """Keeps a key and checks it. ``added`` carries the connection's id once its row is there,
    ``checked`` whether a model answered."""

    added = Signal(str)
    checked = Signal(bool)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._chosen_by_owner = False
        self.key = QLineEdit()
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.setPlaceholderText(_("Paste a key"))
        self.key.setAccessibleName(_("Key of a provider"))
        self.key.textChanged.connect(self._recognise)
        self.key.returnPressed.connect(self._submit)
        self.provider = QComboBox()
        self.provider.setAccessibleName(_("Provider of the key"))
        self.provider.addItem(_("Choose the provider"), "")
        for preset in presets():
            if not preset.local:
                self.provider.addItem(preset.name, preset.id)
        self.provider.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.provider.activated.connect(self._choose)
        self.provider.currentIndexChanged.connect(self._show_address)
        self.address = QLineEdit()
        self.address.setPlaceholderText(_("Address of the server, as https://host/v1"))
        self.address.setAccessibleName(_("Address of the server"))
        self.address.returnPressed.connect(self._submit)
        self.name = QLineEdit()
        self.name.setPlaceholderText(_("Label, as “work” (may stay empty)"))
        self.name.setAccessibleName(_("Label of the key"))
        self.name.returnPressed.connect(self._submit)
        self.save = QPushButton(_("Save and check"))
        self.save.setProperty("kind", "primary")
        self.save.clicked.connect(self._submit)
        self.look_around = QPushButton(_("Look for a local server"))
        self.look_around.setToolTip(_("Asks the usual ports of this machine, and nothing else"))
        self.look_around.clicked.connect(
            lambda: session.spawn(self._discover(), name="look for local servers")
        )
        self.fault = label("", "danger", wrap=True)
        self.fault.hide()
        self.steps = CheckSteps()
        self.steps.hide()
        self.servers = QVBoxLayout()
        self._lay_out()
        self._show_address()
        self.setFocusProxy(self.key)

    def reset(self) -> None:
        """Empty the form."""
        for field in (self.key, self.address, self.name):
            field.clear()
        self._chosen_by_owner = False
        self.provider.setCurrentIndex(0)
        self.steps.hide()
        self._show_fault("")
        clear(self.servers)

    def _lay_out(self) -> None:
        place = self._session.office.vault.store.name
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.key)
        chosen = FoldingRow(420)
        chosen.row.addWidget(self.provider, 1)
        chosen.row.addWidget(self.name, 1)
        column.addWidget(chosen)
        column.addWidget(self.address)
        column.addWidget(
            label(
                _("Saved in {place}. It is sent to this provider only.").format(place=place),
                "small",
                wrap=True,
            )
        )
        column.addWidget(self.fault)
        buttons = FlowLayout()
        buttons.addWidget(self.save)
        buttons.addWidget(self.look_around)
        column.addLayout(buttons)
        column.addWidget(self.steps)
        column.addLayout(self.servers)

    def _preset(self) -> Preset | None:
        chosen = self.provider.currentData()
        return next((preset for preset in presets() if preset.id == chosen), None)

    def _recognise(self, text: str) -> None:
        known = recognised(text.strip())
        if known is not None:
            self.provider.setCurrentIndex(self.provider.findData(known.id))
        elif not self._chosen_by_owner:
            self.provider.setCurrentIndex(0)

    def _choose(self) -> None:
        self._chosen_by_owner = True

    def _show_address(self) -> None:
        preset = self._preset()
        asks = preset is not None and (not preset.base_url or "YOUR-" in preset.base_url)
        self.address.setVisible(asks)
        if asks and preset is not None and not self.address.text():
            self.address.setText(preset.base_url)

    def _show_fault(self, sentence: str) -> None:
        self.fault.setText(sentence)
        self.fault.setVisible(bool(sentence))

    def _submit(self) -> None:
        preset = self._preset()
        if not self.key.text().strip() and (preset is None or preset.base_url):
            self._show_fault(_("Paste a key first, or look for a server on this machine."))
            self.key.setFocus()
        elif preset is None:
            self._show_fault(_("Choose whose key this is, so that it is sent to nobody else."))
            self.provider.setFocus()
        elif self.address.isVisible() and not self.address.text().strip():
            self._show_fault(_("Type the address of the server."))
            self.address.setFocus()
        else:
            self._session.spawn(self._add(preset), name="add a key")

    async def _add(self, preset: Preset) -> None:
        self._show_fault("")
        self._busy(True)
        key, address = Secret(self.key.text().strip()), self.address.text().strip()
        try:
            connection = await self._session.office.connections.add(
                preset.kind,
                key,
                label=self.name.text().strip(),
                base_url=address if self.address.isVisible() else "",
                preset_id=preset.id,
            )
        except (ProviderError, VaultError, StorageError) as error:
            self._show_fault(sentence_of(error))
        else:
            self.key.clear()
            await self._check(connection)
        finally:
            self._busy(False)

    async def _check(self, connection: Connection) -> None:
        self.added.emit(connection.id)
        self._session.office.events.publish(ConnectionsChanged())
        self.steps.show()
        found = await self.steps.follow(self._session.office.connections.check(connection.id))
        self._session.office.events.publish(ConnectionsChanged())
        self.checked.emit(any(step.name == "model" and step.state == "passed" for step in found))

    async def _discover(self) -> None:
        self._show_fault("")
        self.look_around.setEnabled(False)
        clear(self.servers)
        try:
            servers = await self._session.office.connections.local_servers()
        finally:
            self.look_around.setEnabled(True)
        if not servers:
            self.servers.addWidget(
                label(
                    _(
                        "No model server answers on this machine. Start Ollama, LM Studio, llama.cpp, Jan or "
                        "vLLM, then look again."
                    ),
                    "dim",
                    wrap=True,
                )
            )
        for server in servers:
            self.servers.addLayout(self._server_row(server))

    def _server_row(self, server: LocalServer) -> QHBoxLayout:
        models = ngettext("{count} model", "{count} models", len(server.models)).format(
            count=len(server.models)
        )
        row = QHBoxLayout()
        row.addWidget(label(f"{server.preset.name} · {models} · {server.base_url}", wrap=True), 1)
        use = QPushButton(_("Use it"))
        use.setAccessibleName(_("Use {name}").format(name=server.preset.name))
        use.clicked.connect(lambda: self._session.spawn(self._use(server), name="add a local server"))
        row.addWidget(use, 0, Qt.AlignmentFlag.AlignTop)
        return row

    async def _use(self, server: LocalServer) -> None:
        self._busy(True)
        try:
            connection = await self._session.office.connections.add(
                server.preset.kind, None, base_url=server.base_url, preset_id=server.preset.id
            )
            clear(self.servers)
            await self._check(connection)
        finally:
            self._busy(False)

    def _busy(self, busy: bool) -> None:
        for widget in (self.key, self.provider, self.name, self.address, self.save, self.look_around):
            widget.setEnabled(not busy)
