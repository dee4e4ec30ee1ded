"""Second derivatives of outputs against differences of first ones, at points and over regions."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

import pytest
from flint import arb, arb_mat

from kvfloor.floors import Region, curvature, free_parameters
from kvfloor.floors.jacobian import derivatives
from kvfloor.numbers import arb_precision, to_fmpq

SHAPES = [(1, 3, 2, 2), (2, 2, 2, 2), (2, 3, 1, 2), (3, 2, 2, 1)]
STEP = Fraction(1, 2**100)


class Point:
    """Keys, values, directions and a query, drawn; and first derivatives by y anywhere."""

    def __init__(self, shape: tuple[int, int, int, int]) -> None:
        drawn = Random(5)
        self.order, self.n, self.d, self.d_v = shape
        self.free = free_parameters(*shape)
        self.r = len(self.free)
        self.directions = [[drawn.randint(-8, 8) for _ in range(self.r)] for _ in range(self.r)]
        self.centre = [Fraction(drawn.randint(-16, 16), 16) for _ in range(self.r)]
        self.query = [Fraction(drawn.randint(-16, 16), 8) for _ in range(self.d)]
        self.column = drawn.randrange(self.d_v)

    def slots(self, y: list[Fraction]) -> tuple[Any, Any]:
        moved = [
            x + sum((a * b for a, b in zip(row, y, strict=True)), Fraction(0))
            for x, row in zip(self.centre, self.directions, strict=True)
        ]
        parts: dict[str, Any] = {
            name: [[[arb(1)] * width for _ in range(self.n)] for _ in range(self.order)]
            for name, width in (("key", self.d), ("value", self.d_v))
        }
        for p, x in zip(self.free, moved, strict=True):
            parts[p.part][p.slot][p.row][p.column] = arb(to_fmpq(x))
        return parts["key"], parts["value"]

    def gradient(self, y: list[Fraction]) -> list[arb]:
        query = [arb(to_fmpq(x)) for x in self.query]
        row = arb_mat([derivatives(query, self.column, *self.slots(y), self.free)])
        return list((row * arb_mat(self.directions)).entries())

    def curvature(self, y: list[Fraction], radius: Fraction) -> Any:
        region = Region(*self.slots(y), arb_mat(self.directions), [arb(to_fmpq(radius))] * self.r)
        return curvature([arb(to_fmpq(x)) for x in self.query], self.column, region).tolist()


@pytest.mark.parametrize("shape", SHAPES)
def test_is_the_slope_of_the_derivatives(shape: tuple[int, int, int, int]) -> None:
    point = Point(shape)
    with arb_precision(600):
        nowhere = [Fraction(0)] * point.r
        found = point.curvature(nowhere, Fraction(0))
        for k in range(point.r):
            ahead, behind = (
                point.gradient([*nowhere[:k], step, *nowhere[k + 1 :]]) for step in (STEP, -STEP)
            )
            for j in range(point.r):
                slope = (ahead[j] - behind[j]) / (2 * to_fmpq(STEP))
                assert abs(slope - found[j][k]) < 2.0**-150
    assert any(abs(x) > 1 for row in found for x in row)


def test_products_move_with_their_other_factors() -> None:
    """For the query 0 weights are fixed, so for order 3 a factor of a value is all that moves."""
    point, radius = Point((3, 2, 1, 1)), Fraction(1, 2**16)
    point.query = [Fraction(0)]
    with arb_precision(200):
        over = point.curvature([Fraction(0)] * point.r, radius)
        at = point.curvature([radius] * point.r, Fraction(0))
        for row, inside in zip(over, at, strict=True):
            assert all(x.contains(y) for x, y in zip(row, inside, strict=True))


@pytest.mark.parametrize("shape", SHAPES)
def test_holds_all_over_the_region(shape: tuple[int, int, int, int]) -> None:
    point, drawn, radius = Point(shape), Random(6), Fraction(1, 2**16)
    with arb_precision(200):
        over = point.curvature([Fraction(0)] * point.r, radius)
        for _ in range(20):
            corner = [drawn.choice((-1, 1)) * radius for _ in range(point.r)]
            at = point.curvature(corner, Fraction(0))
            for row, inside in zip(over, at, strict=True):
                assert all(x.contains(y) for x, y in zip(row, inside, strict=True))
