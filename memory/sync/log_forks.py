"""Which chain of an account log counts where devices wrote entries upon the same one: in a folder nobody orders them.

Every device finds the same from the same files, in whatever order they came:

* What a device signs in a branch is its own voice, and that of the devices which it added there.
* Whom a voice in one of the branches takes off is off, in whichever branch that stands; nothing of its own counts
  beyond the fork. So who was taken off cannot undo that by an entry that looks older, and of two devices that take each
  other off neither stays. The same holds for a recovery key that was replaced. It takes off nobody, though, whom
  another branch adds after it was off there: it could go on for ever, with whoever comes to help.
* Of what is left the longest branch counts, then that of the device that was added first, then the smaller hash.

What the other branches said and still holds is to be said anew. A device never takes a chain in place of the one that
it took before unless every entry of that is still there and nobody whom it saw taken off comes back. What nobody signed
counts for nothing and stops nothing: files are damaged, and whoever carries the folder could write such things at will.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from memory.sync import account_log
from memory.sync.account import RECOVERY, Account
from memory.sync.account_log import Entry
from memory.sync.device_keys import DevicePublic
from memory.sync.errors import LogForked, LogIncomplete, LogNewer, LogRefused
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
    entries: tuple[Entry, ...] = field(default=(), compare=False, repr=False)
    """Every entry that somebody signed who might, those of branches that lost among them."""
    refused: tuple[Any, ...] = field(default=(), compare=False, repr=False)
    """What stands where an entry might and is none: damaged, or signed by nobody. It counts for nothing."""


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
    """What one branch of a fork says: how long it is, whom which voice takes off, and what else it wants with whose.

    ``knew`` are, by the devices that it adds, the voices that were off in it by then.
    """

    first: _Node
    length: int = 0
    strikes: list[tuple[str, str]] = field(default_factory=list)
    wants: list[tuple[str, _Node]] = field(default_factory=list)
    knew: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def struck(self, branches: Iterable["_Branch"]) -> set[str]:
        """Return whom this one of the branches takes off."""
        knew: dict[str, set[str]] = defaultdict(set)
        for each in branches:
            for device_id, voices in each.knew.items():
                knew[device_id] |= voices
        return {whom for voice, whom in self.strikes if voice not in knew[whom]}


def resolve(entries: Sequence[Any], seen: tuple[int, bytes] | None = None) -> Resolved:
    """Return what counts of entries in any order, with some that other branches replaced; those beyond a gap wait.

    ``seen`` are number and hash of the last entry that this device took. Raises LogRefused.
    """
    refused: list[Any] = []
    try:
        root = _grown(entries, seen, refused)
        whole = tuple(root.all())
        refused += _damaged(entries, whole, refused)
        found = _Walk(root).result()
        if seen is not None:
            _require_kept(whole, found, seen)
    except LogRefused as lacking:
        lacking.refused = refused
        raise
    return replace(found, entries=tuple(each.entry for each in whole), refused=tuple(refused))


class _Walk:
    def __init__(self, root: _Node) -> None:
        self._off: set[str] = set()
        self._wants: list[tuple[str, _Node, Account]] = []
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
        struck = set[str]().union(*(each.struck(branches) for each in branches))
        left = [each for each in branches if each.first.by not in struck]
        chosen = min(left, key=lambda each: _order(each, node.account), default=None)
        for each in branches:
            if each is not chosen:
                self._off |= each.struck(branches)
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
            return added not in account.devices and added not in self._off
        return account.recovery == common.recovery


def _grown(entries: Sequence[Any], seen: tuple[int, bytes] | None, refused: list[Any]) -> _Node:
    """Return the tree of everything that is well signed; what is not is added to ``refused``.

    Raises LogIncomplete, LogForked, LogNewer.
    """
    after: dict[str, list[Any]] = defaultdict(list)
    first: dict[bytes, _Node] = {}
    for entry in entries:
        if entry.get("n") != 0:
            after[str(entry.get("prev"))].append(entry)
            continue
        if any(entry == node.entry for node in first.values()):
            continue
        try:
            account = account_log.verify([entry])
            first[account.head] = _Node(entry, account)
        except LogNewer:
            raise
        except LogRefused:
            refused.append(entry)
    if not first:
        raise LogIncomplete(-1, seen[0] if seen else 0)
    if len(first) > 1:
        raise LogForked("entry 0")
    (root,) = first.values()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        node.children = _following(node.account, after[hash_text(node.hash)], refused)
        waiting += node.children
    return root


def _following(account: Account, entries: Iterable[Any], refused: list[Any]) -> list[_Node]:
    """Return what follows upon an entry, each once; what nobody signed is added to ``refused``.

    What a device wrote before it heard that it is off is passed over.
    """
    nodes: dict[bytes, _Node] = {}
    for entry in entries:
        if any(entry == node.entry for node in nodes.values()):
            continue
        try:
            after = account_log.extend(account, [entry])
            nodes[after.head] = _Node(entry, after)
        except LogNewer:
            raise
        except LogRefused:
            by = str(entry.get("by"))
            if by not in account.devices or account.is_active(by):
                refused.append(entry)
    return list(nodes.values())


def _damaged(entries: Sequence[Any], whole: Sequence[_Node], refused: Sequence[Any]) -> list[Any]:
    """Return what lies beyond a gap and bears a known name that did not sign it."""
    signs: dict[str, set[bytes]] = defaultdict(set)
    for node in whole:
        signs[RECOVERY].add(node.account.recovery.sign)
        for device in node.account.devices.values():
            signs[device.public.id].add(device.public.sign)
    known = {str(node.entry["sig"]): node.entry for node in whole}
    seen = {id(each) for each in refused}
    return [
        entry
        for entry in entries
        if id(entry) not in seen
        and known.get(str(entry.get("sig"))) != entry
        and (keys := signs.get(str(entry.get("by"))))
        and not any(account_log.is_signed_by(entry, key) for key in keys)
    ]


def _branch(first: _Node, common: Account) -> _Branch:
    """Return what a branch says; the voices are those of who was active before the fork, and of the recovery key."""
    branch = _Branch(first)
    waiting: list[tuple[_Node, dict[str, str]]] = [(first, {})]
    while waiting:
        node, voices = waiting.pop()
        voice, body = voices.get(node.by, node.by), node.entry["body"]
        branch.length = max(branch.length, node.account.n - common.n)
        if node.kind == "add_device":
            added = str(body["device"]["id"])
            branch.knew[added] |= _off(node.account, voices)
            voices = {**voices, added: voice}
            branch.wants.append((voice, node))
        elif node.kind == "revoke_device":
            branch.strikes.append((voice, str(body["device_id"])))
        elif node.kind == "new_recovery":
            if voice != RECOVERY:
                branch.strikes.append((voice, RECOVERY))
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


def _off(account: Account, voices: Mapping[str, str]) -> set[str]:
    """Return who is off at a place of a branch, the recovery key among them where a device replaced it there."""
    off = {each.public.id for each in account.devices.values() if each.revoked is not None}
    return off | ({RECOVERY} if voices.get(RECOVERY, RECOVERY) != RECOVERY else set())


def _require_kept(whole: Sequence[_Node], found: Resolved, seen: tuple[int, bytes]) -> None:
    """Raise LogShorter or LogForked unless the chain goes on from what was seen, or took its place by the rules."""
    n, head = seen
    chain = found.chain
    if chain.n >= n and chain.hashes[n] == head:
        return
    taken = next((each for each in whole if each.hash == head), None)
    if taken is None:
        raise LogIncomplete(chain.n, n) if chain.n < n else LogForked(f"entry {n}")
    back = [each for each in taken.account.devices.values() if each.revoked is not None]
    if any(found.account.is_active(each.public.id) for each in back):
        raise LogForked("a device that was taken off came back")
