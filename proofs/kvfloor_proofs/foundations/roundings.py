"""What evaluations round and lose, step by step: derivations of counts and of parts of E3."""

from __future__ import annotations

import sympy as sp

from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Family,
    Monotone,
    Positivity,
    Relation,
    Step,
    Termwise,
    Variable,
)

__all__ = ["derivations"]

EQ, LE = Relation.EQ, Relation.LE

j, k, d, m, n_1, n_2, M, R = sp.symbols("j k d m n_1 n_2 M R", integer=True)
u, epsilon, delta, mean, theta, r, g = sp.symbols("u epsilon delta mu theta r gamma", real=True)
X, w, c, lost, S, x, y = sp.symbols("X w c omega S x y", real=True)
tiny, least, largest = sp.symbols("tau lambda B", real=True)
p, a, f = (sp.IndexedBase(name, real=True)[j] for name in "paf")


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations, which are part of those of `forward-error`."""
    return (
        _relative(),
        _logit_count(),
        _value_count(factored=False),
        _value_count(factored=True),
        _weight(),
        _lost_products(),
        _rescaled(),
        _lost_weight(),
    )


def _relative() -> Derivation:
    above = Variable(w, high=1 / (1 - k * u))
    return Derivation(
        "So relatively they change it by γ_k: w = (1+u)^k, of which w·(1-ku) <= 1 is known",
        Assumptions((Variable(k, 1), Variable(u, 0, 1 / k, high_open=True), above)),
        w - 1,
        (
            Step(LE, 1 / (1 - k * u) - 1, Positivity(), "w·(1-ku) <= 1."),
            Step(EQ, k * u / (1 - k * u), Algebra(), "Take the fractions together."),
        ),
    )


def _logit_count() -> Derivation:
    one = sp.Integer(1)
    return Derivation(
        "Roundings of a term of a logit: m products, d - 1 sums, a factor, and four in the factor",
        Assumptions((Variable(d, 1), Variable(m, 1))),
        sp.Sum(one, (j, 1, m)) + sp.Sum(one, (j, 1, d - 1)) + 1 + sp.Sum(one, (j, 1, 4)),
        (Step(EQ, d + m + 4, Algebra(), "A root, a quotient, log₂ e, a product; count."),),
    )


def _value_count(*, factored: bool) -> Derivation:
    sums = sp.Sum(1, (j, 1, n_1 - 1)) + sp.Sum(1, (j, 1, n_2 - 1))
    total = 2 + (n_1 - 1) + (n_2 - 1) + 1 + R
    if not factored:
        sums, total = sp.Sum(1, (j, 1, n_1 * n_2 - 1)), 2 + n_1 * n_2 + R
    how = "factored" if factored else "materialised"
    return Derivation(
        f"Roundings of one term of an output of order 2, {how}: two products, sums, a division, "
        "and a product for each of R rescalings",
        Assumptions((Variable(n_1, 1), Variable(n_2, 1), Variable(R, 0))),
        2 + sums + 1 + sp.Sum(1, (j, 1, R)),
        (Step(EQ, total, Algebra(), "Count."),),
    )


def _weight() -> Derivation:
    # x and y: the logit and the maximum as computed, in size; f_j: exps, those of rescalings too.
    off = g * S + lost
    most = Variable(delta, -off, off)
    computed = Variable(x, 0, S + off), Variable(y, 0, S + off)
    exps = Family(f, high=epsilon / (1 - epsilon), index=(j, 1, R + 1))
    sizes = Variable(u, 0, 1), Variable(epsilon, 0, 1, high_open=True), Variable(R, 0)
    rest = sp.Sum(f, (j, 1, R + 1))
    return Derivation(
        "The logarithm of a weight's numerator is off by Δ at most; below as above",
        Assumptions(
            (*sizes, *(Variable(a, 0) for a in (S, g, lost)), most, *computed, exps),
        ),
        delta + u * (x + y) + rest,
        (
            Step(LE, off + u * (x + y) + rest, Positivity(), "The logit is off by γ·S̄ + a."),
            Step(LE, off + u * 2 * (S + off) + rest, Positivity(), "Neither is larger than that."),
            Step(
                LE,
                off + u * 2 * (S + off) + sp.Sum(epsilon / (1 - epsilon), (j, 1, R + 1)),
                Monotone(
                    Variable(X),
                    off + u * 2 * (S + off) + X,
                    rest,
                    sp.Sum(epsilon / (1 - epsilon), (j, 1, R + 1)),
                    Termwise(Positivity()),
                ),
                "Each exp is off by a factor within e^±ε/(1-ε).",
            ),
            Step(
                EQ,
                off + u * 2 * (S + off) + (R + 1) * epsilon / (1 - epsilon),
                Algebra(),
                "R + 1 of them.",
            ),
        ),
    )


def _lost_products() -> Derivation:
    # Each that underflows loses p_j <= τ, which rounding and later factors multiply: f_j and a_j.
    losses = (
        Family(p, 0, tiny, index=(j, 1, M)),
        Family(f, 0, c, index=(j, 1, M)),
        Family(a, 0, largest, index=(j, 1, M)),
    )
    sizes = Variable(M, 1), *(Variable(x, 0) for x in (tiny, c, largest))
    return Derivation(
        "What M products that underflow change a sum by",
        Assumptions((*sizes, *losses)),
        sp.Sum(p * f * a, (j, 1, M)),
        (
            Step(
                LE, sp.Sum(tiny * c * largest, (j, 1, M)), Termwise(Positivity()), "Term by term."
            ),
            Step(EQ, M * c * largest * tiny, Algebra(), "M of them."),
        ),
    )


_EXP = (Variable(u, 0, 1), Variable(least, 0))


def _rescaled() -> Derivation:
    ranges = (
        *(*_EXP, Variable(epsilon, 0, 1), Variable(x, 0, 1), Variable(r, -epsilon, epsilon)),
        *(Variable(delta, -least, least), Variable(theta, -u, u)),
    )
    return Derivation(
        "One rescaling, by an exp of something not positive, multiplies by c at most",
        Assumptions(ranges),
        (x * (1 + r) + delta) * (1 + theta),
        (
            Step(LE, (x * (1 + r) + least) * (1 + theta), Positivity(), "What underflow adds."),
            Step(LE, (x * (1 + epsilon) + least) * (1 + theta), Positivity(), "r <= ε."),
            Step(LE, (1 + epsilon + least) * (1 + theta), Positivity(), "The exp is 1 at most."),
            Step(LE, (1 + epsilon + least) * (1 + u), Positivity(), "The product's rounding."),
        ),
    )


def _lost_weight() -> Derivation:
    ranges = Variable(delta, -least, least), Variable(theta, -u, u), Variable(mean, -tiny, tiny)
    return Derivation(
        "A weight loses ω at most: an exp that underflows, then a product",
        Assumptions((*_EXP, Variable(tiny, 0), *ranges)),
        delta * (1 + theta) + mean,
        (
            Step(LE, least * (1 + theta) + mean, Positivity(), "No more than λ."),
            Step(LE, least * (1 + u) + mean, Positivity(), "θ <= u."),
            Step(LE, least * (1 + u) + tiny, Positivity(), "No more than τ."),
        ),
    )
