"""Second derivatives of outputs along directions, in balls, over a region (S5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from math import prod
from typing import Any

from flint import arb, arb_mat

from kvfloor.floors.jacobian import Parameter, Slots, free_parameters

__all__ = ["Region", "curvature"]


@dataclass(frozen=True)
class Smooth:
    """A function of y: its value at 0, and what its derivatives are over a region.

    Attributes
    ----------
    at_centre : arb
    gradient : arb_mat, 1×r
    hessian : arb_mat, r×r
    """

    at_centre: arb
    gradient: arb_mat
    hessian: arb_mat

    def __sub__(self, other: Smooth) -> Smooth:
        return Smooth(
            self.at_centre - other.at_centre,
            self.gradient - other.gradient,
            self.hessian - other.hessian,
        )


@dataclass(frozen=True)
class Region:
    """Keys and values ``θ₀ + A·y`` with ``|y_k| <= radii[k]``, for their free entries θ.

    Enclosures are at the caller's working precision, which is that of the first use.

    Attributes
    ----------
    keys, values : m slots of n rows
        At the centre θ₀, in the gauge.
    directions : arb_mat, r×r
        A.
    radii : sequence of r numbers or balls
    """

    keys: Slots
    values: Slots
    directions: arb_mat
    radii: Sequence[Any]

    @cached_property
    def key_products(self) -> list[list[Smooth]]:
        """``Π_r K_r[j_r, c]`` for every tuple and column."""
        return self._products("key", self.keys)

    @cached_property
    def value_products(self) -> list[list[Smooth]]:
        """``Π_r V_r[j_r, c]`` for every tuple and column."""
        return self._products("value", self.values)

    def enclose(self, f: Smooth) -> arb:
        """Return a ball around the values over the region, by the mean value theorem."""
        return f.at_centre + self._moves_within(f.gradient)

    def _moves_within(self, gradient: arb_mat) -> arb:
        slopes = gradient.entries()
        moves = (abs(slope) * arb(x) for slope, x in zip(slopes, self.radii, strict=True))
        return arb(0, 1) * sum(moves, arb(0))

    def combine(self, factors: Iterable[Any], functions: Iterable[Smooth]) -> Smooth:
        """Return the sum of factor times function."""
        r = len(self.radii)
        value, gradient, hessian = arb(0), arb_mat(1, r), arb_mat(r, r)
        for factor, f in zip(factors, functions, strict=True):
            value += arb(factor) * f.at_centre
            gradient += arb(factor) * f.gradient
            hessian += arb(factor) * f.hessian
        return Smooth(value, gradient, hessian)

    @cached_property
    def _slopes(self) -> dict[Parameter, arb_mat]:
        """For a free entry its gradient: the row of A that moves it."""
        (n, d), d_v = (len(self.keys[0]), len(self.keys[0][0])), len(self.values[0][0])
        free = free_parameters(len(self.keys), n, d, d_v)
        return {p: arb_mat([row]) for p, row in zip(free, self.directions.tolist(), strict=True)}

    def _products(self, part: str, slots: Slots) -> list[list[Smooth]]:
        rows, columns = range(len(slots[0])), range(len(slots[0][0]))
        return [
            [
                self._product([(Parameter(part, r, j, c), slots[r][j][c]) for r, j in enumerate(t)])
                for c in columns
            ]
            for t in product(rows, repeat=len(slots))
        ]

    def _product(self, entries: list[tuple[Parameter, Any]]) -> Smooth:
        """A product of entries, each of them affine in y."""
        r = len(self.radii)
        slopes = [self._slopes.get(parameter, arb_mat(1, r)) for parameter, _ in entries]
        hulls = [
            arb(x) + self._moves_within(slope)
            for (_, x), slope in zip(entries, slopes, strict=True)
        ]

        def without(*slots: int) -> arb:
            return prod((x for k, x in enumerate(hulls) if k not in slots), start=arb(1))

        gradient, hessian = arb_mat(1, r), arb_mat(r, r)
        for a, slope in enumerate(slopes):
            gradient += without(a) * slope
        for a, b in combinations(range(len(entries)), 2):
            both = slopes[a].transpose() * slopes[b]
            hessian += without(a, b) * (both + both.transpose())
        return Smooth(prod((arb(x) for _, x in entries), start=arb(1)), gradient, hessian)


def curvature(query: Sequence[Any], column: int, region: Region) -> arb_mat:
    """Enclose the second derivatives by y of one output for one query, at scale 1.

    For logit s and value v of a tuple, primes for derivatives by two entries of y, and E for the
    mean by the weights, they are, with ``s° = s' - E[s']``::

        E[(v - out)(s°s°* + s'*)] + E[v's°* + v*s°] + E[v'*]

    Parameters
    ----------
    query : sequence of d numbers
    column : int
        c, of the output.
    region : Region

    Returns
    -------
    arb_mat, r×r
        It holds for every y of the region.
    """
    logits = [region.combine(query, row) for row in region.key_products]
    values = [row[column] for row in region.value_products]
    p = [1 / sum((region.enclose(other - s).exp() for other in logits), arb(0)) for s in logits]
    r = len(region.radii)
    result = arb_mat(r, r)
    for p_t, s, v in zip(p, logits, values, strict=True):
        # Differences first, and then their means: what tuples have in common cancels exactly.
        above = sum((w * region.enclose(v - u) for w, u in zip(p, values, strict=True)), arb(0))
        centred = arb_mat(1, r)
        for w, other in zip(p, logits, strict=True):
            centred += w * (s.gradient - other.gradient)
        result += p_t * above * (centred.transpose() * centred + s.hessian)
        mixed = v.gradient.transpose() * centred
        result += p_t * (mixed + mixed.transpose() + v.hessian)
    return result
