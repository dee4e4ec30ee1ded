"""An instance of the catalogue: tokens, queries, the course they are given in, and the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any, cast

import numpy as np
from flint import arb

from kvfloor.attention import ExactAttention, ExactOutput, folded
from kvfloor.families import Token
from kvfloor.floors import Guarantee
from kvfloor.numbers import Array, arb_precision, ball_ends, to_fmpq

__all__ = [
    "GRID_BITS",
    "Instance",
    "Miss",
    "Rows",
    "accurate",
    "bound_of",
    "token_of",
    "tokens_of",
]

GRID_BITS = 64  # where balls cannot decide: neighbouring multiples of 2**-64 of the true output
Row = tuple[float, ...]
BALL_BITS = 128  # working precision of balls
Rows = list[list[float]]


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
        keys, values = _slots(self.tokens)
        return [slot.tolist() for slot in keys], [slot.tolist() for slot in values]

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
        return ExactAttention(*folded(*_slots(self.tokens)))

    @cached_property
    def outputs(self) -> tuple[tuple[ExactOutput, list[arb]], ...]:
        """For every query the true output, and a ball around it in each column."""
        exact = [self.attention(query) for query in self.queries]
        return tuple((o, o.enclose(BALL_BITS)) for o in exact)

    def misses(
        self, answers: Sequence[Sequence[Fraction]], guarantee: Guarantee
    ) -> tuple[list[Miss], Fraction]:
        """Return the worst miss of every query that has one, and the largest error in units of B.

        Answers count as accurate unless they are certainly not. The unit is 1 if B is zero.
        """
        held = Guarantee(guarantee.eta, guarantee.alpha * self.bound)
        unit, misses, worst = self.bound or Fraction(1), [], arb(0)
        for k, ((output, balls), answer) in enumerate(zip(self.outputs, answers, strict=True)):
            errors = [_least_error(o, ball) for o, ball in zip(answer, balls, strict=True)]
            worst = max(worst, *errors)
            wrong = [
                column
                for column, (o, ball) in enumerate(zip(answer, balls, strict=True))
                if not accurate(o, output, column, ball, held)
            ]
            if wrong:
                column = max(wrong, key=errors.__getitem__)
                least = ball_ends(errors[column])[0] / unit
                misses.append(Miss(k, column, answer[column], least))
        return misses, ball_ends(worst)[0] / unit


def accurate(
    answer: Fraction, output: ExactOutput, column: int, ball: arb, guarantee: Guarantee
) -> bool:
    """Whether an answer is accurate, or the grid is too coarse to say that it is not."""
    with arb_precision(BALL_BITS):
        excess = abs(ball - to_fmpq(answer)) - to_fmpq(guarantee.alpha)
        if guarantee.eta:
            excess -= to_fmpq(guarantee.eta) * abs(ball)
    if excess > 0 or excess <= 0:  # all of the ball is on one side
        return bool(excess <= 0)
    return guarantee.accepts(answer, *output.bounds(column, GRID_BITS)) is not False


def _least_error(answer: Fraction, ball: arb) -> arb:
    """How far an answer is off at least, a ball of radius zero."""
    with arb_precision(BALL_BITS):
        return abs(ball - to_fmpq(answer)).abs_lower()


def token_of(keys: Iterable[Iterable[float]], values: Iterable[Iterable[float]]) -> Token:
    """Return a token of float64 numbers, as caches in use get them."""
    rows = (tuple(tuple(float(x) for x in row) for row in part) for part in (keys, values))
    return Token(*cast(Any, rows))


def tokens_of(keys: Sequence[Rows], values: Sequence[Rows]) -> tuple[Token, ...]:
    """Return the tokens whose keys and values these are, slot by slot: what `slots` takes apart."""
    return tuple(map(token_of, zip(*keys, strict=True), zip(*values, strict=True)))


def bound_of(tokens: Sequence[Token]) -> Fraction:
    """Return B of the tokens: the product over the slots of their largest absolute value."""
    _, values = _slots(tokens)
    return prod((Fraction(float(np.abs(slot).max())) for slot in values), start=Fraction(1))


def _slots(tokens: Sequence[Token]) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Keys and values of each slot, as arrays of shape (n, d) and (n, d_v)."""
    keys, values = (
        tuple(np.array(parts, dtype=np.float64).swapaxes(0, 1))
        for parts in ([t.keys for t in tokens], [t.values for t in tokens])
    )
    return keys, values
