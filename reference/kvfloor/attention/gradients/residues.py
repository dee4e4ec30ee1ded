"""Gradients at random points modulo random primes, to tell which are the same function (E5).

With logits that are rationals, or rationals in √d plus rational biases, a gradient less a rational
is a quotient of polynomials with rational coefficients in e^(1/D) and e^(√d/D) for a common
denominator D. These two numbers are algebraically independent (Lindemann and Weierstrass), so the
gradient equals the rational just if the numerator is zero as a polynomial.

That is tried at a random point modulo a random prime p of B bits. What is not zero there is no
zero. What is zero there is one but for a chance below 2**-64: a coefficient, cleared of
denominators, that is not zero and has H bits has at most H/(B - 1) such primes as divisors, of more
than 2**(B - 1)/(1.2·(B - 1)); and a polynomial of degree Δ is zero at no more than a share
Δ/(p - 1) of the points (Schwartz, Zippel). B is such that each is below 2**-66.

Δ is no small number: logits of float64 inputs have denominators of a hundred bits and more, so that
primes of 127 bits would not do.

Under a soft cap every c·tanh(s/c), and every slope, is an unknown of its own. What is zero then is
a zero still; of what is not, it is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import lcm, prod
from secrets import SystemRandom
from typing import Any, NamedTuple

import numpy as np
from flint import fmpq, fmpz, fmpz_mod, fmpz_mod_ctx, fmpz_mod_mat

from kvfloor.attention.gradients.cotangents import Parts, Pullback
from kvfloor.attention.gradients.factored import (
    Ring,
    Weights,
    exact_rows,
    factored,
    multiplied_out,
)
from kvfloor.numbers import Array, to_fmpq

__all__ = ["CHANCE_BITS", "Key", "Residues", "exponents", "residues"]

CHANCE_BITS = 64
MOST_BITS = 1024  # of a prime; inputs that need more are left to the balls
RANDOM = SystemRandom()

Key = tuple[fmpq, fmpq]  # an exponent: what stands beside the root, and the rational part


class Residues(NamedTuple):
    """Gradients of problems modulo a prime, without the root of the scale.

    Attributes
    ----------
    parts : list of Parts
        In residues.
    number : callable
        A rational modulo the prime.
    """

    parts: list[Parts]
    number: Callable[[fmpq], Any]


def residues(pullbacks: Sequence[Pullback]) -> Residues | None:
    """Evaluate the gradients of some problems at one random point.

    Returns
    -------
    Residues or None
        None if a prime of `MOST_BITS` bits is too small for the chance promised.
    """
    logits = [exponents(pullback) for pullback in pullbacks]
    denominators = [
        lcm(*(int(key[part].q) for table in logits for row in table for key in row.values()))
        for part in range(2)
    ]
    degree = sum(_degree(row, denominators) for table in logits for row in table)
    size = sum(map(_size, pullbacks))
    bits = max(degree.bit_length(), size.bit_length()) + CHANCE_BITS + 4
    if bits > MOST_BITS:
        return None
    while True:
        point = _Point(_prime(bits), denominators)
        found = [_parts(point, *pair) for pair in zip(pullbacks, logits, strict=True)]
        if None not in found:  # else a sum of weights is zero at this point
            return Residues([part for part in found if part is not None], point.number)


def exponents(pullback: Pullback) -> list[dict[int, Key]]:
    """Return for each query its tuples, -1 for the sink, with their exponents before any cap."""
    problem = pullback.problem
    rational = problem.scale.root == 1 and problem.terms.softcap is None
    factor, zero = to_fmpq(problem.scale.factor), fmpq(0)
    found: list[dict[int, Key]] = [{} for _ in problem.queries]
    products = multiplied_out(problem)
    for b in problem.answered():
        row = problem.row(b)
        width = len(products[b])
        bias = [zero] * width if row.terms.bias is None else _ravelled(row.terms.bias)
        for t in range(width) if row.mask is None else np.flatnonzero(row.mask).tolist():
            s = products[b][t] * factor
            found[b][t] = (zero, s + bias[t]) if rational else (s, bias[t])
        if row.terms.sink is not None:
            found[b][-1] = zero, to_fmpq(Fraction(row.terms.sink))
    return found


def _ravelled(array: Array) -> list[fmpq]:
    return [x for (x,) in exact_rows(np.ravel(array))]


def _degree(row: dict[int, Key], denominators: Sequence[int]) -> int:
    """At least the degree that one query adds to the numerator, when powers are made positive."""
    if not row:
        return 0
    ranges = []
    for part, D in enumerate(denominators):
        exponents = [int(key[part].p) * (D // int(key[part].q)) for key in row.values()]
        ranges.append(max(exponents) - min(exponents))
    # under a cap each logit is an unknown or its inverse, and there are slopes
    return 2 * (sum(ranges) + len(row) + 2)


def _size(pullback: Pullback) -> int:
    """At least the bits of an integer coefficient of the numerator.

    A coefficient of one query is a sum of products of numbers of the inputs, so the product of all
    numerators and denominators there are clears and exceeds it; and the squares of the sums of
    weights add the bits of counts.
    """
    problem = pullback.problem
    arrays = [problem.queries, *problem.keys, *problem.values, *pullback[1:]]
    bits = sum(_length(x) for A in arrays for x in np.ravel(A).tolist())
    bits += _length(problem.scale.factor)
    tuples = prod(map(len, problem.keys)) + 1
    return 4 * bits + 4 * len(problem.queries) * tuples.bit_length() + 2**13


def _length(x: float | Fraction) -> int:
    numerator, denominator = x.as_integer_ratio()
    return numerator.bit_length() + denominator.bit_length()


def _prime(bits: int) -> int:
    """A random prime of so many bits."""
    while True:
        candidate = fmpz(RANDOM.getrandbits(bits - 1) | 1 << bits - 1 | 1)
        if candidate.is_probable_prime() and candidate.is_prime():
            return int(candidate)


class _Point:
    """A prime, and a random element for each unknown."""

    def __init__(self, prime: int, denominators: Sequence[int]) -> None:
        self.context = fmpz_mod_ctx(prime)
        self.denominators = denominators
        self.bases = [self._draw(), self._draw()]
        self.capped: dict[fmpq, tuple[fmpz_mod, fmpz_mod]] = {}

    def _draw(self) -> fmpz_mod:
        return self.context(RANDOM.randrange(1, int(self.context.modulus())))

    def number(self, x: fmpq) -> fmpz_mod:
        """A rational."""
        return self.context(int(x.p)) / self.context(int(x.q))

    def exponential(self, key: Key, *, capped: bool) -> fmpz_mod:
        """What stands for the exponential of a logit."""
        first = self._unknown(key[0])[0] if capped else self._power(0, key[0])
        return first * self._power(1, key[1])

    def slope(self, key: Key) -> fmpz_mod:
        """What stands for the slope of the cap."""
        return self._unknown(key[0])[1]

    def _power(self, part: int, exponent: fmpq) -> fmpz_mod:
        whole = int(exponent.p) * (self.denominators[part] // int(exponent.q))
        return self.bases[part] ** whole

    def _unknown(self, s: fmpq) -> tuple[fmpz_mod, fmpz_mod]:
        """For e^cap(s) and cap'(s): the cap is odd and its slope even, and 1 at zero."""
        if s == 0:
            return self.context(1), self.context(1)
        weight, slope = self.capped.setdefault(abs(s), (self._draw(), self._draw()))
        return (weight if s > 0 else weight**-1), slope


def _parts(point: _Point, pullback: Pullback, logits: list[dict[int, Key]]) -> Parts | None:
    """The gradients of one problem at the point, None if a sum of weights is zero there."""
    problem, zero = pullback.problem, point.context(0)
    capped = problem.terms.softcap is not None
    width = prod(map(len, problem.keys))
    weights: list[list[Any]] = []
    for row in logits:
        e = {t: point.exponential(key, capped=capped) for t, key in row.items()}
        total = sum(e.values(), zero)
        if row and total == zero:
            return None
        weights.append([e[t] / total if t in e else zero for t in (*range(width), -1)])
    slopes = None
    if capped:
        slopes = [[point.slope(r[t]) if t in r else zero for t in range(width)] for r in logits]
    given = Weights(
        [row[:-1] for row in weights],
        [row[-1] for row in weights],
        slopes,
        point.number(to_fmpq(problem.scale.factor)),
        [-1] * len(weights),
    )
    return factored(Ring(point.number, _matrices(point.context)), pullback, given)


def _matrices(context: fmpz_mod_ctx) -> Callable[[Iterable[list[Any]]], fmpz_mod_mat]:
    def matrix(rows: Iterable[list[Any]]) -> fmpz_mod_mat:
        return fmpz_mod_mat([list(row) for row in rows], context)

    return matrix
