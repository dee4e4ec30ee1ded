"""Attention over the rationals, as sums of exponentials (E1 `exact-equality`).

Inputs are rationals, so tuples can be grouped by their exact logit s. With m_s tuples in a group
and values summing to a_s there, the output is Σ a_s·e^s / Σ m_s·e^s. It is rational only if
a_s / m_s is the same rational in every group, and otherwise irrational (E6
`exponentials-independent`): so it is decided on which side of any rational it lies. A sink is one
more tuple, of value zero.

Under a soft cap logits are no algebraic numbers. Then an output with the same a_s / m_s everywhere
is that rational, but of another one it is not known that it is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf, isinf, isqrt
from typing import Any

from flint import arb, fmpq

from kvfloor.errors import InputError
from kvfloor.numbers import (
    arb_precision,
    as_fraction,
    ball_ends,
    to_fmpq,
    to_fraction,
)

__all__ = [
    "ExactNumber",
    "ExactOutput",
    "compare",
    "equal",
    "is_exactly",
]


CAPPED_BITS = 2**16
WHOLE_POWERS = 2**16  # exponents of 2 up to which 2^r is written out


@dataclass(frozen=True)
class ExactNumber:
    """A quotient of sums of exponentials, ``Σ a_s·e^{s√root} / Σ m_s·e^{s√root}``.

    Attributes
    ----------
    logits : tuple of fmpq
        The distinct s, in units of √root.
    root : int
        1, or no square.
    counts : tuple of int
        The m_s, positive.
    sums : tuple of fmpq
        The a_s.
    biases : tuple of fmpq, or None for zeros
        What is added to each logit; None where root is 1.
    """

    logits: tuple[fmpq, ...]
    root: int
    counts: tuple[int, ...]
    sums: tuple[fmpq, ...]
    biases: tuple[fmpq, ...] | None = None

    def rational(self) -> Fraction | None:
        """Return the number if it is rational, None if it is irrational."""
        ratios = {a / m for a, m in zip(self.sums, self.counts, strict=True)}
        return to_fraction(ratios.pop()) if len(ratios) == 1 else None

    def enclose(self, bits: int = 128) -> arb:
        """Return a ball around the number, at ``bits`` of working precision."""
        sums = tuple((a,) for a in self.sums)
        return ExactOutput(self.logits, self.root, self.counts, sums, self.biases).enclose(bits)[0]

    @property
    def exponents(self) -> list[dict[int, fmpq]]:
        """Each logit as the coefficients of 1 and of a square-free root."""
        k, root = _square_free(self.root)
        found = []
        for s, b in zip(self.logits, self.biases or [fmpq(0)] * len(self.logits), strict=True):
            parts = {root: s * k}
            parts[1] = parts.get(1, fmpq(0)) + b
            found.append(parts)
        return found


def is_exactly(number: ExactNumber, rational: Any) -> bool:
    """Decide whether a number equals a rational (E1 `exact-equality`).

    Parameters
    ----------
    number : ExactNumber
    rational : number
        Anything that stands for a rational.

    Raises
    ------
    InputError
        If ``rational`` is not a finite real number.
    """
    return number.rational() == as_fraction(rational, "rational")


def equal(x: ExactNumber, y: ExactNumber) -> bool:
    """Decide whether two numbers are equal (E1 `exact-equality`).

    ``A/M = A'/M'`` is ``Σ (a_s·m'_t - a'_t·m_s)·e^{s√r + t√r'} = 0``. Exponentials of different
    exponents are linearly independent (E6; for two irrational roots and biases: Lindemann and
    Weierstrass), so each exponent's coefficients must sum to zero.
    """
    coefficients: dict[tuple[fmpq, ...], fmpq] = {}
    for s, m, a in zip(x.exponents, x.counts, x.sums, strict=True):
        for t, m_, a_ in zip(y.exponents, y.counts, y.sums, strict=True):
            # √ of different square-free numbers are linearly independent over the rationals
            exponent = tuple(s.get(root, fmpq(0)) + t.get(root, fmpq(0)) for root in s | t)
            coefficients[exponent] = coefficients.get(exponent, fmpq(0)) + a * m_ - a_ * m
    return not any(coefficients.values())


def compare(x: ExactNumber, y: ExactNumber) -> int:
    """Return -1, 0 or 1 as x is less than, equal to or greater than y; decided, no tolerance."""
    if equal(x, y):
        return 0
    bits = 64
    while True:
        with arb_precision(bits):
            difference = x.enclose(bits) - y.enclose(bits)
            if difference > 0 or difference < 0:
                return 1 if difference > 0 else -1
        bits *= 2  # ends: the numbers differ


def _square_free(root: int) -> tuple[int, int]:
    """Return (k, r) with √root = k·√r and r square-free."""
    k = max(k for k in range(1, isqrt(root) + 1) if root % (k * k) == 0)
    return k, root // (k * k)


@dataclass(frozen=True)
class ExactOutput:
    """The answer to one query, exactly.

    Attributes
    ----------
    logits : tuple of fmpq
        Distinct logits in units of √root, descending.
    root : int
        1, or the d of ``scale="1/sqrt(d)"`` if it is no square.
    counts : tuple of int
        Tuples of each logit.
    sums : tuple of tuples of fmpq
        For each logit, the sum of the values of its tuples, shape (d_v,).
    biases : tuple of fmpq, or None for zeros
        What is added to each logit, after the cap: then both together are distinct.
    softcap : fmpq or None
        The c of c·tanh(s/c).
    """

    logits: tuple[fmpq, ...]
    root: int
    counts: tuple[int, ...]
    sums: tuple[tuple[fmpq, ...], ...]
    biases: tuple[fmpq, ...] | None = None
    softcap: fmpq | None = None

    def __getitem__(self, column: int) -> ExactNumber:
        """Return the output in one column as a number.

        Raises
        ------
        InputError
            Under a soft cap, where logits are no algebraic numbers.
        """
        if self.softcap is not None:
            raise InputError("softcap", "none, as numbers are compared exactly", str(self.softcap))
        sums = tuple(a[column] for a in self.sums)
        return ExactNumber(self.logits, self.root, self.counts, sums, self.biases)

    def __len__(self) -> int:
        return len(self.sums[0])

    def rational(self, column: int) -> Fraction | None:
        """Return the output if it is rational, None if it is irrational.

        Under a soft cap None is for outputs that are not known to be rational.
        """
        sums = tuple(a[column] for a in self.sums)
        return ExactNumber(self.logits, self.root, self.counts, sums).rational()

    def rational_logsumexp(self) -> Fraction | None:
        """Return the log-sum-exp if it is rational, None if it is irrational.

        ``ln Σ m_s·e^s`` is rational only for a single tuple, if its logit is. (Under a soft cap it
        is not known to be rational otherwise.)
        """
        only = self._rational_logit(0) if self.counts == (1,) else None
        return None if only is None else to_fraction(only)

    def rational_log2(self) -> Fraction | None:
        """Return the log-sum-exp in base 2 if it is rational, None if it is irrational.

        If ``Σ m_s·e^s = 2^(p/q)``, the q-th power of the sum is rational, so every logit is zero
        (E6), and m is a power of two.
        (Under a soft cap it is not known to be rational otherwise.)
        """
        count = self.counts[0]
        alone = len(self.counts) == 1 and self._rational_logit(0) == 0
        return Fraction(count.bit_length() - 1) if alone and count & (count - 1) == 0 else None

    def _rational_logit(self, place: int) -> fmpq | None:
        """A logit that is rational, None for one that is not."""
        s, b = self.logits[place], self._bias(place)
        plain = self.root == 1 and self.softcap is None
        return s + b if plain or s == 0 else None

    def _bias(self, place: int) -> fmpq:
        return fmpq(0) if self.biases is None else self.biases[place]

    def _logit(self, place: int, *, less: fmpq | int = 0) -> arb:
        """A logit, less a rational, at the precision of the moment."""
        s, b = self.logits[place], self._bias(place) - less
        if self.softcap is None:
            return s * arb(self.root).sqrt() + b if self.root != 1 else arb(s + b)
        return (s * arb(self.root).sqrt() / self.softcap).tanh() * self.softcap + b

    def enclose(self, bits: int = 128) -> list[arb]:
        """Return a ball around the output in each column, at ``bits`` of working precision."""
        return [self._ball(column, bits) for column in range(len(self))]

    def _ball(self, column: int, bits: int) -> arb:
        weights, total = self._weights(bits)
        with arb_precision(bits):
            pairs = zip(weights, self.sums, strict=True)
            return sum((w * a[column] for w, a in pairs), arb(0)) / total

    def logsumexp(self, bits: int = 128) -> arb:
        """Return a ball around the log-sum-exp, in nats."""
        _, total = self._weights(bits)
        with arb_precision(bits):
            return total.log() + self._logit(0)

    def bounds(self, column: int, grid_bits: int) -> tuple[Fraction, Fraction]:
        """Return the neighbouring multiples of ``2**-grid_bits`` that enclose the output.

        They are one and the same if the output is such a multiple.
        """
        unit = Fraction(1, 2**grid_bits)
        exact = self.rational(column)
        if exact is not None:
            return exact // unit * unit, -(-exact // unit) * unit
        bits = grid_bits + 64
        while True:
            lower, upper = (end // unit for end in ball_ends(self._ball(column, bits)))
            if upper == lower + 1:
                # One multiple is in doubt; the sign of out - r, a sum of exponentials itself, is
                # often plain where both are too near for their balls to part.
                above = self._exceeds(column, upper * unit, bits)
                lower, upper = (
                    (upper, upper) if above else (lower, upper if above is None else lower)
                )
            if lower == upper:
                return lower * unit, (lower + 1) * unit
            bits *= 2  # ends: an irrational output lies inside one cell

    def floats(self) -> list[float]:
        """Return the output as float64 numbers within one ulp.

        Raises
        ------
        InputError
            If an output is beyond float64.
        """
        found: list[float] = []
        for column, first in enumerate(self.enclose()):
            exact, ball, bits = self.rational(column), first, 128
            while exact is None and ball.rel_accuracy_bits() < 60:
                bits *= 2  # ends: the output is irrational, so not zero
                ball = self._ball(column, bits)
            try:
                rounded = float(ball.mid() if exact is None else exact)
            except OverflowError:
                rounded = inf
            if isinf(rounded):
                raise InputError("values", "values whose products float64 holds", "larger ones")
            found.append(rounded)
        return found

    def exceeds(self, column: int, rational: Fraction) -> bool:
        """Decide whether an irrational output exceeds a rational."""
        bits = 64
        while (above := self._exceeds(column, rational, bits)) is None:
            bits = self.more(bits)
        return above

    def more(self, bits: int) -> int:
        """Return twice the bits.

        That ends where a number is irrational, as it differs from every rational.

        Raises
        ------
        InputError
            Under a soft cap, where that is not known, beyond 2**16 bits.
        """
        if self.softcap is not None and bits >= CAPPED_BITS:
            expected = f"one for which {bits} bits part the result from every boundary"
            raise InputError("softcap", expected, str(self.softcap))
        return 2 * bits

    def log2_exceeds(self, rational: Fraction) -> bool:
        """Decide whether an irrational log-sum-exp in base 2 exceeds a rational r: Σ m_s·e^s > 2^r.

        What is rational is added exactly, so that weights of 1 cancel a power of two.
        """
        whole = rational.denominator == 1 and abs(rational) < WHOLE_POWERS
        power = fmpq(2) ** int(rational) if whole else fmpq(0)

        def difference() -> arb:
            found = self._weight_sum(fmpq(0), -power)
            return found if whole else found - (arb(2).log() * to_fmpq(rational)).exp()

        return self._is_positive(difference)

    def logsumexp_exceeds(self, rational: Fraction) -> bool:
        """Decide whether an irrational log-sum-exp exceeds a rational r: Σ m_s·e^(s-r) > 1."""
        return self._is_positive(lambda: self._weight_sum(to_fmpq(rational), fmpq(-1)))

    def _weight_sum(self, r: fmpq, rest: fmpq) -> arb:
        """Σ m_s·e^(s-r) + rest, at the precision of the moment; weights of 1 are added exactly."""
        total = arb(0)
        for place, m in enumerate(self.counts):
            if self._rational_logit(place) == r:
                rest += m
            else:
                total += self._logit(place, less=r).exp() * m
        return total + rest

    def _is_positive(self, difference: Callable[[], arb]) -> bool:
        """Decide the sign of a number that is not zero, by balls of growing precision."""
        bits = 64
        while True:
            with arb_precision(bits):
                ball = difference()
                if ball > 0 or ball < 0:
                    return bool(ball > 0)
            bits = self.more(bits)

    def _exceeds(self, column: int, rational: Fraction, bits: int) -> bool | None:
        """Whether the output exceeds a rational, None if ``bits`` are too few to tell."""
        weights, _ = self._weights(bits)
        with arb_precision(bits):
            difference = arb(0)
            for w, a, m in zip(weights, self.sums, self.counts, strict=True):
                difference += w * (a[column] - to_fmpq(rational) * m)
            return bool(difference > 0) if difference > 0 or difference < 0 else None

    def _weights(self, bits: int) -> tuple[list[arb], arb]:
        """The weights relative to the first, and their sum; columns share them."""
        if bits not in self._known:
            with arb_precision(bits):
                weights = [self._above_first(place).exp() for place in range(len(self.logits))]
                total = sum((w * m for w, m in zip(weights, self.counts, strict=True)), arb(0))
            self._known[bits] = weights, total
        return self._known[bits]

    def _above_first(self, place: int) -> arb:
        """A logit less the first, whose difference is exact but under a soft cap."""
        if self.softcap is not None:
            return self._logit(place) - self._logit(0)
        s, b = self.logits[place] - self.logits[0], self._bias(place) - self._bias(0)
        return s * arb(self.root).sqrt() + b

    @cached_property
    def _known(self) -> dict[int, tuple[list[arb], arb]]:
        """By bits."""
        return {}
