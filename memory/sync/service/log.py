"""The account log as the service shows it: verified whole, then only what was added, never shorter or another."""

from collections.abc import Callable
from typing import Any

from memory.sync import account_log
from memory.sync.account import Account
from memory.sync.account_log import Entry
from memory.sync.errors import LogForked, LogShorter
from memory.sync.service.calls import Calls, understood
from memory.sync.service.faults import LogMoved

_TRIES = 5


class AccountLog:
    """The log of this device's account; ``seen`` is the last entry that it took in an earlier run."""

    def __init__(self, calls: Calls, seen: tuple[int, bytes] | None = None) -> None:
        self._calls = calls
        self._seen = seen
        self._account: Account | None = None

    async def begun(self) -> bool:
        """Whether the account has a log."""
        return bool(await self._entries(-1))

    async def read(self) -> Account:
        """Return the account as it is now. Raises LogRefused, Unreachable, ServiceFault."""
        known = self._account
        if known is None:
            self._account = account_log.verify(await self._entries(-1), self._seen)
            return self._account
        # The last known entry comes along, so that a log which ends earlier or goes on elsewhere is seen.
        entries = await self._entries(known.n - 1)
        if not entries:
            raise LogShorter(-1, known.n)
        if account_log.hash_of(entries[0]) != known.head:
            raise LogForked(f"entry {known.n}")
        self._account = account_log.extend(known, entries[1:])
        return self._account

    async def begin(self, genesis: Entry) -> Account:
        """Append the first entry. Raises LogMoved where another device was faster."""
        account = account_log.verify([genesis])
        await self._calls.send("POST", "/v1/log", {"entry": genesis})
        self._account = account
        return account

    async def append(self, make: Callable[[Account], Entry | None]) -> Account:
        """Append the entry that ``make`` makes for the account as it is; None where none is needed any more."""
        for _try in range(_TRIES):
            account = await self.read()
            entry = make(account)
            if entry is None:
                return account
            try:
                await self._calls.send("POST", "/v1/log", {"entry": entry})
            except LogMoved:
                continue
            return await self.read()
        raise LogMoved

    async def _entries(self, after: int) -> list[Any]:
        answer = await self._calls.get("/v1/log", query={"after": after})
        with understood():
            return list(answer["entries"])
