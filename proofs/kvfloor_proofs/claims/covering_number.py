"""U1 `covering-number`: greedy nets are small, and products of clusters are clusters."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import khatri_rao
from kvfloor.floors import covering_number, greedy_net, product_radius, squared_distance
from kvfloor.numbers import Matrix, Vector
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Family,
    Positivity,
    Relation,
    Step,
    Termwise,
    Variable,
)
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "delta", "derivations", "dimension", "radii", "radius"]

EQ, LE = Relation.EQ, Relation.LE

dimension, c = sp.symbols("d c", integer=True)
radius, delta, count, a, b, s, A, B = sp.symbols("R delta m a b s A B", real=True)
k1, k2, l1, l2, X, Y = sp.symbols("k k' l l' X Y", real=True)
radii = sp.symbols("R_1 delta_1 R_2 delta_2", real=True)
_COLUMNS = (c, 1, dimension)
x, y = (sp.IndexedBase(name, real=True)[c] for name in ("x", "y"))


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_volume(), _term(), _triangle(), _coordinate(), _leg(), _radius())


def _volume() -> Derivation:
    ball = (radius + delta / 2) / (delta / 2)
    return Derivation(
        "Centres: balls of radius δ/2 around them are disjoint and lie in one of radius R + δ/2, "
        "whose volume is the power ((R + δ/2)/(δ/2))^d of theirs",
        Assumptions(
            (
                Variable(radius, 0),
                Variable(delta, 0, low_open=True),
                Variable(dimension, 1),
                Variable(count, 0, ball**dimension),
            )
        ),
        count,
        (
            Step(LE, ball**dimension, Positivity(), "The volumes add up to no more."),
            Step(EQ, (1 + 2 * radius / delta) ** dimension, Algebra(), "Divide by δ/2."),
        ),
    )


def _above_zero(*symbols: sp.Symbol) -> tuple[Variable, ...]:
    return tuple(Variable(symbol, 0, low_open=True) for symbol in symbols)


def _term() -> Derivation:
    return Derivation(
        "Convexity of the square: (A·a + B·b)² <= (A + B)(A·a² + B·b²), with s = a - b",
        Assumptions((Variable(a), Variable(s), *_above_zero(A, B)), ((b, a - s),)),
        (A * a + B * b) ** 2,
        (
            Step(
                LE,
                (A + B) * (A * a**2 + B * b**2),
                Positivity(),
                "The difference is A·B·s².",
            ),
        ),
    )


def _triangle() -> Derivation:
    squares, others = sp.Sum(x**2, _COLUMNS), sp.Sum(y**2, _COLUMNS)
    return Derivation(
        "The triangle inequality: vectors A·x and B·y with Σx² <= X = 1 and Σy² <= Y = 1 add up to "
        "one of norm at most A + B",
        Assumptions(
            (
                Variable(dimension, 1),
                Family(x, index=_COLUMNS),
                Family(y, index=_COLUMNS),
                *_above_zero(A, B),
                Variable(X, squares),
                Variable(Y, others),
            )
        ),
        sp.Sum((A * x + B * y) ** 2, _COLUMNS),
        (
            Step(
                LE,
                sp.Sum((A + B) * (A * x**2 + B * y**2), _COLUMNS),
                Termwise(Cite(_term(), ((a, x), (s, x - y)))),
                "Column by column.",
            ),
            Step(EQ, (A + B) * (A * squares + B * others), Algebra(), "Collect."),
            Step(LE, (A + B) * (A * X + B * Y), Positivity(), "With X = Y = 1: (A + B)²."),
        ),
    )


def _coordinate() -> Derivation:
    return Derivation(
        "A column of the difference of products k·l and k'·l'",
        Assumptions(tuple(map(Variable, (k1, k2, l1, l2)))),
        k1 * l1 - k2 * l2,
        (Step(EQ, (k1 - k2) * l1 + k2 * (l1 - l2), Algebra(), "Insert k'·l."),),
    )


def _leg() -> Derivation:
    return Derivation(
        "A vector x times entries of at most R in absolute value is at most R times as long",
        Assumptions(
            (
                Variable(dimension, 1),
                Variable(radius, 0),
                Family(x, index=_COLUMNS),
                Family(y, -radius, radius, index=_COLUMNS),
            )
        ),
        sp.Sum((x * y) ** 2, _COLUMNS),
        (
            Step(LE, sp.Sum((radius * x) ** 2, _COLUMNS), Termwise(Positivity()), "y² <= R²."),
            Step(EQ, radius**2 * sp.Sum(x**2, _COLUMNS), Algebra(), "Take R² out of the sum."),
        ),
    )


def _radius() -> Derivation:
    radius1, delta1, radius2, delta2 = radii
    ranges = (
        *(Variable(symbol, 0) for symbol in radii),
        Variable(A, 0, radius2 * delta1),
        Variable(B, 0, radius1 * delta2),
    )
    return Derivation(
        "So k∘l is within R₂δ₁ + R₁δ₂ of k'∘l'; A and B are the lengths of the two parts",
        Assumptions(ranges),
        A + B,
        (Step(LE, radius2 * delta1 + radius1 * delta2, Positivity(), "Both parts."),),
    )


def _points(d: int, radius: int) -> st.SearchStrategy[list[Vector]]:
    """Draw points in a ball: anywhere, on its boundary along axes, and doubled."""
    entry = st.fractions(-radius, radius, max_denominator=6)
    inside = st.tuples(*[entry] * d).filter(lambda p: sum(x * x for x in p) <= radius**2)
    poles = [
        tuple(Fraction(s * radius * (i == j)) for j in range(d)) for i in range(d) for s in (1, -1)
    ]
    return st.lists(inside | st.sampled_from(poles), min_size=1, max_size=12)


def property_greedy(data: st.DataObject, tally: Tally) -> None:
    """A greedy net covers all points, keeps centres apart, and is no larger than the bound."""
    del tally
    d, R = data.draw(st.integers(1, 3), label="d"), data.draw(st.integers(1, 3), label="R")
    points = data.draw(_points(d, R), label="points")
    delta = data.draw(st.fractions(Fraction(1, 4), 3, max_denominator=4), label="delta")
    net = greedy_net(points, delta)
    centres = [points[index] for index in net.centres]
    apart = all(squared_distance(p, q) > delta**2 for p, q in combinations(centres, 2))
    require(apart, "two centres are too near")
    for point, place in zip(points, net.assigned, strict=True):
        require(squared_distance(point, centres[place]) <= delta**2, "a point is not covered")
    require(len(centres) <= covering_number(Fraction(R), delta, d), "too many centres")


def property_line(data: st.DataObject, tally: Tally) -> None:
    """Adversarial: on a line, points just over δ apart come within 2 of the bound."""
    del tally
    R = data.draw(st.fractions(Fraction(1, 2), 5, max_denominator=8), label="R")
    delta = data.draw(st.fractions(Fraction(1, 8), 2, max_denominator=8), label="delta")
    gap = delta + Fraction(1, 10**6)
    points = [[-R + i * gap] for i in range(int(2 * R / gap) + 1)]
    order = data.draw(st.permutations(points), label="points")
    net = greedy_net(order, delta)
    require(len(net.centres) == len(points), "a point so far from all others is no centre")
    bound = covering_number(R, delta, 1)
    require(bound - 2 < len(points) <= bound, "the bound is not near")


def property_products(data: st.DataObject, tally: Tally) -> None:
    """Products of clustered rows cluster with m₁·m₂ centres within R₂δ₁ + R₁δ₂."""
    del tally
    d, R = data.draw(st.integers(1, 3), label="d"), data.draw(st.integers(1, 3), label="R")
    deltas = [data.draw(st.fractions(Fraction(1, 4), 2, max_denominator=4)) for _ in range(2)]
    factors = [data.draw(_points(d, R), label="points") for _ in range(2)]
    nets = [greedy_net(points, delta) for points, delta in zip(factors, deltas, strict=True)]
    centres: Matrix = khatri_rao(
        *(
            [points[index] for index in net.centres]
            for points, net in zip(factors, nets, strict=True)
        )
    )
    rows = khatri_rao(*factors)
    places = [j * len(nets[1].centres) + k for j in nets[0].assigned for k in nets[1].assigned]
    norms = [max(abs(x) for row in points for x in row) for points in factors]
    reach = product_radius(norms[0], deltas[0], norms[1], deltas[1])
    for row, place in zip(rows, places, strict=True):
        require(squared_distance(row, centres[place]) <= reach**2, "a product is too far")


CLAIM = Claim(
    slug="covering-number",
    title="greedy nets have at most (1 + 2R/δ)^d centres, and products of clusters cluster",
    statement="""\
Points in a ball of radius R in R^d, centres opened greedily at a distance above δ from all before:
at most `(1 + 2R/δ)^d` centres, in whatever order the points come, and every point is within δ of
one. On a line the bound is met up to 2.

For order 2, `‖k∘l - k'∘l'‖₂ <= ‖k - k'‖₂·‖l‖_∞ + ‖k'‖_∞·‖l - l'‖₂`. So if keys of slot 1 are
within δ₁ of m₁ centres and those of slot 2 within δ₂ of m₂, with entries of at most R₁ and R₂ in
absolute value, then their products are within `R₂δ₁ + R₁δ₂` of m₁·m₂ centres, the products of
centres.""",
    source="SG24; TMT (clusterability); U1",
    assumptions=(
        "volume in R^d scales with the d-th power and adds up over disjoint sets",
        "centres are points, so that R₁ and R₂ bound them too",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_greedy, property_line, property_products),
)
