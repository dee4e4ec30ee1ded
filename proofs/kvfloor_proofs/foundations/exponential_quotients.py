"""Gradients as quotients of polynomials in e: which are rational is seen from coefficients.

Logits are whole numbers, so that weights are powers of e, which is transcendental. The quotients
are found by moving one input at a time; no formula of a gradient is written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

import numpy as np
from flint import arb, fmpq, fmpq_poly
from hypothesis import strategies as st

from kvfloor.attention import Gradients
from kvfloor.numbers import BinaryFormat, arb_precision, to_fmpq

__all__ = ["Quotient", "WholeCase", "draw_whole"]

Array = Any


@dataclass(frozen=True)
class Quotient:
    """A gradient: a quotient of polynomials in e."""

    numerator: fmpq_poly
    denominator: fmpq_poly

    @property
    def rational(self) -> Fraction | None:
        """The rational it is, if it is one."""
        top = self.denominator.degree()
        r = self.numerator[top] / self.denominator[top]
        if self.numerator != r * self.denominator:
            return None
        return Fraction(int(r.p), int(r.q))

    def enclose(self, bits: int) -> arb:
        """Return a ball around it."""
        with arb_precision(bits):
            e = arb(1).exp()
            return _at(self.numerator, e) / _at(self.denominator, e)


@dataclass(frozen=True)
class WholeCase:
    """Queries and keys of whole numbers, at scale 1, with values and cotangents in fractions."""

    query: Array
    keys: list[Array]
    values: list[Array]
    cotangent: Array
    logsumexp_cotangent: Array

    @property
    def arguments(self) -> dict[str, Any]:
        """What functions for gradients take."""
        return dict(vars(self))

    def quotients(self, found: Gradients) -> Iterator[tuple[str, float, Quotient]]:
        """Yield each gradient that was found with its name and what it is."""
        tables = [("query", self.query, found.query)]
        for r in range(len(self.keys)):
            tables.append((f"keys {r}", self.keys[r], found.keys[r]))
            tables.append((f"values {r}", self.values[r], found.values[r]))
        for name, table, gradients in tables:
            for place in np.ndindex(*table.shape):
                yield f"{name}{list(place)}", float(gradients[place]), self._moved(name, place)

    def _moved(self, name: str, place: tuple[int, ...]) -> Quotient:
        """The derivative by one input."""
        numerator, denominator = fmpq_poly([0]), fmpq_poly([1])
        for b in range(len(self.query)):
            above, below = self._of_query(b, name, place)
            numerator = numerator * below + above * denominator
            denominator *= below
        return Quotient(numerator, denominator)

    def _of_query(self, b: int, name: str, place: tuple[int, ...]) -> tuple[fmpq_poly, fmpq_poly]:
        """(N/Z)' = (N'Z - NZ')/Z², and Z'/Z for the log-sum-exp."""
        G, g = map(to_fmpq, self.cotangent[b]), to_fmpq(self.logsumexp_cotangent[b])
        cotangents, zero = list(G), fmpq_poly([0])
        N = N_moved = Z = Z_moved = zero
        moves = place == (b, place[1])
        q = _dual(self.query[b], place[1] if name == "query" and moves else None)
        tuples = list(product(*map(range, map(len, self.keys))))
        logits = [_dot(q, _rows(self.keys, t, name, "keys", place)) for t in tuples]
        least = min(s for s, _ in logits)
        for (s, s_moved), t in zip(logits, tuples, strict=True):
            weight = fmpq_poly([0] * int(s - least) + [1])
            ones = [(x, fmpq(0)) for x in cotangents]
            v, v_moved = _dot(ones, _rows(self.values, t, name, "values", place))
            N, N_moved = N + weight * v, N_moved + weight * (v * s_moved + v_moved)
            Z, Z_moved = Z + weight, Z_moved + weight * s_moved
        return N_moved * Z - N * Z_moved + g * Z_moved * Z, Z * Z


Dual = tuple[fmpq, fmpq]  # a number, and how it moves


def _dual(row: Array, moving: int | None = None) -> list[Dual]:
    return [(to_fmpq(Fraction(x)), fmpq(int(c == moving))) for c, x in enumerate(row)]


def _rows(
    tables: list[Array], t: tuple[int, ...], name: str, kind: str, place: tuple[int, ...]
) -> list[Dual]:
    """The product of the rows of a tuple."""
    rows = [
        _dual(table[j], place[1] if name == f"{kind} {r}" and place[0] == j else None)
        for r, (table, j) in enumerate(zip(tables, t, strict=True))
    ]
    found = rows[0]
    for row in rows[1:]:
        found = [_times(x, y) for x, y in zip(found, row, strict=True)]
    return found


def _times(x: Dual, y: Dual) -> Dual:
    return x[0] * y[0], x[0] * y[1] + x[1] * y[0]


def _dot(x: list[Dual], y: list[Dual]) -> Dual:
    terms = [_times(a, b) for a, b in zip(x, y, strict=True)]
    return sum((s for s, _ in terms), fmpq(0)), sum((s for _, s in terms), fmpq(0))


def _at(polynomial: fmpq_poly, x: arb) -> arb:
    total = arb(0)
    for coefficient in reversed(polynomial.coeffs()):
        total = total * x + coefficient
    return total


def draw_whole(data: st.DataObject, target: BinaryFormat, *, queries: int) -> WholeCase:
    """Draw a case whose weights tie, and whose cotangents lie on boundaries, or twice as far.

    Of two queries the second may undo what the first does, and weights may be e^-100. Weights may
    be a product, under which keys and values are independent: only sums of two logits show that.
    """
    kind = data.draw(st.sampled_from(("product", "far", "order 1", "order 2")), label="kind")
    order, far = 2 if kind == "order 2" else 1, 100 if kind == "far" else 1
    d = 2 if kind == "product" else data.draw(st.integers(1, 2), label="d")
    d_v = data.draw(st.integers(1, 2), label="d_v")
    lengths = [data.draw(st.integers(2, 4 - order), label=f"n_{r}") for r in range(order)]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), label="seed"))
    step = target.ulp(Fraction(1))
    menu = [Fraction(x) for x in (0, 1, -1, 3)] + [2 + step, 1 + step / 2, Fraction(1, 3)]

    def whole(*shape: int) -> Array:
        return rng.integers(-1, 2, size=shape).astype(object) * Fraction(1)

    def numbers(*shape: int) -> Array:
        return np.array([menu[i] for i in rng.integers(len(menu), size=prod(shape))]).reshape(shape)

    case = WholeCase(
        far * whole(queries, d),
        [whole(n, d) for n in lengths],
        [whole(n, d_v) for n in lengths],
        numbers(queries, d_v),
        numbers(queries),
    )
    if kind == "product":
        pairs = [(a, b) for a in range(2) for b in range(2)]
        case.query[:] = [Fraction(1), Fraction(0)]
        case.keys[0] = np.array([[Fraction(a + 2 * b), Fraction(3 + 2 * b)] for a, b in pairs])
        case.values[0] = np.array([[Fraction(1 + 2 * a)] * d_v for a, _ in pairs])
        case.logsumexp_cotangent[:] = Fraction(0)
    if queries == 2 and data.draw(st.booleans(), label="undone"):
        case.query[1] = case.query[0]
        case.cotangent[1], case.logsumexp_cotangent[1] = (
            -case.cotangent[0],
            -case.logsumexp_cotangent[0],
        )
    return case
