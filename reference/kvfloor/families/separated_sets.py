"""A set of keys and values that answers tell apart, however small the error (S5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

from kvfloor.errors import InputError
from kvfloor.floors import Parameter, Region, curvature, free_parameters, grid_sizes, minor
from kvfloor.numbers import Matrix, Vector, arb_precision, ball_ends, to_fmpq, to_fraction

__all__ = ["Candidate", "Separation", "separation"]

_PRECISION = 128


@dataclass(frozen=True)
class Candidate:
    """What `separation` is to certify; nothing about it is trusted.

    Attributes
    ----------
    shape : (int, int, int, int)
        Order, tokens, columns of keys and of values.
    centre : tuple of r numbers
        θ₀: the entries of keys and values that are not in the gauge, by `free_parameters`.
    queries : tuple of r vectors
        Output i is that of query i in column i mod d_v.
    radii, weights : tuples of r numbers > 0
        Of the set; and of its coordinates in the norm ``max_k |y_k|/w_k``.
    """

    shape: tuple[int, int, int, int]
    centre: Vector
    queries: Matrix
    radii: Vector
    weights: Vector

    def __post_init__(self) -> None:
        r = len(free_parameters(*self.shape))
        for name in ("centre", "queries", "radii", "weights"):
            if len(getattr(self, name)) != r:
                raise InputError(name, f"{r} of them", str(len(getattr(self, name))))
        if any(len(query) != self.shape[2] for query in self.queries):
            raise InputError("queries", f"vectors of {self.shape[2]} entries", "another length")
        if min(*self.radii, *self.weights) <= 0:
            raise InputError("candidate", "radii and weights > 0", "one that is not")

    @property
    def still(self) -> Fraction:
        """What the gauge sets entries to: 1, and 0 for order 1."""
        return Fraction(self.shape[0] > 1)

    def slots(self, free: Sequence[Fraction]) -> tuple[tuple[Matrix, ...], tuple[Matrix, ...]]:
        """Return the keys and the values with these free entries, the others as the gauge says."""
        entry = dict(zip(free_parameters(*self.shape), free, strict=True))
        order, n, d, d_v = self.shape

        def part(name: str, width: int) -> tuple[Matrix, ...]:
            return tuple(
                tuple(
                    tuple(
                        entry.get(Parameter(name, slot, row, c), self.still) for c in range(width)
                    )
                    for row in range(n)
                )
                for slot in range(order)
            )

        return part("key", d), part("value", d_v)


@dataclass(frozen=True)
class Separation:
    """A certified set ``{θ₀ + A·y : |y_k| <= radii[k]}`` of keys and values, r free entries.

    If ``|y_k - y'_k| >= s`` for every k in which y and y' differ, and there is one, then one of
    the r outputs differs by at least ``(1 - contraction)·s``.

    Attributes
    ----------
    candidate : Candidate
    directions : tuple of r vectors
        A, row by row.
    contraction : Fraction
        Bounds ``Σ_j |J·A - I|_ij·w_j / w_i`` for every i, J the derivatives of the outputs
        anywhere in the set; below 1.
    """

    candidate: Candidate
    directions: Matrix
    contraction: Fraction

    @property
    def reach(self) -> Vector:
        """``(1 - contraction)·radius`` for each coordinate."""
        return tuple((1 - self.contraction) * x for x in self.candidate.radii)

    def inputs(self, y: Sequence[Fraction]) -> tuple[tuple[Matrix, ...], tuple[Matrix, ...]]:
        """Return the keys and the values ``θ₀ + A·y``, exactly."""
        moved = (
            x + sum((a * b for a, b in zip(row, y, strict=True)), Fraction(0))
            for x, row in zip(self.candidate.centre, self.directions, strict=True)
        )
        return self.candidate.slots(tuple(moved))

    def point(self, alpha: Fraction, place: Sequence[int]) -> Vector:
        """Return y for a place in the grid: no two of its points does α serve by one answer.

        In coordinate k the points are as far apart as `floors.grid_sizes` many can be.
        """
        sizes = grid_sizes(self.reach, alpha)
        return tuple(
            radius * Fraction(2 * k + 1 - size, max(size - 1, 1))
            for k, size, radius in zip(place, sizes, self.candidate.radii, strict=True)
        )

    @property
    def bounds(self) -> tuple[Fraction, Fraction, Fraction]:
        """Bounds on the entries of keys and of values in the set, the gauge too, and on ‖q‖₁."""
        c = self.candidate
        least = {"key": c.still, "value": c.still}
        for p, x, row in zip(free_parameters(*c.shape), c.centre, self.directions, strict=True):
            moves = sum((abs(a) * b for a, b in zip(row, c.radii, strict=True)), Fraction(0))
            least[p.part] = max(least[p.part], abs(x) + moves)
        norm = max(sum(map(abs, query), Fraction(0)) for query in c.queries)
        return least["key"], least["value"], norm


def separation(candidate: Candidate) -> Separation | None:
    """Certify a set of keys and values around a candidate's centre.

    A is the inverse of the derivatives at the centre, rounded; as it is exact from there on, its
    error is part of what is bounded. Away from the centre the derivatives move by the curvature.

    Returns
    -------
    Separation or None
        None if the contraction is not proved to be below 1.
    """
    with arb_precision(_PRECISION):
        keys, values = (
            [[[arb(to_fmpq(x)) for x in row] for row in slot] for slot in slots]
            for slots in candidate.slots(candidate.centre)
        )
        queries = [[arb(to_fmpq(x)) for x in query] for query in candidate.queries]
        radii, weights = (
            [arb(to_fmpq(x)) for x in vector] for vector in (candidate.radii, candidate.weights)
        )
        J = minor(queries, keys, values, free_parameters(*candidate.shape))
        try:
            A = J.mid().inv().mid()
        except ZeroDivisionError:
            return None
        region = Region(keys, values, A, radii)
        near = (J * A).tolist()
        sums = []
        for i, query in enumerate(queries):
            moves = curvature(query, i % candidate.shape[3], region).tolist()
            distances = (
                abs(near[i][j] - (i == j)) + _inner(map(abs, moves[j]), radii)
                for j in range(len(radii))
            )
            sums.append(_inner(distances, weights) / weights[i])
        if not all(x < 1 for x in sums):  # not so either for a ball that is not finite
            return None
        contraction = max(ball_ends(x)[1] for x in sums)
        directions = tuple(tuple(to_fraction(x.fmpq()) for x in row) for row in A.tolist())
    return Separation(candidate, directions, contraction)


def _inner(x: Iterable[arb], y: Iterable[arb]) -> arb:
    return sum((a * b for a, b in zip(x, y, strict=True)), arb(0))
