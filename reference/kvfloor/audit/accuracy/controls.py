"""Instances beside one that failed: of the same tokens, with other numbers.

What is said to have gone wrong has to explain what comes of these too: a step of rounding that is
larger than all values is told from a scale of zero by larger values.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import frexp
from random import Random

from kvfloor.audit.accuracy.draft import stretched
from kvfloor.audit.accuracy.instance import Instance, Row, Rows, tokens_of

__all__ = ["controls", "drawn", "probes", "tells_little"]

MOST_PROBES = 6  # tokens that are asked for beside the instance's own queries
SIZES = (1.0, 64.0)  # of values
SMALLER = 0.25  # keys, and queries as much larger
UNIT = 64  # drawn numbers are multiples of 1/64
FEW = 8  # different keys, which tell most ways to mix tokens apart
SOME = 4  # queries that are asked of controls


def probes(instance: Instance) -> tuple[Row, ...]:
    """Return the queries of an instance, and more: twice, half and none of them, single tokens."""
    own = instance.queries[:4]
    d = len(own[0])
    keys, _ = instance.slots
    count = len(instance.tokens)
    some = range(0, count, max(1, -(-count // MOST_PROBES)))
    aimed = [stretched(row, keys, 8) for rows in keys for row in (rows[j] for j in some)]
    others = [tuple(f * x for x in q) for q in own[:2] for f in (2.0, 0.5)]
    return tuple(dict.fromkeys((*instance.queries, *others, (0.0,) * d, *aimed)))


def controls(instance: Instance) -> Iterator[Instance]:
    """Yield instances of as many tokens in the same course.

    With other values of the same size; with values of other sizes; with smaller keys and larger
    queries.
    """
    keys, values = instance.slots
    course = instance.course
    queries = instance.queries[:: max(1, len(instance.queries) // SOME)]
    most = [_largest(rows) for rows in values]
    rng = Random(0)  # noqa: S311 (repeatable)
    other = [_drawn(rng, rows, size) for rows, size in zip(values, most, strict=True)]
    yield Instance(tokens_of(keys, other), queries, course)
    for size in SIZES:
        factors = [2.0 ** (frexp(size)[1] - frexp(largest)[1]) for largest in most]
        if set(factors) != {1.0}:
            sized = [_times(rows, f) for rows, f in zip(values, factors, strict=True)]
            yield Instance(tokens_of(keys, sized), queries, course)
    small = [_times(rows, SMALLER) for rows in keys]
    asked = tuple(tuple(x / SMALLER ** len(keys) for x in row) for row in queries)
    yield Instance(tokens_of(small, values), asked, course)


def drawn(instance: Instance, n: int) -> Instance:
    """Return another instance in the same course, all of it drawn; a few tokens, if n allows."""
    rng, count = Random(1), max(len(instance.tokens), min(n, FEW))  # noqa: S311 (repeatable)
    keys, values = (
        [_drawn(rng, [rows[0]] * count, size) for rows, size in zip(slots, sizes, strict=True)]
        for slots, sizes in zip(
            instance.slots, ([1.0] * instance.order, map(_largest, instance.slots[1])), strict=True
        )
    )
    aimed = [stretched(row, keys, 8) for row in keys[0][:FEW]]
    return Instance(tokens_of(keys, values), tuple(dict.fromkeys(aimed)), instance.course)


def tells_little(instance: Instance) -> bool:
    """Whether an instance has few different keys, so that many things explain its answers."""
    return all(len(set(map(tuple, rows))) < FEW for rows in instance.slots[0])


def _largest(rows: Rows) -> float:
    return max(abs(x) for row in rows for x in row) or 1.0


def _times(rows: Rows, factor: float) -> Rows:
    return [[factor * x for x in row] for row in rows]


def _drawn(rng: Random, rows: Rows, size: float) -> Rows:
    return [[size * rng.randint(-UNIT, UNIT) / UNIT for _ in row] for row in rows]
