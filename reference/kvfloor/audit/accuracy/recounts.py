"""Tokens that are missing, or counted twice: which of them explain wrong answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import permutations
from typing import NamedTuple

import numpy as np

from kvfloor.audit.accuracy.views import View, exponentials, mean_of
from kvfloor.numbers import Array

__all__ = ["MISSING", "Recount", "listed", "recount", "recounted"]

MISSING, TWICE = "missing token", "token counted twice"
MANY = 8  # tokens of which no more than one, or a run, are tried
FEW, LENGTHS = 64, 64  # tokens of which all are tried; lengths of runs of more, beside small ones
MOST_PAIRED = 16  # tokens of which any may stand in the place of another
Tokens = tuple[int, ...]


class Recount(NamedTuple):
    """Tokens that do not count once, and what that leaves of the answers, in units of `close`."""

    loss: str
    detail: str
    missing: Tokens
    twice: Tokens
    left: float

    @property
    def token(self) -> int:
        """The first of them."""
        return (*self.missing, *self.twice)[0]


def recounted(view: View) -> Iterator[Recount]:
    """Yield what explains a view; of many tokens what explains it best alone."""
    narrow = view.hardest().narrow()
    found = [
        Recount(MISSING if missing else TWICE, detail, missing, twice, left)
        for missing, twice, detail in _choices(view.count, _heaviest(narrow))
        if (left := recount(narrow, missing, twice)) <= 1 or view.count > FEW
    ]
    if view.count > FEW:  # whose runs are so coarse that the best may explain nothing yet
        found = [_refined(narrow, min(found, key=lambda one: one.left))]
    for one in found:
        if (left := recount(view, one.missing, one.twice)) <= 1:
            yield one._replace(left=left)


def _refined(view: View, found: Recount) -> Recount:
    """The run next to one that leaves least, if it is a run."""
    first, end = _ends(found)
    if not 2 <= end - first == len(found.missing or found.twice):
        return found
    step = view.count // LENGTHS
    while step:
        moves = [(first + a, end + b) for a in (-step, 0, step) for b in (-step, 0, step)]
        runs = [
            (i, j) for i, j in moves if 0 <= i < j - 1 and j <= view.count and j - i < view.count
        ]
        best = min((_of_run(view, found.loss, i, j) for i, j in runs), key=lambda one: one.left)
        if best.left < found.left:
            found, (first, end) = best, _ends(best)
        else:
            step //= 2
    return found


def _of_run(view: View, loss: str, first: int, end: int) -> Recount:
    tokens, detail = tuple(range(first, end)), f"tokens {first} to {end - 1}"
    missing, twice = (tokens, ()) if loss == MISSING else ((), tokens)
    return Recount(loss, detail, missing, twice, recount(view, missing, twice))


def _ends(found: Recount) -> tuple[int, int]:
    tokens = found.missing or found.twice
    return tokens[0], tokens[-1] + 1


def recount(view: View, missing: Tokens, twice: Tokens = ()) -> float:
    """Return what is left of a view if some tokens are missing, and others counted twice."""
    if max((*missing, *twice)) >= view.count or len(missing) == view.count:
        return np.inf
    logs = np.zeros(view.count)
    logs[list(missing)], logs[list(twice)] = -np.inf, np.log(2)
    tuples = reduce(np.add.outer, [logs] * len(view.keys)).ravel()
    return view.left(mean_of(exponentials(view.logits + tuples), view.products))


def _heaviest(view: View) -> list[int]:
    """The few tokens with the largest shares of a query's weights; all, if there are few."""
    weights: Array = view.weights
    shares = (weights / weights.sum(axis=1, keepdims=True)).reshape(len(weights), view.count, -1)
    largest = shares.sum(axis=2).max(axis=0)
    return sorted(np.argsort(-largest, kind="stable")[:FEW].tolist())


def _choices(count: int, single: Sequence[int]) -> Iterator[tuple[Tokens, Tokens, str]]:
    """Tokens that are missing, those counted twice, and words for it."""
    for tokens, detail in _places(count, single):
        yield tuple(tokens), (), detail
        yield (), tuple(tokens), detail
    if count <= MOST_PAIRED:
        for gone, other in permutations(range(count), 2):
            yield (gone,), (other,), f"token {gone}, in whose place is token {other}"


def _places(count: int, single: Sequence[int]) -> Iterator[tuple[list[int], str]]:
    """Single tokens, runs, every so many, some of the first; never all."""
    if count > 1:  # the weight of a single token is all there is
        yield from (([j], f"token {j}") for j in single)
    for first, end in _runs(count):
        yield list(range(first, end)), f"tokens {first} to {end - 1}"
    for period in range(2, count if count <= FEW else 2 * MANY):
        for first in range(min(period, count - period)):
            yield list(range(first, count, period)), f"token {first} and every {period} later"
    for chosen in range(1, 2 ** min(count, MANY)):
        tokens = [j for j in range(count) if chosen >> j & 1]
        if len(tokens) < count:
            yield tokens, listed(tokens)


def listed(tokens: Sequence[int]) -> str:
    """Tokens, in rising order, in words."""
    if len(tokens) == 1:
        return f"token {tokens[0]}"
    if tokens[-1] - tokens[0] == len(tokens) - 1:
        return f"tokens {tokens[0]} to {tokens[-1]}"
    return "tokens " + ", ".join(map(str, tokens))


def _runs(count: int) -> list[tuple[int, int]]:
    """First tokens and ends of runs of two and more: of many tokens, from the first, or the last.

    They are of few tokens, or all but few, or of about so many; a fifth of an error may be left.
    """
    if count <= FEW:
        runs = [(i, end) for i in range(count) for end in range(i + 2, count + 1)]
    else:
        lengths = {*range(2, FEW), *np.linspace(FEW, count - 2, LENGTHS, dtype=int).tolist()}
        ends = sorted({*lengths, *(count - length for length in lengths), count})
        runs = [(i, end) for i in range(MANY) for end in ends if end > i + 1]
        runs += [(count - length, count) for length in sorted(lengths)]
    return [run for run in runs if run != (0, count)]
