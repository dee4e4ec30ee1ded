"""Separated sets: what is certified holds at points of the set, and what is not so is refused."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from flint import arb, arb_mat

from kvfloor import InputError
from kvfloor.families import Separation, candidates, separation
from kvfloor.families.separated_sets import Candidate
from kvfloor.floors import free_parameters, grid_sizes, identifiable, minor
from kvfloor.numbers import arb_precision, to_fmpq

CANDIDATES = [pytest.param(c, id="-".join(map(str, c.shape))) for c in candidates()]


def certified(candidate: Candidate) -> Separation:
    found = separation(candidate)
    assert found is not None
    return found


def balls(rows: Any) -> list[Any]:
    return [balls(x) if isinstance(x, tuple) else arb(to_fmpq(x)) for x in rows]


def derivatives_at(s: Separation, y: list[Fraction]) -> list[list[arb]]:
    """Return those of the outputs by y, row by row."""
    keys, values = s.inputs(y)
    free = free_parameters(*s.candidate.shape)
    J = minor(balls(s.candidate.queries), balls(keys), balls(values), free)
    return list((J * arb_mat(balls(s.directions))).tolist())


def test_orders_and_shapes() -> None:
    shapes = [c.shape for c in candidates()]
    assert len(set(shapes)) == len(shapes) >= 4
    assert {1, 2} <= {order for order, *_ in shapes}
    assert (2, 2, 2, 2) in shapes


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_contraction_holds_at_points_of_the_set(candidate: Candidate) -> None:
    """Derivatives at drawn corners and inside, by the other module; the worst comes near."""
    s, drawn = certified(candidate), Random(7)
    assert s.contraction < Fraction(1, 2)
    worst = Fraction(0)
    for _ in range(40):
        share = drawn.choice((Fraction(1), Fraction(1, 3)))
        y = [drawn.choice((-1, 1)) * share * x for x in candidate.radii]
        with arb_precision(300):
            for i, row in enumerate(derivatives_at(s, y)):
                terms = (
                    abs(x - (i == j)) * arb(to_fmpq(w / candidate.weights[i]))
                    for j, (x, w) in enumerate(zip(row, candidate.weights, strict=True))
                )
                off = sum(terms, arb(0))
                assert off < to_fmpq(s.contraction)
                worst = max(worst, Fraction(float(off.mid())))
    assert worst > s.contraction / 4


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_contraction_of_a_tiny_set_is_the_sum_over_its_axes(candidate: Candidate) -> None:
    """There derivatives move in proportion to y, so moves along the axes add up to the most."""
    tiny = replace(candidate, radii=tuple(x / 2**50 for x in candidate.radii))
    s = certified(tiny)
    r = range(len(tiny.radii))
    with arb_precision(400):
        sums = [arb(0) for _ in r]
        for k in r:
            moved = derivatives_at(s, [tiny.radii[k] if j == k else Fraction(0) for j in r])
            for i, row in enumerate(moved):
                for j, x in enumerate(row):
                    share = tiny.weights[j] / tiny.weights[i]
                    sums[i] += abs(x - (i == j)) * arb(to_fmpq(share))
        ratio = max(sums) / arb(to_fmpq(s.contraction))
        assert abs(ratio - 1) < 1e-9


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_inputs_are_in_the_gauge_and_in_their_bounds(candidate: Candidate) -> None:
    s, drawn = certified(candidate), Random(8)
    order, n, d, d_v = candidate.shape
    key_bound, value_bound, norm = s.bounds
    assert len(candidate.centre) == identifiable(order, n, d, d_v)
    largest = [Fraction(0), Fraction(0)]
    for _ in range(20):
        keys, values = s.inputs([drawn.choice((-1, 1)) * x for x in candidate.radii])
        assert [len(slot) for slot in (*keys, *values)] == [n] * 2 * order
        if order == 1:
            assert keys[0][0] == (0,) * d
        for slot in keys[1:]:
            assert slot[0] == (1,) * d
        for slot in values[1:]:
            assert slot[0] == (1,) * d_v
        for part, slots in enumerate((keys, values)):
            entries = [abs(x) for slot in slots for row in slot for x in row]
            largest[part] = max(largest[part], *entries)
    assert key_bound / 2 < largest[0] <= key_bound
    assert value_bound / 2 < largest[1] <= value_bound
    assert norm == max(sum(map(abs, q)) for q in candidate.queries)
    assert s.inputs([Fraction(0)] * len(candidate.centre)) == candidate.slots(candidate.centre)


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_grid_is_as_fine_as_it_may_be(candidate: Candidate) -> None:
    s = certified(candidate)
    for alpha in (min(s.reach) / 3, min(s.reach) / Fraction(7, 2), 2 * max(s.reach)):
        sizes = grid_sizes(s.reach, alpha)
        for k, size in enumerate(sizes):
            row = [s.point(alpha, [i] * len(sizes))[k] for i in range(size)]
            if size == 1:
                assert row == [0]
                continue
            assert (row[0], row[-1]) == (-candidate.radii[k], candidate.radii[k])
            gaps = {b - a for a, b in pairwise(row)}
            assert len(gaps) == 1
            assert gaps.pop() * (1 - s.contraction) > 2 * alpha
            assert 2 * candidate.radii[k] / size * (1 - s.contraction) <= 2 * alpha


@pytest.mark.parametrize("candidate", CANDIDATES)
def test_what_is_too_large_or_singular_is_not_certified(candidate: Candidate) -> None:
    wide = replace(candidate, radii=tuple(3 * x for x in candidate.radii))
    assert separation(wide) is None
    still = tuple((Fraction(0),) * candidate.shape[2] for _ in candidate.queries)
    assert separation(replace(candidate, queries=still)) is None
    even = replace(candidate, weights=(Fraction(1),) * len(candidate.weights))
    found = separation(even)
    assert found is None or found.contraction > certified(candidate).contraction


def test_an_inverse_that_is_none_is_not_trusted() -> None:
    """With two queries 2^-100 apart the inverse is off: all that is small then is the set."""
    candidate = candidates()[0]
    (x,), _, last = candidate.queries
    near = ((x,), (x + Fraction(1, 2**100),), last)
    radii = (Fraction(1, 2**900),) * 3
    assert separation(replace(candidate, radii=radii)) is not None
    assert separation(replace(candidate, queries=near, radii=radii)) is None


def test_the_set_at_a_point_contracts_to_nothing() -> None:
    """With hardly any radius what is left is the error of A."""
    candidate = candidates()[0]
    tiny = replace(candidate, radii=(Fraction(1, 2**60),) * len(candidate.radii))
    assert certified(tiny).contraction < Fraction(1, 2**40)


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"centre": (Fraction(0),)}, "centre"),
        ({"queries": ()}, "queries"),
        ({"queries": ((Fraction(1), Fraction(2)),) * 3}, "queries"),
        ({"radii": (Fraction(1),) * 4}, "radii"),
        ({"radii": (Fraction(1), Fraction(0), Fraction(1))}, "candidate"),
        ({"weights": (Fraction(1), Fraction(-1), Fraction(1))}, "candidate"),
    ],
)
def test_refused_by_name(changes: dict[str, Any], argument: str) -> None:
    with pytest.raises(InputError) as caught:
        replace(candidates()[0], **changes)
    assert caught.value.argument == argument
