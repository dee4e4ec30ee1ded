"""U1 `covering-number`: how many centres, and how far products of clusters reach."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from kvfloor.floors import covering_number, greedy_net, product_radius, squared_distance
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.covering_number import (
    delta,
    derivations,
    dimension,
    property_line,
    radii,
    radius,
)
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]

LE = Relation.LE


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    volume, *_, reach = derivations()
    return (
        Constant(
            covering_number,
            (
                concluded(volume, LE, lambda: covering_number(radius, delta, dimension)),
                both_sides("on a line not exceeded, and met up to 2", property_line),
            ),
            slack="on a line greedy nets have more than the bound less 2; in the plane a hexagon "
            "with its middle has 7 points of 9",
        ),
        Constant(
            product_radius,
            (
                concluded(reach, LE, lambda: product_radius(*radii)),
                both_sides("products do not reach further, and come up to δ₁·δ₂", property_reach),
            ),
            slack="in one dimension products of points at the edges are δ₁·δ₂ short of it",
        ),
        Constant(
            greedy_net,
            (both_sides("a centre beyond δ of all before, none at δ", property_net),),
        ),
        Constant(squared_distance, (both_sides("‖x‖² - 2⟨x, y⟩ + ‖y‖²", property_distance),)),
    )


def property_reach(data: st.DataObject, tally: Tally) -> None:
    """In one dimension, (R₁)·(R₂) and (R₁ - δ₁)·(R₂ - δ₂): centres at the edge, members inside."""
    del tally
    R1, R2 = (data.draw(st.fractions(1, 9, max_denominator=8), label="R") for _ in range(2))
    d1, d2 = (data.draw(st.fractions(0, 1, max_denominator=8), label="δ") for _ in range(2))
    reach = product_radius(R1, d1, R2, d2)
    found = abs(R1 * R2 - (R1 - d1) * (R2 - d2))
    require(found <= reach, "a product is too far")
    require(found == reach - d1 * d2, "not as near as said")


def property_net(data: st.DataObject, tally: Tally) -> None:
    """On a line by hand; a point just at δ joins the first centre, one a hair beyond opens one."""
    del tally
    gap = data.draw(st.fractions(Fraction(1, 8), 2, max_denominator=8), label="δ")
    places = data.draw(st.lists(st.integers(-6, 6), min_size=1, max_size=12), label="points")
    # Halves of δ, so that many are δ apart exactly.
    points = [(Fraction(k, 2) * gap,) for k in places]
    centres: list[int] = []
    assigned = []
    for k in places:
        near = [c for c, index in enumerate(centres) if abs(places[index] - k) <= 2]
        assigned.append(near[0] if near else len(centres))
        if not near:
            centres.append(len(assigned) - 1)
    require(greedy_net(points, gap) == (tuple(centres), tuple(assigned)), "another net")
    hair = Fraction(1, 2**60)
    require(greedy_net([(0,), (gap,)], gap).centres == (0,), "a point at δ opens a centre")
    require(greedy_net([(0,), (gap + hair,)], gap).centres == (0, 1), "one beyond does not")
    angle = [(0, 0), (1, 0), (Fraction(1, 2), Fraction(13, 15))]  # 1/2, √3/2 and a hair
    hexagon = angle + [(-x, y) for x, y in angle[2:]] + [(-x, -y) for x, y in angle[1:]]
    hexagon.append((Fraction(1, 2), -Fraction(13, 15)))
    less, around = Fraction(99, 100), Fraction(1001, 1000)
    net = greedy_net(hexagon, less)
    require(len(net.centres) == 7, "the hexagon has other centres")
    require(7 < covering_number(around, less, 2) < 10, "the bound is not 9 and a bit")


def property_distance(data: st.DataObject, tally: Tally) -> None:
    """By inner products, exactly."""
    del tally
    d = data.draw(st.integers(1, 4), label="d")
    vector = st.tuples(*[st.fractions(-9, 9, max_denominator=12)] * d)
    x, y = data.draw(vector, label="x"), data.draw(vector, label="y")
    found = _inner(x, x) - 2 * _inner(x, y) + _inner(y, y)
    require(squared_distance(x, y) == found, "another distance")


def _inner(x: tuple[Fraction, ...], y: tuple[Fraction, ...]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))
