"""L1 `softmax-concentration`: a margin puts almost all weight on the top tuples."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor import floors
from kvfloor.attention import ExactAttention
from kvfloor.numbers import arb_precision, to_fmpq
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
    Termwise,
    Variable,
)
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "M", "S", "derivations", "g", "j", "leak", "s", "tau"]

EQ, LE, GE = Relation.EQ, Relation.LE, Relation.GE

j, M = sp.symbols("j M", integer=True)
tau, S, g, a, b, v, u = sp.symbols("tau S g a b v u", real=True)
s = sp.IndexedBase("s", real=True)[j]
w = sp.IndexedBase("w", real=True)[j]
E, lam, R, Z = sp.symbols("E lambda R Z", real=True)


def _sum(term: sp.Expr) -> sp.Expr:
    """Σ over the M competitors."""
    return sp.Sum(term, (j, 1, M))


# The top tuples: tau of them, logit S, value v in the column. A competitor: logit s_j, value w_j.
_RANGES = (Variable(tau, 0, low_open=True), Variable(M, 0), Variable(S), Variable(g))
_LOGITS = Family(s, high=S - g, index=(j, 1, M))
_NAMES = (
    (E, M * sp.exp(-g) / tau),
    (lam, E / (1 + E)),
    (Z, tau * sp.exp(S) + _sum(sp.exp(s))),
    (R, _sum(sp.exp(s)) / Z),
)
_MASS = Assumptions((*_RANGES, _LOGITS), _NAMES)
_VALUES = Assumptions(
    (
        *_RANGES,
        Variable(a),
        Variable(b, a),
        Variable(v, a, b),
        _LOGITS,
        Family(w, a, b, index=(j, 1, M)),
    ),
    _NAMES,
)
_OUTPUT = (tau * sp.exp(S) * v + _sum(sp.exp(s) * w)) / Z


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (leak(), _top(), _above(), _below(), _leak_attained(), _error_attained())


def leak() -> Derivation:
    """Bound the weight of the competitors."""
    relative = _sum(sp.exp(s - S)) / tau
    worst = _sum(sp.exp(-g)) / tau
    one_logit = Monotone(Variable(u), sp.exp(u), s - S, -g, Positivity())
    all_logits = Monotone(Variable(u), u / tau, tau * relative, tau * worst, Termwise(one_logit))
    return Derivation(
        "The competitors weigh at most λ",
        _MASS,
        R,
        (
            Step(
                EQ,
                relative / (1 + relative),
                Algebra(),
                "Divide numerator and denominator by τ·exp(S).",
            ),
            Step(
                LE,
                worst / (1 + worst),
                Monotone(Variable(u, 0), u / (1 + u), relative, worst, all_logits),
                "u/(1+u) grows with u, and every competitor's logit is at least g below S.",
            ),
            Step(EQ, lam, Algebra(), "All M terms are equal; this is the definition of λ."),
        ),
    )


def _top() -> Derivation:
    return Derivation(
        "The top tuples weigh at least 1 - λ",
        _MASS,
        tau * sp.exp(S) / Z,
        (
            Step(EQ, 1 - R, Algebra(), "All weights together are 1."),
            Step(
                GE,
                1 - lam,
                Monotone(Variable(u), 1 - u, R, lam, Cite(leak())),
                "The competitors weigh at most λ.",
            ),
        ),
    )


def _above() -> Derivation:
    return _distance("The output is at most λ·(max - min) above the top value", 1)


def _below() -> Derivation:
    return _distance("The output is at most λ·(max - min) below the top value", -1)


def _distance(title: str, sign: int) -> Derivation:
    """Bound ``sign*(out - v)``."""
    moved = _sum(sp.exp(s) * (sign * (w - v)))
    furthest = _sum(sp.exp(s) * (b - a))
    return Derivation(
        title,
        _VALUES,
        sign * (_OUTPUT - v),
        (
            Step(EQ, moved / Z, Algebra(), "The weights add up to 1."),
            Step(
                LE,
                furthest / Z,
                Monotone(Variable(u), u / Z, moved, furthest, Termwise(Positivity())),
                "No value is further from v than max - min.",
            ),
            Step(EQ, (b - a) * R, Algebra(), "Take max - min out of the sum."),
            Step(
                LE,
                (b - a) * lam,
                Monotone(Variable(u), (b - a) * u, R, lam, Cite(leak())),
                "The competitors weigh at most λ.",
            ),
        ),
    )


def _leak_attained() -> Derivation:
    exactly = _sum(sp.exp(S - g))
    return Derivation(
        "Competitors exactly g below weigh exactly λ",
        Assumptions(_RANGES, _NAMES[:2]),
        exactly / (tau * sp.exp(S) + exactly),
        (Step(EQ, lam, Algebra(), "Cancel exp(S); all M terms are equal."),),
    )


def _error_attained() -> Derivation:
    exactly = _sum(sp.exp(S - g))
    total = tau * sp.exp(S) + exactly
    return Derivation(
        "With their values at the other end the output is exactly λ·(max - min) off",
        Assumptions((*_RANGES, Variable(a), Variable(b, a)), _NAMES[:2]),
        b - (tau * sp.exp(S) * b + a * exactly) / total,
        (
            Step(EQ, (b - a) * exactly / total, Algebra(), "The weights add up to 1."),
            Step(EQ, (b - a) * lam, Algebra(), "Cancel exp(S); all M terms are equal."),
        ),
    )


def property_leak(data: st.DataObject, tally: Tally) -> None:
    """The competitors weigh at most λ, and the output is as near to the top value as L1 says."""
    del tally
    lengths = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3), label="lengths")
    number = st.fractions(-4, 4, max_denominator=4)
    keys = [data.draw(st.lists(number, min_size=n, max_size=n), label="keys") for n in lengths]
    values = [data.draw(st.lists(number, min_size=n, max_size=n), label="values") for n in lengths]
    logits, products = ([prod(t) for t in product(*A)] for A in (keys, values))
    top = max(logits)
    tied = {v for s, v in zip(logits, products, strict=True) if s == top}
    gaps = [top - s for s in logits if s < top]
    ties = len(logits) - len(gaps)

    # d = d_v = 1, so a logit is the product of the keys of its tuple
    columns = ([[[x] for x in row] for row in A] for A in (keys, values))
    output = ExactAttention(*columns)([1]).enclose()[0]
    with arb_precision(128):
        rest = sum((arb(to_fmpq(-gap)).exp() for gap in gaps), arb(0))
        weight = rest / (ties + rest)
        bound = floors.leak(len(gaps) * arb(to_fmpq(-min(gaps, default=Fraction(0)))).exp() / ties)
        require(not weight > bound, "competitors weigh more than λ")
        if len(set(gaps)) == 1:
            require(weight.overlaps(bound), "no equality with all competitors at the margin")
        if len(tied) == 1:
            distance = abs(output - to_fmpq(tied.pop()))
            furthest = bound * to_fmpq(max(products) - min(products))
            require(not distance > furthest, "the output is too far from the top value")


CLAIM = Claim(
    slug="softmax-concentration",
    title="a margin of g nats leaves at most λ = E/(1+E), E = M·exp(-g)/ties, to all others",
    statement="""\
Let `ties` tuples share the top logit and, in column c, one value v; let M other tuples lie at
least g nats lower. With `E = M·exp(-g)/ties` and `λ = E/(1+E)`, the top tuples together weigh at
least `1 - λ`, and `|out_c - v| <= λ·(max - min)` over the values in the column. The weight is
exactly `1 - λ` when all competitors lie exactly g lower.""",
    source="TMT; L1",
    assumptions=("the tuples tied at the top have one value in the column",),
    verdict="holds",
    derivations=derivations,
    properties=(property_leak,),
)
