"""E4, step by step: weights, the two sums that share them, their quotient."""

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
    Step,
    Termwise,
    Variable,
)
from kvfloor_proofs.foundations import entropies

__all__ = ["derivations"]

EQ, LE, GE = Relation.EQ, Relation.LE, Relation.GE

i, j, M, R = sp.symbols("i j M R", integer=True)
u, x, q, r, epsilon, gamma, gap, own = sp.symbols("u x q r epsilon gamma g_max s", real=True)
delta, top, drift, drift_top = sp.symbols("delta delta_1 Delta Delta_1", real=True)
o, size, n, D, A, B, L, b = sp.symbols("o O n D A B L b", real=True)
E, light, lost, sums, w, e, phi, theta = sp.symbols("E lambda omega h w e phi theta", real=True)
first, second = sp.symbols("l_1 l_2", real=True)
FAMILIES = "p epsilon E x a v b theta g phi h f"
p_, eps_, E_, x_, a_, v_, b_, theta_, g_, phi_, h_, f_ = (
    sp.IndexedBase(name, real=True) for name in FAMILIES.split()
)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _logarithm(),
        _weight(),
        _drift(),
        _heaviest(),
        _mean(),
        _identity(),
        _deviations(),
        _roundings(),
        _light(),
        _kept(),
        _least(),
        _quotient(),
        _rounded(),
        _moved("up", 1 / (1 + e)),
        _moved("down", 1 + e),
    )


def _logarithm() -> Derivation:
    eighth = 8 / (8 - x)
    return Derivation(
        "x <= 8·ln(8/(8-x)), where x is a drift up to 1",
        Assumptions((Variable(x, 0, 1),)),
        8 * sp.log(eighth),
        (
            Step(
                GE,
                8 * (1 - 1 / eighth),
                Monotone(
                    Variable(u),
                    8 * u,
                    sp.log(eighth),
                    1 - 1 / eighth,
                    Cite(entropies.LOGARITHM, ((entropies.x, eighth),)),
                ),
                "ln y >= 1 - 1/y; here 1/y = 1 - x/8.",
            ),
        ),
    )


def _weight() -> Derivation:
    power = (8 / (8 - x)) ** 8
    return Derivation(
        "A weight whose logarithm is off by x <= 1 is off by x + x² at most, and by less below",
        Assumptions((Variable(x, 0, 1),)),
        x + x**2,
        (
            Step(GE, power - 1, Positivity(), "Multiply out."),
            Step(
                GE,
                sp.exp(x) - 1,
                Monotone(
                    Variable(u), sp.exp(u) - 1, 8 * sp.log(8 / (8 - x)), x, Cite(_logarithm())
                ),
                "exp grows.",
            ),
        ),
    )


def _drift() -> Derivation:
    exps = Family(f_[j], high=epsilon / (1 - epsilon), index=(j, 1, R + 1))
    rest = sp.Sum(f_[j], (j, 1, R + 1))
    most = sp.Sum(epsilon / (1 - epsilon), (j, 1, R + 1))
    sizes = (
        *(Variable(each, 0) for each in (own, gamma, gap)),
        Variable(epsilon, 0, 1, high_open=True),
        *(Variable(R, 0), Variable(delta, high=own), Variable(x, high=gap)),
    )
    return Derivation(
        "The logarithm of a weight is off by Δ at most, of a logit s off and g below the maximum",
        Assumptions((*sizes, exps)),
        delta + gamma * x + rest,
        (
            Step(LE, own + gamma * x + rest, Positivity(), "What the logit is off by."),
            Step(LE, own + gamma * gap + rest, Positivity(), "The difference is no larger."),
            Step(
                LE,
                own + gamma * gap + most,
                Monotone(Variable(u), own + gamma * gap + u, rest, most, Termwise(Positivity())),
                "Each exp is off by a factor within e^±ε/(1-ε).",
            ),
            Step(
                EQ,
                own + gamma * gap + (R + 1) * epsilon / (1 - epsilon),
                Algebra(),
                "R + 1 of them.",
            ),
        ),
    )


def _heaviest() -> Derivation:
    both = Variable(delta, high=drift), Variable(top, -drift_top)
    return Derivation(
        "C may be such that the heaviest weight has no error: then the others have two",
        Assumptions((Variable(drift, 0), Variable(drift_top, 0), *both)),
        delta - top,
        (Step(LE, drift + drift_top, Positivity(), "Each at its largest; below as above."),),
    )


def _mean() -> Derivation:
    weights, total = sp.Sum(p_[j], (j, 1, M)), sp.Sum(p_[j] * v_[j], (j, 1, M))
    families = (
        Family(p_[j], 0, low_open=True, index=(j, 1, M)),
        Family(v_[j], index=(j, 1, M)),
    )
    return Derivation(
        "Deviations from the output o add up to zero",
        Assumptions((Variable(M, 1), *families), ((o, total / weights),)),
        total - o * weights,
        (Step(EQ, sp.Integer(0), Algebra(), "It is the mean of the values."),),
    )


def _identity() -> Derivation:
    index = (j, 1, M)
    families = (Family(s[j], index=index) for s in (p_, eps_, v_, theta_, phi_))
    computed = p_[j] * (1 + eps_[j])
    deviations = sp.Sum(p_[j] * v_[j], index) - o * sp.Sum(p_[j], index)
    return Derivation(
        "So a computed numerator minus o times what divides it, less those deviations, is",
        Assumptions((Variable(M, 1), Variable(o), *families)),
        sp.Sum(computed * (1 + theta_[j]) * v_[j], index)
        - o * sp.Sum(computed * (1 + phi_[j]), index)
        - deviations,
        (
            Step(
                EQ,
                sp.Sum(p_[j] * eps_[j] * (v_[j] - o), index)
                + sp.Sum(computed * (theta_[j] * v_[j] - phi_[j] * o), index),
                Algebra(),
                "Multiply out.",
            ),
        ),
    )


def _ranged(*more: Family) -> Assumptions:
    index = (j, 1, M)
    return Assumptions(
        (
            Variable(M, 1),
            *(Family(s[j], 0, index=index) for s in (p_, E_)),
            Family(eps_[j], -E_[j], E_[j], index=index),
            *more,
        )
    )


def _deviations() -> Derivation:
    index = (j, 1, M)
    apart = Family(a_[j], 0, index=index), Family(x_[j], -a_[j], a_[j], index=index)
    return Derivation(
        "Errors of weights act on deviations x = v - o, of sizes a; below as above, with ε negated",
        _ranged(*apart),
        sp.Sum(p_[j] * eps_[j] * x_[j], index),
        (
            Step(
                LE,
                sp.Sum(p_[j] * E_[j] * a_[j], index),
                Termwise(Positivity()),
                "Each term at its largest.",
            ),
        ),
    )


def _roundings() -> Derivation:
    index = (j, 1, M)
    sizes = (Family(s[j], 0, index=index) for s in (b_, g_, h_))
    ends = ((v_, b_), (theta_, g_), (phi_, h_))
    parts = (Family(s[j], -most[j], most[j], index=index) for s, most in ends)
    known = _ranged(*sizes, *parts)
    return Derivation(
        "The roundings of the two sums do not centre; below as above, with θ and φ negated",
        Assumptions((Variable(size, 0), Variable(o, -size, size), *known.variables)),
        sp.Sum(p_[j] * (1 + eps_[j]) * (theta_[j] * v_[j] - phi_[j] * o), index),
        (
            Step(
                LE,
                sp.Sum(p_[j] * (1 + E_[j]) * (g_[j] * b_[j] + h_[j] * size), index),
                Termwise(Positivity()),
                "Each term at its largest.",
            ),
        ),
    )


def _light() -> Derivation:
    losses = (Variable(each, high=1 + gamma) for each in (first, second))
    return Derivation(
        "A light term is off by its roundings θ, and lost twice at most: nothing is added worse "
        "than not at all; below as above",
        Assumptions((Variable(gamma, 0), Variable(theta, high=gamma), *losses)),
        theta + first + second,
        (Step(LE, gamma + 2 * (1 + gamma), Positivity(), "Each at its largest."),),
    )


def _kept() -> Derivation:
    index = (j, 1, M)
    return Derivation(
        "The weights that are not light, as computed, are no less than",
        _ranged(),
        sp.Sum(p_[j] * (1 + eps_[j]), index),
        (
            Step(
                GE,
                sp.Sum(p_[j] * (1 - E_[j]), index),
                Termwise(Positivity()),
                "Each error at its largest.",
            ),
            Step(
                EQ,
                sp.Sum(p_[j], index) - sp.Sum(p_[j] * E_[j], index),
                Algebra(),
                "The sum in two parts.",
            ),
        ),
    )


def _least() -> Derivation:
    # w: the true weights that are not light; e: what they are off by; δ: what they lose.
    left = 1 - E - light - lost
    ranges = (
        *(Variable(each, 0) for each in (E, light)),
        Variable(lost, 0, 1 - E - light, high_open=True),
        Variable(sums, 0, 1, high_open=True),
        *(Variable(w, 1 - light), Variable(e, high=E), Variable(delta, high=lost)),
        Variable(phi, -sums, sums),
    )
    return Derivation(
        "What divides, over C: a sum of weights never falls, so that light ones take nothing away",
        Assumptions(ranges),
        (w - e - delta) * (1 + phi),
        (
            Step(GE, (w - E - lost) * (1 + phi), Positivity(), "Errors and losses, the largest."),
            Step(GE, left * (1 + phi), Positivity(), "All weights are 1."),
            Step(
                GE,
                left * (1 - sums),
                Monotone(Variable(u), left * (1 + u), phi, -sums, Positivity()),
                "φ >= -h.",
            ),
        ),
    )


def _quotient() -> Derivation:
    return Derivation(
        "So the quotient is off by no more, above and below",
        Assumptions(
            (
                *(Variable(each, 0) for each in (A, B)),
                *(Variable(L, 0, low_open=True), Variable(D, L), Variable(n, high=A + B)),
            )
        ),
        n / D,
        (
            Step(LE, (A + B) / D, Positivity(), "The numerator at its largest."),
            Step(LE, (A + B) / L, Positivity(), "What divides at its least."),
        ),
    )


def _rounded() -> Derivation:
    sizes = (Variable(each, 0) for each in (size, b, epsilon))
    parts = (Variable(each, -most, most) for each, most in ((o, size), (x, b), (r, epsilon)))
    return Derivation(
        "The quotient o + x is off by a factor within 1 ± ε once more; below as above, with o and "
        "x negated",
        Assumptions((*sizes, *parts)),
        (o + x) * (1 + r) - o,
        (Step(LE, b * (1 + epsilon) + epsilon * size, Positivity(), "Each at its largest."),),
    )


_MOVED = Variable(E, 0, 1, high_open=True), Variable(e, -E, E)


def _moved(side: str, of: sp.Expr) -> Derivation:
    # 1 + e is the sum of weights; minus the logarithm of ``of`` is what it moves by
    return Derivation(
        f"The logarithm of the sum of weights moves {side} by E/(1-E) at most, E = Σ p·E_t",
        Assumptions((Variable(E, 0, 1, high_open=True), Variable(e, -E, E))),
        -sp.log(of),
        (
            Step(
                LE,
                1 / of - 1,
                Monotone(
                    Variable(u),
                    -u,
                    sp.log(of),
                    1 - 1 / of,
                    Cite(entropies.LOGARITHM, ((entropies.x, of),)),
                ),
                "ln x >= 1 - 1/x.",
            ),
            Step(LE, E / (1 - E), Positivity(), "|e| <= E."),
        ),
    )
