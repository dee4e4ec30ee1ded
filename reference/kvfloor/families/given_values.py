"""The hard family `given-values`: values that given queries read from given keys (H4)."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple

from flint import arb, fmpq

from kvfloor.errors import InputError
from kvfloor.families.levels import Levels, spaced
from kvfloor.floors import Guarantee, given_alpha, mixed_bits, most_levels
from kvfloor.numbers import arb_precision, as_count, as_fraction, ball_ends, to_fmpq

__all__ = ["GivenValues", "told_levels"]

PRECISION = 256  # of the reader's arithmetic; what it decides, balls decide


@dataclass(frozen=True)
class GivenValues:
    """Some tokens of given keys hold symbols in their values, and given queries read them in turn.

    All other values are 0. The j-th query reads the j-th token: every answer to it is nearer to
    the token's level than to any other, whatever the later tokens hold, and the earlier ones too
    unless reading is successive; then those are known, and so is their part of the output.

    Parameters
    ----------
    weights : k rows of k Arb balls
        What the tokens that hold symbols weigh for each of the queries, in the order of reading.
    guarantee : Guarantee
        (η, α) of the answers.
    levels : k whole numbers, at least 2
        How many each token's values take.
    successive : bool
        Whether symbols that have been read are taken for known: for caches that never err.

    Raises
    ------
    InputError
        If some levels are not proved to be told apart.
    """

    weights: Sequence[Sequence[arb]]
    guarantee: Guarantee
    levels: Sequence[int]
    successive: bool

    def __post_init__(self) -> None:
        if len(self.levels) != len(self.weights):
            raise InputError("levels", f"{len(self.weights)} numbers", str(len(self.levels)))
        for j, L in enumerate(self.levels):
            terms = self.weights[j], j, self.guarantee
            most = told_levels(
                *terms, successive=self.successive, at_most=as_count(L, f"levels[{j}]", 2)
            )
            if most < L:
                expected = f"levels that answers tell apart, {most} at most"
                raise InputError(f"levels[{j}]", expected, str(L))

    def bits(self, d_v: int, delta: Any = 0) -> int:
        """Return the bits that a cache needs for values of d_v entries, read with error δ.

        Raises
        ------
        InputError
            If a number is out of range, or δ > 0 and reading is successive.
        """
        entries, error = as_count(d_v, "d_v", 1), as_fraction(delta, "delta")
        if error and self.successive:
            raise InputError("delta", "0, as what was read before has to be right", str(error))
        counts = Counter(self.levels)
        return mixed_bits({L: count * entries for L, count in counts.items()}, error)

    def values(self, symbols: Sequence[int]) -> tuple[Fraction, ...]:
        """Return what the tokens hold in one column, for a symbol each."""
        if len(symbols) != len(self.levels):
            raise InputError("symbols", f"{len(self.levels)} of them", str(len(symbols)))
        return tuple(self._rows[j].lower[k] for j, k in enumerate(symbols))

    def decode(self, answers: Sequence[Any]) -> tuple[int, ...]:
        """Return the symbols of one column from an answer to each query.

        Raises
        ------
        InputError
            If an answer is not a finite number.
        """
        found: list[int] = []
        for j, answer in enumerate(answers):
            o = as_fraction(answer, f"answers[{j}]")
            found.append(bisect_left(self._thresholds(j, found), o))
        return tuple(found)

    @cached_property
    def _rows(self) -> tuple[Levels, ...]:
        """The levels of each token's values."""
        eta = self.guarantee.eta
        alphas = (
            _alpha(row, j, self.guarantee, self.successive) for j, row in enumerate(self.weights)
        )
        return tuple(
            spaced(L, Guarantee(eta, alpha)) for L, alpha in zip(self.levels, alphas, strict=True)
        )

    def _thresholds(self, j: int, before: Sequence[int]) -> list[Fraction]:
        """What parts the answers to neighbouring symbols: the middle between them."""
        eta, row = to_fmpq(self.guarantee.eta), [to_fmpq(y) for y in self._rows[j].lower]
        with arb_precision(PRECISION):
            later, _ = _others(self.weights[j], j, self.successive)
            held = [self._rows[i].lower[k] for i, k in enumerate(before)] if self.successive else []
            parts = zip(self.weights[j], held, strict=False)
            known = sum((weight * to_fmpq(v) for weight, v in parts), arb(0))
            levels = [known + self.weights[j][j] * y for y in row]
            sums = (
                (1 - eta) * above + (1 + eta) * (below + later) for below, above in pairwise(levels)
            )
            return [sum(ball_ends(both), Fraction(0)) / 4 for both in sums]


def told_levels(
    weights: Sequence[arb],
    j: int,
    guarantee: Guarantee,
    *,
    successive: bool,
    at_most: int = 2**16,
) -> int:
    """Return the most levels of the j-th token that are proved to be told apart, 1 if not two.

    Parameters
    ----------
    weights : sequence of Arb balls
        What the tokens that hold symbols weigh for the j-th query, in the order of reading.
    j : int
    guarantee : Guarantee
    successive : bool
        As for `GivenValues`.
    at_most : int
        At least 1.
    """
    if not weights[j] > 0:
        return 1
    alpha = _alpha(weights, j, guarantee, successive)
    return most_levels(Guarantee(guarantee.eta, alpha), at_most)


def _alpha(weights: Sequence[arb], j: int, guarantee: Guarantee, successive: bool) -> Fraction:
    """The α with which the j-th token is read: the upper end of `given_alpha` of the balls."""
    terms = _Exact(to_fmpq(guarantee.eta), to_fmpq(guarantee.alpha))
    with arb_precision(PRECISION):
        return ball_ends(given_alpha(terms, weights[j], *_others(weights, j, successive)))[1]


def _others(weights: Sequence[arb], j: int, successive: bool) -> tuple[arb, arb]:
    """What other tokens weigh for the j-th query: those not known yet, and those known."""
    earlier, later = sum(weights[:j], arb(0)), sum(weights[j + 1 :], arb(0))
    return (later, earlier) if successive else (earlier + later, arb(0))


class _Exact(NamedTuple):
    """A guarantee in FLINT's rationals."""

    eta: fmpq
    alpha: fmpq
