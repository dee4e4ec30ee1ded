"""S5: certified sets, and the derivatives that certify them, against power series."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import combinations, product
from random import Random
from typing import Any

from flint import arb, arb_mat
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.attention import ExactAttention
from kvfloor.families import Separation, candidates, separation
from kvfloor.floors import Region, curvature, free_parameters
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.claims.entropy_dimension import certified
from kvfloor_proofs.foundations.properties import Tally, require
from kvfloor_proofs.foundations.series import along

__all__ = ["property_bounds", "property_certified", "property_curvature", "property_small_grid"]

_PRECISION = 256
_CORNERS = 3


def _balls(slots: Any) -> list[list[list[arb]]]:
    return [[[arb(to_fmpq(x)) for x in row] for row in slot] for slot in slots]


def _drawn(data: st.DataObject) -> Separation:
    require(len(certified()) == len(candidates()), "a candidate is not certified")
    return data.draw(st.sampled_from(certified()), label="set")


def _place(data: st.DataObject, s: Separation) -> tuple[Fraction, ...]:
    """A point y of the set: a corner, or one inside."""
    shares = st.sampled_from([Fraction(x) for x in (-1, 1)]) | st.fractions(
        -1, 1, max_denominator=9
    )
    radii = s.candidate.radii
    return tuple(data.draw(shares) * radius for radius in radii)


def _moves(s: Separation, y: tuple[Fraction, ...]) -> tuple[Any, Any]:
    """Directions of the free entries along y, as keys and values; what the gauge sets is still."""
    zero = s.candidate.slots((Fraction(0),) * len(y))
    moved = s.candidate.slots(
        tuple(
            sum((a * b for a, b in zip(row, y, strict=True)), Fraction(0)) for row in s.directions
        )
    )
    keys, values = (
        [
            [[a - b for a, b in zip(*rows, strict=True)] for rows in zip(*slots, strict=True)]
            for slots in zip(*parts, strict=True)
        ]
        for parts in zip(moved, zero, strict=True)
    )
    return _balls(keys), _balls(values)


def _basis(r: int, *parts: tuple[int, int]) -> tuple[Fraction, ...]:
    return tuple(sum((Fraction(by) for k, by in parts if k == j), Fraction(0)) for j in range(r))


@cache
def _wider(number: int) -> Separation | None:
    """The candidate with 2^20 times its radii."""
    candidate = candidates()[number]
    return separation(replace(candidate, radii=tuple(2**20 * x for x in candidate.radii)))


def property_certified(data: st.DataObject, tally: Tally) -> None:
    """Anywhere in a set Σ_j |J·A - I|_ij·w_j/w_i is within the contraction, J from power series.

    The sums reach a third of it in some corner, and a set 2^20 times wider is not certified.
    """
    del tally
    s = _drawn(data)
    require(_wider(certified().index(s)) is None, "a set that is too wide is certified")
    require(s.contraction < 1, "no contraction")
    y = _place(data, s)
    i = data.draw(st.integers(0, len(y) - 1), label="output")
    with arb_precision(_PRECISION):
        found = _row_sum(s, y, i)
        require(not found > to_fmpq(s.contraction), "beyond the contraction")
        require(_most(certified().index(s)) > to_fmpq(s.contraction / 3), "far from it")


def _row_sum(s: Separation, y: tuple[Fraction, ...], i: int) -> arb:
    keys, values = map(_balls, s.inputs(y))
    query = [arb(to_fmpq(x)) for x in s.candidate.queries[i]]
    weights = [to_fmpq(w) for w in s.candidate.weights]
    column, r, total = i % s.candidate.shape[3], len(y), arb(0)
    for j in range(r):
        slope = along(query, column, keys, values, _moves(s, _basis(r, (j, 1))))[1]
        total += abs(slope - (i == j)) * weights[j] / weights[i]
    return total


@cache
def _most(number: int) -> arb:
    """The largest sum in a few corners."""
    s, r = certified()[number], len(certified()[number].candidate.radii)
    random = Random(1)  # noqa: S311 - no secret
    signs = [[random.choice((-1, 1)) for _ in range(r)] for _ in range(_CORNERS)]
    corners = [
        tuple(sign * x for sign, x in zip(row, s.candidate.radii, strict=True)) for row in signs
    ]
    with arb_precision(128):
        return max(_row_sum(s, y, i) for y in corners for i in range(r))


def property_bounds(data: st.DataObject, tally: Tally) -> None:
    """Entries and queries stay within the bounds of a set, and meet them in some corner."""
    del tally
    s = _drawn(data)
    *bounds, norm = s.bounds
    norms = [sum(map(abs, query), Fraction(0)) for query in s.candidate.queries]
    require(max(norms) == norm, "another norm")
    for part, bound in zip(s.inputs(_place(data, s)), bounds, strict=True):
        require(max(abs(x) for slot in part for row in slot for x in row) <= bound, "beyond it")
    largest = {"key": s.candidate.still, "value": s.candidate.still}
    for p, row in zip(free_parameters(*s.candidate.shape), s.directions, strict=True):
        for sign in (-1, 1):
            signs = (sign if a > 0 else -sign for a in row)
            corner = tuple(x * y for x, y in zip(s.candidate.radii, signs, strict=True))
            part = s.inputs(corner)[p.part == "value"]
            largest[p.part] = max(largest[p.part], abs(part[p.slot][p.row][p.column]))
    require(list(largest.values()) == bounds, "no corner meets them")


def property_small_grid(data: st.DataObject, tally: Tally) -> None:
    """All points of a small grid are enumerated: as many as states, every two told apart."""
    del tally
    s = _drawn(data)
    wide = data.draw(st.integers(0, 3), label="coordinates with room for two points")
    alpha = sorted(s.reach, reverse=True)[min(wide, len(s.reach) - 1)]
    places = product(*map(range, floors.grid_sizes(s.reach, alpha)))
    points = {s.point(alpha, place) for place in places}
    require(len(points) == floors.separated_states(s.reach, alpha), "not as many as states")
    d_v = s.candidate.shape[3]
    outputs = []
    for y in points:
        attention = ExactAttention(*s.inputs(y))
        require(
            all(abs(x) <= radius for x, radius in zip(y, s.candidate.radii, strict=True)),
            "a point outside of the set",
        )
        outputs.append(
            [attention(q).enclose(256)[i % d_v] for i, q in enumerate(s.candidate.queries)]
        )
    with arb_precision(_PRECISION):
        for one, other in combinations(outputs, 2):
            apart = any(abs(a - b) > to_fmpq(2 * alpha) for a, b in zip(one, other, strict=True))
            require(apart, "one answer serves two points")


def property_curvature(data: st.DataObject, tally: Tally) -> None:
    """Second derivatives at a point of a region are in what encloses them over all of it.

    Over a region that is one point they are it.
    """
    del tally
    s = _drawn(data)
    y = _place(data, s)
    r = len(y)
    i, j, k = (data.draw(st.integers(0, r - 1), label=name) for name in ("output", "j", "k"))
    column = i % s.candidate.shape[3]
    with arb_precision(_PRECISION):
        query = [arb(to_fmpq(x)) for x in s.candidate.queries[i]]
        A = arb_mat([[arb(to_fmpq(x)) for x in row] for row in s.directions])
        keys, values = map(_balls, s.inputs(y))
        both, apart = (
            along(query, column, keys, values, _moves(s, _basis(r, (j, 1), (k, by))))[2]
            for by in (1, -1)
        )
        second = (both - apart) / 2
        at_keys, at_values = map(_balls, s.candidate.slots(s.candidate.centre))
        radii = [arb(to_fmpq(x)) for x in s.candidate.radii]
        over = curvature(query, column, Region(at_keys, at_values, A, radii))[j, k]
        require(over.contains(second.mid()) or over.overlaps(second), "not in the enclosure")
        at = curvature(query, column, Region(keys, values, A, [arb(0)] * r))[j, k]
        scale = 1 + abs(second)
        require(bool(abs(at - second) < scale * arb(2) ** -100), "another second derivative")
