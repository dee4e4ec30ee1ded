"""E5's bounds, step by step: what a backward pass computes for a tuple, and its sums."""

from __future__ import annotations

import sympy as sp

from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Family,
    Positivity,
    Relation,
    Step,
    Termwise,
    Variable,
)

__all__ = ["derivations"]

EQ, LE, GE = Relation.EQ, Relation.LE, Relation.GE

j, M = sp.symbols("j M", integer=True)
u, r, gamma, epsilon, theta, tanh = sp.symbols("u r gamma epsilon theta T", real=True)
own, lse, gap, exp = sp.symbols("s l g_max x_max", real=True)
delta, second, x, e = sp.symbols("delta lambda x e", real=True)
spread, moved, products, D, size = sp.symbols("A B C D D_max", real=True)
first, mean, third = sp.symbols("a b c", real=True)
off, parts, d, f, X, g = sp.symbols("o P d f X g", real=True)
a, b, y, a_max, b_max, a_off, b_off = sp.symbols("a b y a_max b_max a_off b_off", real=True)
E, F, cap, logit, s = sp.symbols("E F kappa Delta z", real=True)
slope, change, square, w, q, rho = sp.symbols("h M_h Q W q rho", real=True)
m_ = sp.Symbol("m", real=True)
eta = sp.Symbol("eta", real=True)
FAMILIES = "p e v f k h E F n t R"
p_, e_, v_, f_, k_, h_, E_, F_, n_, t_, R_ = (
    sp.IndexedBase(name, real=True) for name in FAMILIES.split()
)
ALL = (j, 1, M)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        _exponent(),
        _delta(),
        _delta_sizes(),
        _difference(),
        _product(),
        _factor(),
        _slope_above(),
        _slope_below(),
        _squared(),
        _cosh(),
        _slope(),
        _shared(),
        _sums(),
    )


def _within(*pairs: tuple[sp.Expr, sp.Expr]) -> tuple[Variable, ...]:
    """Variables and the sizes that bound them on both sides."""
    return tuple(Variable(each, -most, most) for each, most in pairs)


def _sizes(*each: sp.Expr) -> tuple[Variable, ...]:
    return tuple(Variable(one, 0) for one in each)


def _exponent() -> Derivation:
    ends = ((delta, own), (second, lse), (x, gap + own + lse), (e, exp))
    return Derivation(
        "p̂ = p·e^±Δ, of a logit s off and a log-sum-exp l off, a difference and an exp",
        Assumptions(
            (*_sizes(own, lse, gamma, gap, exp), *(Variable(n, high=most) for n, most in ends))
        ),
        delta + second + gamma * x + e,
        (
            Step(
                LE,
                own + lse + gamma * (gap + own + lse) + exp,
                Positivity(),
                "Each at its largest; the difference is no larger than g and what both are off.",
            ),
        ),
    )


def _delta() -> Derivation:
    families = (Family(each[j], index=ALL) for each in (p_, e_, v_, f_))
    return Derivation(
        "D from weights: p̂ = p + e and dP̂ = dP + f, with v for dP. What D̂ is off by",
        Assumptions((Variable(M, 1), Variable(D), *families)),
        sp.Sum((p_[j] + e_[j]) * (v_[j] + f_[j]), ALL) - sp.Sum(p_[j] * v_[j], ALL),
        (
            Step(
                EQ,
                sp.Sum(e_[j] * (v_[j] - D), ALL)
                + D * sp.Sum(e_[j], ALL)
                + sp.Sum((p_[j] + e_[j]) * f_[j], ALL),
                Algebra(),
                "Multiply out.",
            ),
        ),
    )


def _delta_sizes() -> Derivation:
    ends = _within((D, size), (mean, moved))
    most = Variable(first, high=spread), Variable(third, high=products)
    return Derivation(
        "So it is off by A + |D|·B + C, by the sizes of these three sums",
        Assumptions((*_sizes(spread, moved, products, size), *ends, *most)),
        first + D * mean + third,
        (Step(LE, spread + size * moved + products, Positivity(), "Each at its largest."),),
    )


def _difference() -> Derivation:
    inner = off + gamma * parts
    ends = _within((x, X), (d, off), (f, gamma * parts), (r, u))
    return Derivation(
        "x = dP - D + g: its parts are off by d, sums before the last round by f. So does p·dP, if "
        "products come first",
        Assumptions((*_sizes(X, off, gamma, parts, u), *ends)),
        (x + d + f) * (1 + r) - x,
        (
            Step(EQ, d + f + r * (x + d + f), Algebra(), "Multiply out."),
            Step(LE, inner + u * (X + inner), Positivity(), "Each at its largest."),
        ),
    )


def _product() -> Derivation:
    ends = _within((a, a_max), (b, b_max), (x, a_off), (y, b_off), (r, u))
    return Derivation(
        "A rounded product of two numbers that are off: p̂·x̂, and dẑ by a slope",
        Assumptions((*_sizes(a_max, b_max, a_off, b_off, u), *ends)),
        (a + x) * (b + y) * (1 + r) - a * b,
        (
            Step(EQ, x * (b + y) + a * y + r * (a + x) * (b + y), Algebra(), "Multiply out."),
            Step(
                LE,
                a_off * (b_max + b_off) + a_max * b_off + u * (a_max + a_off) * (b_max + b_off),
                Positivity(),
                "Each at its largest.",
            ),
        ),
    )


def _factor() -> Derivation:
    return Derivation(
        "A logit under a cap κ that is Δ off: its E = e^(2z/κ) has another exponent",
        Assumptions(
            (
                Variable(cap, 0, low_open=True),
                *(Variable(logit, 0), Variable(s), Variable(delta, high=logit)),
            )
        ),
        2 * (s + delta) / cap - 2 * s / cap,
        (
            Step(EQ, 2 * delta / cap, Algebra(), "Take the fractions together."),
            Step(LE, 2 * logit / cap, Positivity(), "δ <= Δ."),
        ),
    )


_MOVES = Assumptions((Variable(E, 0, low_open=True), Variable(F, 1)))


def _slope_above() -> Derivation:
    return Derivation(
        "A slope 4E/(1+E)² grows by a factor F at most where E does",
        _MOVES,
        4 * E * F / (1 + E * F) ** 2,
        (Step(LE, F * (4 * E / (1 + E) ** 2), Positivity(), "1 + EF >= 1 + E."),),
    )


def _slope_below() -> Derivation:
    return Derivation(
        "And falls by no more; where E shrinks it is the other way round",
        _MOVES,
        4 * E * F / (1 + E * F) ** 2,
        (Step(GE, 4 * E / (1 + E) ** 2 / F, Positivity(), "1 + EF <= F·(1 + E)."),),
    )


def _squared() -> Derivation:
    ends = _within((theta, tanh), (r, u))
    return Derivation(
        "A tanh that is off relatively, once it is squared",
        Assumptions((Variable(tanh, 0, 1), Variable(u, 0, 1), *ends)),
        (1 + theta) ** 2 * (1 + r) - 1,
        (Step(LE, (1 + tanh) ** 2 * (1 + u) - 1, Positivity(), "Each at its largest."),),
    )


def _cosh() -> Derivation:
    return Derivation(
        "A slope of exponentials that are within ε: 1/cosh² is within 3ε",
        Assumptions((Variable(epsilon, 0, sp.Rational(1, 8)),)),
        1 / (1 - epsilon) ** 2 - 1,
        (Step(LE, 3 * epsilon, Positivity(), "1 - 5ε + 3ε² >= 0 up to 1/8."),),
    )


def _slope() -> Derivation:
    squares = Variable(q, 0, square)
    ends = _within((m_, change), (w, products), (r, rho), (e, 3 * epsilon))
    most = slope + change
    return Derivation(
        "A slope h that changes by m, computed as h + m - q·w, w what tanh² = q is off by; or of "
        "exponentials",
        Assumptions((*_sizes(slope, change, square, products, rho, epsilon), squares, *ends)),
        (slope + m_ - q * w) * (1 + r) + e * (slope + m_) - slope,
        (
            Step(
                EQ,
                m_ - q * w + r * (slope + m_ - q * w) + e * (slope + m_),
                Algebra(),
                "Multiply out.",
            ),
            Step(
                LE,
                change + square * products + rho * (most + square * products) + 3 * epsilon * most,
                Positivity(),
                "Each at its largest.",
            ),
        ),
    )


def _shared() -> Derivation:
    families = (Family(each[j], index=ALL) for each in (p_, h_, k_))
    return Derivation(
        "What D is off by for all tuples, η: of signs of k it cancels as Σ p·h·k does",
        Assumptions((Variable(M, 1), Variable(eta), *families)),
        sp.Sum(p_[j] * eta * h_[j] * k_[j], ALL),
        (Step(EQ, eta * sp.Sum(p_[j] * h_[j] * k_[j], ALL), Algebra(), "Take η out."),),
    )


def _sums() -> Derivation:
    sizes = (Family(each[j], 0, index=ALL) for each in (E_, F_, n_, R_))
    ends = ((e_, E_), (f_, F_), (v_, n_), (t_, R_))
    families = (Family(each[j], -most[j], most[j], index=ALL) for each, most in ends)
    computed = n_[j] + E_[j]
    return Derivation(
        "A sum of computed e by inputs f, each term rounded by t on its way: v is e, of size n",
        Assumptions((Variable(M, 1), *sizes, *families)),
        sp.Sum((v_[j] + e_[j]) * f_[j] * (1 + t_[j]) - v_[j] * f_[j], ALL),
        (
            Step(
                EQ,
                sp.Sum(e_[j] * f_[j] + t_[j] * (v_[j] + e_[j]) * f_[j], ALL),
                Algebra(),
                "Multiply out.",
            ),
            Step(
                LE,
                sp.Sum(E_[j] * F_[j] + R_[j] * computed * F_[j], ALL),
                Termwise(Positivity()),
                "Each term at its largest.",
            ),
        ),
    )
