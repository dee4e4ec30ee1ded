"""H6 `value-levels`: as many levels as a guarantee tells apart, in the values of every slot."""

from __future__ import annotations

from fractions import Fraction
from itertools import count, pairwise

import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention
from kvfloor.families import Dense, Token, attend_to, binary_keys, parabola, tuple_keys
from kvfloor.floors import (
    Guarantee,
    equal_room,
    growth,
    most_levels,
    room,
    value_symbols,
    whole_bits,
)
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Family,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.claims import softmax_concentration, value_floor
from kvfloor_proofs.claims.decode_threshold import alpha, c, eta, leak_of
from kvfloor_proofs.claims.softmax_concentration import M, S, g, j, s, tau
from kvfloor_proofs.claims.value_floor import L, N, b, d_v, k, n, rho, y, z
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import edge_answer, symbols
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = [
    "CLAIM",
    "T",
    "dense_guarantees",
    "derivations",
    "m",
    "property_least_multiplier",
    "property_levels",
    "property_recovery",
    "require_recovery",
]

EQ, LE, LT, GE, GT = Relation.EQ, Relation.LE, Relation.LT, Relation.GE, Relation.GT

i, m, T = sp.symbols("i m T", integer=True)  # T = n^m tuples
kappa = sp.Symbol("kappa", real=True)

_ALPHA = Variable(alpha, 0)
_ETA = Variable(eta, 0, 1, low_open=True, high_open=True)
_GROWTH = (1 + eta) / (1 - eta)
_ROOM = 2 * eta / (_GROWTH ** (L - 1) - 1) - 2 * alpha


def _level(number: sp.Expr, gap: sp.Expr = rho) -> sp.Expr:
    """The level y_k of a row with the room ``gap``."""
    return (2 * alpha + gap) * (_GROWTH**number - 1) / (2 * eta)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _row(),
        _top(),
        _grid(),
        _no_more(),
        _growth_below(),
        _growth_not_below(),
        _leak(),
        margin(),
        _symbols(),
        _symbols_of_one(),
        _floor(),
        _floor_of_one(),
    )


def _row() -> Derivation:
    return Derivation(
        "Levels y_k = (2α+ρ)(κ^k - 1)/(2η), κ = (1+η)/(1-η), have the room ρ between neighbours",
        Assumptions((_ETA, _ALPHA, Variable(rho), Variable(k, 0))),
        (1 - eta) * _level(k + 1) - (1 + eta) * _level(k) - 2 * alpha,
        (Step(EQ, rho, Algebra(), "κ^(k+1) = κ·κ^k."),),
    )


def _top() -> Derivation:
    return Derivation(
        "The last of L of them is 1 if the room is 2η/(κ^(L-1) - 1) - 2α",
        Assumptions((_ETA, _ALPHA, Variable(L, 2)), ((rho, _ROOM),)),
        _level(L - 1),
        (Step(EQ, sp.Integer(1), Algebra(), "Cancel."),),
    )


def _grid() -> Derivation:
    return Derivation(
        "For η = 0 the row is the grid of S1",
        Assumptions((_ALPHA, Variable(L, 2), Variable(k, 0, L - 2))),
        (k + 1) / (L - 1) - k / (L - 1) - 2 * alpha,
        (Step(EQ, 1 / (L - 1) - 2 * alpha, Algebra(), "Collect."),),
    )


def _no_more() -> Derivation:
    following = Variable(z, ((1 + eta) * y + 2 * alpha + rho) / (1 - eta))
    return Derivation(
        "No levels from 0 on with the room ρ or more between neighbours y, z are lower, by "
        "induction: if y is not below the k-th of the row, z is not below the next",
        Assumptions(
            (_ETA, _ALPHA, Variable(rho, 0), Variable(k, 0), Variable(y, _level(k)), following)
        ),
        z,
        (
            Step(GE, ((1 + eta) * y + 2 * alpha + rho) / (1 - eta), Positivity(), "The room."),
            Step(
                GE,
                ((1 + eta) * _level(k) + 2 * alpha + rho) / (1 - eta),
                Positivity(),
                "The hypothesis.",
            ),
            Step(EQ, _level(k + 1), Algebra(), "The row."),
        ),
    )


_PART = Variable(alpha, 0, low_open=True)


def _growth_below() -> Derivation:
    below = Variable(kappa, 1, 1 + eta / alpha, low_open=True, high_open=True)
    return Derivation(
        "There is room exactly if κ^(L-1) < 1 + η/α; here K = κ^(L-1) is",
        Assumptions((_ETA, _PART, below)),
        2 * eta / (kappa - 1) - 2 * alpha,
        (Step(GT, sp.Integer(0), Positivity(), "K - 1 < η/α."),),
    )


def _growth_not_below() -> Derivation:
    return Derivation(
        "Here it is not",
        Assumptions((_ETA, _PART, Variable(kappa, 1 + eta / alpha))),
        2 * eta / (kappa - 1) - 2 * alpha,
        (Step(LE, sp.Integer(0), Positivity(), "K - 1 >= η/α."),),
    )


def _leak() -> Derivation:
    competitors = T - 1
    logits = Family(s, high=S - g, index=(j, 1, competitors))
    others = sp.Sum(sp.exp(s), (j, 1, competitors))
    return Derivation(
        "The tuples not asked for weigh at most λ with E = (T-1)·exp(-g), T = n^m",
        Assumptions((Variable(T, 2), Variable(S), Variable(g), logits)),
        others / (sp.exp(S) + others),
        (
            Step(
                LE,
                leak_of(competitors),
                Cite(softmax_concentration.leak(), ((M, competitors), (tau, sp.Integer(1)))),
                "L1, with T - 1 competitors and no ties.",
            ),
        ),
    )


def margin() -> Derivation:
    """Derive a small leak from the margin, with all other tuples as competitors."""
    competitors = T - 1
    slack = 1 + eta + 2 * alpha
    answers = (Variable(eta, 0, 1, high_open=True), _ALPHA, Variable(rho, 0, low_open=True))
    enough = Variable(g, low=sp.log(competitors * slack / rho), low_open=True)
    return Derivation(
        "A margin above ln((T-1)(1+η+2α)/ρ), T = n^m, is enough",
        Assumptions((Variable(T, 2), *answers, enough)),
        leak_of(competitors),
        (
            Step(
                LT,
                rho / (slack + rho),
                Cite(value_floor.margin_suffices(), ((c, competitors),)),
                "S1, whose thresholds ask for room between neighbours only.",
            ),
        ),
    )


def _symbols() -> Derivation:
    return Derivation(
        "Symbols of an instance of order m: d_v in every row but the first, in each slot",
        Assumptions((Variable(n, 2), Variable(m, 2), Variable(d_v, 1))),
        sp.Sum(sp.Integer(1), (i, 1, d_v), (j, 1, n - 1), (k, 1, m)),
        (Step(EQ, m * (n - 1) * d_v, Algebra(), "Count."),),
    )


def _symbols_of_one() -> Derivation:
    return Derivation(
        "At order 1 no row is needed to read the others",
        Assumptions((Variable(n, 1), Variable(d_v, 1))),
        sp.Sum(sp.Integer(1), (i, 1, d_v), (j, 1, n)),
        (Step(EQ, n * d_v, Algebra(), "Count."),),
    )


def _floor() -> Derivation:
    return _fewer("So states of fewer bits are fewer than the instances; the logarithms", m, 2)


def _floor_of_one() -> Derivation:
    return _fewer("The same at order 1", sp.Integer(1), 1)


def _fewer(title: str, order: sp.Expr, least: int) -> Derivation:
    size = n * d_v if order == 1 else order * (n - 1) * d_v
    fewer = Variable(b, 0, size * sp.log(L) / sp.log(2), high_open=True)
    orders = () if order == 1 else (Variable(order, 2),)
    ranges = (Variable(n, least), *orders, Variable(d_v, 1), Variable(L, 2), fewer)
    return Derivation(
        title,
        Assumptions(ranges),
        b * sp.log(2),
        (
            Step(
                LT,
                size * sp.log(L),
                Cite(value_floor.instances(), ((N, size),)),
                "With so many symbols.",
            ),
        ),
    )


@st.composite
def dense_guarantees(draw: st.DrawFn, most: int = 12) -> tuple[int, Guarantee]:
    """Draw L levels and a guarantee that tells them apart, often no more than them."""
    size = draw(st.integers(2, most), label="L")
    eta_ = draw(st.fractions(0, Fraction(1, 4), max_denominator=20), label="η")
    share = draw(st.fractions(0, Fraction(19, 20), max_denominator=20), label="share of α")
    whole = equal_room(Guarantee(eta_), size) / 2
    return size, Guarantee(eta_, share * whole)


def property_levels(data: st.DataObject, tally: Tally) -> None:
    """So many levels are told apart as fit below 1 one by one; no others have more room."""
    del tally
    eta_ = data.draw(st.fractions(0, Fraction(1, 3), max_denominator=24), label="η")
    alpha_ = data.draw(st.fractions(Fraction(1, 80), Fraction(1, 4), max_denominator=80), label="α")
    guarantee = Guarantee(eta_, alpha_)
    lowest, fitting = Fraction(0), 0
    while lowest < 1:  # the least level that any answer tells from the one before is above this
        fitting, lowest = fitting + 1, ((1 + eta_) * lowest + 2 * alpha_) / (1 - eta_)
    # the last of them may be 1 itself only if it is above the least one
    require(most_levels(guarantee) == fitting, f"{fitting} levels fit, one by one")
    require(most_levels(guarantee, fitting - 1 or 1) == (fitting - 1 or 1), "not at most so many")
    require(most_levels(Guarantee(eta_), 999) == 999, "an end to levels for exact answers")
    require(most_levels(Guarantee(eta_)) == 2**16, "not the levels of 16 bits")
    size = data.draw(st.integers(3, 6), label="L")  # for which the room is exactly zero
    if eta_ > 0:
        none_left = Guarantee(eta_, eta_ / (Fraction(growth(guarantee)) ** (size - 1) - 1))
        require(most_levels(none_left) == size - 1, "levels without room between them")
    inner = data.draw(st.lists(st.fractions(0, 1, max_denominator=60), max_size=6), label="levels")
    levels = sorted({Fraction(0), Fraction(1), *inner})
    least = min(room(guarantee, low, high) for low, high in pairwise(levels))
    require(least <= equal_room(guarantee, len(levels)), "other levels have more room")


def _family(data: st.DataObject) -> Dense:
    order = data.draw(st.integers(1, 3), label="m")
    size = data.draw(st.integers(2, {1: 6, 2: 4, 3: 3}[order]), label="n")
    levels, guarantee = data.draw(dense_guarantees(), label="L, guarantee")
    book = binary_keys(size) if data.draw(st.booleans()) else parabola(size)
    d_v_ = data.draw(st.integers(1, 3), label="d_v")
    return Dense(tuple_keys(book, order), d_v_, L=levels, guarantee=guarantee)


def require_recovery(data: st.DataObject, family: Dense, slots: int = 0) -> int:
    """Require that all symbols come back, also from the worst accurate answers; return how many.

    With more slots than the family has, the others hold ones.
    """
    x = data.draw(symbols(family.size, family.L), label="symbols")
    keys, values = ((1,) * entries for entries in (family.d, family.d_v))
    others = range(slots - family.order)
    attention = attend_to(
        [
            Token(
                (*token.keys, *[keys for _ in others]), (*token.values, *[values for _ in others])
            )
            for token in family.encode(x)
        ]
    )
    recovered: list[int] = []
    for address in range(family.addresses):
        row = family.row(x, address)
        outputs = attention(family.query(address)).enclose()
        require(family.decode(address, outputs) == row, "from the true outputs")
        recovered += family.decode(address, outputs)
        for bit in (0, 1):
            worst = [edge_answer(family.guarantee, o, bit=bit) for o in outputs]
            require(family.decode(address, worst) == row, "from answers at the edge")
    require(tuple(recovered) == x, "not all symbols come back")
    require(family.bits == whole_bits(family.size, family.L), "not the least number of bits")
    return len(recovered)


def property_recovery(data: st.DataObject, tally: Tally) -> None:
    """All symbols come back, at every order: from true outputs, from the worst accurate answers."""
    del tally
    family = _family(data)
    found = require_recovery(data, family)
    require(found == value_symbols(family.order, family.n, family.d_v), "not as many as the floor")


def property_least_multiplier(data: st.DataObject, tally: Tally) -> None:
    """The inequality gives the C that a search finds on attention, level by level."""
    del tally
    family = _family(data)
    eta_, alpha_ = family.guarantee.eta, family.guarantee.alpha
    others = family.n**family.order - 1

    def in_order(C: int) -> bool:
        keys = [[[C * family.book.margin]] + [[0]] * others]
        top = ExactAttention(keys, [[[1]] + [[0]] * others])([1]).bounds(0, 256)[0]
        return all(
            (1 + eta_) * (top * low + 1 - top) + alpha_ < (1 - eta_) * top * high - alpha_
            for low, high in pairwise(family.levels.lower)
        )

    require(next(filter(in_order, count(1))) == family.multiplier, "another C is the least")


CLAIM = Claim(
    slug="value-levels",
    title="values hold symbols of as many levels as (η, α) tells apart: n·d_v of them at order 1",
    statement="""\
Levels y_0 = 0 < … < y_(L-1) = 1 with `y_(k+1) = ((1+η)·y_k + 2α + ρ)/(1-η)` have the room

    ρ = 2η/(κ^(L-1) - 1) - 2α,  κ = (1+η)/(1-η);  for η = 0:  ρ = 1/(L-1) - 2α

between any two neighbours, and no L levels in [0, 1] have more between all of theirs. So L of them
can be told apart exactly if `κ^(L-1) < 1 + η/α`, for η = 0 if `L - 1 < 1/(2α)`. For η > 0 those are
more than the grid of [`value-floor`](value-floor.md) allows: its levels lie closest where answers
are worst. For α = 0 there is no end to L.

Order 1: values are such levels, and queries of margin g read each row. Order m >= 2: so in each
slot, but for its row 0, which is ones; the query for row j of a slot has row 0 in all other slots.
If `g > ln((n^m - 1)(1+η+2α)/ρ)` all symbols are recovered, `n·d_v` at order 1 and `m(n-1)·d_v`
from order 2 on, and an (η, α)-accurate cache has as many times log₂ L bits if all its states have
exactly as many; if their lengths vary up to b, the states are 2^(b+1) - 1 in number, which costs at
most one bit. With free norms two entries a slot are enough to name a key (for two keys one).""",
    source="H6; S1 for order 2 and a grid",
    assumptions=(
        "keys and queries are public and fixed; the cache is right for every instance",
        "ρ > 0; 0 <= η < 1, α >= 0, L >= 2, n >= 2",
        "the cache is deterministic",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_levels, property_recovery, property_least_multiplier),
)
