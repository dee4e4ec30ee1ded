"""S5 `entropy-dimension`: grids, constants of both sides, certified sets, and the cache."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import product
from math import prod
from typing import Any

from flint import arb, fmpq
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.caches import GaugedCache, configure, record
from kvfloor.errors import InputError
from kvfloor.families import Separation, Token, candidates, separation
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import Relation, evaluate
from kvfloor_proofs.claims import identifiability
from kvfloor_proofs.claims.entropy_dimension import (
    derivations,
    property_cache_between_the_bounds,
    property_grid_is_told_apart,
    property_upper_side,
)
from kvfloor_proofs.constants.certified_sets import (
    property_bounds,
    property_certified,
    property_curvature,
    property_small_grid,
)
from kvfloor_proofs.foundations import accuracy
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]

EQ = Relation.EQ
_chains = cache(derivations)


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    cells = _chains()[4]
    *_, one_slot, slots = identifiability.derivations()
    grid = both_sides("the most points in the range derived, one more is not", property_grid)
    cache = both_sides("its states are counted; the largest has so many", property_gauged_states)
    series = both_sides("power series are in it; at a point, it", property_curvature)
    sets = both_sides("any two points are told apart", property_grid_is_told_apart)
    return (
        Constant(floors.grid_sizes, (grid, sets)),
        Constant(
            floors.separated_states,
            (grid, both_sides("all points of small grids, told apart", property_small_grid)),
        ),
        Constant(
            floors.separated_constant,
            (both_sides("what the last line has at α = 1", property_lower_constant),),
            slack="the states are 2^(r·log₂(1/α) - c₀) where every reach/α is whole, else more",
        ),
        Constant(
            floors.gauged_numbers,
            (
                concluded(
                    *(one_slot, EQ),
                    lambda: sum(floors.gauged_numbers(1, *_SHAPE)),
                    start=True,
                ),
                concluded(
                    *(slots, EQ),
                    lambda: sum(floors.gauged_numbers(identifiability.m, *_SHAPE)),
                    start=True,
                ),
                both_sides("free entries of keys, of values", property_gauged_numbers),
            ),
        ),
        Constant(floors.gauged_bits, (cache,)),
        Constant(
            GaugedCache,
            (
                cache,
                both_sides("within α, bits between the bounds", property_cache_between_the_bounds),
            ),
        ),
        Constant(
            floors.gauged_constant,
            (
                both_sides("what the last line has at α = 1", property_upper_constant),
                both_sides("no more bits, at any α", property_upper_side),
            ),
            slack="at α = 1 the cache has c₁ - 1 - Σ log₂((2E+2)/(2E+1)) bits or more",
        ),
        Constant(
            floors.errors_of_one_cell,
            (
                concluded(cells, EQ, _by_cells),
                concluded(cells, EQ, _by_default_cells, names=_DEFAULTS),
            ),
        ),
        Constant(
            floors.output_error,
            (
                concluded(
                    *(cells, EQ),
                    lambda: floors.output_error(
                        accuracy.m, accuracy.B_v, accuracy.B_v / accuracy.N_v, _logit_error()
                    ),
                    start=True,
                ),
            ),
        ),
        Constant(
            floors.cells_for,
            (both_sides("the fewest in the range that accuracy assumes", property_cells),),
        ),
        Constant(
            separation,
            (both_sides("power series stay within the contraction", property_certified),),
            slack="at the corners of the set the sums reach a third of the contraction",
        ),
        Constant(
            Separation,
            (sets, both_sides("bounds hold, and are met in a corner", property_bounds)),
        ),
        Constant(
            candidates, (both_sides("certified; 2^20 times wider, no longer", property_certified),)
        ),
        Constant(
            floors.curvature,
            (series,),
        ),
        Constant(
            floors.Region,
            (series,),
        ),
    )


_SHAPE = (identifiability.n, identifiability.d, identifiability.d_v)
_DEFAULTS = {accuracy.m: 2, accuracy.B: 1, accuracy.B_v: 1, accuracy.sigma: 1}


def _logit_error() -> Any:
    return floors.logit_error(
        accuracy.m, accuracy.B, accuracy.B / accuracy.N_k, accuracy.Q, accuracy.sigma
    )


def _by_cells() -> Any:
    by_key, by_value = floors.errors_of_one_cell(
        accuracy.Q,
        order=accuracy.m,
        key_bound=accuracy.B,
        value_bound=accuracy.B_v,
        scale=accuracy.sigma,
    )
    return by_key / accuracy.N_k + by_value / accuracy.N_v


def _by_default_cells() -> Any:
    by_key, by_value = floors.errors_of_one_cell(accuracy.Q)
    return by_key / accuracy.N_k + by_value / accuracy.N_v


def _refused(call: Any) -> bool:
    try:
        call()
    except InputError:
        return True
    return False


_SIZES = st.fractions(Fraction(1, 64), 9, max_denominator=64)


def property_grid(data: st.DataObject, tally: Tally) -> None:
    """Of the numbers of points that are derived to be told apart, this is the largest."""
    del tally
    (points,) = (v for v in _chains()[1].assumptions.variables if v.symbol == accuracy.points)
    require(points.high_open, "the end of the range is in it")
    alpha = data.draw(_SIZES, label="α")
    whole = st.integers(1, 9).map(lambda k: k * alpha)
    reach = data.draw(st.lists(_SIZES | whole, min_size=1, max_size=4), label="reach")
    sizes = floors.grid_sizes(reach, alpha)
    require(len(sizes) == len(reach), "not one for each coordinate")
    for size, x in zip(sizes, reach, strict=True):
        contraction = Fraction(1, 3)
        at = {accuracy.c: contraction, accuracy.R: x / (1 - contraction), accuracy.alpha: alpha}
        end = evaluate(points.high, {name: to_fmpq(value) for name, value in at.items()})
        require(size < end <= size + 1, "not the largest")
    require(floors.separated_states(reach, alpha) == prod(sizes), "not their product")
    for bad, most in (([*reach, Fraction(0)], alpha), (reach, Fraction(0))):
        require(_refused(lambda b=bad, a=most: floors.grid_sizes(b, a)), "a size of 0")
        require(_refused(lambda b=bad, a=most: floors.separated_states(b, a)), "a size of 0")


def property_lower_constant(data: st.DataObject, tally: Tally) -> None:
    """c₀ is minus what the derived bound has at α = 1; met where every reach/α is whole."""
    del tally
    reach = data.draw(st.lists(_SIZES, min_size=1, max_size=4), label="reach")
    found = floors.separated_constant(reach)
    named = {accuracy.reach.base[k]: to_fmpq(x) for k, x in enumerate(reach, start=1)}
    at = {accuracy.r: fmpq(len(reach)), accuracy.alpha: fmpq(1), **named}
    with arb_precision(128):
        in_nats = evaluate(_chains()[3].conclusion.right, at)
        require(_near(-found * arb.const_log2(), in_nats), "another constant")
    alpha = Fraction(1, 64 * prod(x.denominator for x in reach))
    states = floors.separated_states(reach, alpha)
    with arb_precision(128):
        line = len(reach) * _log2(1 / alpha) - found
        require(_near(_log2(Fraction(states)), line), "not met by a grid of whole sizes")
    require(_refused(lambda: floors.separated_constant([*reach, Fraction(0)])), "a reach of 0")


def _near(x: Any, y: Any) -> bool:
    return bool(abs(arb(x) - arb(y)) < arb(2) ** -80)


def _log2(x: Fraction) -> arb:
    return arb(to_fmpq(x)).log() / arb.const_log2()


def property_gauged_numbers(data: st.DataObject, tally: Tally) -> None:
    """They are the free entries, of keys and of values; of one token, those that are kept."""
    del tally
    order, n = (data.draw(st.integers(1, 4), label=name) for name in ("m", "n"))
    d, d_v = (data.draw(st.integers(1, 3), label=name) for name in ("d", "d_v"))
    found = floors.gauged_numbers(order, n, d, d_v)
    parts = [p.part for p in floors.free_parameters(order, n, d, d_v)]
    free = parts.count("key"), parts.count("value")
    if n == 1 and order > 1:  # the key of slot 1 is kept, though nothing tells it
        free = d, free[1]
    require(found == free, "not the free entries")
    require(floors.gauged_numbers(order, 0, d, d_v) == (0, 0), "no tokens have entries")


def property_gauged_states(data: st.DataObject, tally: Tally) -> None:
    """All inputs of a small shape in the gauge lead to as many states as cells allow."""
    del tally
    order, n, d, d_v = data.draw(
        st.sampled_from(((1, 1, 1, 1), (1, 2, 1, 1), (2, 1, 1, 1), (1, 1, 2, 2), (2, 1, 2, 1))),
        label="m, n, d, d_v",
    )
    cells = data.draw(st.tuples(*[st.integers(2, 3)] * 2), label="cells")
    factory = configure(GaugedCache, key_cells=cells[0], value_cells=cells[1])

    def rows(width: int, number: int, fixed: Fraction | None) -> list[tuple[Fraction, ...]]:
        middles = [Fraction(2 * cell + 1 - number, number) for cell in range(number)]
        return [(fixed,) * width] if fixed is not None else list(product(middles, repeat=width))

    def tokens(first: bool) -> list[Token]:
        ones = [Fraction(1) if first and slot else None for slot in range(order)]
        zeros = [Fraction(0)] if first and order == 1 else ones
        keys, values = (
            list(product(*(rows(width, number, x) for x in fixed)))
            for width, number, fixed in ((d, cells[0], zeros), (d_v, cells[1], ones))
        )
        return [Token(k, v) for k in keys for v in values]

    inputs = product(*(tokens(k == 0) for k in range(n)))
    states = [record(factory, x, d=d, d_v=d_v) for x in inputs]
    numbers = floors.gauged_numbers(order, n, d, d_v)
    allowed = cells[0] ** numbers[0] * cells[1] ** numbers[1]
    require(len({state.data for state in states}) == allowed, "not the states that cells allow")
    bits = floors.gauged_bits(n, d, d_v, cells, order=order)
    require({state.bits for state in states} == {bits}, "not the bits claimed")
    largest = max(int.from_bytes(state.data, "little") for state in states)
    require(2 ** (bits - 1) <= largest < 2**bits, "another number of bits holds them")
    same = floors.gauged_bits(n, d, d_v, cells, order=2)
    require(floors.gauged_bits(n, d, d_v, cells) == same, "the order is not 2 by default")


def property_upper_constant(data: st.DataObject, tally: Tally) -> None:
    """c₁ is what the derived bound has at α = 1, and the cache is as near it as is said."""
    del tally
    order, n, d, d_v = shape = data.draw(st.tuples(*[st.integers(1, 3)] * 4), label="m, n, d, d_v")
    norm, key_bound, value_bound = data.draw(st.tuples(*[_SIZES] * 3), label="Q, B_k, B_v")
    bounds = {"key_bound": key_bound, "value_bound": value_bound}
    found = floors.gauged_constant(shape, query_norm=norm, **bounds)
    numbers = floors.gauged_numbers(*shape)
    errors = floors.errors_of_one_cell(norm, order=order, **bounds)
    at = {
        **dict(zip((accuracy.k, accuracy.v), map(fmpq, numbers), strict=True)),
        **dict(zip((accuracy.E_k, accuracy.E_v), map(to_fmpq, errors), strict=True)),
        accuracy.alpha: fmpq(1),
    }
    with arb_precision(128):
        in_nats = evaluate(_chains()[8].conclusion.right, at)
        require(_near(found * arb.const_log2(), in_nats), "another constant")
    cells = floors.cells_for(Fraction(1), norm, order=order, **bounds)
    bits = floors.gauged_bits(n, d, d_v, cells, order=order)
    with arb_precision(128):
        slack = sum(
            (k * _log2((2 * e + 2) / (2 * e + 1)) for k, e in zip(numbers, errors, strict=True)),
            arb(1),
        )
        require(not bits > found and not bits < found - slack, "not as near as is said")


def property_cells(data: st.DataObject, tally: Tally) -> None:
    """Of the numbers of cells that are derived to be enough, these are the least whole ones."""
    del tally
    alpha, norm, key_bound, value_bound = data.draw(
        st.tuples(*[_SIZES] * 4), label="α, Q, B_k, B_v"
    )
    order = data.draw(st.integers(1, 3), label="m")
    options: Any = {"order": order, "key_bound": key_bound, "value_bound": value_bound}
    errors = floors.errors_of_one_cell(norm, **options)
    at = dict(
        zip(
            (accuracy.alpha, accuracy.E_k, accuracy.E_v),
            map(to_fmpq, (alpha, *errors)),
            strict=True,
        )
    )
    found = floors.cells_for(alpha, norm, **options)
    for symbol, cells in zip((accuracy.N_k, accuracy.N_v), found, strict=True):
        (enough,) = (v for v in _chains()[6].assumptions.variables if v.symbol == symbol)
        require(not enough.low_open, "the end of the range is not in it")
        require(cells - 1 < evaluate(enough.low, at) <= cells, "not the fewest")
