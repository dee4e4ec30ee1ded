"""S1 `value-floor`: symbols of any size in the values of both slots."""

from __future__ import annotations

from fractions import Fraction
from itertools import count, pairwise

import sympy as sp
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.attention import ExactAttention
from kvfloor.families import PairedValues, attend_to
from kvfloor.floors import exceeds_log, grid_room, room, symbol_ratio
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Family,
    Monotone,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.claims import softmax_concentration
from kvfloor_proofs.claims.decode_threshold import (
    accurate_answer,
    alpha,
    answer,
    c,
    eta,
    lam,
    leak_of,
    out,
)
from kvfloor_proofs.claims.softmax_concentration import M, S, g, j, s, tau
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import edge_answer, grid_guarantees, pair_books, symbols
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "L", "N", "b", "d_v", "derivations", "instances", "k", "n", "rho", "y", "z"]

EQ, LE, LT, GE, GT = Relation.EQ, Relation.LE, Relation.LT, Relation.GE, Relation.GT

L, N, d_v, i, k, n = sp.symbols("L N d_v i k n", integer=True)
b, rho, u, y, z = sp.symbols("b rho u y z", real=True)
theta, most = sp.symbols("theta lambda_max", real=True)

_ANSWERS = (Variable(eta, 0, 1, high_open=True), Variable(alpha, 0))
_ROOM = Variable(rho, 0, low_open=True)
_SLACK = 1 + eta + 2 * alpha
_MOST = rho / (_SLACK + rho)
_BELOW = Variable(y, 0, 1, high_open=True)
_NEXT = ((1 + eta) * y + 2 * alpha + rho) / (1 - eta)  # the level that leaves the room ρ above y
_NAMES = ((most, _MOST), (theta, (1 - eta) * (1 - most) * z - alpha))
_LEAST_MARGIN = sp.log(c * _SLACK / rho)

# A grid that the guarantee can tell apart.
_GRID = (
    Variable(L, 2),
    Variable(eta, 0, 1 / (2 * L - 3), high_open=True),
    Variable(alpha, 0, (1 - eta * (2 * L - 3)) / (2 * (L - 1)), high_open=True),
)
_GRID_ROOM = (1 - eta * (2 * L - 3)) / (L - 1) - 2 * alpha


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _output_at_least(),
        _output_at_most(),
        _grid_room(),
        _below(),
        _above(),
        _out_of_order(),
        margin_suffices(),
        _margin_needed(),
        _grid_margin(),
        _leak(),
        instances(),
        _symbols(),
        _floor(),
    )


# R is the weight of all pairs but the one asked for; their values lie in [0, 1].
_WEIGHT = sp.Symbol("R", real=True)
_LEAKING = Assumptions(
    (
        Variable(lam, 0, 1),
        Variable(_WEIGHT, 0, lam),
        Variable(y, 0, 1),
        Variable(out, (1 - _WEIGHT) * y, (1 - _WEIGHT) * y + _WEIGHT),
    )
)


def _output_at_least() -> Derivation:
    return Derivation(
        "An output of level y is at least (1-λ)y",
        _LEAKING,
        out,
        (
            Step(GE, (1 - _WEIGHT) * y, Positivity(), "The rest has values from 0."),
            Step(GE, (1 - lam) * y, Positivity(), "It weighs at most λ."),
        ),
    )


def _output_at_most() -> Derivation:
    return Derivation(
        "It is at most (1-λ)y + λ",
        _LEAKING,
        out,
        (
            Step(LE, (1 - _WEIGHT) * y + _WEIGHT, Positivity(), "The rest has values up to 1."),
            Step(LE, (1 - lam) * y + lam, Positivity(), "It weighs at most λ."),
        ),
    )


def _grid_room() -> Derivation:
    below, above = k / (L - 1), (k + 1) / (L - 1)
    return Derivation(
        "Between neighbours in the grid the room is least below the level 1",
        Assumptions((*_GRID, Variable(k, 0, L - 2))),
        (1 - eta) * above - (1 + eta) * below - 2 * alpha,
        (
            Step(EQ, (1 - eta * (2 * k + 1)) / (L - 1) - 2 * alpha, Algebra(), "Multiply out."),
            Step(GE, _GRID_ROOM, Positivity(), "k <= L - 2."),
        ),
    )


def _decoding(low: sp.Expr, high: sp.Expr) -> Assumptions:
    """Assume neighbours y < z with the room ρ or more, a leak below the greatest, an answer."""
    leak = Variable(lam, 0, _MOST, high_open=True)
    levels = (_BELOW, Variable(z, _NEXT))
    return Assumptions((*_ANSWERS, _ROOM, *levels, leak, *accurate_answer(low, high)), _NAMES)


def _below() -> Derivation:
    highest = (1 - lam) * y + lam
    at_most = (1 + eta) * ((1 - most) * y + most) + alpha
    return Derivation(
        "Answers to the lower of two levels stay below θ",
        _decoding((1 - lam) * y, highest),
        answer,
        (
            Step(LE, (1 + eta) * out + alpha, Positivity(), "The answer is accurate."),
            Step(LE, (1 + eta) * highest + alpha, Positivity(), "The rest has values up to 1."),
            Step(LT, at_most, Positivity(), "The leak is below the greatest, and y < 1."),
            Step(
                EQ,
                (1 - most) * ((1 + eta) * y + 2 * alpha + rho) - alpha,
                Algebra(),
                "The greatest leak is such that (1+η)λ + 2α = (1-λ)(2α+ρ).",
            ),
            Step(LE, theta, Positivity(), "There is the room ρ between the levels."),
        ),
    )


def _above() -> Derivation:
    return Derivation(
        "Answers to the higher stay above θ",
        _decoding((1 - lam) * z, (1 - lam) * z + lam),
        answer,
        (
            Step(GE, (1 - eta) * out - alpha, Positivity(), "The answer is accurate."),
            Step(
                GE, (1 - eta) * (1 - lam) * z - alpha, Positivity(), "The rest has values from 0."
            ),
            Step(GT, theta, Positivity(), "The leak is below the greatest, and z > 0."),
        ),
    )


def _out_of_order() -> Derivation:
    lowest = (1 - eta) * (1 - u) * _NEXT - alpha
    highest = (1 + eta) * ((1 - u) * y + u) + alpha
    too_large = (*_ANSWERS, _ROOM, _BELOW, Variable(lam, _MOST, 1))
    return Derivation(
        "With a leak not below it, the least answer to the higher is not above the largest to the "
        "lower, if the room is ρ",
        Assumptions(too_large, _NAMES[:1]),
        lowest.xreplace({u: lam}),
        (
            Step(LE, lowest.xreplace({u: most}), Positivity(), "The leak is too large."),
            Step(EQ, highest.xreplace({u: most}), Algebra(), "Both are θ."),
            Step(LE, highest.xreplace({u: lam}), Positivity(), "The leak is too large."),
        ),
    )


def margin_suffices() -> Derivation:
    """Derive a leak below the greatest from the margin."""
    enough = Variable(g, low=_LEAST_MARGIN, low_open=True)
    return _margin("A margin above ln(c(1+η+2α)/ρ) is enough", enough, LT)


def _margin_needed() -> Derivation:
    too_little = Variable(g, high=_LEAST_MARGIN)
    return _margin("A margin up to ln(c(1+η+2α)/ρ) is not", too_little, GE)


def _margin(title: str, margin: Variable, relation: Relation) -> Derivation:
    competitors = Variable(c, 0, low_open=True)
    return Derivation(
        title,
        Assumptions((*_ANSWERS, _ROOM, competitors, margin)),
        leak_of(c),
        (
            Step(
                relation,
                leak_of(c).xreplace({g: _LEAST_MARGIN}),
                Monotone(Variable(u), leak_of(c).xreplace({g: u}), g, _LEAST_MARGIN, Positivity()),
                "The leak falls as the margin grows.",
            ),
            Step(EQ, _MOST, Algebra(), "There c·exp(-g) = ρ/(1+η+2α)."),
        ),
    )


def _grid_margin() -> Derivation:
    competitors = n**2 - 1
    ratio = competitors * (L - 1) * _SLACK / (1 - eta * (2 * L - 3) - 2 * alpha * (L - 1))
    enough = Variable(g, low=sp.log(ratio), low_open=True)
    return Derivation(
        "On the grid: a margin above ln((n²-1)(L-1)(1+η+2α)/(1-η(2L-3)-2α(L-1)))",
        Assumptions((Variable(n, 2), *_GRID, enough)),
        leak_of(competitors),
        (
            Step(
                LT,
                _GRID_ROOM / (_SLACK + _GRID_ROOM),
                Cite(margin_suffices(), ((c, competitors), (rho, _GRID_ROOM))),
                "n² - 1 pairs compete, and the least room is that below the level 1.",
            ),
        ),
    )


def _leak() -> Derivation:
    logits = Family(s, high=S - g, index=(j, 1, n**2 - 1))
    others = sp.Sum(sp.exp(s), (j, 1, n**2 - 1))
    return Derivation(
        "The pairs not asked for weigh at most λ with E = (n²-1)·exp(-g)",
        Assumptions((Variable(n, 2), Variable(S), Variable(g), logits)),
        others / (sp.exp(S) + others),
        (
            Step(
                LE,
                leak_of(n**2 - 1),
                Cite(softmax_concentration.leak(), ((M, n**2 - 1), (tau, sp.Integer(1)))),
                "L1, with n² - 1 competitors and no ties.",
            ),
        ),
    )


def instances() -> Derivation:
    """Count the states of too few bits against the instances, by logarithms."""
    fewer = Variable(b, 0, N * sp.log(L) / sp.log(2), high_open=True)
    return Derivation(
        "States of b < N·log₂ L bits are fewer than the L^N instances; here the logarithms",
        Assumptions((Variable(L, 2), Variable(N, 1), fewer)),
        b * sp.log(2),
        (Step(LT, N * sp.log(L), Positivity(), "So two instances share a state."),),
    )


def _symbols() -> Derivation:
    return Derivation(
        "Symbols of an instance: d_v in every row but the first, in both slots",
        Assumptions((Variable(n, 2), Variable(d_v, 1))),
        sp.Sum(sp.Integer(1), (i, 1, d_v), (j, 1, n - 1), (k, 1, 2)),
        (Step(EQ, 2 * (n - 1) * d_v, Algebra(), "Count."),),
    )


def _floor() -> Derivation:
    size = 2 * (n - 1) * d_v
    fewer = Variable(b, 0, size * sp.log(L) / sp.log(2), high_open=True)
    return Derivation(
        "So states of b < 2(n-1)d_v·log₂ L bits are fewer than the instances; the logarithms",
        Assumptions((Variable(n, 2), Variable(d_v, 1), Variable(L, 2), fewer)),
        b * sp.log(2),
        (Step(LT, size * sp.log(L), Cite(instances(), ((N, size),)), "With so many symbols."),),
    )


def property_exactly_when(data: st.DataObject, tally: Tally) -> None:
    """Answers to neighbours are in order exactly when the margin is above the least one.

    Run on real attention: one key at the margin, M at zero, whose values are all against it.
    """
    del tally
    size = data.draw(st.integers(2, 20), label="L")
    guarantee = data.draw(grid_guarantees(size), label="guarantee")
    competitors = data.draw(st.integers(1, 6), label="M")
    margin = data.draw(st.fractions(0, 12, max_denominator=8), label="margin")
    symbol = data.draw(st.integers(0, size - 2), label="k")
    keys = [[[margin]] + [[0]] * competitors]
    below, above = (Fraction(x, size - 1) for x in (symbol, symbol + 1))
    low, high = (
        ExactAttention(keys, [[[level]] + [[other]] * competitors])([1]).enclose(256)[0]
        for level, other in ((below, 1), (above, 0))
    )
    highest = edge_answer(guarantee, low, bit=0)
    lowest = edge_answer(guarantee, high, bit=1)
    least = room(guarantee, below, above)
    require(least >= grid_room(guarantee, size), "the grid's room is not the least")
    if exceeds_log(margin, symbol_ratio(guarantee, Fraction(competitors), least)):
        require(highest < lowest, "the answers are not in order")
    else:
        require(lowest <= highest + Fraction(1, 2**200), "in order, yet the margin is low")


def _family(data: st.DataObject) -> PairedValues:
    book = data.draw(pair_books(), label="book")
    size = data.draw(st.integers(2, 17), label="L")
    d_v = data.draw(st.integers(1, 5), label="d_v")
    return PairedValues(book, d_v, size, data.draw(grid_guarantees(size), label="guarantee"))


def property_recovery(data: st.DataObject, tally: Tally) -> None:
    """All 2(n-1)·d_v symbols come back: from true outputs and from the worst accurate answers."""
    del tally
    family = _family(data)
    x = data.draw(symbols(family.size, family.L), label="symbols")
    attention = attend_to(family.encode(x))
    recovered: list[int] = []
    for address in range(family.addresses):
        row = family.row(x, address)
        outputs = attention(family.query(address)).enclose()
        require(family.decode(outputs) == row, "from the true outputs")
        recovered += family.decode(outputs)
        for bit in (0, 1):
            worst = [edge_answer(family.guarantee, o, bit=bit) for o in outputs]
            require(family.decode(worst) == row, "from answers at the edge of the guarantee")
    require(tuple(recovered) == x, "not all symbols come back")
    require(len(x) == floors.paired_symbols(family.book.n, family.d_v), "not as many as the floor")
    instances = family.L ** len(x)
    require(2**family.bits >= instances > 2 ** (family.bits - 1), "not the least number of bits")


def property_least_multiplier(data: st.DataObject, tally: Tally) -> None:
    """The inequality gives the C that a search finds, level by level and by the definition."""
    del tally
    family = _family(data)
    eta_, alpha_ = family.guarantee.eta, family.guarantee.alpha
    levels = [Fraction(x, family.L - 1) for x in range(family.L)]
    others = family.book.n**2 - 1

    def in_order(C: int) -> bool:
        keys = [[[C * family.book.margin]] + [[0]] * others]
        top = ExactAttention(keys, [[[1]] + [[0]] * others])([1]).bounds(0, 200)[0]
        return all(
            (1 + eta_) * (top * below + 1 - top) + alpha_ < (1 - eta_) * top * above - alpha_
            for below, above in pairwise(levels)
        )

    require(next(filter(in_order, count(1))) == family.multiplier, "another C is the least")


CLAIM = Claim(
    slug="value-floor",
    title="order 2 needs 2(n-1)·d_v symbols of log₂ L bits: both values count, and so does η, α",
    statement="""\
Order 2, a pair address book of margin g. Row 0 of V_1 and of V_2 is all ones; the other 2(n-1)
rows hold symbols k from 0 to L-1 as the values k/(L-1). Query (j, 0) reads row j of V_1, query
(0, l) row l of V_2. If `η(2L-3) + 2α(L-1) < 1` and

    g > ln( (n²-1)(L-1)(1+η+2α) / (1 - η(2L-3) - 2α(L-1)) )

all `2(n-1)·d_v` symbols are recovered, so an (η, α)-accurate cache has at least
`2(n-1)·d_v·log₂ L` bits if all its states have exactly as many; if their lengths vary up to b, the
states are 2^(b+1) - 1 in number, which costs at most one bit.

In terms of the leak: `λ < ρ/(1+η+2α+ρ)`, where
`ρ = (1-η(2L-3))/(L-1) - 2α` is the room between answers to neighbours; if not, the least answer
to a symbol is not above the largest answer to the one below it, for values in [0, 1] that are all
against them. L = 2 is L2.""",
    source="S1; TMT has n·d_v bits",
    assumptions=(
        "keys and queries are public and fixed; the cache is right for every instance",
        "η(2L-3) + 2α(L-1) < 1, η >= 0, α >= 0, L >= 2, n >= 2",
        "the cache is deterministic",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(
        property_exactly_when,
        property_recovery,
        property_least_multiplier,
    ),
)
