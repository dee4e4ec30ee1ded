"""What the entries of place, streams and drawn instances are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from kvfloor.audit.accuracy.draft import Draft, codes, mean, stretched
from kvfloor.audit.accuracy.instance import Instance, Row, Rows, tokens_of

__all__ = [
    "MOST_ASKED", "block_edges", "every_token", "first_token", "gaussian", "heavy_tailed",
    "just_appended", "last_token", "old_values", "powers_of_two", "stream", "traced",
]  # fmt: skip

Instances = Iterable[Instance]
MOST_ASKED = 64  # queries of the entry that asks for every token
MOST_EDGES = 12  # sizes whose both sides are tried
OLD = 7  # parts between the tokens whose old values are asked for
SHORT = 17  # tokens of a stream that is saved and restored at every length: 16, and one more


def _pairs(keys: Rows, places: Iterable[int], bit: int = 1) -> list[Row]:
    """Queries for pairs of tokens whose numbers differ in a bit; for one alone if it has none.

    The two have the same weight and opposite values: one that is missing, or counted twice, shows.
    """
    found = dict[tuple[int, ...], None]()
    for j in places:
        found[tuple(sorted(p for p in {j, j ^ bit} if p < len(keys)))] = None
    return [mean([keys[j] for j in pair]) for pair in found]


def _of_length(draft: Draft, length: int, places: Sequence[int]) -> Instances:
    keys = codes(length, draft.d)
    queries = [
        q for bit in (1, 2) for q in _pairs(keys, (p for p in places if 0 <= p < length), bit)
    ]
    instances = list(draft.in_slots(keys, draft.contrasts(length), dict.fromkeys(queries)))
    return instances[length % draft.order :][:1]


def first_token(draft: Draft) -> Instances:
    """The first of n tokens, in all slots."""
    keys = codes(draft.n, draft.d)
    return draft.in_slots(keys, draft.contrasts(draft.n), [mean(keys[:1]), *_pairs(keys, [0])])


def last_token(draft: Draft) -> Instances:
    """The last of n tokens, in all slots."""
    keys = codes(draft.n, draft.d)
    return draft.in_slots(
        keys, draft.contrasts(draft.n), [mean(keys[-1:]), *_pairs(keys, [draft.n - 1])]
    )


def every_token(draft: Draft) -> Instances:
    """Every pair of neighbours; where they are many, some."""
    keys = codes(draft.n, draft.d)
    queries = _pairs(keys, range(draft.n)) + _pairs(keys, range(draft.n), 2)
    if len(queries) > MOST_ASKED:
        queries = draft.rng.sample(queries, MOST_ASKED)
    instances = list(draft.in_slots(keys, draft.contrasts(draft.n), queries))
    return instances[:2]


def old_values(draft: Draft) -> Instances:
    """Finely graded values of n tokens, and tiny ones, asked for from the first to the last."""
    keys = codes(draft.n, draft.d)
    places = sorted({k * (draft.n - 1) // OLD for k in range(OLD + 1)})
    queries = [mean([keys[place]]) for place in places]
    for size in (1, 1 / 1024):
        values = [[x * size for x in row] for row in draft.graded(draft.n)]
        yield from list(draft.in_slots(keys, values, queries))[:1]


def just_appended(draft: Draft) -> Instances:
    """The token that has just come, after each of the first ones."""
    for length in range(1, min(draft.n, 8) + 1):
        yield from _of_length(draft, length, [length - 1, length - 2, 0])


def powers_of_two(draft: Draft) -> Instances:
    """Both sides of every power of two."""
    powers = {2**k + e for k in range(2, draft.n.bit_length()) for e in (-1, 0, 1)}
    yield from _edges(draft, powers - {3, 4, 5})


def block_edges(draft: Draft) -> Instances:
    """Both sides of the sizes that options name or states betray, and of twice those."""
    sizes = {k * size + e for size in draft.sizes[:MOST_EDGES] for k in (1, 2) for e in (-1, 0, 1)}
    yield from _edges(draft, sizes)


def _edges(draft: Draft, lengths: Iterable[int]) -> Instances:
    for length in sorted(lengths):
        if 0 < length <= draft.n:
            yield from _of_length(draft, length, [length - 1, length - 2, 0, length // 2])


# --- streams ------------------------------------------------------------------------------------


def stream(draft: Draft, course: str) -> Instances:
    """A stream in a course, asked for every token of it."""
    length = min(draft.n, SHORT if draft.order == 1 else SHORT // 2 + 1)
    keys = codes(length, draft.d)
    instances = draft.in_slots(keys, draft.contrasts(length), _pairs(keys, range(length)), course)
    return list(instances)[:1]


# --- drawn --------------------------------------------------------------------------------------


def _tensor(keys: Sequence[Rows], values: Sequence[Rows], asked: Rows) -> Instance:
    sizes = (1.0, 8.0, 32.0)
    queries = [stretched(q, keys, most) for q, most in product(asked, sizes)]
    return Instance(tokens_of(keys, values), tuple(queries))


def gaussian(draft: Draft) -> Instances:
    """Normal numbers in all slots, at three temperatures."""
    for _ in range(2):
        keys, values = (
            [
                draft.drawn(draft.few, width, lambda: draft.rng.gauss(0, 1 / 2))
                for _ in range(draft.order)
            ]
            for width in (draft.d, draft.d_v)
        )
        asked = draft.drawn(2, draft.d, lambda: draft.rng.gauss(0, 1 / 2))
        yield _tensor(keys, values, asked)


def heavy_tailed(draft: Draft) -> Instances:
    """Quotients of normal numbers in all slots: most are small, a few large."""

    def quotient() -> float:
        return draft.rng.gauss(0, 1) / (16 * abs(draft.rng.gauss(0, 1)) + 1 / 16)

    keys, values = (
        [draft.drawn(draft.few, width, quotient, 1024) for _ in range(draft.order)]
        for width in (draft.d, draft.d_v)
    )
    yield _tensor(keys, values, draft.drawn(2, draft.d, quotient, 1024))


def traced(draft: Draft) -> Instances:
    """What the user gave."""
    return draft.traces
