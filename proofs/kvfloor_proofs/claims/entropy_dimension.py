"""S5 `entropy-dimension`: each halving of the error takes one bit a number that answers tell."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

from flint import arb
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.attention import ExactAttention
from kvfloor.caches import GaugedCache, HashedCache, configure, record, restore
from kvfloor.families import Separation, Token, candidates, separation, stack
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.foundations.accuracy import derivations
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Falsified, Tally, require

__all__ = [
    "CLAIM",
    "certified",
    "derivations",
    "property_cache_between_the_bounds",
    "property_grid_is_told_apart",
    "property_upper_side",
]


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
    order, _, d, d_v = s.candidate.shape
    alpha = _alpha(data, 1)
    y = s.point(alpha, _place(data, s, alpha))
    factory = _cache(s, _cells(s, alpha))
    state = record(factory, _tokens(s, y), d=d, d_v=d_v)
    require(2**state.bits >= floors.separated_states(s.reach, alpha), "fewer bits than the floor")
    key_bound, value_bound, norm = s.bounds
    constant = floors.gauged_constant(
        s.candidate.shape, query_norm=norm, key_bound=key_bound, value_bound=value_bound
    )
    r = floors.identifiable(*s.candidate.shape)
    linear = r * (alpha.denominator.bit_length() - 1)
    require(not state.bits > linear + constant, "more bits than the bound")
    require(not state.bits < linear - floors.separated_constant(s.reach), "below the line")
    cache = restore(factory, state, order=order, d=d, d_v=d_v)
    answers = [cache.answer(q)[i % d_v] for i, q in enumerate(s.candidate.queries)]
    require(_within(alpha, answers, _outputs(s, y)), "an error above α")


def property_upper_side(data: st.DataObject, tally: Tally) -> None:
    """For inputs in the gauge of any shape the cache is within α, and its bits as bounded."""
    del tally
    order = data.draw(st.integers(1, 3), label="order")
    n, d, d_v = (data.draw(st.integers(1, 3), label=name) for name in ("n", "d", "d_v"))
    shares = st.fractions(-1, 1, max_denominator=9)
    bound = data.draw(st.sampled_from((Fraction(1), Fraction(5, 2))), label="B")

    def row(width: int, fixed: Fraction | None) -> tuple[Fraction, ...]:
        if fixed is not None:
            return (fixed,) * width
        return data.draw(st.tuples(*[shares.map(lambda x: x * bound)] * width), label="row")

    def token(first: bool) -> Token:
        ones = [Fraction(1) if first and slot else None for slot in range(order)]
        zeros = [Fraction(0)] if first and order == 1 else ones
        return Token(tuple(row(d, x) for x in zeros), tuple(row(d_v, x) for x in ones))

    tokens = [token(k == 0) for k in range(n)]
    alpha = _alpha(data, 0)
    query = data.draw(st.tuples(*[st.fractions(-4, 4, max_denominator=4)] * d), label="q")
    norm = 4 * Fraction(d)
    bounds = {"key_bound": bound, "value_bound": bound}
    cells = floors.cells_for(alpha, norm, order=order, **bounds)
    factory = configure(GaugedCache, key_cells=cells[0], value_cells=cells[1], **bounds)
    state = record(factory, tokens, d=d, d_v=d_v)
    numbers = sum(floors.gauged_numbers(order, n, d, d_v))
    constant = floors.gauged_constant((order, n, d, d_v), query_norm=norm, **bounds)
    linear = numbers * (alpha.denominator.bit_length() - 1)
    require(not state.bits > linear + constant, "more bits than the bound")
    true = ExactAttention(*stack(tokens))(query).enclose(256)
    answers = restore(factory, state, order=order, d=d, d_v=d_v).answer(query)
    require(_within(alpha, answers, true), "an error above α")


def _within(alpha: Fraction, answers: Sequence[Any], outputs: Sequence[arb]) -> bool:
    with arb_precision(256):
        pairs = zip(answers, outputs, strict=True)
        return not any(abs(true - to_fmpq(given)) > to_fmpq(alpha) for given, true in pairs)


def property_fewer_states_fail(data: st.DataObject, tally: Tally) -> None:
    """With fewer states than a small grid has points, two share one: no answer serves both.

    The cache keeps a hash of its tokens, so any two may be those.
    """
    del tally
    s = _separated(data)
    _, _, d, d_v = s.candidate.shape
    wide = data.draw(st.integers(1, 4), label="coordinates with room for two points")
    alpha = sorted(s.reach, reverse=True)[min(wide, len(s.reach) - 1)]
    points = floors.separated_states(s.reach, alpha)
    bits = data.draw(st.integers(0, (points - 1).bit_length() - 1), label="b")
    seed = data.draw(st.integers(0, 999), label="seed")
    found: dict[bytes, tuple[Fraction, ...]] = {}
    for place in product(*map(range, floors.grid_sizes(s.reach, alpha))):
        y = s.point(alpha, place)
        state = record(configure(HashedCache, bits=bits), _tokens(s, y), d=d, d_v=d_v, seed=seed)
        if state.data in found:
            require(_differ(s, y, found[state.data], 2 * alpha), "one answer serves both")
            return
        found[state.data] = y
    raise Falsified("no two points share a state")


def property_fewer_cells_fail(data: st.DataObject, tally: Tally) -> None:
    """With few cells two neighbours share a state at any α, so that no answer serves both."""
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
    title="each halving of the error takes r bits, one for every number that answers tell",
    statement="""\
Let r be the rank of [S3](identifiability.md), (4n-2)d for the paper's case. Keys and values of
n >= 2 tokens are in the gauge: for m >= 2 the first token has ones in all slots but the first, for
m = 1 its key is zero. M(α) is the least number of bits of a deterministic (0, α)-accurate cache
for a bounded set of them and of queries, in which a set and queries as on the lower side are
included. Then `M(α) = r·log₂(1/α) + O(1)`, with constants on both sides.

**Lower side**, for the shapes in the table. Take r outputs, each of one query and in one column,
and sets `θ = θ₀ + A·y` of free entries with `|y_j| <= R_j`. Let J be the derivatives of the
outputs, anywhere in the set. If `Σ_j |J·A - I|_ij·w_j <= c·w_i` for each i, with c < 1, then of a
grid with `⌈R_j(1-c)/α⌉` points in coordinate j, any two differ in an output by more than 2α, and
no answer is within α of both. So, for *every* α > 0,

    M(α) >= log₂ Π_j ⌈R_j(1-c)/α⌉ >= r·log₂(1/α) - c₀,    c₀ = -Σ_j log₂(R_j(1-c)).

(With ⌊·⌋ + 1 for ⌈·⌉ there would be one point too many where R_j(1-c)/α is whole: outputs 2α
apart have an answer in common.) θ₀, queries, R and w come from a search that is not trusted;
[`separation`](../../reference/kvfloor/families/separated_sets.py) certifies c, in balls: A is the
inverse at θ₀, rounded, and second derivatives bound how far J·A moves from I. (Other shapes have no
constant here: where the rank is r at some point, such a set is around it by the inverse function
theorem, which is neither derived nor run; S3 certifies the rank for small shapes.)

**Upper side**, for every shape. Let entries be within ±B_k and ±B_v, and ‖q‖₁ <= Q. The cache
[`gauged`](../../reference/kvfloor/caches/gauged.py) keeps k entries of keys and v of values,
k + v = r, in `⌈2E/α⌉ + 1` cells each, with `E_k = σ·Q·m·B_k^m·B_v^m` and `E_v = m·B_v^m`. Its
answers are within α, and for α <= 1

    M(α) <= r·log₂(1/α) + c₁,    c₁ = k·log₂(2E_k + 2) + v·log₂(2E_v + 2) + 2.

Both on the same set: B_k, B_v and Q are the least that hold the certified one. At three α, the
bits that the lower side proves necessary, and those of the cache:

| m | n | d | d_v | r | c₀ | c₁ | α = 2^-8 | 2^-16 | 2^-64 |
|---|---|---|---|---|---|---|---|---|---|
| 1 | 2 | 1 | 1 | 3 | 10.5 | 13.8 | 14 … 36 | 38 … 60 | 182 … 204 |
| 1 | 2 | 2 | 2 | 6 | 21.4 | 26.0 | 27 … 71 | 75 … 119 | 363 … 407 |
| 1 | 3 | 1 | 1 | 5 | 24.2 | 23.2 | 17 … 61 | 56 … 101 | 296 … 341 |
| 2 | 2 | 1 | 1 | 6 | 36.3 | 42.6 | 14 … 90 | 60 … 138 | 348 … 426 |
| 2 | 2 | 2 | 2 | 12 | 53.7 | 89.4 | 43 … 184 | 139 … 280 | 715 … 856 |
| 3 | 2 | 1 | 1 | 8 | 82.2 | 71.4 | 0 … 135 | 46 … 199 | 430 … 583 |

With fewer states than the grid has points, two points share a state, and no answer serves both.
Such pairs are found: by enumeration in small grids, for a cache that keeps a hash of its tokens,
and among neighbours in large ones, for the rounded cache with too few cells.""",
    source="S5; S3, S2",
    assumptions=(
        "inputs are in the gauge. For m >= 2 others can be brought there if no entry of the first "
        "token that it fixes is 0, but not into one box as such an entry goes to 0",
        "the lower side holds for every set of inputs and queries that includes the certified one",
        "between two points of the set, which is convex, each output differs as by its derivatives "
        "at some point on the way (mean value theorem)",
        "E_k + E_v >= 2^-128, as answers are rounded by 2^-128/(N_k·N_v): for m >= 2 the gauge has "
        "ones, so B_v >= 1 and E_v >= 2",
        "the cache is deterministic, and its state after the n tokens has exactly M(α) bits",
        "σ = 1 in the table",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(
        property_grid_is_told_apart,
        property_cache_between_the_bounds,
        property_upper_side,
        property_fewer_states_fail,
        property_fewer_cells_fail,
    ),
)
