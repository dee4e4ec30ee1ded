"""How a log-sum-exp and an output move with the logits, to the first order and beyond (D6)."""

from __future__ import annotations

import sympy as sp

from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Family,
    Monotone,
    Positivity,
    Relation,
    Statement,
    Step,
    Termwise,
    Variable,
)

__all__ = ["BOUND", "delta", "derivations"]

EQ, LE, GE = Relation.EQ, Relation.LE, Relation.GE

j, M = sp.symbols("j M", integer=True)
x, h, f, delta, S, o, rho, remainder = sp.symbols("x h f epsilon S o rho R", real=True)
W, H, V, U, P, Y = (sp.IndexedBase(name, real=True) for name in "whvupy")

ALL = (j, 1, M)
EXPONENTIAL = Statement(Assumptions((Variable(x),)), 1 + x, LE, sp.exp(x))
_REVERSED = Statement(Assumptions((Variable(h),)), sp.exp(-h), GE, 1 - h)
_WEIGHTS = Family(W[j], 0, low_open=True, index=ALL)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of what is left beyond the first order."""
    return (
        _below_exponentials(),
        _tangent(),
        _moved(),
        _growth(),
        _above(),
        _below(),
        _remainder("above", 1),
        _remainder("below", -1),
    )


def _below_exponentials() -> Derivation:
    w, rise = W[j], H[j] - rho
    return Derivation(
        "Logits that rise by h, and less ρ: a sum of tangents lies below that of exponentials",
        Assumptions((Variable(M, 1), Variable(rho), _WEIGHTS, Family(H[j], index=ALL))),
        sp.Sum(w * H[j], ALL) - rho * sp.Sum(w, ALL),
        (
            Step(EQ, sp.Sum(w * rise, ALL), Algebra(), "Take the sums together."),
            Step(
                LE,
                sp.Sum(w * (sp.exp(rise) - 1), ALL),
                Termwise(
                    Monotone(
                        Variable(x),
                        w * (x - 1),
                        1 + rise,
                        sp.exp(rise),
                        Cite(EXPONENTIAL, ((x, rise),)),
                    )
                ),
                "1 + x <= e^x.",
            ),
            Step(
                EQ,
                sp.exp(-rho) * sp.Sum(w * sp.exp(H[j]), ALL) - sp.Sum(w, ALL),
                Algebra(),
                "Take e^(-ρ) out of the sum.",
            ),
        ),
    )


def _tangent() -> Derivation:
    w, Z = W[j], sp.Sum(W[j], ALL)
    after = sp.Sum(w * sp.exp(H[j]), ALL)
    rise = sp.log(after / Z)
    return Derivation(
        "The log-sum-exp lies above its tangent, whose slopes are the weights: it rises by Σ p·h "
        "at least",
        Assumptions((Variable(M, 1), _WEIGHTS, Family(H[j], index=ALL))),
        sp.Sum(w * H[j], ALL) / Z - rise,
        (
            Step(EQ, (sp.Sum(w * H[j], ALL) - rise * Z) / Z, Algebra(), "Take Σ w out."),
            Step(
                LE,
                sp.Integer(0),
                Monotone(
                    Variable(x),
                    x / Z,
                    sp.Sum(w * H[j], ALL) - rise * Z,
                    sp.exp(-rise) * after - Z,
                    Cite(_below_exponentials(), ((rho, rise),)),
                ),
                "ρ is the rise, so that Σ w·e^(h-ρ) = Σ w. With the weights after a step that is "
                "taken back this bounds the rise from above.",
            ),
        ),
    )


def _moved() -> Derivation:
    w, after = W[j], W[j] * sp.exp(H[j])
    grown = w * (sp.exp(H[j]) - 1)
    return Derivation(
        "Logits that move by h: the output moves by a mean of e^h - 1 times deviations from it",
        Assumptions(
            (Variable(M, 1), _WEIGHTS, Family(V[j], index=ALL), Family(H[j], index=ALL)),
            ((o, sp.Sum(w * V[j], ALL) / sp.Sum(w, ALL)),),
        ),
        sp.Sum(after * V[j], ALL) / sp.Sum(after, ALL) - o,
        (
            Step(
                EQ,
                (sp.Sum(grown * V[j], ALL) - o * sp.Sum(grown, ALL)) / sp.Sum(after, ALL),
                Algebra(),
                "Σ w·(v - o) = 0.",
            ),
        ),
    )


def _growth() -> Derivation:
    return Derivation(
        "e^h is 1 + h but for h²/(1-h) at most, and no less",
        Assumptions((Variable(h, None, 1, high_open=True),)),
        sp.exp(h) - 1 - h,
        (
            Step(
                LE,
                1 / (1 - h) - 1 - h,
                Monotone(
                    Variable(x, 0, low_open=True),
                    1 / x - 1 - h,
                    sp.exp(-h),
                    1 - h,
                    Cite(_REVERSED),
                ),
                "e^(-h) >= 1 - h.",
            ),
            Step(EQ, h**2 / (1 - h), Algebra(), "Take the fractions together."),
        ),
    )


BOUND = delta**2 * (2 - delta) / (1 - delta) ** 2


def _small(growth: Variable) -> Assumptions:
    step = Variable(delta, 0, 1, high_open=True), Variable(h, -delta, delta)
    return Assumptions((*step, growth, Variable(S, 1 - delta, 1 / (1 - delta))))


def _above() -> Derivation:
    return Derivation(
        "A deviation is multiplied by (f - 1)/S, f = e^h and |h| <= ε: by h and R more at most",
        _small(Variable(f, None, 1 / (1 - h))),
        (f - 1) / S - h,
        (
            Step(LE, h / ((1 - h) * S) - h, Positivity(), "f <= 1/(1 - h)."),
            Step(LE, BOUND, Positivity(), "S, a mean of e^h, is 1 - ε at least. This is R."),
        ),
    )


def _below() -> Derivation:
    return Derivation(
        "By no less than h - ε²/(1-ε)",
        _small(Variable(f, 1 + h)),
        h - (f - 1) / S,
        (
            Step(LE, h - h / S, Positivity(), "f >= 1 + h."),
            Step(LE, delta**2 / (1 - delta), Positivity(), "S lies between 1 - ε and 1/(1-ε)."),
        ),
    )


def _remainder(side: str, sign: int) -> Derivation:
    u, y, p = U[j], Y[j], P[j]
    families = (
        Family(p, 0, index=ALL),
        Family(y, 0, index=ALL),
        Family(V[j], -y, y, index=ALL),
        Family(u, -remainder, remainder, index=ALL),
        Family(H[j], index=ALL),
    )
    return Derivation(
        f"So the output moves by Σ p·h·(v - o), and by R·Σ p·|v - o| more at most, {side}",
        Assumptions((Variable(M, 1), Variable(remainder, 0), *families)),
        sign * (sp.Sum(p * V[j] * (H[j] + u), ALL) - sp.Sum(p * V[j] * H[j], ALL)),
        (
            Step(EQ, sp.Sum(sign * p * V[j] * u, ALL), Algebra(), "Take the sums together."),
            Step(
                LE,
                sp.Sum(remainder * p * y, ALL),
                Termwise(Positivity()),
                "Here v is the deviation, y its size, and h + u its multiplier.",
            ),
            Step(
                EQ,
                remainder * sp.Sum(p * y, ALL),
                Algebra(),
                "R = ε²(2-ε)/(1-ε)² is more than ε²/(1-ε).",
            ),
        ),
    )
