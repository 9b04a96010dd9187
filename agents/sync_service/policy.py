"""The policy of the service: its owner is told once of a version that is announced, and of one that holds by now."""

import logging

from agents.events import EventBus, Notice
from agents.sync_service.account import ServiceAccount
from memory import audit
from memory.database import Database
from memory.errors import StorageError
from memory.identifiers import now
from memory.sync.service import sign_in
from memory.sync.service.faults import ServiceFault, Unreachable
from memory.sync.service.sign_in import Promises
from resources.language import gettext as _

ACCEPTED, ANNOUNCED, HOLDS = "sync policy accepted", "sync policy announced", "sync policy changed"
"""What the trail says of versions: their owner is told of each once."""
_DAY = 86_400_000

log = logging.getLogger(__name__)


class ServicePolicy:
    """Asks the service once a day, and at the first round after the office was opened."""

    def __init__(self, database: Database, account: ServiceAccount, bus: EventBus) -> None:
        self._database, self._account, self._bus = database, account, bus
        self._day = 0

    async def look(self) -> None:
        """Tell the owner what they have not been told of; a service that does not answer is asked another day."""
        if (today := now() // _DAY) == self._day:
            return
        self._day = today
        try:
            promises = await sign_in.promises(await self._account.calls())
        except (StorageError, ServiceFault, Unreachable) as fault:
            log.info("the policy of the service was not looked at: %s", fault)
            return
        if promises.next_policy and await self._is_new(promises.next_policy, ANNOUNCED, HOLDS, ACCEPTED):
            await self._tell(
                ANNOUNCED,
                promises,
                promises.next_policy,
                _(
                    "The policy of {server}, or who works for it, changes on {day}: version {version} holds from then "
                    "on."
                ).format(server=promises.server, day=promises.next_effective, version=promises.next_policy),
            )
        if await self._is_new(promises.policy_version, HOLDS, ACCEPTED):
            sentence = _("The policy of {server} has changed: version {version} holds now.")
            await self._tell(
                HOLDS,
                promises,
                promises.policy_version,
                sentence.format(server=promises.server, version=promises.policy_version),
            )

    async def _is_new(self, version: str, *kinds: str) -> bool:
        known = [
            entry.detail.get("version")
            for kind in kinds
            for entry in await self._database.read(audit.entries, kind=kind)
        ]
        return version not in known

    async def _tell(self, kind: str, promises: Promises, version: str, sentence: str) -> None:
        detail = {"policy": promises.policy, "version": version}
        await self._database.write(audit.append, kind, promises.server, detail)
        way_on = _("Read it at {policy}; if you do not agree, export, then delete your account there.")
        self._bus.publish(Notice(sentence, way_on.format(policy=promises.policy)))
