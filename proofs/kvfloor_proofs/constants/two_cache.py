"""T2 `two-cache`: what the pair takes in numbers and bits, and the caches that keep it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from kvfloor import cost, floors
from kvfloor.attention import ExactAttention
from kvfloor.caches import (
    PackedCache,
    TwoCache,
    configure,
    pack,
    read_bits,
    record,
    restore,
    write_bits,
)
from kvfloor.errors import InputError
from kvfloor.families import Token, stack
from kvfloor.numbers import arb_precision, as_format, to_fmpq
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.two_cache import (
    d,
    d_v,
    derivations,
    flag,
    n,
    property_counterexample,
    property_packs,
    property_unstructured,
    width,
)
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    unstructured, numbers, *_, vanishing, in_bits = derivations()
    packed = both_sides("a product comes back from as many, no entry of more bits", property_packed)
    return (
        Constant(
            floors.two_cache,
            (
                concluded(unstructured, Relation.LT, lambda: 2 ** floors.two_cache(n, d_v)),
                both_sides("so many bits come back", property_unstructured),
            ),
        ),
        Constant(
            floors.packed_numbers,
            (concluded(numbers, Relation.EQ, lambda: floors.packed_numbers(n, d, d_v)),),
        ),
        Constant(
            floors.packed_bits,
            (
                concluded(in_bits, Relation.EQ, lambda: floors.packed_bits(n, d, d_v, width, flag)),
                concluded(
                    *(vanishing, Relation.LT),
                    lambda: floors.packed_bits(n, d, d, width, flag),
                    start=True,
                ),
                both_sides("142·d bits at n = 16", property_counterexample),
            ),
        ),
        Constant(pack, (both_sides("1 + Σ(n_r - 1) numbers a column, or none", property_packs),)),
        Constant(write_bits, (packed,)),
        Constant(read_bits, (packed,)),
        Constant(PackedCache, (packed,)),
        Constant(
            TwoCache,
            (both_sides("64·(n^m + m·n)(d + d_v) bits, correctly rounded", property_two_cache),),
        ),
    )


def _tokens(data: st.DataObject, entries: st.SearchStrategy[Fraction]) -> list[Token]:
    order, tokens, *widths = (
        data.draw(st.integers(1, most), label=name)
        for name, most in (("m", 3), ("n", 3), ("d", 2), ("d_v", 2))
    )
    parts = (st.tuples(*[st.tuples(*[entries] * columns)] * order) for columns in widths)
    return data.draw(st.lists(st.builds(Token, *parts), min_size=tokens, max_size=tokens))


def _require_nearest(answer: list[float], tokens: list[Token], query: list[int]) -> None:
    """Answers are float64 numbers nearest to the true outputs: within half an ulp."""
    true = ExactAttention(*stack(tokens))(query).enclose(256)
    with arb_precision(256):
        for given, output in zip(answer, true, strict=True):
            half = as_format("float64").ulp(Fraction(given)) / 2
            require(not abs(output - to_fmpq(Fraction(given))) > to_fmpq(half), "not the nearest")


def property_two_cache(data: st.DataObject, tally: Tally) -> None:
    """The two-cache has as many bits as it says, and answers from nothing else."""
    del tally
    numbers = st.fractions(-2, 2, max_denominator=1) | st.just(Fraction(1, 2))
    tokens = _tokens(data, numbers)
    order, n, d, d_v = _shape(tokens)
    state = record(TwoCache, tokens, d=d, d_v=d_v)
    require(state.bits == 64 * (n**order + order * n) * (d + d_v), f"{state.bits} bits")
    if order == 2:
        require(state.bits == 64 * cost.two_cache_words(n, d, d_v), "not the words of T3")
    query = [data.draw(st.integers(-2, 2), label="q") for _ in range(d)]
    cache = restore(TwoCache, state, order=order, d=d, d_v=d_v)
    _require_nearest(list(cache.answer(query)), tokens, query)


def _shape(tokens: list[Token]) -> tuple[int, int, int, int]:
    keys, values = tokens[0]
    return len(keys), len(tokens), len(keys[0]), len(values[0])


def property_packed(data: st.DataObject, tally: Tally) -> None:
    """Whole numbers of w bits come back from the bits of T2, and one that takes more does not fit.

    The place of a pivot takes the least number of bits that tell n^m rows and none apart.
    """
    del tally
    tokens = _tokens(data, st.sampled_from([Fraction(x) for x in (-1, 0, 1)]))
    order, n, d, d_v = _shape(tokens)
    rows, bits = n**order, data.draw(st.integers(2, 5), label="w")
    place = next(size for size in range(99) if 2**size >= rows + 1)
    columns = (order * (n - 1) + 1) * bits + place
    factory = configure(PackedCache, width=bits)
    empty: Any = factory(order=order, d=d, d_v=d_v, seed=0)
    require(empty.state_bits() == 64, "no tokens take more than their number")
    state = record(factory, tokens, d=d, d_v=d_v)
    require(state.bits == 64 + (d + d_v) * columns, f"{state.bits} bits")
    if order == 2:
        claimed = floors.packed_bits(n, d, d_v, bits, place)
        require(state.bits == 64 + claimed, "not the bits of the floor")
    query = [data.draw(st.integers(-2, 2), label="q") for _ in range(d)]
    cache = restore(factory, state, order=order, d=d, d_v=d_v)
    _require_nearest(list(cache.answer(query)), tokens, query)
    ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for entry, fits in (
        (ends[0], True),
        (ends[1], True),
        (ends[0] - 1, False),
        (ends[1] + 1, False),
    ):
        product = pack([[entry]] + [[0]] * (rows - 1), (n,) * order)
        try:
            text = write_bits(product, bits)
        except InputError:
            require(not fits, f"{entry} does not fit in {bits} bits")
        else:
            require(fits, f"{entry} fits in {bits} bits")
            require(len(text) == columns, f"{len(text)} bits for a column")
            require(read_bits(text, (n,) * order, 1, bits) == product, "it does not come back")
