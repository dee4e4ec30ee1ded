"""Instances brought into what a cache is made for (`kvfloor.caches.serves`)."""

from __future__ import annotations

from collections.abc import Callable
from math import frexp, prod

from kvfloor.audit.accuracy.instance import Instance, Row, Rows, tokens_of

__all__ = ["SERVES", "within"]

MOST_FLOAT16 = 65504.0
SERVES = {
    "": "anything",
    "binary-values": "the family binary-values",
    "signs": "numbers -1, 0 and 1",
    "float16": "numbers up to 65504",
    "box": "keys and values in a box, the largest more than half of it",
    "gauge": "tokens in the gauge, and in a box",
}


def within(instance: Instance, serves: str) -> Instance | None:
    """Return the instance as a cache is made for it; None if nothing of it is left."""
    if serves not in DOMAINS:
        return instance
    found = DOMAINS[serves](instance)
    return found if found.bound else None


def _signs(instance: Instance) -> Instance:
    """Every number by its sign, or zero if it is less than half of the largest in its rows."""
    keys, values = instance.slots

    def signs(rows: Rows) -> Rows:
        largest = max(abs(x) for row in rows for x in row)
        return [
            [float((x > 0) - (x < 0)) if 2 * abs(x) >= largest else 0.0 for x in row]
            for row in rows
        ]

    return _instance(instance, [*map(signs, keys)], [*map(signs, values)])


def _box(instance: Instance) -> Instance:
    """Values of each slot times the power of two that brings the largest into (1/2, 1].

    Keys the same, if one is beyond 1; queries then the other way.
    """
    keys, values = instance.slots
    values = [_scaled(rows, _power(rows)) for rows in values]
    factors = [min(1.0, _power(rows)) for rows in keys]
    keys = [_scaled(rows, factor) for rows, factor in zip(keys, factors, strict=True)]
    queries = tuple(tuple(x / prod(factors) for x in query) for query in instance.queries)
    return _instance(instance, keys, values, queries)


def _float16(instance: Instance) -> Instance:
    """The instance, in the box if a number is beyond float16."""
    largest = max(abs(x) for slots in instance.slots for rows in slots for row in rows for x in row)
    return instance if largest <= MOST_FLOAT16 else _box(instance)


def _power(rows: Rows) -> float:
    """The power of two that brings the largest of the rows into (1/2, 1]; 1 if all are zero."""
    largest = max(abs(x) for row in rows for x in row)
    fraction, exponent = frexp(largest)
    return 2.0 ** (-exponent + (fraction == 0.5)) if largest else 1.0


def _scaled(rows: Rows, factor: float) -> Rows:
    return [[factor * x for x in row] for row in rows]


def _gauge(instance: Instance) -> Instance:
    """In the box, and the first token as `GaugedCache` wants it.

    At order 1 its key is taken from all keys, which are halved to stay in [-1, 1]; at higher
    orders it has ones in all slots but the first.
    """
    boxed = _box(instance)
    (keys, values), queries = boxed.slots, boxed.queries
    if instance.order == 1:
        origin = keys[0][0]
        keys = [[[(x - o) / 2 for x, o in zip(row, origin, strict=True)] for row in keys[0]]]
        queries = tuple(tuple(2 * x for x in query) for query in queries)
    for slots in (keys, values):
        for rows in slots[1:]:
            rows[0] = [1.0] * len(rows[0])
    return _instance(boxed, keys, values, queries)


def _instance(
    instance: Instance,
    keys: list[Rows],
    values: list[Rows],
    queries: tuple[Row, ...] | None = None,
) -> Instance:
    tokens = tokens_of(keys, values)
    return Instance(tokens, instance.queries if queries is None else queries, instance.course)


DOMAINS: dict[str, Callable[[Instance], Instance]] = {
    "signs": _signs,
    "float16": _float16,
    "box": _box,
    "gauge": _gauge,
}
