"""S2 `quantised-upper-bound`: errors of rounded entries, cells, bits, and how near the floor."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import sympy as sp
from flint import arb, fmpq
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.attention import ExactAttention
from kvfloor.caches import QuantisedCache, configure, record, restore
from kvfloor.errors import InputError
from kvfloor.families import Sharp, Token, binary_pairs, ratio_at_most, sign_pairs, tightness
from kvfloor.floors import Guarantee, answer_bits, cells_for, quantised_bits
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.quantised_upper_bound import (
    B,
    B_v,
    Q,
    a,
    b,
    d_v,
    derivations,
    eps_s,
    eps_v,
    error,
    excess,
    grid,
    m,
    n,
    property_error,
    property_ratio,
    sigma,
    step,
)
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]

LE = Relation.LE
ONE = {sigma: sp.Integer(1)}


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    *_, moved, _, total, ratio, logit = derivations()
    errors = both_sides("no answer of the cache is off by more", property_error)
    states = both_sides("its states are counted; the largest has so many", property_states)
    return (
        Constant(
            floors.product_error,
            (concluded(moved, LE, lambda: floors.product_error(m + 1, B, error)),),
        ),
        Constant(
            floors.logit_error,
            (
                concluded(logit, LE, lambda: floors.logit_error(m, B, step, Q, sigma)),
                concluded(logit, LE, lambda: floors.logit_error(m, B, step, Q), names=ONE),
            ),
        ),
        Constant(
            floors.output_error,
            (
                concluded(total, LE, lambda: floors.output_error(m, B_v, eps_v, eps_s)),
                both_sides("two tuples nearly meet each term", property_nearly_met),
                errors,
            ),
            slack="instances come within 3 % of each term for ε_s <= 1/2 and ε_v <= B_v/100; for "
            "larger ε_s the first is 2·B_v^m·tanh(ε_s/2), never above 2·B_v^m",
        ),
        Constant(
            cells_for,
            (
                both_sides(
                    "one cell less leaves half of α for each term, two do not", property_cells
                ),
            ),
            slack="one cell of each is more than both terms take",
        ),
        Constant(
            answer_bits,
            (both_sides("from 1 to 4 times finer than 2^-128/(N_k·N_v)", property_answers),),
            slack="it may be up to 4 times finer than 2^-128/(N_k·N_v), as where both are 2^k",
        ),
        Constant(quantised_bits, (states, errors)),
        Constant(QuantisedCache, (states, errors)),
        Constant(
            ratio_at_most,
            (concluded(ratio, LE, lambda: ratio_at_most(n, a + b, d_v, b, excess / grid)),),
            slack="the table has 1.040 for 1.044 where it is nearest, 3.549 for 4.137 at n = 4",
        ),
        Constant(
            tightness,
            (
                both_sides("twice its α closes the room of `Sharp`, less does not", property_tight),
                both_sides("the ratio is at most that, and above 1", property_ratio),
            ),
        ),
    )


def property_nearly_met(data: st.DataObject, tally: Tally) -> None:
    """Two tuples with values ±B^m move by 97 % of the first term, one by 97 % of the second."""
    del tally
    order = data.draw(st.integers(1, 3), label="m")
    bound = data.draw(st.fractions(Fraction(1, 4), 4, max_denominator=4), label="B_v")
    logit = data.draw(
        st.fractions(Fraction(1, 64), Fraction(1, 2), max_denominator=64), label="ε_s"
    )
    one, share = Fraction(1), bound / data.draw(st.integers(100, 999), label="B_v/ε_v")

    def output(key: Fraction, values: list[Fraction], rest: Fraction) -> Any:
        keys = [[[key], [-key]][: len(values)], *[[[one]]] * (order - 1)]
        columns = [[[x] for x in values], *[[[rest]]] * (order - 1)]
        return ExactAttention(keys, columns)([1]).enclose(256)[0]

    pair = [bound, -bound]
    with arb_precision(256):
        for moved, most in (
            (
                output(logit / 2, pair, bound) - output(-logit / 2, pair, bound),
                floors.output_error(order, bound, 0, logit),
            ),
            (
                output(one, [bound], bound) - output(one, [bound - share], bound - share),
                floors.output_error(order, bound, share, 0),
            ),
        ):
            require(not moved > to_fmpq(most), "a move beyond the bound")
            require(bool(moved > to_fmpq(most * Fraction(97, 100))), "not within 3 %")


def property_states(data: st.DataObject, tally: Tally) -> None:
    """All inputs of a small shape lead to as many states as cells allow; the largest fits."""
    del tally
    shapes = ((1, 1, 1, 1), (1, 1, 2, 1), (1, 2, 1, 1), (2, 1, 1, 1), (1, 1, 1, 2))
    order, tokens, d, columns = data.draw(st.sampled_from(shapes), label="m, n, d, d_v")
    cells = data.draw(st.tuples(*[st.integers(2, 3)] * 2), label="cells")
    factory = configure(QuantisedCache, key_cells=cells[0], value_cells=cells[1])
    keys, values = (
        list(product(product(middles(number), repeat=width), repeat=order))
        for number, width in zip(cells, (d, columns), strict=True)
    )
    each = [Token(k, v) for k in keys for v in values]
    states = [record(factory, x, d=d, d_v=columns) for x in product(each, repeat=tokens)]
    bits = quantised_bits(tokens, d, columns, cells, order=order)
    allowed = (cells[0] ** d * cells[1] ** columns) ** (order * tokens)
    require(len({state.data for state in states}) == allowed, "not the states that cells allow")
    require({state.bits for state in states} == {bits}, "not the bits claimed")
    for state in {state.data: state for state in states}.values():
        back = restore(factory, state, order=order, d=d, d_v=columns)
        require(back.state() == state.data, "another state than was restored")
    largest = max(int.from_bytes(state.data, "little") for state in states)
    require(2 ** (bits - 1) <= largest < 2**bits, "another number of bits holds them")
    require(quantised_bits(0, d, columns, cells, order=order) == 1, "no tokens take one bit")
    same = quantised_bits(tokens, d, columns, cells, order=2)
    require(quantised_bits(tokens, d, columns, cells) == same, "the order is not 2 by default")


def middles(cells: int) -> list[Fraction]:
    """Return the middles of the cells of [-1, 1]."""
    return [Fraction(2 * cell + 1 - cells, cells) for cell in range(cells)]


def property_cells(data: st.DataObject, tally: Tally) -> None:
    """With one cell less each term is half of α at most, with two less it is more."""
    del tally
    sizes = st.fractions(Fraction(1, 9), 9, max_denominator=9)
    alpha, norm, key_bound, value_bound, scale = data.draw(st.tuples(*[sizes] * 5), label="α, Q, …")
    order = data.draw(st.integers(1, 3), label="m")
    options: Any = {
        "order": order,
        "key_bound": key_bound,
        "value_bound": value_bound,
        "scale": scale,
    }
    for_keys, for_values = cells_for(alpha, norm, **options)

    def by_keys(cells: int) -> Fraction:
        logit = floors.logit_error(order, key_bound, key_bound / cells, norm, scale)
        return Fraction(floors.output_error(order, value_bound, 0, logit))

    def by_values(cells: int) -> Fraction:
        return Fraction(floors.output_error(order, value_bound, value_bound / cells, 0))

    for cells, term in ((for_keys, by_keys), (for_values, by_values)):
        require(cells >= 2, "no cell to round answers with")
        require(term(cells - 1) <= alpha / 2, "too few cells")
        require(cells == 2 or term(cells - 2) > alpha / 2, "more cells than it takes")
    plain = cells_for(alpha, norm, order=2, key_bound=1, value_bound=1, scale=1)  # type: ignore[arg-type]
    require(cells_for(alpha, norm) == plain, "other defaults")
    for name, least in (("order", 0), ("key_bound", 0), ("value_bound", 0), ("scale", 0)):
        require(_refused(lambda o=options | {name: least}: cells_for(alpha, norm, **o)), name)
    require(_refused(lambda: cells_for(Fraction(0), norm)), "alpha is 0")
    require(_refused(lambda: cells_for(alpha, Fraction(0))), "query_norm is 0")


def _refused(call: Any) -> bool:
    try:
        call()
    except InputError:
        return True
    return False


def property_answers(data: st.DataObject, tally: Tally) -> None:
    """Answers are rounded by at most 2^-128/(N_k·N_v), and by no less than a quarter of that."""
    del tally
    exponents = data.draw(st.tuples(*[st.integers(1, 40)] * 2), label="log₂ of the cells")
    for below in (0, 1):
        cells = 2 ** exponents[0] - below + (exponents[0] == 1), 2 ** exponents[1] + 1 - below
        unit = Fraction(1, 2 ** answer_bits(cells))
        most = Fraction(1, 2**128 * cells[0] * cells[1])
        require(most / 4 <= unit <= most, "answers are rounded by another unit")
    power = (2 ** exponents[0], 2 ** exponents[1])
    least = Fraction(1, 2**130 * power[0] * power[1])
    require(Fraction(1, 2 ** answer_bits(power)) == least, "not the quarter, for powers of two")
    full = 2 ** (exponents[0] + 2) - 1, 2 ** (exponents[1] + 2) - 1
    coarser = Fraction(1, 2 ** (answer_bits(full) - 1))
    require(coarser > Fraction(1, 2**128 * full[0] * full[1]), "a bit less is fine enough too")


def property_tight(data: st.DataObject, tally: Tally) -> None:
    """It is what the family `Sharp` takes: α half of what closes the room, C, bits to less than 2.

    Cells are those for queries of norm 2·C·a + γ.
    """
    del tally
    book = sign_pairs(data.draw(st.integers(2, 3), label="n"), 24)
    payload, columns = (data.draw(st.integers(4, 9), label=name) for name in ("b", "d_v"))
    size = data.draw(st.integers(2, 64), label="L")
    gamma = data.draw(st.sampled_from([Fraction(3, 2), Fraction(1), Fraction(5, 2)]), label="γ")
    found = tightness(book, payload, columns, size, gamma=gamma)
    if gamma == Fraction(3, 2):
        require(found.alpha == tightness(book, payload, columns, size).alpha, "another default")

    def family(alpha: Fraction) -> Sharp:
        return Sharp(book, payload, columns, size, Guarantee(alpha=alpha), gamma)

    near = Fraction(1, 2**40)
    require(not _refused(lambda: family(2 * found.alpha * (1 - near))), "less closes the room")
    require(_refused(lambda: family(2 * found.alpha * (1 + near))), "twice α leaves room")
    exact = family(found.alpha)
    require(exact.multiplier == found.multiplier, "another multiplier")
    norm = 2 * found.multiplier * book.d + gamma
    require(exact.query_norm <= norm, "a query beyond the norm")
    require(found.cells == cells_for(found.alpha, norm), "other cells")
    bits = quantised_bits(book.n, exact.d, columns, found.cells)
    with arb_precision(256):
        floor = arb(size).log() / arb.const_log2() * exact.size
        over = bits - found.ratio * floor
        require(bool(over >= 1 - arb(2) ** -99) and bool(over < 2), "another ratio")
        share = arb(fmpq(max(found.cells), size)).log() / arb(size).log()
        most = ratio_at_most(arb(book.n), exact.d, columns, payload, share)
        require(abs(found.most - most) < arb(2) ** -99, "another bound of it")
    require(_refused(lambda: tightness(binary_pairs(4), payload, columns, size)), "no tie margin")
