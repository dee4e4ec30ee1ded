"""Symbols as levels of an output, and which symbol an answer reveals (S1, S2)."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from flint import arb

from kvfloor.errors import InputError
from kvfloor.floors import Guarantee, equal_room, greatest_leak, growth, least_answer, room
from kvfloor.numbers import arb_precision, as_count, as_fraction, as_positive, ball_ends, to_fmpq

__all__ = ["Levels", "grid", "logistic", "logits", "spaced"]


@dataclass(frozen=True)
class Levels:
    """Levels in [0, 1] of the symbols 0 … L-1, ascending, each enclosed by two rationals.

    Parameters
    ----------
    lower, upper : tuples of L rationals
        Ends of the level of each symbol; equal where the level is rational.
    guarantee : Guarantee
        (η, α) of the answers to be decoded.

    Raises
    ------
    InputError
        If the guarantee is too weak to tell two neighbours apart, whatever the margin.
    """

    lower: tuple[Fraction, ...]
    upper: tuple[Fraction, ...]
    guarantee: Guarantee

    def __post_init__(self) -> None:
        if self.room <= 0:
            expected = f"accurate answers that tell {len(self.lower)} levels apart"
            raise InputError("guarantee", expected, f"{self.guarantee} with room {self.room}")

    @cached_property
    def room(self) -> Fraction:
        """The least room between neighbours."""
        return Fraction(
            min(
                room(self.guarantee, below, above)
                for below, above in zip(self.upper[:-1], self.lower[1:], strict=True)
            )
        )

    @cached_property
    def thresholds(self) -> tuple[Fraction, ...]:
        """What answers to the symbols 1 … L-1 exceed, and answers to lower symbols do not."""
        leak = greatest_leak(self.guarantee, self.room)
        return tuple(least_answer(self.guarantee, level, leak) for level in self.lower[1:])

    def decode(self, o: Any, argument: str = "answer") -> int:
        """Return the symbol that an answer reveals, if the leak is below the greatest.

        Parameters
        ----------
        o : number or Arb ball
        argument : str
            Its name, for the error.

        Raises
        ------
        InputError
            If it is not a finite number, or a ball that holds answers to different symbols.
        """
        if not isinstance(o, arb):
            return bisect_left(self.thresholds, as_fraction(o, argument))
        found = {bisect_left(self.thresholds, end) for end in ball_ends(o)} if o.is_finite() else ()
        if len(found) != 1:
            raise InputError(argument, "a ball that holds answers to one symbol", str(o))
        return found.pop()


def grid(L: int, guarantee: Guarantee) -> Levels:
    """The levels 0, 1/(L-1), …, 1 (S1 `value-floor`).

    Raises
    ------
    InputError
        If L < 2, or the guarantee is too weak for the grid.
    """
    levels = tuple(Fraction(k, L - 1) for k in range(as_count(L, "L", 2)))
    return Levels(levels, levels, guarantee)


def logistic(L: int, gamma: Fraction, guarantee: Guarantee, *, bits: int = 128) -> Levels:
    """The levels ``1/(1 + exp(γ(1 - x)))`` for x in {0, 1/(L-1), …, 1} (S2 `sharp-floor`).

    Parameters
    ----------
    L : int
    gamma : number > 0
        The strength γ of the query.
    guarantee : Guarantee
    bits : int
        Working precision of the enclosures.

    Raises
    ------
    InputError
        If L < 2, γ <= 0, or the guarantee is too weak for these levels.
    """
    L, gamma = as_count(L, "L", 2), as_positive(gamma, "gamma")
    with arb_precision(bits):
        below = [gamma * (1 - Fraction(k, L - 1)) for k in range(L)]
        ends = [ball_ends(1 / (1 + arb(to_fmpq(x)).exp())) for x in below]
    return Levels(tuple(low for low, _ in ends), tuple(high for _, high in ends), guarantee)


def spaced(L: int, guarantee: Guarantee) -> Levels:
    """The levels from 0 to 1 with equal room between neighbours (`value-levels`).

    Raises
    ------
    InputError
        If L < 2, or the guarantee is too weak for so many levels.
    """
    L = as_count(L, "L", 2)
    levels = _row(L, guarantee, Fraction(0), Fraction(equal_room(guarantee, L)))
    return Levels(levels, levels, guarantee)


def _row(L: int, guarantee: Guarantee, least: Fraction, gap: Fraction) -> tuple[Fraction, ...]:
    """L levels from the least one on, with the room ``gap`` between neighbours."""
    levels = [least]
    for _ in range(L - 1):
        upper = (1 + guarantee.eta) * levels[-1] + 2 * guarantee.alpha + gap
        levels.append(upper / (1 - guarantee.eta))
    return tuple(levels)


def logits(L: int, guarantee: Guarantee) -> tuple[tuple[Fraction, ...], Levels]:
    """Rational logits z_k, and the levels ``1/(1 + exp(-z_k))`` with some room (`key-levels`).

    As many levels as in [0, 1] find room in its inside: half of the room of `spaced` is left.

    Raises
    ------
    InputError
        If L < 2, or the guarantee is too weak for so many levels.
    """
    whole = spaced(as_count(L, "L", 2), guarantee).room
    gap, ratio = whole / 2, Fraction(growth(guarantee)) ** (L - 1)
    # From s to 1 - s: the row grows by the ratio from s, and from 0 it would reach 1 with `whole`.
    s = (1 - (2 * guarantee.alpha + gap) / (2 * guarantee.alpha + whole)) / (1 + ratio)
    inside = _row(L, guarantee, s, gap)
    unit = Fraction(1, 2 ** max(8, (8 / gap).__ceil__().bit_length()))
    with arb_precision(128 + unit.denominator.bit_length()):
        exact = (arb(to_fmpq(y / (1 - y))).log() for y in inside)
        z = tuple(round(sum(ball_ends(ball)) / 2 / unit) * unit for ball in exact)
        ends = [ball_ends(1 / (1 + (-arb(to_fmpq(x))).exp())) for x in z]
    return z, Levels(tuple(low for low, _ in ends), tuple(high for _, high in ends), guarantee)
