"""An instance of the catalogue: tokens, queries, the course they are given in, and the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import Any, SupportsFloat, cast

import numpy as np
from flint import arb

from kvfloor.attention import ExactAttention, ExactOutput, enclose, folded
from kvfloor.families import Token
from kvfloor.floors import Guarantee
from kvfloor.numbers import Array, arb_precision, ball_ends, to_fmpq

__all__ = [
    "GRID_BITS",
    "Instance",
    "Miss",
    "Rows",
    "TrueOutput",
    "bound_of",
    "token_of",
    "tokens_of",
]

GRID_BITS = 64  # where balls cannot decide: neighbouring multiples of 2**-64 of the true output
Row = tuple[float, ...]
BALL_BITS = 64  # of the balls around outputs, nearly all of which decide
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

    @property
    def numbers(self) -> int:
        """Numbers in all tokens."""
        first = self.tokens[0]
        return len(self.tokens) * sum(map(len, (*first.keys, *first.values)))

    @cached_property
    def bound(self) -> Fraction:
        """B: no value, at order m no product of m values, is larger."""
        return bound_of(self.tokens)

    @cached_property
    def attention(self) -> ExactAttention:
        """Attention over the tokens, exactly."""
        return ExactAttention(*folded(*_slots(self.tokens)))

    @cached_property
    def outputs(self) -> tuple[TrueOutput, ...]:
        """The true output for every query."""
        queries = np.array(self.queries, dtype=np.float64)
        balls = enclose(queries, *folded(*_slots(self.tokens)), bits=BALL_BITS).output
        return tuple(TrueOutput(self, k, row) for k, row in enumerate(balls.tolist()))

    def misses(
        self, answers: Sequence[Sequence[Fraction]], guarantee: Guarantee
    ) -> tuple[list[Miss], Fraction]:
        """Return the worst miss of every query that has one, and the largest error in units of B.

        Answers count as accurate unless they are certainly not. The unit is 1 if B is zero.
        """
        held = Guarantee(guarantee.eta, guarantee.alpha * self.bound)
        unit, misses, worst = self.bound or Fraction(1), [], arb(0)
        for k, (output, answer) in enumerate(zip(self.outputs, answers, strict=True)):
            errors = output.errors(answer)
            worst = max(worst, *errors)
            if wrong := output.wrong(answer, held):
                column = max(wrong, key=errors.__getitem__)
                least = ball_ends(errors[column])[0] / unit
                misses.append(Miss(k, column, answer[column], least))
        return misses, ball_ends(worst)[0] / unit


@dataclass(frozen=True)
class TrueOutput:
    """The true output for a query: a ball in each column, and all of it where that is too little.

    Attributes
    ----------
    instance : Instance
    query : int
    balls : list of d_v arb
    """

    instance: Instance
    query: int
    balls: list[arb]

    @cached_property
    def exact(self) -> ExactOutput:
        """All of it."""
        return self.instance.attention(self.instance.queries[self.query])

    def errors(self, answer: Sequence[Fraction]) -> list[arb]:
        """How far an answer is off at least in each column, balls of radius zero."""
        with arb_precision(2 * BALL_BITS):
            return [distance.abs_lower() for distance in self._distances(answer)]

    def most(self, answer: Sequence[Fraction]) -> list[arb]:
        """How far it is off at most, likewise."""
        with arb_precision(2 * BALL_BITS):
            return [distance.abs_upper() for distance in self._distances(answer)]

    def _distances(self, answer: Sequence[Fraction]) -> list[arb]:
        return [abs(ball - to_fmpq(o)) for ball, o in zip(self.balls, answer, strict=True)]

    def wrong(self, answer: Sequence[Fraction], guarantee: Guarantee) -> list[int]:
        """The columns in which an answer is certainly not accurate."""
        eta, alpha = to_fmpq(guarantee.eta), to_fmpq(guarantee.alpha)
        found = []
        with arb_precision(2 * BALL_BITS):
            for column, (ball, o) in enumerate(zip(self.balls, answer, strict=True)):
                excess = abs(ball - to_fmpq(o)) - eta * abs(ball) - alpha
                if excess > 0 or (not excess <= 0 and self._beyond(column, o, guarantee)):
                    found.append(column)
        return found

    def _beyond(self, column: int, answer: Fraction, guarantee: Guarantee) -> bool:
        """Whether an answer near the border is beyond it; no, where the grid is too coarse."""
        return guarantee.accepts(answer, *self.exact.bounds(column, GRID_BITS)) is False


def token_of(
    keys: Iterable[Iterable[SupportsFloat]], values: Iterable[Iterable[SupportsFloat]]
) -> Token:
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
