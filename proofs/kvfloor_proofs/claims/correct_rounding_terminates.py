"""E2 `correct-rounding-terminates`: every output has a correctly rounded value that is found."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention, ExactOutput, tensor_attention_rounded
from kvfloor.numbers import FORMATS, BinaryFormat, as_format
from kvfloor_proofs.calculus import (
    Assumptions,
    Derivation,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "derivations", "hard_values", "property_hard_cases"]

out, centre, x, radius, distance = sp.symbols("y c x rho delta", real=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_inside("above", 1), _inside("below", -1))


def _inside(side: str, sign: int) -> Derivation:
    ranges = (
        Variable(out),
        Variable(distance, 0, low_open=True),
        Variable(radius, 0, distance / 2, high_open=True),
        Variable(centre, out - radius, out + radius),
        Variable(x, centre - radius, centre + radius),
    )
    return Derivation(
        f"A ball of radius ρ < δ/2 around y holds no number as far as δ {side} y",
        Assumptions(ranges),
        sign * (x - out),
        (
            Step(Relation.LE, 2 * radius, Positivity(), "Both lie within ρ of the centre c."),
            Step(Relation.LT, distance, Positivity(), "ρ < δ/2."),
        ),
    )


def is_rounded(exact: ExactOutput, target: BinaryFormat, rounded: float) -> bool:
    """Whether a finite number is the output rounded to nearest, even, decided by E1 alone."""
    y = Fraction(rounded)
    tiny = target.ulp(Fraction(0)) / 4
    up, down = target.round(y + tiny, "up"), target.round(y - tiny, "down")
    rational = exact.rational(0)
    if rational is not None:
        return abs(rational - y) <= min(abs(rational - Fraction(z)) for z in (up, down)) and (
            target.round(rational) == rounded
        )
    return exact.exceeds(0, (y + Fraction(down)) / 2) and not exact.exceeds(
        0, (y + Fraction(up)) / 2
    )


def hard_values(data: st.DataObject, target: BinaryFormat) -> tuple[list[Any], list[Any]]:
    """Draw logits and values whose output is on a boundary, or beside one, or nearly nothing."""
    kind = data.draw(
        st.sampled_from(["midpoint", "single", "cancelling", "beside", "subnormal", "far"]),
        label="kind",
    )
    steps = data.draw(st.integers(2, 2 ** (target.precision - 1) - 2), label="steps")
    step = target.ulp(Fraction(1))
    below, above = 1 + steps * step, 1 + (steps + 1) * step
    gap = data.draw(st.integers(140, 200), label="gap")  # nats: 2^-200 and less
    if kind == "midpoint":
        return [1, 1, 3, 3], [below, above, below, above]
    if kind == "single":
        return [gap], [below]
    if kind == "cancelling":
        return [0, 0, 1, 1], [below, -below, above, -above]
    if kind == "beside":
        return [gap, 0], [(below + above) / 2, data.draw(st.sampled_from([0, 3]))]
    if kind == "subnormal":
        return [1, 0], [target.ulp(Fraction(0)) * steps, target.ulp(Fraction(0))]
    return [691, 0], [below, above]  # e^-691 is about 10^-300


def property_hard_cases(data: st.DataObject, tally: Tally) -> None:
    """Hard cases of every kind end, in the number that E1 confirms to be the nearest."""
    del tally
    target = as_format(data.draw(st.sampled_from(FORMATS), label="format"))
    logits, values = hard_values(data, target)
    keys, columns = [[[s] for s in logits]], [[[v] for v in values]]
    rounded = tensor_attention_rounded([1], keys, columns, dtype=target.name)
    exact = ExactAttention(keys, columns)([1])
    require(is_rounded(exact, target, float(rounded[0])), "not the nearest number")


CLAIM = Claim(
    slug="correct-rounding-terminates",
    title="correctly rounded tensor attention is computable: the search for enough precision ends",
    statement="""\
A rounding boundary of a format is a rational: one of its numbers, or a midpoint of two. An output
is either a rational that E1 finds, and is then rounded as such; or it is irrational, equal to no
boundary, and at some distance δ > 0 from the nearest. Enclosures of growing precision have radii
that tend to 0; as soon as the radius is below δ/2 the ball holds no boundary, and all its numbers
round alike. The same holds for the log-sum-exp. When a ball holds a single boundary r, the sign of
`Σ (a_s - r·m_s)·e^s` decides at once; its coefficients are exact.""",
    source="Ziv 1991; E2",
    assumptions=("inputs are rational; the scale is rational, or 1/√d",),
    verdict="holds",
    derivations=derivations,
    properties=(property_hard_cases,),
)
