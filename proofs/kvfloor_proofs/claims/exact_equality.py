"""E1 `exact-equality`: equality of outputs is decided, by sums over tuples of one logit."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention, ExactOutput, compare, equal, is_exactly
from kvfloor.numbers import ball_ends
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Family,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = [
    "CLAIM",
    "attention_of",
    "derivations",
    "property_equality",
    "property_rational_or_not",
]

j, M = sp.symbols("j M", integer=True)
r = sp.Symbol("r", real=True)
a, s, m = (sp.IndexedBase(name, real=True)[j] for name in "asm")


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    groups = tuple(Family(x, low, index=(j, 1, M)) for x, low in ((a, None), (s, None), (m, 1)))
    weights = sp.Sum(m * sp.exp(s), (j, 1, M))
    return (
        Derivation(
            "out - r vanishes with a sum of exponentials of different numbers",
            Assumptions((Variable(M, 1), Variable(r), *groups)),
            sp.Sum(a * sp.exp(s), (j, 1, M)) / weights - r,
            (
                Step(
                    Relation.EQ,
                    sp.Sum((a - r * m) * sp.exp(s), (j, 1, M)) / weights,
                    Algebra(),
                    "By E6 it is 0 only if a_s = r·m_s for every s.",
                ),
            ),
        ),
    )


def attention_of(data: st.DataObject) -> ExactOutput:
    """Draw a small instance with many ties; d = 2, so that 1/√d is irrational."""
    number = st.fractions(-2, 2, max_denominator=2)
    n = data.draw(st.integers(1, 5), label="n")
    keys = [[data.draw(number), data.draw(number)] for _ in range(n)]
    values = [[data.draw(number)] for _ in range(n)]
    scale = data.draw(st.sampled_from([1, "1/sqrt(d)"]), label="scale")
    return ExactAttention([keys], [values], scale=scale)([1, data.draw(number)])


def property_rational_or_not(data: st.DataObject, tally: Tally) -> None:
    """A rational output is where its ball is; an irrational one is decided against a neighbour."""
    del tally
    output = attention_of(data)
    low, high = ball_ends(output.enclose(200)[0])
    rational = output.rational(0)
    if rational is not None:
        require(low <= rational <= high, "the rational is not in the ball")
        require(is_exactly(output[0], rational), "it is not exactly itself")
        require(not is_exactly(output[0], rational + Fraction(1, 2**300)), "2^-300 goes unseen")
    else:
        middle = (low + high) / 2
        above = output.exceeds(0, middle)
        deep_low, deep_high = ball_ends(output.enclose(1000)[0])
        require(deep_low > middle if above else deep_high < middle, "the wrong side of a rational")


def property_equality(data: st.DataObject, tally: Tally) -> None:
    """Equality holds exactly when 400 bits do not separate; a number equals itself."""
    del tally
    x, y = attention_of(data)[0], attention_of(data)[0]
    (x_low, x_high), (y_low, y_high) = (ball_ends(z.enclose(400)) for z in (x, y))
    separate = x_high < y_low or y_high < x_low
    require(equal(x, y) != separate, "equality and 400 bits disagree")
    require(compare(x, y) == (0 if not separate else 1 if x_low > y_high else -1), "wrong order")
    require(equal(x, x) and compare(x, x) == 0, "a number differs from itself")


CLAIM = Claim(
    slug="exact-equality",
    title="whether an output equals a rational, or another output, is decided without tolerance",
    statement="""\
Inputs are rationals, so tuples can be grouped by their exact logit s, m_s of them with values
summing to a_s: `out = Σ a_s·e^s / Σ m_s·e^s`. Exponentials of different logits are linearly
independent over the rationals (`exponentials-independent`), so `out = r` for a rational r if and
only if `a_s = r·m_s` for every s. Two outputs are compared after multiplying out; their scales may
be 1/√d and 1/√e for different d and e, as E6 is about exponents `a·√d + b·√e` with rational a and
b. Only if both have biases, too, and two different roots that are irrational, have exponents three
parts, `x + a·√d + b·√e`: for that the theorem of Lindemann and Weierstrass is taken from the
literature. The log-sum-exp `ln Σ m_s·e^s` is rational only for a single tuple, where it is the
logit.""",
    source="Hermite 1873; E1",
    assumptions=(
        "inputs are rational; the scale is rational, or 1/√d",
        "for two outputs with biases and two different irrational roots: Lindemann-Weierstrass",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_rational_or_not, property_equality),
)
