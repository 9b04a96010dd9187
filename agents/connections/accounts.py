"""Provider accounts as the rest of the office uses them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy.orm import Session

from agents.connections import catalogue, check, discovery, models, prices
from agents.connections.addresses import is_private, normalised, proxy_for
from agents.connections.check import STEPS
from agents.connections.clients import Pools, http_client
from agents.connections.errors import KeyMissing, ModelUnknown, ProviderError
from agents.connections.failures import explain
from agents.connections.naming import spoken
from agents.connections.presets import ConnectionKind, Preset, preset, preset_of
from agents.connections.sending import Credential, Sending
from agents.loading import load_provider
from memory import accounts, audit, ledger, settings
from memory.accounts import Connection
from memory.database import Database
from memory.identifiers import new_id
from resources.language import gettext as _
from vault.errors import KeyNotFound
from vault.office_keys import Vault
from vault.secret import Secret

if TYPE_CHECKING:
    import httpx2
    from pydantic_ai.models import Model
    from pydantic_ai.usage import RequestUsage


class Connections:
    """The office's provider accounts: rows in the database, keys in the vault, clients made when needed."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault
        self._pools = Pools()

    async def all(self) -> tuple[Connection, ...]:
        """Return every connection, the default one first."""
        return await self._database.read(accounts.connections)

    async def connection(self, identity: str) -> Connection:
        """Return one connection. Raises memory.errors.NotFound."""
        return await self._database.read(accounts.connection, identity)

    async def add(
        self,
        kind: ConnectionKind,
        key: Secret | None,
        *,
        label: str = "",
        base_url: str = "",
        model: str = "",
        preset_id: str = "",
    ) -> Connection:
        """Keep a key and the row of its connection; nothing is sent. Raises ProviderError or VaultError."""
        chosen = preset(preset_id) if preset_id else None
        address = normalised(kind, base_url or (chosen or preset(_first(kind))).base_url)
        key = _usable(key, address)
        server = _server(chosen, kind, address, key)
        identity = new_id()
        name = label or (chosen or server).name
        if key is not None:
            await asyncio.to_thread(self._vault.write_key, identity, key, name)
        try:
            return await self._database.write(
                _add,
                connection_id=identity,
                kind=kind,
                preset=server.id,
                label=name,
                base_url=address,
                default_model=model,
                mask=key.mask() if key else "",
                fingerprint=self._vault.fingerprint(key) if key else "",
            )
        except BaseException:
            if key is not None:
                await asyncio.to_thread(self._vault.delete_key, identity)
            raise

    async def change(self, identity: str, **fields: Any) -> Connection:
        """Change label, base_url, default_model, proxy or price_overrides of a connection."""
        if "base_url" in fields:
            before = await self.connection(identity)
            fields["base_url"] = normalised(before.kind, fields["base_url"])
            if not (before.preset and preset(before.preset).local):
                fields["preset"] = preset_of(before.kind, fields["base_url"]).id
        return await self._database.write(accounts.update_connection, identity, **fields)

    async def rotate(self, identity: str, key: Secret) -> AsyncIterator[check.Step]:
        """Check the new key, and only if the provider accepts it put it in the place of the old one."""
        connection = await self.connection(identity)
        fresh = _usable(key, connection.base_url)
        proxy = await self._proxy(connection)
        trial = check.KeyCheck(
            connection,
            lambda purpose: self._client(connection, proxy, Sending(purpose, identity), trial=fresh),
            self._booking(connection),
        )
        accepted = False
        async for step in trial.steps():
            accepted = accepted or (step.name == "key" and step.state == "passed")
            yield step
        if accepted and fresh is not None:
            await asyncio.to_thread(self._vault.write_key, identity, fresh, connection.label)
            await self._database.write(_rotate, identity, fresh.mask(), self._vault.fingerprint(fresh))

    async def make_default(self, identity: str) -> None:
        """Let agents and chats that name no connection use this one. Raises NotFound."""
        await self._database.write(accounts.reorder_connections, [identity])

    async def remove(self, identity: str) -> None:
        """Destroy the key at once, then the row; history keeps the fingerprint only."""
        await asyncio.to_thread(self._vault.delete_key, identity)
        await self._database.write(_remove, identity)

    async def forget_key(self, identity: str) -> None:
        """Destroy the key of a connection whose row was erased. Raises VaultError."""
        await asyncio.to_thread(self._vault.delete_key, identity)

    async def check(self, identity: str) -> AsyncIterator[check.Step]:
        """Run the five steps, yielding each as it is known, and store results and time."""
        connection = await self.connection(identity)
        proxy = await self._proxy(connection)
        trial = check.KeyCheck(
            connection,
            lambda purpose: self._client(connection, proxy, Sending(purpose, identity)),
            self._booking(connection),
        )
        steps: list[check.Step] = []
        async for step in trial.steps():
            steps.append(step)
            yield step
        result = {"model": trial.model, "steps": [step.as_row() for step in steps]}
        await self._database.write(accounts.record_check, identity, result)
        await self._database.write(accounts.set_models, identity, trial.models)
        if trial.model and steps[STEPS.index("model")].state == "passed":
            await self.change(identity, default_model=trial.model)

    async def refresh_models(self, identity: str) -> tuple[dict[str, Any], ...]:
        """Ask the provider for its models and keep the list. Raises ProviderError."""
        connection = await self.connection(identity)
        await asyncio.to_thread(load_provider, connection.kind)
        http = self._client(connection, await self._proxy(connection), Sending("models", identity))
        try:
            rows = await catalogue.listed_models(connection, http)
        except Exception as error:
            raise explain(error, connection, connection.default_model) from error
        await self._database.write(accounts.set_models, identity, rows)
        return tuple(rows)

    async def resolve(self, connection_id: str | None, model: str) -> tuple[Connection, str] | None:
        """Return the connection and model of a run: what is named, else the defaults; None with no connection.

        Lists the provider's models once where nobody named one. Raises ProviderError.
        """
        every = await self.all()
        chosen = next((row for row in every if row.id == connection_id), every[0] if every else None)
        if chosen is None:
            return None
        name = model or chosen.default_model
        if not name:
            rows = await self.refresh_models(chosen.id)
            name = catalogue.default_model(chosen, list(rows))
            if not name:
                raise ModelUnknown(
                    _("{label} lists no model: name one for this connection.").format(label=spoken(chosen))
                )
            chosen = await self.change(chosen.id, default_model=name)
        return chosen, name

    async def model_for(
        self,
        connection: Connection,
        model: str,
        *,
        run_id: str | None,
        agent_id: str | None,
        categories: Sequence[str],
    ) -> "Model":
        """Return the model of a run; every request it makes is booked under that run and agent."""
        sending = Sending("chat", connection.id, run_id, agent_id, tuple(categories))
        http = self._client(connection, await self._proxy(connection), sending)
        # The first SDK import takes about a second, so it must not run on the window's thread.
        return await asyncio.to_thread(models.build, connection, model, http)

    def price(self, connection: Connection, model: str) -> prices.Price | None:
        """Return the price of a model, None where it is unknown."""
        return prices.price_of(connection, model)

    def explain(self, error: BaseException, connection: Connection, model: str) -> ProviderError:
        """Return the sentence for anything raised by a request on this connection."""
        return explain(error, connection, model)

    async def local_servers(self) -> list[discovery.LocalServer]:
        """Look for model servers on this machine; only ever called because the owner asked."""
        return await discovery.local_servers(self._database)

    async def close(self) -> None:
        """Close every connection pool."""
        await self._pools.close()

    def _booking(self, connection: Connection) -> "Callable[[str, RequestUsage], Awaitable[None]]":
        async def book(model: str, usage: "RequestUsage") -> None:
            price = self.price(connection, model)
            cost = None
            if price is not None:
                cost = price.cost(
                    input_tokens=usage.input_tokens,
                    output_tokens=usage.output_tokens,
                    cache_read=usage.cache_read_tokens,
                    cache_write=usage.cache_write_tokens,
                )
            await self._database.write(
                ledger.add_usage,
                run_id=None,
                agent_id=None,
                connection_id=connection.id,
                model=model,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cache_read_tokens=usage.cache_read_tokens,
                cache_write_tokens=usage.cache_write_tokens,
                cost=cost,
                counted=prices.cost_of(
                    price, input_tokens=usage.input_tokens, output_tokens=usage.output_tokens
                ),
                purpose="check",
            )

        return book

    async def _proxy(self, connection: Connection) -> str:
        chosen = connection.proxy or await self._database.read(settings.value, "network.proxy")
        return proxy_for(connection.base_url, chosen)

    def _client(
        self, connection: Connection, proxy: str, sending: Sending, *, trial: Secret | None = None
    ) -> "httpx2.AsyncClient":
        async def read() -> Secret | None:
            if trial is not None:
                return trial
            if not connection.mask:
                return None
            try:
                return await asyncio.to_thread(self._vault.read_key, connection.id)
            except KeyNotFound as error:
                raise KeyMissing(
                    _("The key of {label} is no longer in {store}: add it again.").format(
                        label=spoken(connection), store=self._vault.store.name
                    )
                ) from error

        header: Literal["x-api-key", "authorization"] = (
            "x-api-key" if connection.kind == "anthropic" else "authorization"
        )
        pool = self._pools.of(connection.id, proxy)
        credential = Credential(read, connection.base_url, header)
        return http_client(pool, self._database, sending, credential)


def _add(session: Session, /, **values: Any) -> Connection:
    connection = accounts.add_connection(session, **values)
    audit.append(session, "key added", connection.id, _named(connection))
    return connection


def _rotate(session: Session, identity: str, mask: str, fingerprint: str) -> Connection:
    former = accounts.connection(session, identity)
    connection = accounts.record_rotation(session, identity, mask=mask, fingerprint=fingerprint)
    audit.append(session, "key rotated", identity, {**_named(connection), "former": former.fingerprint})
    return connection


def _remove(session: Session, identity: str) -> None:
    audit.append(session, "key removed", identity, _named(accounts.connection(session, identity)))
    accounts.remove_connection(session, identity)


def _named(connection: Connection) -> dict[str, str]:
    """What the trail says of a key: nothing in its owner's words, for the trail outlasts an erasure."""
    return {"kind": connection.kind, "fingerprint": connection.fingerprint}


def _server(chosen: Preset | None, kind: ConnectionKind, address: str, key: Secret | None) -> Preset:
    """Return whose server it is: a local one where it was chosen, else whoever the address belongs to.

    A port says little: a server that wants a key and that nobody called local may pass everything on to a
    provider who charges for it.
    """
    if chosen is not None and chosen.local and chosen.kind == kind:
        return chosen
    found = preset_of(kind, address)
    return preset(_first(kind)) if found.local and key is not None else found


def _first(kind: ConnectionKind) -> str:
    return kind if kind != "openai-compatible" else "compatible"


_LONGEST_KEY = 8_192
"""Characters; servers refuse a header that is much longer."""
_AROUND_A_KEY = "\ufeff \t\r\n\"'`"
"""What a clipboard, a text file or a shell puts around a key."""


def _usable(key: Secret | None, address: str) -> Secret | None:
    """Trim what a clipboard adds; refuse an empty key where the server is not in the owner's own network."""
    text = key.reveal().strip(_AROUND_A_KEY) if key is not None else ""
    if not text:
        if is_private(address):
            return None
        raise ProviderError(_("The key is empty: paste it whole, as the provider shows it."))
    if len(text) > _LONGEST_KEY or not text.isascii():
        raise ProviderError(_("This is longer or stranger than any key: copy the key again, alone."))
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ProviderError(_("The key holds a space or a line break in the middle: copy it again, alone."))
    return Secret(text)
