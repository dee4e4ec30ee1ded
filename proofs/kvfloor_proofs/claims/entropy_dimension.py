"""S5 `entropy-dimension`: each halving of the error takes one bit a number that answers tell."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from flint import arb
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.caches import GaugedCache, configure, record, restore
from kvfloor.candidates import candidates
from kvfloor.exact import ExactAttention
from kvfloor.inputs import to_fmpq
from kvfloor.instances import Token
from kvfloor.precision import arb_precision
from kvfloor.separation import Separation, separation
from kvfloor_proofs.accuracy import derivations
from kvfloor_proofs.claim import Claim, Falsified, Tally, require

__all__ = ["CLAIM", "certified", "derivations"]


@lru_cache(maxsize=1)
def certified() -> tuple[Separation, ...]:
    """Return what `separation` certifies of the candidates, all of them; a memo."""
    found = map(separation, candidates())
    return tuple(s for s in found if s is not None)


def _separated(data: st.DataObject) -> Separation:
    require(len(certified()) == len(candidates()), "a candidate is not certified")
    return data.draw(st.sampled_from(certified()), label="set")


def _alpha(data: st.DataObject, least: int) -> Fraction:
    return Fraction(1, 2 ** data.draw(st.integers(least, 64), label="log2(1/alpha)"))


def _place(data: st.DataObject, s: Separation, alpha: Fraction) -> tuple[int, ...]:
    ranges = (st.integers(0, size - 1) for size in floors.grid_sizes(s.reach, alpha))
    return data.draw(st.tuples(*ranges), label="place")


def _outputs(s: Separation, y: Sequence[Fraction]) -> list[arb]:
    """The r outputs of the set, enclosed."""
    attention = ExactAttention(*s.inputs(y))
    d_v = s.candidate.shape[3]
    return [attention(q).enclose(256)[i % d_v] for i, q in enumerate(s.candidate.queries)]


def _differ(s: Separation, y: Sequence[Fraction], other: Sequence[Fraction], by: Fraction) -> bool:
    """Whether an output differs by more than this."""
    pairs = zip(_outputs(s, y), _outputs(s, other), strict=True)
    with arb_precision(256):
        return any(abs(a - b) > to_fmpq(by) for a, b in pairs)


def property_grid_is_told_apart(data: st.DataObject, tally: Tally) -> None:
    """Two points of the grid differ in an output by more than 2α, and as much as is certified."""
    del tally
    s = _separated(data)
    alpha = _alpha(data, 20)
    place = _place(data, s, alpha)
    other = _neighbour(place, data.draw(st.integers(0, len(place) - 1), label="coordinate"))
    if data.draw(st.booleans(), label="far apart"):
        drawn = _place(data, s, alpha)
        other = other if drawn == place else drawn
    y, z = s.point(alpha, place), s.point(alpha, other)
    least = (1 - s.contraction) * min(abs(a - b) for a, b in zip(y, z, strict=True) if a != b)
    require(least > 2 * alpha, "the grid is too fine")
    require(_differ(s, y, z, least - Fraction(1, 2**200)), "outputs are too near")


def _neighbour(place: tuple[int, ...], coordinate: int) -> tuple[int, ...]:
    """The point next to this one, in a grid with two points or more each way."""
    step = -1 if place[coordinate] else 1
    return (*place[:coordinate], place[coordinate] + step, *place[coordinate + 1 :])


def _tokens(s: Separation, y: Sequence[Fraction]) -> list[Token]:
    keys, values = s.inputs(y)
    return [
        Token(tuple(slot[row] for slot in keys), tuple(slot[row] for slot in values))
        for row in range(s.candidate.shape[1])
    ]


def _cache(s: Separation, cells: tuple[int, int]) -> Any:
    key_bound, value_bound, _ = s.bounds
    options = {"key_bound": key_bound, "value_bound": value_bound}
    return configure(GaugedCache, key_cells=cells[0], value_cells=cells[1], **options)


def _cells(s: Separation, alpha: Fraction) -> tuple[int, int]:
    key_bound, value_bound, norm = s.bounds
    order = s.candidate.shape[0]
    return floors.cells_for(alpha, norm, order=order, key_bound=key_bound, value_bound=value_bound)


def property_cache_between_the_bounds(data: st.DataObject, tally: Tally) -> None:
    """A rounded cache is within α, and its bits are between floor and bound, for every α."""
    del tally
    s = _separated(data)
    order, n, d, d_v = s.candidate.shape
    alpha = _alpha(data, 1)
    y = s.point(alpha, _place(data, s, alpha))
    factory = _cache(s, _cells(s, alpha))
    state = record(factory, _tokens(s, y), d=d, d_v=d_v)
    require(2**state.bits >= floors.separated_states(s.reach, alpha), "fewer bits than the floor")
    key_bound, value_bound, norm = s.bounds
    constant = floors.gauged_constant(
        order, n, d, d_v, query_norm=norm, key_bound=key_bound, value_bound=value_bound
    )
    r = floors.identifiable(order, n, d, d_v)
    linear = r * (alpha.denominator.bit_length() - 1)
    require(not state.bits > linear + constant, "more bits than the bound")
    require(not state.bits < linear - floors.separated_constant(s.reach), "below the line")
    cache = restore(factory, state, order=order, d=d, d_v=d_v)
    for i, output in enumerate(_outputs(s, y)):
        given = cache.answer(s.candidate.queries[i])[i % d_v]
        with arb_precision(256):
            require(not abs(output - to_fmpq(given)) > to_fmpq(alpha), "an error above α")


def property_fewer_bits_fail(data: st.DataObject, tally: Tally) -> None:
    """With fewer states than the grid has points, two of them share a state that serves neither."""
    del tally
    s = _separated(data)
    _, _, d, d_v = s.candidate.shape
    alpha = _alpha(data, 40)
    number = data.draw(st.integers(2, 2**8), label="cells")
    factory = _cache(s, (number, number))
    place = _place(data, s, alpha)
    found: dict[bytes, tuple[Fraction, ...]] = {}
    for coordinate in range(len(place)):
        y = s.point(alpha, _neighbour(place, coordinate))
        state = record(factory, _tokens(s, y), d=d, d_v=d_v)
        require(2**state.bits < floors.separated_states(s.reach, alpha), "not under the floor")
        if state.data in found:
            require(_differ(s, y, found[state.data], 2 * alpha), "one answer serves both")
            return
        found[state.data] = y
    raise Falsified("no two neighbours share a state")


CLAIM = Claim(
    slug="entropy-dimension",
    title="each halving of the error takes as many bits as answers tell numbers: (4n-2)d for TMT",
    statement="""\
TODO""",
    source="S5; S3, S2",
    assumptions=("TODO",),
    verdict="holds",
    derivations=derivations,
    properties=(
        property_grid_is_told_apart,
        property_cache_between_the_bounds,
        property_fewer_bits_fail,
    ),
)
