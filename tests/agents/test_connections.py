"""Provider accounts against a real server over real HTTP: keys, checks, failures, the outbox."""

import asyncio
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy.orm import Session

from agents.connections import Connections
from agents.connections.addresses import normalised, proxy_for
from agents.connections.errors import (
    AddressWrong,
    KeyRejected,
    NoCredit,
    Offline,
    Overloaded,
    ProviderError,
    RateLimited,
)
from agents.connections.presets import recognised
from memory import accounts, audit, ledger
from memory.database import Database
from memory.tables import Base
from tests.peers.aimock import Aimock
from vault.office_keys import Vault, open_vault
from vault.secret import Secret

KEY = "test-key-0123456789-abcdefghij"
READY = {"match": {}, "response": {"content": "ready", "usage": {"input_tokens": 9, "output_tokens": 1}}}
CLOCK = {
    "match": {"toolName": "clock"},
    "response": {"toolCalls": [{"name": "clock", "arguments": "{}"}]},
}

_SWITCHES = re.compile(r"verify\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|_create_unverified_context")


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return open_vault(tmp_path / "office", passphrase=Secret("a long enough passphrase"))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    def create(session: Session) -> None:
        Base.metadata.create_all(session.connection())

    opened = Database.open(tmp_path / "office.db", b"k" * 32)
    opened.write_now(create)
    yield opened
    opened.close()


@pytest.fixture
async def connections(database: Database, vault: Vault):
    office = Connections(database, vault)
    yield office
    await office.close()


def address_for(kind: str, server: Aimock) -> str:
    return server.anthropic_url if kind == "anthropic" else server.openai_url


@pytest.mark.peer
@pytest.mark.req("R024")
@pytest.mark.parametrize("kind", ["anthropic", "openai", "openai-compatible"])
async def test_check_takes_five_steps_and_books_each(
    kind, aimock: Callable[..., Aimock], connections: Connections, database: Database
) -> None:
    server = aimock(CLOCK, READY, keys=[KEY])
    added = await connections.add(
        kind, Secret(f"  {KEY}\n"), base_url=address_for(kind, server), model="some-model"
    )
    steps = [step async for step in connections.check(added.id)]
    assert [(step.name, step.state) for step in steps] == [
        ("reachable", "passed"),
        ("key", "passed"),
        ("model", "passed"),
        ("images", "passed"),
        ("tools", "passed"),
    ]
    stored = await connections.connection(added.id)
    assert stored.last_check is not None and len(stored.last_check["steps"]) == 5
    booked = await database.read(ledger.outbox)
    assert {row.purpose for row in booked} == {"check", "models"}
    assert all(row.status == 200 and row.bytes_received > 0 for row in booked)
    paths = {entry["path"] for entry in server.journal()}
    expected = {
        "anthropic": "/v1/messages",
        "openai": "/v1/responses",
        "openai-compatible": "/v1/chat/completions",
    }
    assert expected[kind] in paths


@pytest.mark.peer
@pytest.mark.parametrize("kind", ["anthropic", "openai", "openai-compatible"])
async def test_a_wrong_key_is_told_from_a_wrong_address(kind, aimock, connections: Connections) -> None:
    server = aimock(READY, keys=[KEY])
    added = await connections.add(kind, Secret("wrong-" + KEY), base_url=address_for(kind, server), model="m")
    steps = {step.name: step async for step in connections.check(added.id)}
    assert steps["reachable"].state == "passed"
    assert steps["key"].state == "failed" and "does not accept the key" in steps["key"].sentence
    assert steps["tools"].state == "skipped"


@pytest.mark.peer
@pytest.mark.req("R056")
@pytest.mark.req("R027")
async def test_the_key_goes_to_its_own_host_only(
    aimock, connections: Connections, database: Database
) -> None:
    from memory.accounts import update_connection

    server = aimock(READY, keys=[KEY])
    added = await connections.add("openai", Secret(KEY), base_url=server.openai_url, model="m")
    held = await connections.model_for(added, "m", run_id=None, agent_id=None, categories=())
    other = aimock(READY)
    client = held.client
    client.base_url = other.openai_url
    with pytest.raises(Exception) as caught:
        await client.models.list()
    assert isinstance(connections.explain(caught.value, added, "m"), AddressWrong)
    assert other.journal() == []
    await database.write(update_connection, added.id, label="still here")


@pytest.mark.req("R170")
async def test_a_certificate_that_is_not_trusted_is_told_on_this_machine_too(
    connections: Connections, tmp_path: Path
) -> None:
    from pydantic_ai import Agent

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        address = f"https://127.0.0.1:{port}"
        added = await connections.add("openai-compatible", None, base_url=address, model="m")
        model = await connections.model_for(added, "m", run_id=None, agent_id=None, categories=())
        with pytest.raises(Exception) as caught:
            await Agent(model).run("hello")
    explained = connections.explain(caught.value, added, "m")
    assert isinstance(explained, Offline) and "certificate" in str(explained)


def _handshake(listening: socket.socket, context: ssl.SSLContext, told: list[str]) -> None:
    connection, _address = listening.accept()
    try:
        context.wrap_socket(connection, server_side=True).close()
    except ssl.SSLError as error:
        told.append(error.reason or "")
    finally:
        connection.close()


@pytest.mark.req("R170")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
async def test_a_server_of_an_older_version_is_not_spoken_to(
    connections: Connections, tmp_path: Path
) -> None:
    from pydantic_ai import Agent

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    told: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=_handshake, args=(listening, context, told))
        server.start()
        address = f"https://127.0.0.1:{listening.getsockname()[1]}"
        added = await connections.add("openai-compatible", None, base_url=address, model="m")
        model = await connections.model_for(added, "m", run_id=None, agent_id=None, categories=())
        with pytest.raises(Exception) as caught:
            await Agent(model).run("hello")
        await asyncio.to_thread(server.join)
    assert isinstance(connections.explain(caught.value, added, "m"), Offline)
    # The offer of the client was too new for the server; a certificate was never shown.
    assert told == ["UNSUPPORTED_PROTOCOL"]


@pytest.mark.req("R170")
def test_no_source_switches_the_checks_off() -> None:
    root = Path(__file__).parents[2]
    sources = [
        file for room in ("agents", "desktop", "memory", "vault") for file in (root / room).rglob("*.py")
    ]
    assert len(sources) > 300
    assert [file.name for file in sources if _SWITCHES.search(file.read_text("utf-8"))] == []


def self_signed(folder: Path) -> Path:
    """Write a certificate that nobody vouches for, with its key; return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    at = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = folder / "server.pem"
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    return path


FAULTS = [
    (401, "invalid x-api-key", "authentication_error", KeyRejected),
    (403, "this key was revoked", "permission_error", KeyRejected),
    (402, "Payment required", "billing_error", NoCredit),
    (400, "Your credit balance is too low", "invalid_request_error", NoCredit),
    (429, "slow down", "rate_limit_error", RateLimited),
    (529, "overloaded", "overloaded_error", Overloaded),
    (500, "broken", "api_error", Overloaded),
    (404, "not here", "unknown", AddressWrong),
]


@pytest.mark.peer
@pytest.mark.parametrize("kind", ["anthropic", "openai", "openai-compatible"])
@pytest.mark.parametrize(("status", "message", "error", "expected"), FAULTS)
async def test_each_refusal_has_its_own_name(
    kind, status, message, error, expected, aimock, connections: Connections
) -> None:
    from pydantic_ai import Agent

    server = aimock(
        {"match": {}, "response": {"error": {"message": message, "type": error}, "status": status}}
    )
    added = await connections.add(kind, Secret(KEY), base_url=address_for(kind, server), model="m")
    model = await connections.model_for(added, "m", run_id=None, agent_id=None, categories=("conversation",))
    with pytest.raises(Exception) as caught:
        await Agent(model).run("hello")
    explained = connections.explain(caught.value, added, "m")
    assert type(explained) is expected
    assert KEY not in str(explained)


async def test_nobody_listening_and_no_such_host(connections: Connections) -> None:
    from pydantic_ai import Agent

    added = await connections.add("openai-compatible", None, base_url="http://127.0.0.1:9", model="m")
    model = await connections.model_for(added, "m", run_id=None, agent_id=None, categories=())
    with pytest.raises(Exception) as caught:
        await Agent(model).run("hello")
    explained = connections.explain(caught.value, added, "m")
    assert isinstance(explained, Offline) and "127.0.0.1:9" in str(explained)


@pytest.mark.req("R023")
async def test_rows_hold_a_mask_and_never_the_key(
    connections: Connections, database: Database, tmp_path
) -> None:
    await connections.add("anthropic", Secret("sk-ant-" + KEY), label="work")
    (row,) = await database.read(accounts.connections)
    assert KEY not in repr(row) and row.mask.endswith(KEY[-4:]) and len(row.fingerprint) == 8
    database.close()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes()


@pytest.mark.req("R028")
async def test_removing_destroys_the_key_at_once(
    connections: Connections, vault: Vault, database: Database
) -> None:
    from vault.errors import KeyNotFound

    added = await connections.add("anthropic", Secret(KEY))
    assert (await asyncio.to_thread(vault.read_key, added.id)).reveal() == KEY
    await connections.remove(added.id)
    with pytest.raises(KeyNotFound):
        vault.read_key(added.id)
    trail = await database.read(audit.entries)
    assert [entry.kind for entry in trail] == ["key removed", "key added"]
    assert KEY not in repr(trail) and await database.read(audit.verify) == 2


@pytest.mark.peer
@pytest.mark.req("R030")
async def test_rotation_keeps_the_old_key_until_the_new_one_is_accepted(aimock, connections, vault) -> None:
    new = "new-" + KEY
    server = aimock(READY, keys=[KEY, new])
    added = await connections.add("openai", Secret(KEY), base_url=server.openai_url, model="m")
    async for _step in connections.rotate(added.id, Secret("refused-" + KEY)):
        pass
    assert vault.read_key(added.id).reveal() == KEY
    async for _step in connections.rotate(added.id, Secret(new)):
        pass
    assert vault.read_key(added.id).reveal() == new
    assert (await connections.connection(added.id)).rotated_at is not None


async def test_an_empty_or_torn_key_is_refused(connections: Connections) -> None:
    for wrong in (
        "",
        "  \n",
        "two words-aaaaaaaaaaaa",
        "line\nbreak-aaaaaaaa",
        "sk-ant-ключ-aaaaaaaa",
        "a" * 100_000,
    ):
        with pytest.raises(ProviderError):
            await connections.add("anthropic", Secret(wrong))
    assert await connections.all() == ()


def test_pasted_addresses_are_trimmed() -> None:
    assert normalised("openai-compatible", "http://127.0.0.1:11434") == "http://127.0.0.1:11434/v1"
    assert normalised("openai", "https://api.openai.com/v1/chat/completions") == "https://api.openai.com/v1"
    assert normalised("anthropic", "https://api.anthropic.com/v1/messages") == "https://api.anthropic.com"
    for wrong in (
        "",
        "api.openai.com",
        "ftp://x",
        "https://",
        "https://me:pw@host/v1",
        "https://host/v1?key=1",
        "https://[::1",
        "https://host:99999/v1",
    ):
        with pytest.raises(AddressWrong):
            normalised("openai", wrong)


def test_only_unmistakable_prefixes_are_recognised() -> None:
    found = recognised("sk-ant-api03-something")
    assert found is not None and found.kind == "anthropic"
    assert recognised("sk-something") is None


def test_a_proxy_is_never_used_for_this_machine(monkeypatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert proxy_for("https://api.anthropic.com", "") == "http://proxy.example:3128"
    assert proxy_for("http://127.0.0.1:11434/v1", "http://proxy.example:3128") == ""


@pytest.mark.parametrize(
    "proxy", ["socks5h://127.0.0.1:9050", "foo://127.0.0.1:1", "http://", "http://proxy:70000", "::"]
)
async def test_a_proxy_that_cannot_be_used_is_told_with_the_fix(
    connections: Connections, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    added = await connections.add("anthropic", Secret(KEY), model="m")
    with pytest.raises(AddressWrong, match="http://host:port"):
        await connections.model_for(added, "m", run_id=None, agent_id=None, categories=())


def test_a_proxy_may_leave_out_its_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    assert proxy_for("https://api.anthropic.com", "") == "http://proxy.example:3128"


@pytest.mark.parametrize("around", ["{}\r\n", "\ufeff{}\n", '"{}"', " '{}' ", "`{}`"])
async def test_what_a_file_or_a_shell_puts_around_a_key_is_no_part_of_it(
    connections: Connections, around: str
) -> None:
    plain = await connections.add("anthropic", Secret(KEY))
    added = await connections.add("anthropic", Secret(around.format(KEY)))
    assert added.fingerprint == plain.fingerprint


@pytest.mark.peer
@pytest.mark.req("R201")
async def test_local_servers_are_found_when_asked(
    aimock, connections: Connections, database: Database
) -> None:
    from agents.connections.discovery import local_servers
    from agents.connections.presets import Preset

    server = aimock(READY)
    here = Preset("here", "Here", "openai-compatible", server.openai_url, local=True)
    gone = Preset("gone", "Gone", "openai-compatible", "http://127.0.0.1:9/v1", local=True)
    assert await database.read(ledger.outbox) == ()
    found = await local_servers(database, (here, gone))
    assert [entry.preset.id for entry in found] == ["here"]
    assert {row.purpose for row in await database.read(ledger.outbox)} == {"discovery"}
