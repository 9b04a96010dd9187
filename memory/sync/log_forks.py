"""Which chain of an account log counts where devices wrote entries upon the same one: in a folder nobody orders them.

Every device finds the same from the same files, in whatever order they came:

* What a device signs in a branch is its own voice, and that of the devices which it added there.
* Whom a voice in one of the branches takes off is off, in whichever branch that stands; nothing of its own counts
  beyond the fork. So who was taken off cannot undo that by an entry that looks older, and of two devices that take each
  other off neither stays. The same holds for a recovery key that was replaced.
* Of what is left the longest branch counts, then that of the device that was added first, then the smaller hash.

What the other branches said and still holds is to be said anew. A device never takes a chain in place of the one that
it took before unless every entry of that is still there and nobody whom it saw taken off comes back.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from memory.sync import account_log
from memory.sync.account import RECOVERY, Account
from memory.sync.account_log import Entry
from memory.sync.device_keys import DevicePublic
from memory.sync.errors import LogForked, LogNewer, LogRefused, LogShorter
from memory.sync.recovery import RecoveryPublic
from memory.sync.signed_json import hash_text

_LAST = 1 << 62
"""The place of the recovery key among those who came first: behind every device."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What counts of a log.

    ``account`` is what holds, with ``off`` taken off although the ``chain`` does not say so yet; ``void`` says that the
    recovery key of the chain was replaced in another branch. ``lost`` are devices that other branches added, and a
    recovery key, to be said anew.
    """

    account: Account
    chain: Account
    off: tuple[str, ...] = ()
    void: bool = False
    lost: tuple[DevicePublic | RecoveryPublic, ...] = ()


@dataclass(slots=True)
class _Node:
    entry: Entry
    account: Account
    children: list["_Node"] = field(default_factory=list)

    @property
    def by(self) -> str:
        return str(self.entry["by"])

    @property
    def kind(self) -> str:
        return str(self.entry["type"])

    @property
    def hash(self) -> bytes:
        return self.account.head

    def all(self) -> Iterator["_Node"]:
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children


@dataclass(slots=True)
class _Branch:
    """What one branch of a fork says: how long it is, whom it takes off, and what else it wants with whose voice."""

    first: _Node
    length: int = 0
    struck: set[str] = field(default_factory=set)
    wants: list[tuple[str, _Node]] = field(default_factory=list)


def resolve(entries: Sequence[Any], seen: tuple[int, bytes] | None = None) -> Resolved:
    """Return what counts of entries in any order, with some that other branches replaced; those beyond a gap wait.

    ``seen`` are number and hash of the last entry that this device took. Raises LogRefused.
    """
    root = _grown(entries, seen)
    walk = _Walk(root)
    found = walk.result()
    if seen is not None:
        _require_kept(root, found, seen)
    return found


class _Walk:
    def __init__(self, root: _Node) -> None:
        self._off: set[str] = set()
        self._wants: list[tuple[str, _Node, Account]] = []
        self._revoked = {str(each.entry["body"]["device_id"]) for each in root.all() if _takes_off(each)}
        node: _Node | None = root
        self._last = root
        while node is not None:
            self._last = node
            if node.kind == "new_recovery":
                self._off.discard(RECOVERY)
            node = self._next(node)

    def result(self) -> Resolved:
        chain = self._last.account
        off = tuple(sorted(each.public.id for each in chain.active() if each.public.id in self._off))
        account = chain
        for device_id in off:
            account = account.without_device(device_id, account.n)
        lost = tuple(
            _said(node) for voice, node, common in self._wants if self._holds(voice, node, common, account)
        )
        return Resolved(account, chain, off, RECOVERY in self._off, lost)

    def _next(self, node: _Node) -> _Node | None:
        heard = [each for each in node.children if each.by not in self._off]
        if len(node.children) <= 1:
            return heard[0] if heard else None
        branches = [_branch(each, node.account) for each in heard]
        struck = set[str]().union(*(each.struck for each in branches))
        left = [each for each in branches if each.first.by not in struck]
        chosen = min(left, key=lambda each: _order(each, node.account), default=None)
        for each in branches:
            if each is not chosen:
                self._off |= each.struck
                self._wants += [(voice, said, node.account) for voice, said in each.wants]
        return None if chosen is None else chosen.first

    def _holds(self, voice: str, node: _Node, common: Account, account: Account) -> bool:
        """Whether an entry of another branch is still to be said: who said it counts, and nothing said it since."""
        if voice == RECOVERY:
            if RECOVERY in self._off or account.recovery != common.recovery:
                return False
        elif voice in self._off or not account.is_active(voice):
            return False
        if node.kind == "add_device":
            added = node.entry["body"]["device"]["id"]
            return added not in account.devices and added not in self._revoked
        return account.recovery == common.recovery


def _grown(entries: Sequence[Any], seen: tuple[int, bytes] | None) -> _Node:
    """Return the tree of everything that is well signed. Raises LogRefused for what is not."""
    after: dict[str, list[Any]] = defaultdict(list)
    first: dict[bytes, Any] = {}
    for entry in entries:
        if entry.get("n") == 0:
            first[account_log.hash_of(entry)] = entry
        else:
            after[str(entry.get("prev"))].append(entry)
    if not first:
        raise LogShorter(-1, seen[0] if seen else 0)
    if len(first) > 1:
        raise LogForked("entry 0")
    (genesis,) = first.values()
    root = _Node(genesis, account_log.verify([genesis]))
    waiting = [root]
    while waiting:
        node = waiting.pop()
        node.children = list(_following(node.account, after[hash_text(node.hash)]))
        waiting += node.children
    return root


def _following(account: Account, entries: Iterable[Any]) -> Iterator[_Node]:
    """Yield what follows upon an entry, each once.

    What a device wrote before it heard that it is off is passed over; what nobody signed stops everything.
    """
    nodes: dict[bytes, _Node] = {}
    wrong: LogRefused | None = None
    for entry in entries:
        try:
            after = account_log.extend(account, [entry])
            nodes[after.head] = _Node(entry, after)
        except LogNewer:
            raise
        except LogRefused as refused:
            by = str(entry.get("by"))
            if by not in account.devices or account.is_active(by):
                wrong = refused
    if wrong is not None:
        raise LogForked(f"entry {account.n + 1}") if nodes else wrong
    yield from nodes.values()


def _branch(first: _Node, common: Account) -> _Branch:
    """Return what a branch says; the voices are those of who was active before the fork, and of the recovery key."""
    branch = _Branch(first)
    waiting: list[tuple[_Node, dict[str, str]]] = [(first, {})]
    while waiting:
        node, voices = waiting.pop()
        voice, body = voices.get(node.by, node.by), node.entry["body"]
        branch.length = max(branch.length, node.account.n - common.n)
        if node.kind == "add_device":
            voices = {**voices, str(body["device"]["id"]): voice}
            branch.wants.append((voice, node))
        elif node.kind == "revoke_device":
            branch.struck.add(str(body["device_id"]))
        elif node.kind == "new_recovery":
            if voice != RECOVERY:
                branch.struck.add(RECOVERY)
            voices = {**voices, RECOVERY: voice}
            branch.wants.append((voice, node))
        waiting += [(each, voices) for each in node.children]
    return branch


def _order(branch: _Branch, common: Account) -> tuple[int, int, bytes]:
    device = common.devices.get(branch.first.by)
    return -branch.length, _LAST if device is None else device.added, branch.first.hash


def _said(node: _Node) -> DevicePublic | RecoveryPublic:
    if node.kind == "new_recovery":
        return node.account.recovery
    return node.account.device(str(node.entry["body"]["device"]["id"])).public


def _takes_off(node: _Node) -> bool:
    return node.kind == "revoke_device"


def _require_kept(root: _Node, found: Resolved, seen: tuple[int, bytes]) -> None:
    """Raise LogShorter or LogForked unless the chain goes on from what was seen, or took its place by the rules."""
    n, head = seen
    chain = found.chain
    if chain.n >= n and chain.hashes[n] == head:
        return
    taken = next((each for each in root.all() if each.hash == head), None)
    if taken is None:
        raise LogShorter(chain.n, n) if chain.n < n else LogForked(f"entry {n}")
    back = [each for each in taken.account.devices.values() if each.revoked is not None]
    if any(found.account.is_active(each.public.id) for each in back):
        raise LogForked("a device that was taken off came back")
