"""H5 `retrievable-information`: the bits behind symbols that are read with errors."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import product
from math import comb
from typing import Any

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.floors import (
    certified_bits,
    counted,
    length_share,
    randomised_bits,
    retrievable,
    symbol_bits,
    whole_bits,
    words_within,
)
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.retrievable_information import (
    L,
    N,
    delta,
    floor,
    property_any_encoder,
    property_counted,
    without_errors,
)
from kvfloor_proofs.foundations import counted_errors as counting
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.entropies import entropy_bits
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    one, others = (sp.log(x) / sp.log(2) for x in (L, L - 1))
    return (
        Constant(
            retrievable,
            (
                concluded(
                    *(floor(), Relation.GE),
                    lambda: retrievable(N, one, entropy_bits(delta), delta, others),
                ),
                concluded(
                    *(without_errors(), Relation.GE),
                    lambda: retrievable(N, one, sp.Integer(0), sp.Integer(0), others),
                ),
            ),
        ),
        Constant(
            symbol_bits,
            (
                both_sides("enough for the formula, one bit less is not", property_bits),
                both_sides("no encoder has fewer bits", property_any_encoder),
            ),
        ),
        Constant(
            length_share,
            (
                concluded(
                    *(counting.lengths(), Relation.LT),
                    lambda: sp.Sum(2 * length_share(counting.i), (counting.i, 0, counting.B)),
                    start=True,
                ),
            ),
        ),
        Constant(
            counted,
            (
                concluded(
                    *(counting.lengths_alike(), Relation.LT),
                    lambda: counted(
                        *(counting.k, counting.N, counting.symbol, counting.v, counting.u)
                    ),
                    start=True,
                ),
            ),
        ),
        Constant(
            words_within,
            (both_sides("as many as there are, one by one and in binomials", property_words),),
        ),
        Constant(
            certified_bits,
            (
                both_sides("within 2^-20 below the formula", property_certified),
                both_sides("too much with probability at most ε", property_counted),
            ),
        ),
    )


def property_bits(data: st.DataObject, tally: Tally) -> None:
    """The bits are at least the formula, in balls, one bit less is not; at the edges exactly."""
    del tally
    size = data.draw(st.integers(0, 2000), label="N")
    levels = data.draw(st.integers(2, 300), label="L")
    most = 1 - Fraction(1, levels)
    error = most * data.draw(st.fractions(0, 1, max_denominator=99), label="share of the error")
    bits = symbol_bits(size, levels, error)
    with arb_precision(256):
        x, two = arb(to_fmpq(error)), arb.const_log2()
        terms = [p * p.log() for p in (x, 1 - x) if not p.contains(0)]
        least = size * (arb(levels).log() + sum(terms, arb(0)) - x * arb(levels - 1).log()) / two
        require(not bits < least, "fewer bits than the formula")
        require(not (bits > 0 and bits - 1 >= least), "one bit less is enough")
    require(symbol_bits(size, levels) == whole_bits(size, levels), "without errors, other bits")
    require(symbol_bits(size, levels, most) == 0, "for guessing a bit is needed")
    for bad in ((size, levels, most + Fraction(1, 2**40)), (size, levels, -Fraction(1, 2**40))):
        require(refuses(symbol_bits, *bad), f"{bad} is taken")
    require(refuses(symbol_bits, -1, levels) and refuses(symbol_bits, size, 1), "no count is taken")
    if size and 2 * error <= 1:
        require(symbol_bits(size, 2, error) == randomised_bits(size, error), "for bits, not L4")


def property_words(data: st.DataObject, tally: Tally) -> None:
    """The ball holds the number of words near one, and is so small that it holds no other."""
    del tally
    size, levels = data.draw(st.sampled_from(((1, 2), (6, 2), (4, 3), (3, 5))), label="N, L")
    most = data.draw(st.integers(0, size), label="e")
    near = sum(sum(map(bool, word)) <= most for word in product(range(levels), repeat=size))
    ball = words_within(size, levels, most)
    require(ball.contains(near) and ball.rad() < 1, f"{near} words, not {ball}")
    size, levels = data.draw(st.integers(0, 300)), data.draw(st.integers(2, 70), label="large L")
    most = data.draw(st.integers(0, size), label="e of many")
    exact = sum(comb(size, i) * (levels - 1) ** i for i in range(most + 1))
    ball = words_within(size, levels, most)
    require(ball.contains(exact), f"{exact} words, not {ball}")
    require(ball.rad() * 2**100 < ball.mid(), "a ball too large")
    for bad in ((size, levels, size + 1), (size, 1, most), (-1, levels, 0), (size, levels, -1)):
        require(refuses(words_within, *bad), f"{bad} is taken")


def property_certified(data: st.DataObject, tally: Tally) -> None:
    """The bits are the formula in whole numbers, rounded down; never below 0."""
    del tally
    size, levels = data.draw(st.integers(0, 200)), data.draw(st.integers(2, 20), label="L")
    instances, longest = data.draw(st.integers(1, 4)), data.draw(st.integers(0, 2000), label="b")
    wrong = data.draw(st.integers(0, instances * size) | st.integers(0, min(3, size)), label="e")
    alike = data.draw(st.booleans(), label="alike")
    confidence = data.draw(st.fractions(0, 1).filter(lambda x: 0 < x < 1), label="confidence")
    terms: dict[str, Any] = {"instances": instances, "wrong": wrong, "longest": longest}
    terms |= {"alike": alike, "confidence": confidence}
    bits = certified_bits(size, levels, **terms)
    every = instances * size
    words = sum(comb(every, i) * (levels - 1) ** i for i in range(wrong + 1))
    parts = 2 * (longest + 1) * (longest + 2) / (1 - confidence)
    with arb_precision(256):
        power = arb(levels) ** every / words / arb(to_fmpq(parts))
        least = power.log() / arb.const_log2() / instances - (not alike)
        require(bits == 0 or not to_fmpq(bits) > least, "more bits than the formula")
        above = to_fmpq(bits + Fraction(1, 2**20))
        require(not above < least, "fewer bits than the formula")
    require(bits >= 0, "fewer than none")
    for name, bad in (("wrong", every + 1), ("longest", -1), ("instances", 0), ("confidence", 1)):
        altered = partial(certified_bits, **terms | {name: bad})
        require(refuses(altered, size, levels), f"{name}={bad} is taken")
