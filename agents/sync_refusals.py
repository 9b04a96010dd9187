"""What its owner is told of what came from elsewhere and was not taken: a sentence for each reason, with what to do."""

from collections.abc import Callable, Collection

from memory.sync.account import STRANGER
from memory.sync.admission import REVOKED
from memory.sync.comparing import WITHHELD
from memory.sync.removals import ERASED_AGAIN, OLDER_AGAIN
from resources.language import ngettext

_SENTENCES: tuple[tuple[frozenset[str], Callable[[int], str]], ...] = (
    (
        frozenset({REVOKED, STRANGER}),
        lambda count: ngettext(
            "{count} item was not taken, for a device wrote it that is not in your account: take off its access to the "
            "place where your devices meet.",
            "{count} items were not taken, for a device wrote them that is not in your account: take off its access to "
            "the place where your devices meet.",
            count,
        ),
    ),
    (
        frozenset({ERASED_AGAIN, OLDER_AGAIN}),
        lambda count: ngettext(
            "{count} item came again after it was erased or replaced, and was not taken: if that goes on, ask who runs "
            "the service why.",
            "{count} items came again after they were erased or replaced, and were not taken: if that goes on, ask who "
            "runs the service why.",
            count,
        ),
    ),
    (
        frozenset({WITHHELD}),
        lambda count: ngettext(
            "In {count} place the service does not give out what it says it has: if that goes on, ask who runs it why. "
            "Nothing here was changed.",
            "In {count} places the service does not give out what it says it has: if that goes on, ask who runs it "
            "why. Nothing here was changed.",
            count,
        ),
    ),
)


def refusal_words(refused: Collection[tuple[str, str]]) -> tuple[str, ...]:
    """Return a sentence for each way in which something was not taken; ``refused`` is as `Round.refused`."""
    left, words = set(refused), []
    for reasons, sentence in _SENTENCES:
        if sources := {source for source, reason in left if reason in reasons}:
            words.append(sentence(len(sources)).format(count=len(sources)))
        left = {each for each in left if each[1] not in reasons}
    if sources := {source for source, _reason in left}:
        words.append(
            ngettext(
                "{count} item is damaged, or was changed on its way, and was not taken; what is here stays. Sync "
                "again; if that goes on, ask who runs the service, or have the folder brought anew.",
                "{count} items are damaged, or were changed on their way, and were not taken; what is here stays. Sync "
                "again; if that goes on, ask who runs the service, or have the folder brought anew.",
                len(sources),
            ).format(count=len(sources))
        )
    return tuple(words)
