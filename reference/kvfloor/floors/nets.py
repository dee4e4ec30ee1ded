"""Greedy nets: few centres, one near every point; in exact arithmetic (U1 `covering-number`)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from kvfloor.errors import InputError
from kvfloor.numbers import Vector, as_fraction, as_matrix

__all__ = ["Net", "greedy_net", "squared_distance"]


class Net(NamedTuple):
    """Centres among points, and which of them each point belongs to.

    Attributes
    ----------
    centres : tuple of int
        Indices of points, more than δ apart from each other.
    assigned : tuple of int
        For each point, the place in ``centres`` of the first centre within δ.
    """

    centres: tuple[int, ...]
    assigned: tuple[int, ...]


def greedy_net(points: Any, delta: Any) -> Net:
    """Open a centre at each point that is more than δ from all centres before it.

    Points in a ball of radius R in R^d get at most ``covering_number(R, δ, d)`` centres, in
    whatever order they come.

    Parameters
    ----------
    points : array, shape (n, d)
    delta : number > 0

    Raises
    ------
    InputError
        If an argument is not that.
    """
    rows = as_matrix(points, "points")
    radius = as_fraction(delta, "delta")
    if radius <= 0:
        raise InputError("delta", "a number > 0", str(radius))
    centres: list[int] = []
    assigned: list[int] = []
    for index, point in enumerate(rows):
        near = (
            place
            for place, centre in enumerate(centres)
            if squared_distance(point, rows[centre]) <= radius**2
        )
        place = next(near, len(centres))
        if place == len(centres):
            centres.append(index)
        assigned.append(place)
    return Net(tuple(centres), tuple(assigned))


def squared_distance(x: Vector, y: Vector) -> Fraction:
    """Return ‖x - y‖₂², exactly."""
    return sum(((a - b) ** 2 for a, b in zip(x, y, strict=True)), Fraction(0))
