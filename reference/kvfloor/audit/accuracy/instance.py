"""An instance of the catalogue: tokens, queries, the course they are given in, and the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from kvfloor.attention import ExactAttention, ExactOutput
from kvfloor.families import Token
from kvfloor.floors import Guarantee
from kvfloor.numbers import as_fraction, ball_ends

__all__ = ["GRID_BITS", "Instance", "Miss", "Rows", "accurate", "bound_of", "token_of"]

GRID_BITS = 64  # where balls cannot decide: neighbouring multiples of 2**-64 of the true output
Row = tuple[float, ...]
Ends = tuple[Fraction, Fraction]
Rows = list[list[float]]
Exact = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Miss:
    """An answer outside the guarantee.

    Attributes
    ----------
    query, column : int
    answer : Fraction
    excess : Fraction
        Its distance from the true output, in units of B, as far as it is certain.
    """

    query: int
    column: int
    answer: Fraction
    excess: Fraction


@dataclass(frozen=True)
class Instance:
    """What a cache is given and asked.

    Attributes
    ----------
    tokens : tuple of Token
        Of float64 numbers.
    queries : tuple of tuples of d numbers
    course : str
        One of `COURSES`.
    """

    tokens: tuple[Token, ...]
    queries: tuple[Row, ...]
    course: str = "once"

    @property
    def slots(self) -> tuple[list[Rows], list[Rows]]:
        """The keys and the values of each slot."""
        keys, values = (
            [[[float(x) for x in part[r]] for part in parts] for r in range(self.order)]
            for parts in ([t.keys for t in self.tokens], [t.values for t in self.tokens])
        )
        return keys, values

    @property
    def order(self) -> int:
        """Slots, m."""
        return len(self.tokens[0].keys)

    @cached_property
    def bound(self) -> Fraction:
        """B: no value, at order m no product of m values, is larger."""
        return bound_of(self.tokens)

    @cached_property
    def attention(self) -> ExactAttention:
        """The true answers."""
        return ExactAttention(*_folded(self.tokens))

    @cached_property
    def outputs(self) -> tuple[tuple[ExactOutput, list[Ends]], ...]:
        """For every query the true output, and what its columns lie between."""
        exact = [self.attention(query) for query in self.queries]
        return tuple((o, [ball_ends(ball) for ball in o.enclose()]) for o in exact)

    def misses(
        self, answers: Sequence[Sequence[Fraction]], guarantee: Guarantee
    ) -> tuple[list[Miss], Fraction]:
        """Return the worst miss of every query that has one, and the largest error in units of B.

        Answers count as accurate unless they are certainly not. The unit is 1 if B is zero.
        """
        held = Guarantee(guarantee.eta, guarantee.alpha * self.bound)
        misses, worst, unit = [], Fraction(0), self.bound or Fraction(1)
        for k, ((output, ends), answer) in enumerate(zip(self.outputs, answers, strict=True)):
            found: Miss | None = None
            for column, (o, (low, high)) in enumerate(zip(answer, ends, strict=True)):
                least = max(low - o, o - high, Fraction(0)) / unit
                worst = max(worst, least)
                if accurate(o, output, column, (low, high), held):
                    continue
                if found is None or least > found.excess:
                    found = Miss(k, column, o, least)
            if found is not None:
                misses.append(found)
        return misses, worst


def accurate(
    answer: Fraction, output: ExactOutput, column: int, ends: Ends, guarantee: Guarantee
) -> bool:
    """Whether an answer is accurate, or the grid is too coarse to say that it is not."""
    told = guarantee.accepts(answer, *ends)
    if told is None:
        told = guarantee.accepts(answer, *output.bounds(column, GRID_BITS))
    return told is not False


def token_of(keys: Iterable[Iterable[float]], values: Iterable[Iterable[float]]) -> Token:
    """Return a token of float64 numbers, as caches in use get them."""
    rows = (tuple(tuple(float(x) for x in row) for row in part) for part in (keys, values))
    return Token(*cast(Any, rows))


def bound_of(tokens: Sequence[Token]) -> Fraction:
    """Return B of the tokens: the product over the slots of their largest absolute value."""
    slots = zip(*(token.values for token in tokens), strict=True)
    return prod(
        (max(abs(as_fraction(x, "values")) for row in rows for x in row) for rows in slots),
        start=Fraction(1),
    )


def _folded(tokens: Sequence[Token]) -> tuple[list[Exact], list[Exact]]:
    """Keys and values by slot, with the slots of one row all over multiplied into the first.

    That changes no output: n equal tuples have n times the weight and n times the value.
    """
    parts = [
        [np.array([part[r] for part in rows], dtype=object) for r in range(len(tokens[0].keys))]
        for rows in zip(*((t.keys, t.values) for t in tokens), strict=True)
    ]
    exact = [[_fractions(slot) for slot in part] for part in parts]
    keys, values = exact
    plain = [
        r
        for r in range(1, len(keys))
        if (keys[r] == keys[r][0]).all() and (values[r] == values[r][0]).all()
    ]
    first_keys, first_values = keys[0], values[0]
    for r in plain:
        first_keys, first_values = first_keys * keys[r][0], first_values * values[r][0]
    rest = [r for r in range(1, len(keys)) if r not in plain]
    return (
        [first_keys, *(keys[r] for r in rest)],
        [first_values, *(values[r] for r in rest)],
    )


def _fractions(rows: Exact) -> Exact:
    exact = np.empty(rows.shape, dtype=object)
    for place, x in np.ndenumerate(rows):
        exact[place] = as_fraction(x, "token")
    return exact
