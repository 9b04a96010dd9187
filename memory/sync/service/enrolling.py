"""A new device joins by another one: the service relays commitment, answer and reveal, and people compare the words.

    new  POST /v1/enrolments {commitment}
    old  POST /v1/enrolments/{id} {answer: {nonce, fingerprint, head}}
    new  POST /v1/enrolments/{id} {reveal: {nonce, id, sign, hpke}}

All are base64url but the id of the new device, which is hexadecimal.
"""

from dataclasses import dataclass
from typing import Any

from memory.sync import base64url
from memory.sync.account_log import Writer
from memory.sync.device_keys import DeviceKeys, DevicePublic, suite_of
from memory.sync.enrolment import Answer, Newcomer, check_reveal, comparison, new_nonce
from memory.sync.errors import EnrolmentRefused, LogForked
from memory.sync.membership import Member
from memory.sync.service.calls import Calls, understood
from memory.sync.service.faults import ServiceRefused
from memory.sync.service.log import AccountLog
from memory.sync.service.membership import chosen_space, found_space, hand_on, require_begun
from memory.sync.service.spaces import PURGING, open_wraps, spaces, wraps_of


@dataclass(frozen=True, slots=True)
class WaitingDevice:
    """A device that wants to join; ``until`` is when its try ends, in milliseconds UTC."""

    enrolment_id: str
    commitment: bytes
    until: int


class Joining:
    """The new device: commits itself, reveals what it committed itself to, then waits to be admitted."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._log = AccountLog(calls)
        self.device = DeviceKeys.new()
        public = self.device.public
        self._newcomer = Newcomer(new_nonce(), public.sign, public.hpke)
        self._answer: Answer | None = None
        self._revealed = self._signed_in = False
        self.enrolment_id = ""

    async def begin(self) -> None:
        """Announce this device, in a session by mail. Raises Refused where the account has no device to admit it."""
        await require_begun(self._log)
        body = {"commitment": base64url.encode(self._newcomer.commitment)}
        answer = await self._calls.send("POST", "/v1/enrolments", body)
        with understood():
            self.enrolment_id = str(answer["enrolment_id"])

    async def compare(self) -> bytes | None:
        """Return the 32 bytes that both screens must show alike, None while the other device has not answered."""
        if self._answer is None:
            shown = await self._calls.get(self._path)
            if shown.get("answer") is None:
                return None
            # Only the first answer counts: who could answer once more after the reveal could try for words that
            # look alike.
            self._answer = _answer(shown["answer"])
        if not self._revealed:
            try:
                await self._calls.send("POST", self._path, {"reveal": self._reveal()})
            except ServiceRefused as refused:
                if refused.code != "enrolment_order":  # then only the confirmation was lost
                    raise
            self._revealed = True
        return comparison(self._answer, self._newcomer)

    async def admitted(self, at: int, space_id: str | None = None) -> tuple[Member, bool] | None:
        """Return this device's membership once the other one has admitted it and given it the keys.

        With it comes whether this device founded the space, as for `membership.join`. Raises LogForked where the log
        is not the one that the other device named, Refused as `chosen_space`.
        """
        assert self._answer is not None, "compared before"
        if not self._signed_in:
            account = await self._log.read()
            device = account.devices.get(self.device.id)
            if device is None:
                return None
            account.require(self._answer.fingerprint, self._answer.head)
            if device.public != self.device.public:
                raise LogForked("another device under this id")
            self._calls.session.become(self.device.id, self.device.sign)
            await self._calls.sign_in()
            self._signed_in = True
        account = await self._log.read()
        chosen = chosen_space(await spaces(self._calls), account, space_id)
        if chosen is None:
            return await found_space(self._calls, self._log, self.device, at), True
        wraps = await wraps_of(self._calls, chosen)
        keys = open_wraps(account, wraps, self.device.id, self.device.receive)
        if account.current_epoch(chosen.id) not in {key.epoch for key in keys}:
            return None
        return Member(chosen.id, self.device, keys, account), False

    @property
    def _path(self) -> str:
        return f"/v1/enrolments/{self.enrolment_id}"

    def _reveal(self) -> dict[str, str]:
        return {
            "nonce": base64url.encode(self._newcomer.nonce),
            "id": self.device.id,
            "sign": base64url.encode(self._newcomer.sign),
            "hpke": base64url.encode(self._newcomer.hpke),
        }


class Admitting:
    """The old device: answers one new device, once, and admits it when its owner has seen the same words on both."""

    def __init__(self, calls: Calls, log: AccountLog, device: DeviceKeys, waiting: WaitingDevice) -> None:
        self._calls, self._log, self._device = calls, log, device
        self._waiting = waiting
        self._answer: Answer | None = None
        self._newcomer: DevicePublic | None = None

    async def answer(self) -> None:
        """Answer the new device, before anything of it is known but its commitment."""
        account = await self._log.read()
        answer = Answer(new_nonce(), account.fingerprint, account.head)
        said = {
            "nonce": base64url.encode(answer.nonce),
            "fingerprint": base64url.encode(answer.fingerprint),
            "head": base64url.encode(answer.head),
        }
        await self._calls.send("POST", self._path, {"answer": said})
        self._answer = answer

    async def compare(self) -> bytes | None:
        """Return the 32 bytes that both screens must show alike, None until the new device has revealed itself.

        Raises EnrolmentRefused where it reveals another than it committed itself to.
        """
        assert self._answer is not None, "answered before"
        revealed = (await self._calls.get(self._path)).get("reveal")
        if revealed is None:
            return None
        newcomer, public = _revealed(revealed)
        check_reveal(self._waiting.commitment, newcomer)
        self._newcomer = public
        return comparison(self._answer, newcomer)

    async def admit(self, at: int) -> str:
        """Take the new device into the account and give it the keys of every space: its owner saw the same words.

        Returns its id.
        """
        newcomer, writer = self._newcomer, Writer(self._device.id, self._device.sign)
        assert newcomer is not None, "compared before"
        account = await self._log.append(
            lambda now: None if newcomer.id in now.devices else writer.add_device(now, newcomer, at)
        )
        for space in await spaces(self._calls):
            if not account.current_epoch(space.id) or space.state == PURGING:
                continue
            wraps = await wraps_of(self._calls, space)
            keys = open_wraps(account, wraps, self._device.id, self._device.receive)
            await hand_on(self._calls, space, Member(space.id, self._device, keys, account), wraps)
        return newcomer.id

    @property
    def _path(self) -> str:
        return f"/v1/enrolments/{self._waiting.enrolment_id}"


async def waiting_devices(calls: Calls) -> tuple[WaitingDevice, ...]:
    """Return the devices that wait to be answered."""
    answer = await calls.get("/v1/enrolments")
    with understood():
        return tuple(
            WaitingDevice(
                str(row["enrolment_id"]), base64url.decode(row["commitment"], 32), int(row["until"])
            )
            for row in answer["enrolments"]
            if row["answer"] is None
        )


def _answer(members: Any) -> Answer:
    try:
        return Answer(*(base64url.decode(members[name], 32) for name in ("nonce", "fingerprint", "head")))
    except (KeyError, TypeError, ValueError) as wrong:
        raise EnrolmentRefused("answer") from wrong


def _revealed(members: Any) -> tuple[Newcomer, DevicePublic]:
    try:
        sign, hpke = base64url.decode(members["sign"], 32), base64url.decode(members["hpke"])
        suite_of(hpke)
        nonce, device_id = base64url.decode(members["nonce"], 32), str(members["id"])
        if len(bytes.fromhex(device_id)) != 16:
            raise ValueError("id")
    except (KeyError, TypeError, ValueError) as wrong:
        raise EnrolmentRefused("reveal") from wrong
    return Newcomer(nonce, sign, hpke), DevicePublic(device_id, sign, hpke)
