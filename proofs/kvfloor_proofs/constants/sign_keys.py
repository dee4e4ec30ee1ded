"""L5 `sign-keys`: tails of sums of signs, and the least dimensions that follow."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations, product

from flint import arb
from hypothesis import strategies as st

from kvfloor.families import sign_keys, sign_tuples
from kvfloor.floors import hoeffding_exponent, least_sign_dimension, pairs_of, sign_tail
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.sign_keys import d, derivations, eps, property_draws
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, refuses, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    exponent = derivations()[3]
    draws = both_sides(
        "in Hoeffding's dimension some draw has a margin above (1-ε)d", property_draws
    )
    return (
        Constant(
            hoeffding_exponent,
            (concluded(exponent, Relation.LE, lambda: -hoeffding_exponent(d, eps)),),
            slack="of 30 to 60 rows the exact tail asks for 0.45 of Hoeffding's dimension or more",
        ),
        Constant(pairs_of, (both_sides("all pairs, each once", property_pairs),)),
        Constant(sign_tail, (both_sides("counted over all signs", property_tail),)),
        Constant(
            least_sign_dimension,
            (
                both_sides("the union bound is below 1, in no fewer dimensions", property_least),
                both_sides("d > (2/ε²)·ln P, and not d - 1", property_hoeffding),
            ),
        ),
        Constant(sign_keys, (draws,)),
        Constant(sign_tuples, (draws,)),
    )


def property_pairs(data: st.DataObject, tally: Tally) -> None:
    """Counted."""
    del tally
    rows = data.draw(st.integers(0, 40), label="rows")
    require(pairs_of(rows) == len(list(combinations(range(rows), 2))), "another number of pairs")


def property_tail(data: st.DataObject, tally: Tally) -> None:
    """Counted over all 2^d signs, at every sum, just below it and just above."""
    del tally
    dimension = data.draw(st.integers(1, 9), label="d")
    sums = Counter(map(sum, product((1, -1), repeat=dimension)))
    hair = Fraction(1, 2**40)
    for s in range(-dimension - 1, dimension + 2):
        for least in (s - hair, Fraction(s), s + hair):
            found = sum(count for total, count in sums.items() if total >= least)
            require(sign_tail(dimension, least) == Fraction(found, 2**dimension), f"from {least}")


def property_least(data: st.DataObject, tally: Tally) -> None:
    """The exact tail over all pairs is below 1, and in no dimension below it."""
    del tally
    size = data.draw(st.integers(2, 60), label="rows")
    epsilon = data.draw(st.fractions(Fraction(1, 5), 1, max_denominator=10), label="ε")
    pairs, least = pairs_of(size), least_sign_dimension(size, epsilon)
    if least <= 120:
        found = next(k for k in range(1, 121) if pairs * sign_tail(k, epsilon * k) < 1)
        require(found == least, "another dimension is the least")
    require(pairs * sign_tail(least, epsilon * least) < 1, "not enough")
    hoeffdings = least_sign_dimension(size, epsilon, exact=False)
    enough = Fraction(45, 100) if size >= 30 else Fraction(0)
    require(enough * hoeffdings <= least <= hoeffdings, "not within the slack")
    for bad in ((1, epsilon), (size, Fraction(0)), (size, 1 + Fraction(1, 2**40))):
        require(refuses(least_sign_dimension, *bad), f"{bad} is taken")


def property_hoeffding(data: st.DataObject, tally: Tally) -> None:
    """ε²d/2 exceeds ln P, in balls, and with d - 1 it does not."""
    del tally
    size = data.draw(st.integers(2, 10**6), label="rows")
    epsilon = data.draw(st.fractions(Fraction(1, 40), 1, max_denominator=40), label="ε")
    least = least_sign_dimension(size, epsilon, exact=False)
    with arb_precision(192):
        log = arb(size * (size - 1) // 2).log()
        half = arb(to_fmpq(epsilon**2 / 2))
        require(least >= 1 and bool(least * half > log), "not enough")
        require(least == 1 or not (least - 1) * half > log, "one dimension less is enough")
