"""S2 `sharp-floor`: keys hold symbols too, read off two tied addresses."""

from __future__ import annotations

from fractions import Fraction
from itertools import count, pairwise

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention
from kvfloor.families import Sharp, attend_to, sign_pairs
from kvfloor.floors import Guarantee, exceeds_log, room, sharp_symbols, strength_ratio
from kvfloor.numbers import arb_precision, to_fmpq
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
from kvfloor_proofs.claims.value_floor import L, n, rho
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import edge_answer, symbols
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = [
    "CLAIM",
    "U",
    "d_v",
    "derivations",
    "property_least_multiplier",
    "property_least_strength",
    "property_recovery",
    "width",
]

EQ, LE, LT, GE, GT = Relation.EQ, Relation.LE, Relation.LT, Relation.GE, Relation.GT

a, d_v, i, k, width = sp.symbols("a d_v i k b", integer=True)
C, mu, gamma, T, x, u = sp.symbols("C mu gamma T x u", real=True)
own, first, second, held = sp.symbols("p p_1 p_2 w", real=True)

_STRENGTH = Variable(gamma, 0, low_open=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _margin(),
        _tie_margin(),
        _level(),
        _leak(),
        _least_room(),
        _strength_suffices(),
        _strength_needed(),
        _strength_for_two(),
        _payload_margin(),
        _instances(),
        _symbols(),
    )


def _margin() -> Derivation:
    return Derivation(
        "A pair of sign vectors has the margin C(a-μ), where no two products have p > μ",
        Assumptions((Variable(a, 1), Variable(mu), Variable(first, high=mu), Variable(C, 0))),
        C * a - C * first,
        (Step(GE, C * (a - mu), Positivity(), "p_1 <= μ."),),
    )


def _tie_margin() -> Derivation:
    products = Variable(own, -mu), Variable(first, high=mu), Variable(second, high=mu)
    return Derivation(
        "Two tied pairs have the margin C(a-3μ) over all others, where no two have |p| > μ",
        Assumptions((Variable(a, 1), Variable(mu), *products, Variable(C, 0))),
        C * (a + own) - C * (first + second),
        (Step(GE, C * (a - 3 * mu), Positivity(), "p >= -μ, p_1 <= μ and p_2 <= μ."),),
    )


def _level() -> Derivation:
    tied = sp.exp(T + gamma * x)
    return Derivation(
        "Of two tied pairs with payloads x and 1, the first has this share of the weight",
        Assumptions((Variable(T), _STRENGTH, Variable(x, 0, 1))),
        tied / (tied + sp.exp(T + gamma)),
        (
            Step(
                EQ,
                1 / (1 + sp.exp(gamma * (1 - x))),
                Algebra(),
                "Divide numerator and denominator by exp(T + γx).",
            ),
        ),
    )


def _leak() -> Derivation:
    # Relative to the pair (0, 0), of logit S = T + γ, the two tied pairs count as τ of them.
    ties = 1 + sp.exp(-gamma * (1 - x))
    competitors = n**2 - 2
    logits = Family(s, high=S - g, index=(j, 1, competitors))
    others = sp.Sum(sp.exp(s), (j, 1, competitors))
    ranges = (Variable(n, 2), Variable(S), Variable(g), _STRENGTH, Variable(x, 0, 1), logits)
    excess = competitors * sp.exp(-g)
    return Derivation(
        "What is not on the two tied pairs weighs less than λ with E = (n²-2)·exp(-g)",
        Assumptions(ranges),
        others / (ties * sp.exp(S) + others),
        (
            Step(
                LE,
                excess / ties / (1 + excess / ties),
                Cite(softmax_concentration.leak(), ((M, competitors), (tau, ties))),
                "L1: payloads y <= 1 lift no competitor by more than γ.",
            ),
            Step(
                LT, leak_of(competitors), Positivity(), "The second of the tied pairs only helps."
            ),
        ),
    )


def _least_room() -> Derivation:
    # U = exp(γ/(L-1)); the two neighbours are 1/(1 + U·w) and 1/(1 + w), w = exp(γ(1-x)) >= 1.
    U, w, W = sp.symbols("U w W", real=True)
    gap = 1 / (1 + u) - 1 / (1 + U * u)
    ranges = (Variable(U, 1), Variable(W, 1), Variable(w, 1, W))
    return Derivation(
        "For exact answers the room is least between the two lowest payloads; "
        "U = exp(γ/(L-1)), w = exp(γ(1-x)) for the higher x of two neighbours, W its largest value",
        Assumptions(ranges),
        gap.xreplace({u: w}),
        (
            Step(
                GE,
                gap.xreplace({u: W}),
                Positivity(),
                "The logistic function is convex below 1/2: the gap falls with w.",
            ),
        ),
    )


U, _W = sp.symbols("U w", real=True)  # U = exp(γ/(L-1))
_ETA = Variable(eta, 0, 1, high_open=True)


def _strength_suffices() -> Derivation:
    enough = Variable(U, (1 + 3 * eta) / (1 - eta), low_open=True)
    return Derivation(
        "For α = 0 there is room between all neighbours if U = exp(γ/(L-1)) > (1+3η)/(1-η)",
        Assumptions((_ETA, enough, Variable(_W, 1))),
        (1 + eta) / (1 + U * _W),
        (Step(LT, (1 - eta) / (1 + _W), Positivity(), "Worst at w = 1, the highest payload."),),
    )


_PART = Variable(alpha, 0, (1 - eta) / 4, high_open=True)
_RATIO = (1 + 3 * eta + 4 * alpha) / (1 - eta - 4 * alpha)


def _strength_needed() -> Derivation:
    return Derivation(
        "There is none between the two highest, w = 1, if U <= (1+3η+4α)/(1-η-4α)",
        Assumptions((_ETA, _PART, Variable(U, 0, _RATIO, low_open=True))),
        (1 + eta) / (1 + U) + alpha,
        (Step(GE, (1 - eta) / 2 - alpha, Positivity(), "Multiply out."),),
    )


def _strength_for_two() -> Derivation:
    return Derivation(
        "There is if U is larger: for L = 2 these are all",
        Assumptions((_ETA, _PART, Variable(U, _RATIO, low_open=True))),
        (1 + eta) / (1 + U) + alpha,
        (Step(LT, (1 - eta) / 2 - alpha, Positivity(), "Multiply out."),),
    )


def _payload_margin() -> Derivation:
    answers = (_ETA, Variable(alpha, 0), Variable(rho, 0, low_open=True))
    competitors = n**2 - 2
    slack = 1 + eta + 2 * alpha
    enough = Variable(g, low=sp.log(competitors * slack / rho), low_open=True)
    return Derivation(
        "A margin above ln((n²-2)(1+η+2α)/ρ) is enough for payloads, ρ their least room",
        Assumptions((Variable(n, 2), *answers, enough)),
        leak_of(competitors),
        (
            Step(
                LT,
                rho / (slack + rho),
                Cite(value_floor.margin_suffices(), ((c, competitors),)),
                "n² - 2 pairs compete (S1).",
            ),
        ),
    )


def _instances() -> Derivation:
    size = 2 * (n - 1) * (width + d_v - 2)
    fewer = Variable(held, 0, size * sp.log(L) / sp.log(2), high_open=True)
    ranges = (Variable(n, 2), Variable(width, 1), Variable(d_v, 2), Variable(L, 2), fewer)
    return Derivation(
        "States of w < 2(n-1)(b+d_v-2)·log₂ L bits are fewer than the instances; the logarithms",
        Assumptions(ranges),
        held * sp.log(2),
        (
            Step(
                LT,
                size * sp.log(L),
                Positivity(),
                "2(n-1)(d_v-2) symbols in values, 2(n-1)b in keys.",
            ),
        ),
    )


def _symbols() -> Derivation:
    symbol = sp.Integer(1)
    rows = (j, 1, n - 1), (k, 1, 2)
    return Derivation(
        "Symbols of an instance: d_v - 2 values and b payloads in every row but the first",
        Assumptions((Variable(n, 2), Variable(width, 1), Variable(d_v, 2))),
        sp.Sum(symbol, (i, 1, d_v - 2), *rows) + sp.Sum(symbol, (i, 1, width), *rows),
        (Step(EQ, 2 * (n - 1) * (width + d_v - 2), Algebra(), "Count."),),
    )


def _family(data: st.DataObject, most_symbols: int = 9) -> Sharp:
    """Draw a family with a guarantee that uses up to 9/10 of what its levels allow."""
    grid = data.draw(st.integers(2, most_symbols), label="L")
    shares = st.fractions(0, Fraction(9, 10), max_denominator=10)
    # At γ/(L-1) = 1/4 and more, exp(γ/(L-1)) > (1+3η)/(1-η) for η <= 1/17.
    eta_ = data.draw(shares, label="share of η") / max(17, 2 * grid - 3)
    strength = Fraction(data.draw(st.integers(1, 3), label="4γ/(L-1)") * (grid - 1), 4)
    exact = Sharp(sign_pairs(2, 8), 1, 2, grid, Guarantee(eta_), strength)
    least = min(exact.levels.room, exact.payload_levels.room)
    alpha_ = data.draw(shares, label="share of α") * least / 2
    n_ = data.draw(st.integers(2, 3), label="n")
    book = sign_pairs(n_, 16, seed=data.draw(st.integers(0, 9), label="seed"))
    b = data.draw(st.integers(1, 3), label="b")
    d_v_ = data.draw(st.integers(2, 4), label="d_v")
    return Sharp(book, b, d_v_, grid, Guarantee(eta_, alpha_), strength)


def property_recovery(data: st.DataObject, tally: Tally) -> None:
    """All 2(n-1)(b+d_v-2) symbols come back: from true outputs, from the worst accurate answers."""
    del tally
    family = _family(data)
    encoded = data.draw(symbols(family.size, family.L), label="symbols")
    attention = attend_to(family.encode(encoded))
    recovered: list[int] = []
    for address in range(family.addresses):
        row = family.row(encoded, address)
        outputs = attention(family.query(address)).enclose()
        require(family.decode(address, outputs) == row, "from the true outputs")
        recovered += family.decode(address, outputs)
        for bit in (0, 1):
            worst = [edge_answer(family.guarantee, o, bit=bit) for o in outputs]
            require(family.decode(address, worst) == row, "from answers at the edge")
    require(tuple(recovered) == encoded, "not all symbols come back")
    size = sharp_symbols(family.book.n, family.b, family.d_v)
    require(len(encoded) == size, "not as many as the floor")
    instances = family.L**size
    require(2**family.bits >= instances > 2 ** (family.bits - 1), "not the least number of bits")


def property_least_multiplier(data: st.DataObject, tally: Tally) -> None:
    """The inequalities give the C that a search finds, level by level and by the definition."""
    del tally
    family = _family(data)
    eta_, alpha_ = to_fmpq(family.guarantee.eta), to_fmpq(family.guarantee.alpha)
    pairs = family.book.n**2

    def in_order(C: int) -> bool:
        with arb_precision(200):
            steps = [Fraction(symbol, family.L - 1) for symbol in range(family.L)]
            payloads = [
                1 / (1 + arb(to_fmpq(family.strength * (1 - step))).exp()) for step in steps
            ]
            values = [arb(to_fmpq(step)) for step in steps]
            for levels, margin, others in (
                (values, family.book.margin, pairs - 1),
                (payloads, family.book.tie_margin, pairs - 2),
            ):
                rest = others * arb(-C * margin).exp()
                leaked = rest / (1 + rest)
                for below, above in pairwise(levels):
                    highest = (1 + eta_) * ((1 - leaked) * below + leaked) + alpha_
                    lowest = (1 - eta_) * (1 - leaked) * above - alpha_
                    if not highest < lowest:
                        return False
        return True

    require(next(filter(in_order, count(1))) == family.multiplier, "another C is the least")


def property_least_strength(data: st.DataObject, tally: Tally) -> None:
    """Where α = 0 or L = 2 payloads can be told apart exactly when γ > (L-1)·ln r, r of `floors`.

    Run on real attention: two keys tied but for the payload, all payloads of the grid.
    """
    del tally
    grid = data.draw(st.integers(2, 9), label="L")
    eta_ = data.draw(st.fractions(0, Fraction(9, 10), max_denominator=20), label="η")
    share = data.draw(st.fractions(0, Fraction(19, 20), max_denominator=20), label="share of α")
    guarantee = Guarantee(eta_, share * (1 - eta_) / 4 if grid == 2 else Fraction(0))
    strength = data.draw(st.fractions(Fraction(1, 8), 30, max_denominator=8), label="γ")
    outputs = [
        ExactAttention([[[Fraction(symbol, grid - 1)], [1]]], [[[1], [0]]])([strength])
        for symbol in range(grid)
    ]
    ends = [output.bounds(0, 200) for output in outputs]
    apart = all(room(guarantee, below[1], above[0]) > 0 for below, above in pairwise(ends))
    enough = exceeds_log(strength / (grid - 1), strength_ratio(guarantee))
    require(apart == enough, "another strength is the least")


CLAIM = Claim(
    slug="sharp-floor",
    title="order 2 needs 2(n-1)(b+d_v-2) symbols of log₂ L bits, where d = a + b: keys count too",
    statement="""\
Split d = a + b. K_1[j] = (α_j, x_j) and K_2[l] = (β_l, y_l) with sign vectors α, β of length a
and payloads x, y in {0, 1/(L-1), …, 1}^b; row 0 of the payloads is ones. V_1[0] = (0, 1, 1, …),
V_2[0] = (1, 0, 1, …), all other rows (1, 1, symbols). Queries (C(α_j∘β_l), 0) with j = 0 or l = 0
read the values as in [`value-floor`](value-floor.md), on a margin C·g_1. The query
`(C(α_j∘β_0 + α_0∘β_0), γ·e_c)` ties (j, 0) and (0, 0), on a margin C·g_2 over all others, and its
output in column 0 is `1/(1 + exp(γ(1 - x_jc)))` but for the leak; likewise y_lc in column 1. With

* `C·g_1 > ln((n²-1)(1+η+2α)/ρ_1)`, `ρ_1 = (1-η(2L-3))/(L-1) - 2α`,
* `C·g_2 > ln((n²-2)(1+η+2α)/ρ_2)`, `ρ_2` the least of `(1-η)ℓ(k+1) - (1+η)ℓ(k) - 2α` over
  neighbouring payload levels `ℓ(k) = 1/(1 + exp(γ(1 - k/(L-1))))`,

all `2(n-1)(b + d_v - 2)` symbols are recovered, and an (η, α)-accurate cache has as many times
log₂ L bits if all its states have exactly as many bits; if their lengths vary up to b, the states
are 2^(b+1) - 1 in number, which costs at most one bit.

For η = 0 the least is `ρ_2 = ℓ(1) - ℓ(0) - 2α`; for α = 0 there is room exactly if
`γ > (L-1)·ln((1+3η)/(1-η))`, and for L = 2 exactly if `γ > ln((1+3η+4α)/(1-η-4α))`, which some γ
is just if η + 4α < 1. If no two of the n² products have an inner product beyond ±μ then
`g_1 >= a - μ` and `g_2 >= a - 3μ`; g_1, g_2 > 0 is what is needed, and a > 3μ is not.""",
    source="S2; TMT has n·d_v bits",
    assumptions=(
        "keys' addresses and queries are public and fixed; the cache is right for every instance",
        "ρ_1 > 0, ρ_2 > 0, g_1 > 0, g_2 > 0; η >= 0, α >= 0, L >= 2, n >= 2, γ > 0",
        "the cache is deterministic",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_recovery, property_least_multiplier, property_least_strength),
)
