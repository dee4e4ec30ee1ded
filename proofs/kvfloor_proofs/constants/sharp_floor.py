"""S2 `sharp-floor`: strengths and margins of payload queries, and how many symbols there are."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import sympy as sp
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.errors import InputError
from kvfloor.families import PairBook, Sharp, binary_pairs, sign_pairs
from kvfloor.floors import Guarantee
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.decode_threshold import eta
from kvfloor_proofs.claims.sharp_floor import (
    U,
    d_v,
    derivations,
    property_least_multiplier,
    property_least_strength,
    property_recovery,
    width,
)
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.claims.value_floor import L, n, rho
from kvfloor_proofs.constants.decode_threshold import SYMBOLS
from kvfloor_proofs.foundations.constants import Constant, assumed, both_sides, concluded
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["constants"]

LT = Relation.LT
EXACT = SimpleNamespace(eta=eta, alpha=sp.Integer(0))


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    _, _, _, leaks, _, for_all, needed, for_two, margin, fewer, count = derivations()
    competitors = n**2 - 2

    def ratio() -> sp.Expr:
        return floors.symbol_ratio(SYMBOLS, competitors, rho)

    return (
        Constant(
            floors.strength_ratio,
            (
                assumed(for_all, U, "low", lambda: floors.strength_ratio(EXACT), strict=True),
                assumed(needed, U, "high", lambda: floors.strength_ratio(SYMBOLS), strict=False),
                assumed(for_two, U, "low", lambda: floors.strength_ratio(SYMBOLS), strict=True),
                both_sides("apart exactly then, on attention", property_least_strength),
            ),
        ),
        Constant(
            floors.sharp_symbols,
            (
                concluded(count, Relation.EQ, lambda: floors.sharp_symbols(n, width, d_v)),
                concluded(fewer, LT, lambda: floors.sharp_symbols(n, width, d_v) * sp.log(L)),
                both_sides("so many symbols come back", property_recovery),
            ),
        ),
        Constant(
            floors.symbol_ratio, (assumed(margin, g, "low", ratio, strict=True, through=sp.exp),)
        ),
        Constant(
            floors.greatest_leak,
            (concluded(margin, LT, lambda: floors.greatest_leak(SYMBOLS, rho)),),
        ),
        Constant(
            floors.leak, (concluded(leaks, LT, lambda: floors.leak(competitors * sp.exp(-g))),)
        ),
        Constant(
            Sharp,
            (
                both_sides("all symbols come back", property_recovery),
                both_sides("C is the least multiplier", property_least_multiplier),
                both_sides("that for n² - 1 others, and n² - 2 at a tie", property_others),
                both_sides("two payloads are told apart for η + 4α < 1", property_two_payloads),
                both_sides("keys have d entries, a query ‖q‖₁, and none has more", property_shapes),
            ),
        ),
        Constant(PairBook, (both_sides("the margin of ties, pair by pair", property_ties),)),
    )


def property_two_payloads(data: st.DataObject, tally: Tally) -> None:
    """For L = 2 a strength is found up to η + 4α = 1, and none is taken from there on."""
    del tally
    eta_ = data.draw(st.fractions(0, Fraction(9, 10), max_denominator=20), label="η")
    for beyond in (Fraction(0), Fraction(-1, 2**20)):
        guarantee = Guarantee(eta_, (1 - eta_ + beyond) / 4)
        try:
            Sharp(sign_pairs(2, 8), 1, 2, 2, guarantee)
        except InputError:
            require(beyond == 0, "no strength is found below the end")
        else:
            require(beyond < 0, "a strength is found at the end")


def property_shapes(data: st.DataObject, tally: Tally) -> None:
    """The dimension of keys and the largest norm of queries are those of the tokens themselves."""
    del tally
    b, d_v = data.draw(st.integers(1, 3), label="b"), data.draw(st.integers(2, 4), label="d_v")
    family = Sharp(sign_pairs(data.draw(st.integers(2, 4), label="n"), 8), b, d_v)
    require((family.L, family.guarantee) == (2, Guarantee()), "by default other symbols")
    tokens = family.encode((0,) * family.size)
    require({len(key) for token in tokens for key in token.keys} == {family.d}, "another d")
    queries = map(family.query, range(family.addresses))
    norms = [sum((abs(Fraction(x)) for x in query), Fraction(0)) for query in queries]
    require(max(norms) == family.query_norm, "another largest norm of a query")


def property_others(data: st.DataObject, tally: Tally) -> None:
    """The multiplier outweighs all other pairs, at a tie all but two; one less does not.

    Near the end of the guarantees multipliers grow, and one competitor more or less is seen.
    """
    del tally
    book = sign_pairs(2, 4)
    beyond = Fraction(1, 2 ** data.draw(st.integers(1, 12), label="nearness"))
    for k in range(1, 30):
        family = Sharp(book, 1, 2, 2, Guarantee(Fraction(0), (1 - beyond / k) / 4))
        require(_enough(family, family.multiplier), f"{family.multiplier} is not enough")
        require(not _enough(family, family.multiplier - 1), "one less is enough")


def _enough(family: Sharp, multiplier: int) -> bool:
    n_, guarantee = family.book.n, family.guarantee
    terms = (
        (family.book.margin, n_**2 - 1, family.levels.room),
        (family.book.tie_margin, n_**2 - 2, family.payload_levels.room),
    )
    return all(
        floors.exceeds_log(Fraction(multiplier * m), floors.symbol_ratio(guarantee, others, room))
        for m, others, room in terms
    )


def property_ties(data: st.DataObject, tally: Tally) -> None:
    """A book's margin of ties is the least of all its tying queries, each asked for all pairs."""
    del tally
    n_ = data.draw(st.integers(2, 5), label="n")
    try:
        seed, d = data.draw(st.integers(0, 99), label="seed"), data.draw(st.integers(6, 24))
        book = sign_pairs(n_, d, seed=seed, tie_margin=1, draws=20)
    except InputError:  # so few signs tell no pairs apart
        book = binary_pairs(n_)
    partners = [(j, 0) for j in range(1, n_)] + [(0, j) for j in range(1, n_)]
    least = min(_margin_of_tie(book, partner) for partner in partners)
    require(book.tie_margin == least, f"a margin of {least}, not {book.tie_margin}")


def _margin_of_tie(book: PairBook, partner: tuple[int, int]) -> int:
    query, (K1, K2) = book.tie(partner), book.keys
    logits = {
        (j, k): sum(q * x * y for q, x, y in zip(query, K1[j], K2[k], strict=True))
        for j in range(book.n)
        for k in range(book.n)
    }
    tied = logits.pop((0, 0)), logits.pop(partner)
    return tied[0] - max(logits.values(), default=0) if tied[0] == tied[1] else 0
