"""Fusion: the legs of a search become one score per passage.

Each view of a leg is min-max normalised over the candidates, the views of a leg are added and normalised
again. Meaning weighs more than words: questions are seldom asked in the words of their answers. Signals are
added: the speaker that the question names, how well the whole session around a turn fits, recency and pins.
``tests/bench/locomo_bench.py`` shows what weights are worth on conversations that had no part in choosing them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from memory.recall.indexing import NAVIGATION
from memory.recall.lexical import Lexical
from memory.recall.pool import Candidate
from memory.recall.queries import Query
from memory.recall.telling import only_asks

FED_BACK = 3
"""Best hits whose likeness raises the others."""

SESSION_GAP = 3 * 3600 * 1000
"""Milliseconds of silence after which a conversation's next turn begins another session."""
_MONTH = 30 * 24 * 3600 * 1000

_SATURATION = 1.2
"""How soon more passages of a session with the same term stop counting (BM25's k1)."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What each leg and signal, from 0 to 1, adds to a score.

    A table of contents answers nothing itself, nor does a question that was asked before: it resembles another
    question more than any answer does, so ``asking`` takes away all that words and meaning together can give.
    """

    lexical: float = 0.35
    dense: float = 0.65
    speaker: float = 0.3
    session: float = 0.3
    feedback: float = 0.1
    recency: float = 0.01
    pin: float = 0.03
    navigation: float = -0.4
    asking: float = -1.0


SHIPPED = Weights()


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its score and what each leg gave: raw values by leg name."""

    candidate: Candidate
    score: float
    legs: dict[str, float]


def fuse(
    candidates: Sequence[Candidate],
    query: Query,
    lexical: Lexical,
    dense: Sequence[Mapping[int, float]] | None,
    now: int,
    weights: Weights = SHIPPED,
) -> list[Scored]:
    """Score the candidates, best first; ``dense`` holds the cosines of both views, None without vectors."""
    numbers = [candidate.number for candidate in candidates]
    words = [_spread([view.get(number, 0.0) for number in numbers], 0.0) for view in lexical.views]
    lexical_leg = _spread([sum(row) for row in zip(*words, strict=True)], 0.0)
    meanings: list[list[float]] = []
    if dense is not None:
        meanings = [_normalised(view, numbers) for view in dense]
    dense_leg = (
        _spread([sum(row) for row in zip(*meanings, strict=True)]) if meanings else [0.0] * len(numbers)
    )
    sessions = _sessions(candidates, lexical)
    result = []
    for position, candidate in enumerate(candidates):
        spoken = 1.0 if len(query.speakers) == 1 and candidate.speaker == query.speakers[0] else 0.0
        recency = 1.0 / (1.0 + max(0, now - candidate.at) / _MONTH)
        legs = {
            "lexical_text": lexical.views[0].get(candidate.number, 0.0),
            "lexical_context": lexical.views[1].get(candidate.number, 0.0),
            "lexical": lexical_leg[position],
            "dense": dense_leg[position],
            "speaker": spoken,
            "session": sessions[position],
            "recency": recency,
            "pin": float(candidate.pinned),
            "navigation": 1.0 if f'"{NAVIGATION}"' in candidate.place else 0.0,
            "asking": 1.0 if candidate.source_kind == "message" and only_asks(candidate.text) else 0.0,
            "coverage": _coverage(candidate.number, lexical),
        }
        for name, view in zip(("dense_text", "dense_context"), dense or (), strict=False):
            if candidate.number in view:
                legs[name] = view[candidate.number]
        score = (
            weights.lexical * legs["lexical"]
            + weights.dense * legs["dense"]
            + weights.speaker * spoken
            + weights.session * legs["session"]
            + weights.recency * recency
            + weights.pin * legs["pin"]
            + weights.navigation * legs["navigation"]
            + weights.asking * legs["asking"]
        )
        result.append(Scored(candidate, score, legs))
    return sorted(result, key=lambda scored: -scored.score)


def feed_back(
    scored: Sequence[Scored], likeness: Sequence[Mapping[int, float]], weights: Weights = SHIPPED
) -> list[Scored]:
    """Add, where known, how like each is to the best hits: per view, the products with their vectors."""
    numbers = [one.candidate.number for one in scored if one.candidate.number in likeness[0]]
    views = [_normalised(view, numbers) for view in likeness]
    raised = dict(zip(numbers, _spread([sum(row) for row in zip(*views, strict=True)]), strict=True))
    result = []
    for one in scored:
        worth = one.legs["feedback"] = raised.get(one.candidate.number, 0.0)
        result.append(Scored(one.candidate, one.score + weights.feedback * worth, one.legs))
    return sorted(result, key=lambda one: -one.score)


def without_repeats(scored: Sequence[Scored], limit: int) -> list[Scored]:
    """Return the first ``limit`` that do not say again what a better one said word for word."""
    kept: list[Scored] = []
    seen: list[frozenset[str]] = []
    for one in scored:
        if len(kept) == limit:
            break
        words = frozenset(one.candidate.text.lower().split())
        if any(len(words & other) > 0.9 * len(words | other) for other in seen):
            continue
        kept.append(one)
        seen.append(words)
    return kept


def _coverage(number: int, lexical: Lexical) -> float:
    """The share of the question's weight, term by term, that the passage holds in either view."""
    whole = sum(lexical.terms.values())
    held = sum(lexical.terms[term] for term in lexical.holds.get(number, ()))
    return held / whole if whole else 0.0


def _sessions(candidates: Sequence[Candidate], lexical: Lexical) -> list[float]:
    """How well the session around each turn fits: its terms, counted over the candidates of that session."""
    session_of: dict[int, int] = {}
    last: dict[str, tuple[int, int]] = {}
    turns = [turn for turn in candidates if turn.source_kind == "message"]
    for turn in sorted(turns, key=lambda turn: (turn.conversation_id or "", turn.at)):
        name = turn.conversation_id or ""
        session, at = last.get(name, (-1, 0))
        if session < 0 or turn.at - at > SESSION_GAP:
            session = len(session_of)
        session_of[turn.number] = session
        last[name] = (session, turn.at)
    counts: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for number, session in session_of.items():
        for term in lexical.holds.get(number, ()):
            counts[session][term] += 1
    worth = {
        session: sum(lexical.terms[term] * count / (count + _SATURATION) for term, count in held.items())
        for session, held in counts.items()
    }
    return _spread([worth.get(session_of.get(candidate.number, -1), 0.0) for candidate in candidates], 0.0)


def _normalised(view: Mapping[int, float], numbers: Sequence[int]) -> list[float]:
    """Min-max over those that have a vector of this view; one without is worth as little as the least."""
    known = [view[number] for number in numbers if number in view]
    if not known:
        return [0.0] * len(numbers)
    return _spread([view.get(number, min(known)) for number in numbers])


def _spread(values: Sequence[float], least: float | None = None) -> list[float]:
    """Min-max normalise; ``least`` is the least possible value where the candidates cannot show it."""
    if not values:
        return []
    low = min(values) if least is None else least
    width = max(values) - low
    return [(value - low) / width if width > 0 else 0.0 for value in values]
