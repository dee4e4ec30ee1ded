"""H5 `retrievable-information`: the bits behind symbols that are read with errors."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.floors import randomised_bits, retrievable, symbol_bits, whole_bits
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.retrievable_information import (
    L,
    N,
    delta,
    floor,
    property_any_encoder,
    without_errors,
)
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
