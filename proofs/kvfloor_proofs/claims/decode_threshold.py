"""L2 `decode-threshold`: which margin makes (η, α)-accurate answers tell 0 from 1."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention
from kvfloor.floors import Guarantee, exceeds_log, least_multiplier, margin_ratio, threshold
from kvfloor.numbers import ball_ends
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Monotone,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import edge_answer, guarantees
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = [
    "CLAIM",
    "GUARANTEE",
    "NAMES",
    "accurate_answer",
    "alpha",
    "answer",
    "c",
    "derivations",
    "enough",
    "eta",
    "leak_of",
    "margin_suffices",
    "one_by_margin",
    "ratio",
    "theta",
    "zero_by_margin",
]

EQ, LE, LT, GE, GT = Relation.EQ, Relation.LE, Relation.LT, Relation.GE, Relation.GT

eta, alpha, lam, out, answer = sp.symbols("eta alpha lambda out o", real=True)
c, u, theta, edge = sp.symbols("c u theta lambda_max", real=True)

GUARANTEE = (
    Variable(eta, 0, 1, high_open=True),
    Variable(alpha, 0, (1 - eta) / 2, high_open=True),
)
_COMPETITORS = Variable(c, 0, low_open=True)
_EDGE = (1 - eta) / 2 - alpha
NAMES = ((theta, (1 - eta**2) / 2 - eta * alpha), (edge, _EDGE))


def leak_of(competitors: sp.Expr) -> sp.Expr:
    """λ at margin g, for that many competitors for each tied tuple (L1)."""
    return competitors * sp.exp(-g) / (1 + competitors * sp.exp(-g))


def ratio(competitors: sp.Expr) -> sp.Expr:
    """The number whose logarithm the margin must exceed."""
    return competitors * (1 + (eta + 2 * alpha)) / (1 - (eta + 2 * alpha))


def accurate_answer(low: sp.Expr, high: sp.Expr) -> tuple[Variable, Variable]:
    """Declare a true output in [low, high], low >= 0, and an accurate answer to it."""
    return (
        Variable(out, low, high),
        Variable(answer, (1 - eta) * out - alpha, (1 + eta) * out + alpha),
    )


def _decoding(*more: Variable) -> Assumptions:
    """Assume a leak small enough for decoding."""
    leak = Variable(lam, 0, _EDGE, high_open=True)
    return Assumptions((*GUARANTEE, leak, *more), NAMES)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _zero(),
        _one(),
        _middle(),
        _overlap(),
        _overlap_from_above(),
        _theta_for_zero(),
        _theta_for_one(),
        margin_suffices(),
        _margin_needed(),
        zero_by_margin(),
        one_by_margin(),
    )


def _zero() -> Derivation:
    return Derivation(
        "Answers to the bit 0 stay below θ",
        _decoding(*accurate_answer(0, lam)),
        answer,
        (
            Step(LE, (1 + eta) * out + alpha, Positivity(), "The answer is accurate."),
            Step(LE, (1 + eta) * lam + alpha, Positivity(), "The output is at most λ."),
            Step(LT, (1 + eta) * edge + alpha, Positivity(), "The leak is small enough."),
            Step(EQ, theta, Algebra(), "Multiply out: this is θ."),
        ),
    )


def _one() -> Derivation:
    return Derivation(
        "Answers to the bit 1 stay above θ",
        _decoding(*accurate_answer(1 - lam, 1)),
        answer,
        (
            Step(GE, (1 - eta) * out - alpha, Positivity(), "The answer is accurate."),
            Step(GE, (1 - eta) * (1 - lam) - alpha, Positivity(), "The output is at least 1 - λ."),
            Step(GT, (1 - eta) * (1 - edge) - alpha, Positivity(), "The leak is small enough."),
            Step(EQ, theta, Algebra(), "Multiply out: this is θ."),
        ),
    )


def _middle() -> Derivation:
    return Derivation(
        "(1 - η + 2ηλ)/2 parts the answers too, being the middle of the gap",
        _decoding(),
        (1 + eta) * lam + alpha,
        (
            Step(
                LT,
                ((1 + eta) * lam + alpha + (1 - eta) * (1 - lam) - alpha) / 2,
                Positivity(),
                "The largest answer to 0 is below the smallest to 1, so below their mean.",
            ),
            Step(EQ, (1 - eta + 2 * eta * lam) / 2, Algebra(), "Multiply out."),
            Step(
                LT,
                (1 - eta) * (1 - lam) - alpha,
                Positivity(),
                "Likewise the mean is below the smallest answer to 1.",
            ),
        ),
    )


def _too_large() -> Assumptions:
    """Assume a leak that is too large, in the half where λ and 1 - λ have not changed sides."""
    leak = Variable(lam, _EDGE, sp.Rational(1, 2))
    return Assumptions((*GUARANTEE, leak), NAMES)


def _overlap() -> Derivation:
    return Derivation(
        "From λ = (1-η)/2 - α on, the least answer to 1 - λ is not above the largest to λ",
        _too_large(),
        (1 - eta) * (1 - lam) - alpha,
        (
            Step(LE, (1 - eta) * (1 - edge) - alpha, Positivity(), "The leak is too large."),
            Step(EQ, (1 + eta) * edge + alpha, Algebra(), "Both are θ."),
            Step(LE, (1 + eta) * lam + alpha, Positivity(), "The leak is too large."),
        ),
    )


def _overlap_from_above() -> Derivation:
    return Derivation(
        "Nor is the least answer to λ above the largest to 1 - λ: so the answers meet",
        _too_large(),
        (1 - eta) * lam - alpha,
        (
            Step(LE, lam, Positivity(), "η and α only lower it."),
            Step(LE, 1 - lam, Positivity(), "λ is at most 1/2."),
            Step(LE, (1 + eta) * (1 - lam) + alpha, Positivity(), "η and α only raise it."),
        ),
    )


def _theta_for_zero() -> Derivation:
    return Derivation(
        "θ is an accurate answer to the output (1 - η)/2 - α, possible for the bit 0",
        Assumptions(GUARANTEE, NAMES),
        theta,
        (Step(EQ, (1 + eta) * edge + alpha, Algebra(), "Multiply out."),),
    )


def _theta_for_one() -> Derivation:
    return Derivation(
        "θ is an accurate answer to the output 1 - ((1 - η)/2 - α), possible for the bit 1",
        Assumptions(GUARANTEE, NAMES),
        theta,
        (Step(EQ, (1 - eta) * (1 - edge) - alpha, Algebra(), "Multiply out."),),
    )


def enough(competitors: sp.Expr) -> Variable:
    """Declare a margin that is enough."""
    return Variable(g, low=sp.log(ratio(competitors)), low_open=True)


def margin_suffices() -> Derivation:
    """Derive a leak that allows decoding from the margin."""
    return _margin("A margin above ln(c(1+η+2α)/(1-η-2α)) is enough", enough(c), LT)


def _margin_needed() -> Derivation:
    too_little = Variable(g, high=sp.log(ratio(c)))
    return _margin("A margin up to ln(c(1+η+2α)/(1-η-2α)) is not", too_little, GE)


def _margin(title: str, margin: Variable, relation: Relation) -> Derivation:
    least = sp.log(ratio(c))
    return Derivation(
        title,
        Assumptions((*GUARANTEE, _COMPETITORS, margin), NAMES),
        leak_of(c),
        (
            Step(
                relation,
                leak_of(c).xreplace({g: least}),
                Monotone(Variable(u), leak_of(c).xreplace({g: u}), g, least, Positivity()),
                "The leak falls as the margin grows.",
            ),
            Step(EQ, edge, Algebra(), "There c·exp(-g) = (1-η-2α)/(1+η+2α)."),
        ),
    )


def zero_by_margin() -> Derivation:
    """Derive from the margin alone that answers to the bit 0 stay below θ."""
    leak = leak_of(c)
    accurate = accurate_answer(0, leak)
    return Derivation(
        "With a margin that is enough, answers to the bit 0 stay below θ",
        Assumptions((*GUARANTEE, _COMPETITORS, enough(c), *accurate), NAMES),
        answer,
        (
            Step(LE, (1 + eta) * out + alpha, Positivity(), "The answer is accurate."),
            Step(LE, (1 + eta) * leak + alpha, Positivity(), "The output is at most λ (L1)."),
            Step(
                LT,
                (1 + eta) * edge + alpha,
                Monotone(Variable(u), (1 + eta) * u + alpha, leak, edge, Cite(margin_suffices())),
                "The margin makes the leak small enough.",
            ),
            Step(EQ, theta, Algebra(), "Multiply out: this is θ."),
        ),
    )


def one_by_margin() -> Derivation:
    """Derive from the margin alone that answers to the bit 1 stay above θ."""
    leak = leak_of(c)
    accurate = accurate_answer(1 - leak, 1)
    return Derivation(
        "With a margin that is enough, answers to the bit 1 stay above θ",
        Assumptions((*GUARANTEE, _COMPETITORS, enough(c), *accurate), NAMES),
        answer,
        (
            Step(GE, (1 - eta) * out - alpha, Positivity(), "The answer is accurate."),
            Step(
                GE,
                (1 - eta) * (1 - leak) - alpha,
                Positivity(),
                "The output is at least 1 - λ (L1).",
            ),
            Step(
                GT,
                (1 - eta) * (1 - edge) - alpha,
                Monotone(
                    Variable(u), (1 - eta) * (1 - u) - alpha, leak, edge, Cite(margin_suffices())
                ),
                "The margin makes the leak small enough.",
            ),
            Step(EQ, theta, Algebra(), "Multiply out: this is θ."),
        ),
    )


def property_parts(data: st.DataObject, tally: Tally) -> None:
    """With a margin above ln r the threshold parts the worst answers.

    Run on real attention: one key at the margin over M others, whose values are all against it.
    """
    del tally
    guarantee = data.draw(guarantees(), label="guarantee")
    competitors = data.draw(st.integers(1, 6), label="M")
    ratio = margin_ratio(guarantee, Fraction(competitors))
    margin = data.draw(st.fractions(0, 12, max_denominator=8), label="margin")
    if not exceeds_log(margin, ratio):
        margin = Fraction(least_multiplier(Fraction(1, 8), ratio), 8)
    zero, one = _outputs(margin, competitors)
    highest = edge_answer(guarantee, zero, bit=0)
    lowest = edge_answer(guarantee, one, bit=1)
    require(highest < threshold(guarantee) < lowest, "the threshold does not part the answers")


def property_meets(data: st.DataObject, tally: Tally) -> None:
    """With any smaller margin there are logits and values for which θ itself fits both bits."""
    del tally
    guarantee = data.draw(guarantees(), label="guarantee")
    competitors = data.draw(st.integers(1, 6), label="M")
    ratio = margin_ratio(guarantee, Fraction(competitors))
    # Keys this far below keep any smaller margin, and their leak is just above (1-η)/2 - α.
    distance = Fraction(least_multiplier(UNIT, ratio) - 1) * UNIT
    # A rational distance cannot give the leak exactly; for (0, 0) this is all that is missing.
    nearly = Guarantee(guarantee.eta, guarantee.alpha + 2 * UNIT)
    for output in _outputs(distance, competitors):
        fits = nearly.accepts(threshold(guarantee), *ball_ends(output))
        require(fits is True, "θ is no accurate answer to both")


UNIT = Fraction(1, 2**60)


def _outputs(distance: Fraction, competitors: int) -> tuple[arb, arb]:
    """The outputs for bit 0 and bit 1, where all competitors lie at a distance and disagree."""
    keys = [[[distance]] + [[0]] * competitors]
    zero, one = (
        ExactAttention(keys, [[[bit]] + [[1 - bit]] * competitors])([1]).enclose()[0]
        for bit in (0, 1)
    )
    return zero, one


CLAIM = Claim(
    slug="decode-threshold",
    title="a margin g lets bits be read from (η, α)-accurate answers if and only if "
    "g > ln(M(1+η+2α)/(1-η-2α))",
    statement="""\
Values in {0, 1}, leak λ, answers within `η·out + α`. If `λ < (1-η)/2 - α`, every answer to 0 lies
below `θ = (1-η²)/2 - ηα` and every answer to 1 above it. In terms of the margin the condition is
`g > ln((M/ties)·(1+η+2α)/(1-η-2α))`; for exact answers, `g > ln(M/ties)`.

No smaller margin is enough: competitors may lie so far below, g or more, that they weigh
`λ = (1-η)/2 - α` together; then θ is an accurate answer both to the output λ, with bit 0, and to
the output 1 - λ, with bit 1. (For one set of logits and one λ > 1/2 the bits may still be readable;
the margin alone does not say so.)

θ is rational and does not depend on λ. The midpoint of the gap, `(1-η+2ηλ)/2`, serves too, but it
is irrational for η > 0 and moves with λ.""",
    source="TMT; L2",
    assumptions=("0 <= η < 1, α >= 0, η + 2α < 1", "values are 0 or 1", "M >= 1"),
    verdict="holds",
    derivations=derivations,
    properties=(property_parts, property_meets),
)
