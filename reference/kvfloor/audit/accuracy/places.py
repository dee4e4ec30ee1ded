"""What the entries of place, streams and drawn instances are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product

from kvfloor.audit.accuracy.draft import SHARP, Draft, codes, mean, stretched
from kvfloor.audit.accuracy.instance import Instance, Row, Rows, tokens_of

__all__ = [
    "MOST_ASKED", "asked_throughout", "block_edges", "every_length", "every_token", "first_token",
    "gaussian", "growing", "hardest", "heavy_tailed", "just_appended", "last_token", "old_keys",
    "old_values", "powers_of_two", "stream", "traced",
]  # fmt: skip

Instances = Iterable[Instance]
MOST_ASKED = 32  # queries of each half of the entry that asks for every token
MOST_LENGTHS = 64  # up to which every length is tried
FIRST = 8  # lengths at which more is asked than at others
MOST_EDGES = 12  # sizes whose both sides are tried
OLD = 7  # parts between the old tokens that are asked for
LEAST_SIZE = 2.0**-8  # of a value, as a share of the largest
SHORT = 17  # tokens of a stream that is saved and restored at every length: 16, and one more


def _pairs(keys: Rows, places: Iterable[int], bit: int = 1) -> list[Row]:
    """Queries for pairs of tokens whose numbers differ in a bit; for one alone if it has none.

    The two have the same weight and opposite values: one that is missing, or counted twice, shows.
    """
    found = dict[tuple[int, ...], None]()
    for j in places:
        found[tuple(sorted(p for p in {j, j ^ bit} if p < len(keys)))] = None
    return [mean([keys[j] for j in pair]) for pair in found]


def _of_length(draft: Draft, length: int, places: Sequence[int], bits: Sequence[int]) -> Instances:
    keys = codes(length, draft.d)
    some = [p for p in places if 0 <= p < length]
    queries = [query for bit in bits for query in _pairs(keys, some, bit)]
    return draft.in_slots(keys, draft.contrasts(length), dict.fromkeys(queries))


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
    """Every token, among those whose numbers begin alike, and among those that end alike."""
    width = (draft.n - 1).bit_length()
    apart = max(0, width - draft.group.bit_length() + 1)  # bits that the second kind has alike
    for shift in {0, apart}:
        yield from _in_groups(draft, draft.n, shift)


def every_length(draft: Draft) -> Instances:
    """Every token of every length, in one of the slots by turns."""
    for length in range(1, min(draft.n, MOST_LENGTHS) + 1):
        yield from _in_groups(draft, length, 0, turn=length)


def _in_groups(draft: Draft, length: int, shift: int, turn: int | None = None) -> Instances:
    """Tokens asked for in groups: their numbers are alike but for some bits, from ``shift`` on."""
    keys, varied = codes(length, draft.d), (draft.group - 1) << shift
    groups = [(j, varied) for j in range(length) if not j & varied]
    last, _ = groups[-1]
    if not shift and 0 < last == length - 1:  # with another group too: alone it may count twice
        groups.append((last, varied | last & -last))
    queries = [
        tuple(0.0 if alike >> c & 1 else SHARP * x for c, x in enumerate(keys[j]))
        for j, alike in groups
    ]
    if len(queries) > MOST_ASKED:
        queries = draft.rng.sample(queries, MOST_ASKED)
    values = draft.singled(length, lambda j: j >> shift)
    return draft.in_slots(keys, values, queries, turn=turn)


def _of_all_ages(draft: Draft) -> list[int]:
    return sorted({k * (draft.n - 1) // OLD for k in range(OLD + 1)})


def old_values(draft: Draft) -> Instances:
    """Finely graded values of n tokens, and tiny ones, asked for from the first to the last."""
    keys, values = codes(draft.n, draft.d), draft.graded(draft.n)
    queries = [mean([keys[place]]) for place in _of_all_ages(draft)]
    for size in (1, 1 / 1024):
        yield from draft.in_slots(keys, [[x * size for x in row] for row in values], queries)


def old_keys(draft: Draft) -> Instances:
    """Pairs of neighbours whose keys differ by 1/32 in a column, in which they are a nat apart.

    Two that are rounded to the same number, or to numbers further apart, show.
    """
    pairs = codes((draft.n + 1) // 2, draft.d - 1)
    keys = [[*pairs[j // 2], (9 - 2 * (j % 2)) / 64] for j in range(draft.n)]
    asked = dict.fromkeys(place // 2 for place in _of_all_ages(draft))
    queries = [(*mean([pairs[pair]]), 32.0) for pair in asked]
    return draft.in_slots(keys, draft.contrasts(draft.n), queries)


def growing(draft: Draft) -> Instances:
    """Every value twice as large as those before it, in one of the slots by turns."""
    signs = draft.contrasts(draft.n)
    step = 2 if draft.alpha < Fraction(1, 5) else 1  # how many of the last ones α lets one see
    lengths = range(1, min(draft.n, MOST_LENGTHS) + 1, step)
    for turn, length in enumerate(lengths):
        keys = codes(length, draft.d)
        sizes = [max(LEAST_SIZE, 2.0 ** (j + 1 - length)) for j in range(length)]
        values = [[s if x > 0 else -s for x in row] for s, row in zip(sizes, signs, strict=False)]
        yield from draft.in_slots(keys, values, [mean([key]) for key in keys[-step:]], turn=turn)


def just_appended(draft: Draft) -> Instances:
    """The token that has just come, after each of the first ones."""
    for length in range(1, min(draft.n, FIRST) + 1):
        yield from _of_length(draft, length, [length - 1, length - 2, 0], (1, 2))


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
            places = [length - 1, length - 2, 0, length // 2]
            yield from _of_length(draft, length, places, (1,))


# --- streams ------------------------------------------------------------------------------------


def _stream_length(draft: Draft) -> int:
    return min(draft.n, SHORT if draft.order == 1 else SHORT // 2 + 1)


def stream(draft: Draft, course: str) -> Instances:
    """A stream in a course, asked for every token of it."""
    length = _stream_length(draft)
    keys = codes(length, draft.d)
    return draft.in_slots(keys, draft.contrasts(length), _pairs(keys, range(length)), course)


def asked_throughout(draft: Draft) -> Instances:
    """The token that has just come, asked for before it came: after one token, two and so on."""
    longest = _stream_length(draft)
    for length in {*range(1, min(draft.n, FIRST) + 1), longest}:
        keys = codes(length, draft.d)
        queries = [mean(keys[-1:])]
        yield from draft.in_slots(keys, draft.contrasts(length), queries, "throughout")


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


def hardest(draft: Draft) -> Instances:
    """As many symbols as the largest floor counts."""
    return draft.hardest


def traced(draft: Draft) -> Instances:
    """What the user gave."""
    return draft.traces
