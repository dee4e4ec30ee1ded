"""Gradients as lists of entries, each with what decides whether it is a rational (E5).

A set of entries is what has to be evaluated together: the gradients of one set of queries, keys and
values; or those of all biases and sinks, which may have been broadcast over heads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb, fmpq

from kvfloor.attention.gradients.cotangents import Parts, Pullback, Shapes
from kvfloor.attention.gradients.enclosure import enclose_pullback
from kvfloor.attention.gradients.exact import SINK, Exact, Share, above, rational_sum
from kvfloor.attention.gradients.residues import Residues, residues
from kvfloor.numbers import Array, arb_precision, to_fmpq

__all__ = ["Entries", "Places", "entries_of_problem", "entries_of_terms"]

Places = npt.NDArray[np.intp]


@dataclass
class Entries:
    """Entries of gradients, flat.

    Attributes
    ----------
    pullbacks : list of Pullback
        The problems they come from.
    flat : callable
        From the parts of these problems to all entries.
    narrowed : callable
        From the places of some entries to pullbacks that suffice for them, and from their parts to
        these entries.
    shares : callable
        From the place of an entry to its shares, None where they are not known.
    rooted : ndarray of bool
        Which entries are multiplied by the root of the scale.
    """

    pullbacks: Sequence[Pullback]
    flat: Callable[[Sequence[Parts]], Array]
    narrowed: Callable[[Places], tuple[Sequence[Pullback], Callable[[Sequence[Parts]], Array]]]
    shares: Callable[[int], list[Share] | None]
    rooted: Array

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.rooted)

    def enclose(self, bits: int, places: Places) -> list[arb]:
        """Return balls around the entries at some places."""
        pullbacks, taken = self.narrowed(places)
        with arb_precision(bits + 64):  # for the sums over broadcast axes
            parts = [enclose_pullback(pullback, bits) for pullback in pullbacks]
            found: list[arb] = taken(parts).tolist()
            return found

    def equals(self, place: int, rational: Fraction) -> bool | None:
        """Whether an entry is seen to be a rational by the residues; None if there are none."""
        if self.rooted[place] and rational != 0:
            return False  # rational multiples of √d, as functions
        if self._residues is None:
            return None
        values, number = self._residues
        return bool(values[place] == number(to_fmpq(rational)))

    def proves(self, place: int, rational: Fraction) -> bool:
        """Whether an entry is a rational, by its shares."""
        alike = rational_sum(self.shares(place)) == to_fmpq(rational)
        return alike and (rational == 0 or not self.rooted[place])

    def above(self, place: int, rational: Fraction, bits: int) -> bool | None:
        """Whether an entry exceeds a rational, by its shares; None if they do not say."""
        shares = self.shares(place)
        if shares is None or (self.rooted[place] and rational != 0):
            return None
        root = self.pullbacks[0].problem.scale.root
        return above(shares, to_fmpq(rational), root, bits)

    @cached_property
    def _residues(self) -> tuple[Array, Callable[[fmpq], Any]] | None:
        found: Residues | None = residues(self.pullbacks)
        return None if found is None else (self.flat(found.parts), found.number)


def entries_of_problem(pullback: Pullback) -> Entries:
    """Return the entries of queries, keys and values of one problem, in this order."""
    problem, exact = pullback.problem, Exact(pullback)
    tables = [problem.queries, *problem.keys, *problem.values]
    ends = np.cumsum([table.size for table in tables])
    m = len(problem.keys)

    def flat(parts: Sequence[Parts]) -> Array:
        ((query, keys, values, *_),) = parts
        return np.concatenate([table.ravel() for table in (query, *keys, *values)])

    def shares(place: int) -> list[Share] | None:
        table = int(np.searchsorted(ends, place, side="right"))
        start = ends[table] - tables[table].size
        j, c = divmod(place - int(start), tables[table].shape[1])
        if table == 0:
            return exact.query(j, c)
        return exact.keys(table - 1, j, c) if table <= m else exact.values(table - 1 - m, j, c)

    def narrowed(
        places: Places,
    ) -> tuple[Sequence[Pullback], Callable[[Sequence[Parts]], Array]]:
        if places.max() < ends[0]:
            rows, inverse = np.unique(places // problem.queries.shape[1], return_inverse=True)
            moved = inverse * problem.queries.shape[1] + places % problem.queries.shape[1]
            return [pullback.part(rows)], lambda parts: parts[0].query.ravel()[moved]
        return [pullback], lambda parts: flat(parts)[places]

    rooted = np.arange(ends[-1]) < ends[m]
    return Entries([pullback], flat, narrowed, shares, rooted & (problem.scale.root != 1))


def entries_of_terms(pullbacks: Sequence[Pullback], shapes: Shapes) -> Entries | None:
    """Return the entries of biases and sinks, None if there are neither."""
    if shapes.bias is None and shapes.sink is None:
        return None
    exact = [Exact(pullback) for pullback in pullbacks]
    size = len(pullbacks[0].problem.queries)
    sources = _sources(shapes)

    def flat(parts: Sequence[Parts]) -> Array:
        return np.concatenate([np.ravel(x) for x in shapes.terms(parts) if x is not None])

    def shares(place: int) -> list[Share] | None:
        found: list[Share] = []
        for row, t in sources(place):
            share = exact[row // size].logit(row % size, t)
            if share is None:
                return None
            found += share
        return found

    count = sum(int(np.prod(s)) for s in (shapes.bias, shapes.sink) if s is not None)
    rooted = np.zeros(count, dtype=np.bool_)
    return Entries(
        pullbacks,
        flat,
        lambda places: (pullbacks, lambda parts: flat(parts)[places]),
        shares,
        rooted,
    )


def _sources(shapes: Shapes) -> Callable[[int], list[tuple[int, int]]]:
    """From the place of an entry to the queries and tuples whose logits it joins."""
    leading = shapes.query[:-1]
    tables = []
    first = 0
    if shapes.bias is not None:
        places = np.arange(first, first + int(np.prod(shapes.bias))).reshape(shapes.bias)
        first += places.size
        tables.append(np.broadcast_to(places, shapes.logits).reshape(int(np.prod(leading)), -1))
    if shapes.sink is not None:
        places = np.arange(first, first + int(np.prod(shapes.sink))).reshape(shapes.sink)
        each = np.broadcast_to(places, shapes.sinks).reshape(-1, 1)
        tables.append(each.repeat(int(np.prod(leading)) // len(each), axis=0))

    def sources(place: int) -> list[tuple[int, int]]:
        found = []
        for table in tables:
            rows, tuples = np.nonzero(table == place)
            sink = shapes.sink is not None and table is tables[-1]
            found += [
                (b, SINK if sink else t)
                for b, t in zip(rows.tolist(), tuples.tolist(), strict=True)
            ]
        return found

    return sources
