"""A local search in values and queries, for an instance whose answers are further off."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any, cast

from kvfloor.audit.accuracy.draft import stretched
from kvfloor.audit.accuracy.instance import Instance, Row, token_of
from kvfloor.families import Token

__all__ = ["worse"]


def worse(
    instance: Instance,
    error_of: Callable[[Instance], Fraction | None],
    rng: Random,
    steps: int,
) -> Instance:
    """Return an instance that is at least as bad as the one given.

    Parameters
    ----------
    instance : Instance
    error_of : callable
        The largest error of an instance in units of B, None for one that the cache refuses.
    rng : Random
    steps : int
        Instances that are tried.
    """
    keys, _ = instance.slots

    def moved(query: Row) -> Row:
        factor = rng.choice((0.5, 1.5, 2.0))
        row = [factor * x if rng.random() < 0.8 else 0.0 for x in query]
        total = stretched(row, keys)
        return total if sum(map(abs, total)) < sum(map(abs, row)) else tuple(row)

    def altered(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
        j, r = rng.randrange(len(tokens)), rng.randrange(instance.order)
        factor = rng.choice((-1.0, 0.5, 0.75, 1.0))
        rows = [[float(x) for x in row] for row in tokens[j].values]
        rows[r] = [factor * x for x in rows[r]]
        changed = token_of(cast(Any, tokens[j].keys), rows)
        return (*tokens[:j], changed, *tokens[j + 1 :])

    error = error_of(instance) or Fraction(0)
    for step in range(steps):
        if step % 2:
            queries = tuple(moved(query) for query in instance.queries)
            candidate = Instance(instance.tokens, queries, instance.course)
        else:
            candidate = Instance(altered(instance.tokens), instance.queries, instance.course)
        found = error_of(candidate) if candidate.bound else None
        if found is not None and found >= error:
            instance, error = candidate, found
    return instance
