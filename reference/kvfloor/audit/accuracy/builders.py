"""What the entries of values, keys and attention are made of."""

from __future__ import annotations

from collections.abc import Iterable
from math import log

from kvfloor.audit.accuracy.draft import (
    HIGH,
    LOW,
    MOST_LOGIT,
    SHARP,
    Draft,
    axis,
    codes,
    mean,
    stretched,
)
from kvfloor.audit.accuracy.instance import Instance, Row, Rows, tokens_of

__all__ = [
    "beyond_float16", "column_sizes", "constant", "dominated", "dominating", "duplicates",
    "equal_keys", "equal_tops", "fractions", "graded", "halves", "huge", "huge_keys",
    "key_columns", "large", "large_keys", "light_tail", "long_tail", "nearly_parallel", "negative",
    "negative_keys", "outlier", "overflow", "rising", "small", "spread", "temperatures",
    "token_sizes", "tuples", "underflow", "zeros",
]  # fmt: skip

Instances = Iterable[Instance]
HALVINGS = 1 / 16  # the relative sizes of columns
HUGE = 2.0**15  # float16 holds it, fixed ranges do not
BEYOND_FLOAT16 = 2.0**20
LEAST_SHARE = 2.0**-40  # of all weights, for an α of 0 too
BEYOND_EXP = 2.0**10  # nats, and float64 has no e^710


# --- values: every token is asked for in turn -------------------------------------------------


def _each(draft: Draft, values: Rows) -> Instances:
    keys = codes(len(values), draft.d)
    return draft.in_slots(keys, values, [mean([key]) for key in keys])


def graded(draft: Draft) -> Instances:
    """Odd multiples of a step below α all over the range."""
    return _each(draft, draft.graded(draft.few))


def negative(draft: Draft) -> Instances:
    """Nothing but negative numbers."""
    rows = draft.graded(draft.few)
    return _each(draft, [[-abs(x) / 2 - 0.5 for x in row] for row in rows])


def token_sizes(draft: Draft) -> Instances:
    """From tiny tokens to the largest, and back."""
    count = draft.few
    signs = draft.contrasts(count)
    sizes = [2.0 ** (-6 * (count - 1 - j) / max(1, count - 1) // 1) for j in range(count)]
    for order in (sizes, sizes[::-1]):
        yield from _each(draft, [[s * x for x in row] for s, row in zip(order, signs, strict=True)])


def column_sizes(draft: Draft) -> Instances:
    """Columns of sizes 1, 1/4, 1/16, 1/64, 1 and so on."""
    rows = draft.graded(draft.few)
    return _each(draft, [[x * 4.0 ** -(c % 4) for c, x in enumerate(row)] for row in rows])


def outlier(draft: Draft) -> Instances:
    """One column 32 times as large as all others."""
    place = draft.rng.randrange(draft.d_v)
    rows = draft.graded(draft.few)
    return _each(draft, [[x * 32 if c == place else x for c, x in enumerate(row)] for row in rows])


def one_outlier(draft: Draft) -> Instances:
    """One number among n rows of zeros, in each half of the tokens."""
    column = draft.rng.randrange(draft.d_v)
    keys = codes(draft.n, draft.d)
    for place in sorted({0, draft.n - 1}):
        values = draft.values(lambda j, c, at=place: (j, c) == (at, column), draft.n)  # type: ignore[misc]
        yield from draft.in_slots(keys, values, [stretched(keys[place], [keys])])


def just_above(draft: Draft) -> Instances:
    """Numbers just beyond 1/2 and -1/2: there α·B is finest beside the places of a float."""
    rows = draft.graded(draft.few)
    return _each(draft, [[(0.5 if x > 0 else -0.5) + x / 32 for x in row] for row in rows])


def constant(draft: Draft) -> Instances:
    """The same number everywhere: what the answer is whatever the weights are."""
    keys = codes(draft.few, draft.d)
    values = draft.alike([11 / 16] * draft.few)
    return draft.in_slots(keys, values, [mean(keys[:1]), (0.0,) * draft.d, mean(keys[-1:], 0.5)])


def large(draft: Draft) -> Instances:
    """Numbers up to 256."""
    return _each(draft, [[x * 256 for x in row] for row in draft.graded(draft.few)])


def huge(draft: Draft) -> Instances:
    """Numbers up to 2^15, which float16 holds."""
    return _each(draft, [[x * HUGE for x in row] for row in draft.graded(draft.few)])


def beyond_float16(draft: Draft) -> Instances:
    """Values up to 2^20; and keys up to that, with queries as much smaller."""
    yield from _each(draft, [[x * BEYOND_FLOAT16 for x in row] for row in draft.graded(draft.few)])
    yield from _sized_keys(draft, BEYOND_FLOAT16)


def small(draft: Draft) -> Instances:
    """Numbers up to 2^-10."""
    return _each(draft, [[x / 1024 for x in row] for row in draft.graded(draft.few)])


# --- keys ---------------------------------------------------------------------------------------


def _fine_keys(draft: Draft) -> Rows:
    return [
        [(2 * draft.rng.randrange(-32, 32) + 1) / 64 for _ in range(draft.d)]
        for _ in range(draft.few)
    ]


def _towards(keys: Rows) -> list[Row]:
    return [stretched(key, [keys]) for key in keys]


def fractions(draft: Draft) -> Instances:
    """Odd multiples of 1/64 in every column."""
    keys = _fine_keys(draft)
    return draft.in_slots(keys, draft.contrasts(draft.few), _towards(keys))


def key_columns(draft: Draft) -> Instances:
    """Every second column of the keys is 16 times smaller, and asked for 16 times as strongly."""
    sizes = [1.0 if c % 2 else HALVINGS for c in range(draft.d)]
    fine = _fine_keys(draft)
    keys = [[x * s for x, s in zip(key, sizes, strict=True)] for key in fine]
    queries = [stretched([x / s for x, s in zip(key, sizes, strict=True)], [keys]) for key in fine]
    return draft.in_slots(keys, draft.contrasts(draft.few), queries)


def nearly_parallel(draft: Draft) -> Instances:
    """Keys of which a common part says nothing, and a sixteenth everything."""
    count = draft.few
    values = draft.divided(count)
    profile = [0.5 + round(8 - 16 * (j + 0.5) / count) / 128 for j in range(count)]
    for place in {0, draft.d - 1}:
        keys = axis(profile, draft.d, place)
        yield from draft.in_slots(keys, values, [stretched(keys[0], [keys])])


def equal_keys(draft: Draft) -> Instances:
    """One key for all, values that are not alike: the answer is their mean."""
    keys = [list(codes(2, draft.d)[1])] * draft.few
    share = 5 * draft.few // 8
    for first in (1, -1):
        values = draft.alike([first if j < share else -first for j in range(draft.few)])
        yield from draft.in_slots(keys, values, [mean(keys[:1])])


def duplicates(draft: Draft) -> Instances:
    """A token that is given twice counts twice."""
    keys = codes(2, draft.d)
    for places in ((1, 1, 0), (1, 0, 1), (0, 1, 1)):
        some = places[: draft.n]
        values = draft.alike([2 * p - 1 for p in some])
        yield from draft.in_slots([keys[p] for p in some], values, [(0.0,) * draft.d])


def zeros(draft: Draft) -> Instances:
    """Tokens of zeros are tokens, not padding."""
    count = min(4, draft.n)
    for first in (0, 1):
        keys = [[float(j % 2 == first)] * draft.d for j in range(count)]
        values = draft.alike([j % 2 == first for j in range(count)])
        yield from draft.in_slots(keys, values, [(0.0,) * draft.d])


def large_keys(draft: Draft) -> Instances:
    """Keys up to 16, and queries as much smaller."""
    return _sized_keys(draft, 16)


def huge_keys(draft: Draft) -> Instances:
    """Keys up to 2^15, which float16 holds, and queries as much smaller."""
    return _sized_keys(draft, HUGE)


def _sized_keys(draft: Draft, size: float) -> Instances:
    keys = [[size * x for x in key] for key in _fine_keys(draft)]
    return draft.in_slots(keys, draft.contrasts(draft.few), _towards(keys))


def negative_keys(draft: Draft) -> Instances:
    """Nothing but negative numbers; queries with both signs tell them apart."""
    spelt = codes(draft.few, draft.d)
    keys = [[-(5 + 3 * x) / 8 for x in code] for code in spelt]
    queries = [stretched([-x for x in code], [keys]) for code in spelt]
    return draft.in_slots(keys, draft.contrasts(draft.few), queries)


def tuples(draft: Draft) -> Instances:
    """Two slots that both tell tokens apart: each with itself, and with those next to it.

    Keys of the second are those of the first, for every second token half as large.
    """
    if draft.order == 1:
        return
    count = draft.few
    keys, values = codes(count, draft.d), draft.contrasts(count)
    halved = [1 - (j.bit_count() % 2) / 2 for j in range(count)]
    other_keys = [[x * f for x in key] for key, f in zip(keys, halved, strict=True)]
    other_values = [[x * (4 * f - 3) for x in row] for row, f in zip(values, halved, strict=True)]
    ones = [[[1.0] * width] * count for width in (draft.d, draft.d_v)]
    slots = ([rows, others, *[one] * (draft.order - 2)] for rows, others, one in
             zip((keys, values), (other_keys, other_values), ones, strict=True))  # fmt: skip
    differ = sorted({0, 1 % count, 2 % count, count - 1})
    queries = [tuple(float(SHARP * (1 - 2 * (t >> c & 1))) for c in range(draft.d)) for t in differ]
    yield Instance(tokens_of(*slots), tuple(queries))


# --- attention ----------------------------------------------------------------------------------


def spread(draft: Draft) -> Instances:
    """All tokens count alike, or nearly: a few, and all n."""
    for count in {draft.few, draft.n}:
        keys = axis([1 - 2 * (j + 0.5) / count // (1 / 64) / 64 for j in range(count)], draft.d)
        values = draft.divided(count)
        queries = [(0.125,) + (0.0,) * (draft.d - 1)]
        if count == draft.few:
            queries.append((0.0,) * draft.d)  # a mean, which takes long to be rounded
        yield from draft.in_slots(keys, values, queries)


def equal_tops(draft: Draft) -> Instances:
    """Three tokens share all weight, two of them against one."""
    tops = min(3, draft.few)
    keys = axis([1.0 if j < tops else -1.0 for j in range(draft.few)], draft.d)
    values = draft.values(lambda j, c: -1 if j == c % 3 else 1, draft.few)
    order = [(2 * j) % draft.few if draft.few % 2 else j for j in range(draft.few)]
    return draft.in_slots(
        [keys[j] for j in order], [values[j] for j in order], [stretched(keys[0], [keys], 8)]
    )


def halves(draft: Draft) -> Instances:
    """Two tokens whose weights are just over and just under one half."""
    profile = [1.0, 63 / 64] + [-1.0] * draft.few
    for first in (0, 1):
        some = [profile[first], profile[1 - first], *profile[2:]][: draft.few]
        values = draft.values(lambda j, c: 1 - 2 * ((j + c) % 2), draft.few)
        keys = axis(some, draft.d)
        yield from draft.in_slots(keys, values, [(8.0,) + (0.0,) * (draft.d - 1)])


def long_tail(draft: Draft) -> Instances:
    """One token with half of the weight, against all others together: a few, and all n."""
    for count in {draft.few, draft.n}:
        keys = axis([1.0] + [-1.0] * (count - 1), draft.d)
        values = draft.values(lambda j, c: LOW if (j == 0) == (c % 2 == 0) else HIGH, count)
        factor = round(32 * log(max(1, count - 1))) / 64
        yield from draft.in_slots(keys, values, [(factor,) + (0.0,) * (draft.d - 1)])


def light_tail(draft: Draft) -> Instances:
    """One token against all others, whose weights add to α, or a quarter: a few, and all n."""
    share = max(LEAST_SHARE, min(0.25, float(draft.alpha)))
    for count in {draft.few, draft.n}:
        keys = axis([1.0] + [-1.0] * (count - 1), draft.d)
        values = draft.values(lambda j, c: LOW if (j == 0) == (c % 2 == 0) else HIGH, count)
        factor = round(32 * log(max(1, count - 1) * (1 - share) / share)) / 64
        yield from draft.in_slots(keys, values, [(factor,) + (0.0,) * (draft.d - 1)])


def rising(draft: Draft) -> Instances:
    """Each logit a little larger than the one before, from one nat in all to eight."""
    for count in {draft.few, draft.n}:
        profile = [2 * (j + 0.5) / count // (1 / 64) / 64 - 1 for j in range(count)]
        values = draft.divided(count)
        queries = [(nats / 2,) + (0.0,) * (draft.d - 1) for nats in (1, 2, 4, 8)]
        yield from draft.in_slots(axis(profile, draft.d), values, queries)


def dominated(draft: Draft) -> Instances:
    """One token with no weight, and the largest value."""
    place = draft.few // 2
    keys = axis([-1.0 if j == place else 1.0 for j in range(draft.few)], draft.d)
    values = draft.alike([1 if j == place else -1 / 8 for j in range(draft.few)])
    return draft.in_slots(keys, values, [(MOST_LOGIT / 2,) + (0.0,) * (draft.d - 1)])


def dominating(draft: Draft) -> Instances:
    """One token with all weight, and the smallest value."""
    place = draft.few // 2
    keys = axis([1.0 if j == place else -1.0 for j in range(draft.few)], draft.d)
    values = draft.alike([1 / 8 if j == place else -1 for j in range(draft.few)])
    return draft.in_slots(keys, values, [(MOST_LOGIT / 2,) + (0.0,) * (draft.d - 1)])


def temperatures(draft: Draft) -> Instances:
    """One query from a 64th of its size to 64 times."""
    count = draft.few
    profile = [round(32 * (1 - 2 * (j + 0.5) / count)) / 64 for j in range(count)]
    values = draft.divided(count)
    queries = [(2.0**k,) + (0.0,) * (draft.d - 1) for k in range(-6, 7, 2)]
    return draft.in_slots(axis(profile, draft.d), values, queries)


def overflow(draft: Draft) -> Instances:
    """Logits that no exponential holds, hundreds of nats apart."""
    return _beyond(draft, [1.0, 0.5] + [-1.0] * draft.few, BEYOND_EXP)


def underflow(draft: Draft) -> Instances:
    """The same far below zero: all exponentials vanish but that of a difference."""
    return _beyond(draft, [0.5] + [1.0] * draft.few, -2 * BEYOND_EXP)


def _beyond(draft: Draft, profile: list[float], nats: float) -> Instances:
    some = profile[: draft.few]
    values = draft.values(lambda j, c: 1 - 2 * ((j + c) % 2), draft.few)
    for order in (1, -1):
        query = (nats,) + (0.0,) * (draft.d - 1)
        yield from draft.in_slots(axis(some[::order], draft.d), values[::order], [query])
