"""Attention over the rationals, as sums of exponentials (E1 `exact-equality`).

Inputs are rationals, so tuples can be grouped by their exact logit s. With m_s tuples in a group
and values summing to a_s there, the output is Σ a_s·e^s / Σ m_s·e^s. By Lindemann and Weierstrass
it is rational only if a_s / m_s is the same rational in every group, and otherwise irrational: so
it is decided on which side of any rational it lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf, isinf, isqrt
from typing import Any

import numpy as np
from flint import arb, fmpq, fmpq_mat

from kvfloor.attention.inputs import as_mask, as_scale, as_slots
from kvfloor.errors import InputError
from kvfloor.numbers import (
    Array,
    Vector,
    arb_precision,
    as_fraction,
    as_vector,
    ball_ends,
    to_fmpq,
    to_fraction,
)

__all__ = [
    "ExactAttention",
    "ExactNumber",
    "ExactOutput",
    "compare",
    "equal",
    "is_exactly",
    "row_products",
]


@dataclass(frozen=True)
class ExactNumber:
    """A quotient of sums of exponentials, ``Σ a_s·e^{s√root} / Σ m_s·e^{s√root}``.

    Attributes
    ----------
    logits : tuple of fmpq
        The distinct s.
    root : int
        1, or no square.
    counts : tuple of int
        The m_s, positive.
    sums : tuple of fmpq
        The a_s.
    """

    logits: tuple[fmpq, ...]
    root: int
    counts: tuple[int, ...]
    sums: tuple[fmpq, ...]

    def rational(self) -> Fraction | None:
        """Return the number if it is rational, None if it is irrational."""
        ratios = {a / m for a, m in zip(self.sums, self.counts, strict=True)}
        return to_fraction(ratios.pop()) if len(ratios) == 1 else None

    def enclose(self, bits: int = 128) -> arb:
        """Return a ball around the number, at ``bits`` of working precision."""
        return ExactOutput(
            self.logits, self.root, self.counts, tuple((a,) for a in self.sums)
        ).enclose(bits)[0]


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
    algebraic numbers are linearly independent, so each exponent's coefficients must sum to zero.
    """
    (k, r), (k_, r_) = _square_free(x.root), _square_free(y.root)
    coefficients: dict[frozenset[tuple[int, fmpq]], fmpq] = {}
    for s, m, a in zip(x.logits, x.counts, x.sums, strict=True):
        for t, m_, a_ in zip(y.logits, y.counts, y.sums, strict=True):
            # √ of different square-free numbers are linearly independent over the rationals
            parts = {r: s * k + t * k_} if r == r_ else {r: s * k, r_: t * k_}
            exponent = frozenset((root, part) for root, part in parts.items() if part != 0)
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
    """

    logits: tuple[fmpq, ...]
    root: int
    counts: tuple[int, ...]
    sums: tuple[tuple[fmpq, ...], ...]

    def __getitem__(self, column: int) -> ExactNumber:
        """Return the output in one column as a number."""
        return ExactNumber(self.logits, self.root, self.counts, tuple(a[column] for a in self.sums))

    def __len__(self) -> int:
        return len(self.sums[0])

    def rational(self, column: int) -> Fraction | None:
        """Return the output if it is rational, None if it is irrational."""
        return self[column].rational()

    def rational_logsumexp(self) -> Fraction | None:
        """Return the log-sum-exp if it is rational, None if it is irrational.

        ``ln Σ m_s·e^s`` is algebraic only for a single tuple, where it is the logit.
        """
        if self.counts != (1,) or (self.root != 1 and self.logits[0] != 0):
            return None
        return to_fraction(self.logits[0])

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
            return total.log() + self.logits[0] * arb(self.root).sqrt()

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
            bits *= 2  # ends: the output differs from the rational
        return above

    def logsumexp_exceeds(self, rational: Fraction) -> bool:
        """Decide whether an irrational log-sum-exp exceeds a rational r: Σ m_s·e^(s-r) > 1."""
        bits = 64
        while True:
            with arb_precision(bits):
                r, sqrt = to_fmpq(rational), arb(self.root).sqrt()
                difference = arb(0)
                rest = -1
                for s, m in zip(self.logits, self.counts, strict=True):
                    if self.root == 1 and s == r:
                        rest += m  # exactly, so that a logit equal to r cancels the 1
                    else:
                        difference += (s * sqrt - r).exp() * m
                difference += rest
                if difference > 0 or difference < 0:
                    return bool(difference > 0)
            bits *= 2  # ends: the log-sum-exp differs from the rational

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
                sqrt = arb(self.root).sqrt()
                weights = [((s - self.logits[0]) * sqrt).exp() for s in self.logits]
                total = sum((w * m for w, m in zip(weights, self.counts, strict=True)), arb(0))
            self._known[bits] = weights, total
        return self._known[bits]

    @cached_property
    def _known(self) -> dict[int, tuple[list[arb], arb]]:
        """By bits."""
        return {}


class ExactAttention:
    """Tensor attention over fixed keys and values, each query answered exactly (E1).

    Parameters
    ----------
    keys, values : sequence of m arrays
        Shapes (n_r, d) and (n_r, d_v), as for `tensor_attention`.
    scale : positive rational or "1/sqrt(d)"

    Raises
    ------
    InputError
        For a wrong shape, an entry that is not finite, order 0 or no tokens.
    """

    def __init__(self, keys: Any, values: Any, *, scale: Any = 1) -> None:
        K, V = as_slots(keys, values)
        self.d = K[0].shape[1]
        self.lengths = tuple(map(len, K))
        self._scale = as_scale(scale, self.d)
        *first, last = (_fmpqs(K_r) for K_r in K)
        self._first_keys = row_products(first, [fmpq(1)] * self.d)
        self._last_keys = fmpq_mat(last).transpose()
        self._values = row_products((_fmpqs(V_r) for V_r in V), [fmpq(1)] * V[0].shape[1])

    def __call__(self, query: Any, *, mask: Any = None) -> ExactOutput:
        """Answer one query of shape (d,), under a mask of shape (n_1, ..., n_m)."""
        q = as_vector(query, "query", self.d)
        kept = as_mask(mask, self.lengths)
        logits = self._logits(q)
        tuples = range(len(logits)) if kept is None else np.flatnonzero(kept).tolist()
        groups: dict[fmpq, tuple[int, list[fmpq]]] = {}
        for t in tuples:
            v = self._values[t]
            count, sums = groups.get(logits[t], (0, [fmpq(0)] * len(v)))
            groups[logits[t]] = count + 1, [a + b for a, b in zip(sums, v, strict=True)]
        descending = tuple(sorted(groups, reverse=True))
        return ExactOutput(
            descending,
            self._scale.root,
            tuple(groups[s][0] for s in descending),
            tuple(tuple(groups[s][1]) for s in descending),
        )

    def _logits(self, q: Vector) -> list[fmpq]:
        """Logits of all tuples in C order: ((K_1 ⊘ … ⊘ K_{m-1}) ∘ σq) K_mᵀ."""
        scaled = [to_fmpq(self._scale.factor * x) for x in q]
        rows = [[a * b for a, b in zip(row, scaled, strict=True)] for row in self._first_keys]
        return (fmpq_mat(rows) * self._last_keys).entries()


def _fmpqs(matrix: Array) -> list[list[fmpq]]:
    return [[fmpq(*x.as_integer_ratio()) for x in row] for row in matrix.tolist()]


def row_products(
    matrices: Iterable[Sequence[Sequence[Any]]], ones: Sequence[Any]
) -> list[list[Any]]:
    """Rows of A_1 ⊘ … ⊘ A_m in any ring, the last slot fastest; the row ``ones`` for m = 0."""
    result = [list(ones)]
    for A in matrices:
        result = [[x * y for x, y in zip(row, a, strict=True)] for row in result for a in A]
    return result
