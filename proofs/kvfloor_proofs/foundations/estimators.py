"""Derivations about sums that are estimated from samples, for the claims on SubGen (U2-U4)."""

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

__all__ = [
    "A",
    "D",
    "X",
    "eps",
    "est",
    "failure",
    "g",
    "guarantee",
    "normaliser",
    "numerator",
    "ratio",
    "s",
    "samples",
    "t",
    "tau",
]

EQ, LE, LT, GE = Relation.EQ, Relation.LE, Relation.LT, Relation.GE

c, i, j, n, t, s, M, h = sp.symbols("c i j n t s M h", integer=True)
mu, u, w, tau, ratio, y, G, X, a, b = sp.symbols("mu u w tau rho y G X a b", real=True)
eps, failure, A, B, D, Z, g, K, R, x = sp.symbols("epsilon delta A B D Z g K R x", real=True)
est, z, true = sp.symbols("tau' z' z", real=True)
logit, up, W, v, T, p, m = (
    sp.IndexedBase(name, real=True)[j] for name in ("l", "u", "W", "v", "T", "p", "n")
)


def samples() -> tuple[Derivation, ...]:
    """Return why samples have the probabilities that they should."""
    return (_replaced_uniformly(), _replaced_by_weight())


def normaliser() -> tuple[Derivation, ...]:
    """Return mean and variance of the estimate of τ."""
    return (
        _unbiased_normaliser(),
        _spread_of_sums(),
        _within_a_range(),
        _from_the_mean(),
        _square_of_a_range(),
        _mean_of_samples(),
    )


def numerator() -> tuple[Derivation, ...]:
    """Return mean and mean square error of the estimate of the numerator."""
    return (_unbiased_numerator(), _second_moment(), _deviation())


def guarantee() -> tuple[Derivation, ...]:
    """Return what follows for the quotient, and how probable it is to fail."""
    return (
        _mixed_sum(),
        _cauchy_schwarz(),
        _quotient(),
        _combined(),
        _markov(),
        _fails(),
    )


def _above_zero(*symbols: sp.Symbol) -> tuple[Variable, ...]:
    return tuple(Variable(symbol, 0, low_open=True) for symbol in symbols)


def _replaced_uniformly() -> Derivation:
    return Derivation(
        "A sample is each of c members with probability 1/c; then the next member takes its place "
        "with probability 1/(c+1)",
        Assumptions((Variable(c, 1),)),
        1 / c * (1 - 1 / (c + 1)),
        (Step(EQ, 1 / (c + 1), Algebra(), "So it is each of c + 1 members with 1/(c+1)."),),
    )


def _replaced_by_weight() -> Derivation:
    return Derivation(
        "A draw is a token of weight w with probability w/μ; then one of weight u replaces it with "
        "probability u/(μ+u)",
        Assumptions((*_above_zero(mu), Variable(w, 0), Variable(u, 0))),
        w / mu * (1 - u / (mu + u)),
        (Step(EQ, w / (mu + u), Algebra(), "So it is each with its weight over the sum."),),
    )


def _unbiased_normaliser() -> Derivation:
    members = (j, 1, c)
    return Derivation(
        "The mean of (c/t)·Σ_i exp(s_i) over t uniform members of a cluster of c is the cluster's "
        "part of τ",
        Assumptions((Variable(c, 1), Variable(t, 1), Family(logit, index=members))),
        sp.Sum(sp.Sum(1 / c * (c / t) * sp.exp(logit), members), (i, 1, t)),
        (Step(EQ, sp.Sum(sp.exp(logit), members), Algebra(), "Each member with probability 1/c."),),
    )


def _unbiased_numerator() -> Derivation:
    tokens = (j, 1, n)
    each = W / mu * (mu / (s * W)) * sp.exp(logit) * v
    weights = Family(W, 0, low_open=True, index=tokens)
    families = (weights, Family(logit, index=tokens), Family(v, index=tokens))
    return Derivation(
        "The mean of Σ_i μ/(s·w)·exp(l)·v over s draws, which are token j with probability w_j/μ, "
        "is Σ_j exp(l_j)·v_j (v a column; tokens of weight 0 add nothing)",
        Assumptions((Variable(n, 1), Variable(s, 1), *_above_zero(mu), *families)),
        sp.Sum(sp.Sum(each, tokens), (i, 1, s)),
        (Step(EQ, sp.Sum(sp.exp(logit) * v, tokens), Algebra(), "Weights cancel."),),
    )


def _spread_of_sums() -> Derivation:
    clusters = (j, 1, n)
    families = (
        Family(m, 0, index=clusters),
        Family(logit, index=clusters),
        Family(up, high=logit + G, index=clusters),
    )
    term = Monotone(Variable(y), m * sp.exp(y), up, logit + G, Positivity())
    return Derivation(
        "If logits in a cluster differ by at most G then T, one sample of each cluster times its "
        "count, is within a factor exp(G) of its least value",
        Assumptions((Variable(n, 1), Variable(G, 0), *families)),
        sp.Sum(m * sp.exp(up), clusters),
        (
            Step(
                LE, sp.Sum(m * sp.exp(logit + G), clusters), Termwise(term), "Cluster by cluster."
            ),
            Step(
                EQ,
                sp.exp(G) * sp.Sum(m * sp.exp(logit), clusters),
                Algebra(),
                "Take the factor out of the sum.",
            ),
        ),
    )


def _within_a_range() -> Derivation:
    outcomes = (j, 1, M)
    families = (Family(p, 0, index=outcomes), Family(T, a, b, index=outcomes))
    return Derivation(
        "Bhatia and Davis: what lies in [a, b] has at most this mean square from any τ; "
        "p are its probabilities",
        Assumptions((Variable(M, 1), Variable(a), Variable(b, a), Variable(tau), *families)),
        sp.Sum(p * (T - tau) ** 2, outcomes),
        (
            Step(
                LE,
                sp.Sum(p * ((T - tau) ** 2 + (b - T) * (T - a)), outcomes),
                Termwise(Positivity()),
                "(b-T)(T-a) is not negative.",
            ),
            Step(
                EQ,
                (tau**2 - a * b) * sp.Sum(p, outcomes)
                + (a + b - 2 * tau) * sp.Sum(p * T, outcomes),
                Algebra(),
                "The squares of T cancel.",
            ),
        ),
    )


def _from_the_mean() -> Derivation:
    return Derivation(
        "That is (b-τ)(τ-a) if the sum of p is 1 and τ is the mean, the sum of p·T",
        Assumptions((Variable(a), Variable(b), Variable(tau))),
        (tau**2 - a * b) * 1 + (a + b - 2 * tau) * tau,
        (Step(EQ, (b - tau) * (tau - a), Algebra(), "Factor."),),
    )


def _square_of_a_range() -> Derivation:
    return Derivation(
        "For b = ϱa that is at most τ²(ϱ-1)²/(4ϱ), whatever a is; y = 2ϱa - τ(1+ϱ)",
        Assumptions(
            (Variable(ratio, 1), Variable(tau, 0), Variable(y)),
            ((a, (y + tau * (1 + ratio)) / (2 * ratio)),),
        ),
        (ratio * a - tau) * (tau - a),
        (
            Step(
                LE,
                tau**2 * (ratio - 1) ** 2 / (4 * ratio),
                Positivity(),
                "The difference is y²/(4ϱ).",
            ),
        ),
    )


def _mean_of_samples() -> Derivation:
    most = tau**2 * (ratio - 1) ** 2 / (4 * ratio)
    return Derivation(
        "The mean of t independent T has the variance",
        Assumptions((Variable(t, 1), Variable(tau, 0), Variable(ratio, 1), Variable(X, 0, most))),
        sp.Sum(X / t**2, (i, 1, t)),
        (
            Step(EQ, X / t, Algebra(), "t equal terms."),
            Step(LE, most / t, Positivity(), "X is the variance of one T."),
        ),
    )


def _second_moment() -> Derivation:
    tokens = (j, 1, n)
    families = (
        Family(W, 0, low_open=True, index=tokens),
        Family(logit, index=tokens),
        Family(v, 0, W, index=tokens),
    )
    each = W / mu * (mu / W) ** 2 * sp.exp(2 * logit) * v
    largest = W / mu * (mu / W) ** 2 * sp.exp(2 * logit) * W
    return Derivation(
        "E‖Z‖² of one draw's Z = (μ/w)·exp(l)·value is at most μ·Σ exp(2l_j); v_j <= w_j is the "
        "square of the value's norm",
        Assumptions((Variable(n, 1), *_above_zero(mu), *families)),
        sp.Sum(each, tokens),
        (
            Step(LE, sp.Sum(largest, tokens), Termwise(Positivity()), "v_j <= w_j."),
            Step(EQ, mu * sp.Sum(sp.exp(2 * logit), tokens), Algebra(), "Weights cancel."),
        ),
    )


def _deviation() -> Derivation:
    return Derivation(
        "So E‖z - E z‖² for the mean z of s independent Z; X = E‖Z‖², B = ‖E Z‖², A = μ·Σ exp(2l)",
        Assumptions((Variable(s, 1), Variable(A, 0), Variable(X, 0, A), Variable(B, 0, X))),
        sp.Sum((X - B) / s**2, (i, 1, s)),
        (
            Step(EQ, (X - B) / s, Algebra(), "s equal terms."),
            Step(LE, A / s, Positivity(), "B is not negative."),
        ),
    )


def _two_squares() -> Derivation:
    return Derivation(
        "2xy is at most x² + y²; g = x - y",
        Assumptions((Variable(x), Variable(g)), ((y, x - g),)),
        2 * x * y,
        (Step(LE, x**2 + y**2, Positivity(), "The difference is g²."),),
    )


def _mixed_sum() -> Derivation:
    tokens = (j, 1, n)
    free = (
        Variable(n, 1),
        Variable(A),
        Variable(B),
        Family(logit, index=tokens),
        Family(v, index=tokens),
    )
    term = Cite(_two_squares(), ((x, A * v), (g, A * v - B * sp.exp(logit))))
    return Derivation(
        "For any A and B, in a column v of values",
        Assumptions(free),
        sp.Sum(2 * (A * v) * (B * sp.exp(logit)), tokens),
        (
            Step(
                LE,
                sp.Sum((A * v) ** 2 + (B * sp.exp(logit)) ** 2, tokens),
                Termwise(term),
                "Token by token.",
            ),
            Step(
                EQ,
                A**2 * sp.Sum(v**2, tokens) + B**2 * sp.Sum(sp.exp(2 * logit), tokens),
                Algebra(),
                "Take the factors out of the sums.",
            ),
        ),
    )


def _cauchy_schwarz() -> Derivation:
    return Derivation(
        "Cauchy and Schwarz: with A = Σ exp(2l) and B = Σ exp(l)·v that is 2AB² <= A²X + B²A, "
        "X = Σ v²; added up over the columns, ‖z‖ <= τ·‖p‖₂‖V‖_F",
        Assumptions((*_above_zero(A), Variable(B), Variable(X, (2 * A * B**2 - B**2 * A) / A**2))),
        B**2,
        (Step(LE, A * X, Positivity(), "Divide by A."),),
    )


def _quotient() -> Derivation:
    return Derivation(
        "The error of the quotient, column by column; z' and τ' are the estimates of z and τ",
        Assumptions((*_above_zero(tau, est), Variable(z), Variable(true))),
        z / est - true / tau,
        (
            Step(
                EQ,
                (z - true) / est + true * (tau - est) / (est * tau),
                Algebra(),
                "Insert z/τ'.",
            ),
        ),
    )


def _combined() -> Derivation:
    off = eps / (2 + eps)
    ranges = (
        *_above_zero(eps, tau),
        Variable(A, 0),
        Variable(est, (1 - off) * tau),
        Variable(g, 0, off * tau),
        Variable(D, 0, off * tau * A),
        Variable(Z, 0, tau * A),
    )
    least = (1 - off) * tau
    return Derivation(
        "With both off by at most ε/(2+ε) the quotient is off by at most ε·A; A = ‖p‖₂‖V‖_F, "
        "D = ‖z' - z‖, Z = ‖z‖, g = abs(τ' - τ)",
        Assumptions(ranges),
        D / est + Z * g / (est * tau),
        (
            Step(LE, D / least + Z * g / (least * tau), Positivity(), "τ' >= (1 - ε/(2+ε))τ."),
            Step(
                LE,
                off * tau * A / least + tau * A * off * tau / (least * tau),
                Positivity(),
                "The bounds on D, Z and g.",
            ),
            Step(EQ, eps * A, Algebra(), "1 - ε/(2+ε) is 2/(2+ε)."),
        ),
    )


def _markov() -> Derivation:
    outcomes = (j, 1, h)
    return Derivation(
        "Markov: outcomes 1 … h, with X_j >= K, have a probability of at most E(X)/K; R is the "
        "part of E(X) that the others have",
        Assumptions(
            (
                Variable(h, 1),
                *_above_zero(K),
                Variable(R, 0),
                Family(p, 0, index=outcomes),
                Family(T, K, index=outcomes),
            )
        ),
        sp.Sum(p, outcomes),
        (
            Step(LE, sp.Sum(p * T / K, outcomes), Termwise(Positivity()), "X_j/K >= 1."),
            Step(LE, (sp.Sum(p * T, outcomes) + R) / K, Positivity(), "R >= 0."),
        ),
    )


def _fails() -> Derivation:
    off = eps / (2 + eps)
    enough = 2 / (failure * off**2)
    ranges = (
        *_above_zero(eps, failure, X),
        Variable(t, enough * X),
        Variable(s, enough),
    )
    return Derivation(
        "With t >= 2X/(δ(ε/(2+ε))²) and s >= 2/(δ(ε/(2+ε))²), X = (ϱ-1)²/(4ϱ), one of the two is "
        "off by more with probability δ at most",
        Assumptions(ranges),
        X / t / off**2 + 1 / s / off**2,
        (
            Step(LE, failure / 2 + 1 / s / off**2, Positivity(), "By Markov for (τ' - τ)²."),
            Step(LE, failure, Positivity(), "By Markov for ‖z' - z‖²: at most δ/2 as well."),
        ),
    )
