"""What accuracy takes in bits: derivations about separated sets and rounded caches (S5)."""

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
from kvfloor_proofs.foundations.entropies import PRODUCT, x, y

__all__ = [
    "B",
    "B_v",
    "E_k",
    "E_v",
    "N_k",
    "N_v",
    "Q",
    "R",
    "alpha",
    "c",
    "derivations",
    "k",
    "m",
    "points",
    "r",
    "reach",
    "sigma",
    "v",
]

EQ, LE, LT, GE, GT = Relation.EQ, Relation.LE, Relation.LT, Relation.GE, Relation.GT

j, m, r, k, v = sp.symbols("j m r k v", integer=True)
c, t, u, W, R, alpha, points, bits = sp.symbols("c t u W R alpha K b", real=True)
one, other, answer, rounding, unit = sp.symbols("f g o e u", real=True)
N, N_k, N_v, E, E_k, E_v = sp.symbols("N N_k N_v E E_k E_v", real=True)
B, B_v, Q, sigma = sp.symbols("B B_v Q sigma", real=True)
away, w, apart, reach, size = (
    sp.IndexedBase(name, real=True)[j] for name in ("D", "w", "delta", "rho", "K")
)

_ACCURACY = Variable(alpha, 0, low_open=True)
_COORDINATES = (1, r)


def _sum(term: sp.Expr) -> sp.Expr:
    return sp.Sum(term, (j, *_COORDINATES))


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of `entropy-dimension`."""
    return (
        _differs(),
        _spaced(),
        _not_served(),
        _lower(),
        _cells_in_the_bound(),
        _rounded_answers(),
        _accurate(),
        _cells_in_nats(),
        _upper(),
    )


def _differs() -> Derivation:
    # D_j = |J·A - I|_ij for this i, J by the mean value theorem between the two points.
    total = _sum(away * w)
    families = (
        Family(away, 0, index=(j, *_COORDINATES)),
        Family(w, 0, low_open=True, index=(j, *_COORDINATES)),
        Family(apart, 0, t * w, index=(j, *_COORDINATES)),
    )
    ranges = (
        Variable(r, 1),
        Variable(t, 0, low_open=True),
        *families,
        Variable(W, 0, low_open=True),
        Variable(c, total / W, 1, high_open=True),
    )
    return Derivation(
        "Where t = |y_i - y'_i|/w_i is largest, output i differs by (1-c)·|y_i - y'_i| or more",
        Assumptions(ranges),
        t * W - _sum(away * apart),
        (
            Step(
                GE,
                t * W - _sum(away * (t * w)),
                Monotone(
                    Variable(u),
                    t * W - u,
                    _sum(away * apart),
                    _sum(away * (t * w)),
                    Termwise(Positivity()),
                ),
                "No |y_j - y'_j| exceeds t·w_j.",
            ),
            Step(EQ, t * W - t * total, Algebra(), "Take t out of the sum."),
            Step(GE, t * W - t * c * W, Positivity(), "The contraction is c: Σ D_j·w_j <= c·w_i."),
            Step(EQ, (1 - c) * (t * W), Algebra(), "W = w_i, so t·W = |y_i - y'_i|."),
        ),
    )


def _spaced() -> Derivation:
    ranges = (
        Variable(c, 0, 1, high_open=True),
        Variable(R, 0, low_open=True),
        _ACCURACY,
        Variable(points, 1, 1 + (1 - c) * R / alpha, low_open=True, high_open=True),
    )
    return Derivation(
        "K < 1 + (1-c)·R/α points on [-R, R] are so far apart that outputs differ by more than 2α",
        Assumptions(ranges),
        (1 - c) * (2 * R / (points - 1)),
        (Step(GT, 2 * alpha, Positivity(), "The spacing is 2R/(K-1)."),),
    )


def _not_served() -> Derivation:
    ranges = (
        _ACCURACY,
        Variable(other),
        Variable(one, other + 2 * alpha, low_open=True),
        Variable(answer, one - alpha, one + alpha),
    )
    return Derivation(
        "An answer within α of one of two such outputs is not within α of the other",
        Assumptions(ranges),
        answer - other,
        (
            Step(GE, one - alpha - other, Positivity(), "It is within α of the one."),
            Step(GT, alpha, Positivity(), "The outputs differ by more than 2α."),
        ),
    )


def _lower() -> Derivation:
    ranges = (
        Variable(r, 1),
        _ACCURACY,
        Family(reach, 0, low_open=True, index=(j, *_COORDINATES)),
        Family(size, reach / alpha, index=(j, *_COORDINATES)),
        Variable(bits, _sum(sp.log(size)) / sp.log(2)),
    )
    log_size = Monotone(Variable(u, 0, low_open=True), sp.log(u), size, reach / alpha, Positivity())
    split = Termwise(Cite(PRODUCT, ((x, reach), (y, 1 / alpha))))
    return Derivation(
        "As many states as points of the grid take r·log₂(1/α) bits and a constant; here in nats",
        Assumptions(ranges),
        bits * sp.log(2),
        (
            Step(GE, _sum(sp.log(size)), Positivity(), "States at least as points."),
            Step(GE, _sum(sp.log(reach / alpha)), Termwise(log_size), "K_j = ⌈ρ_j/α⌉."),
            Step(EQ, _sum(sp.log(reach) + sp.log(1 / alpha)), split, "Logarithms of products."),
            Step(
                EQ,
                r * sp.log(1 / alpha) + _sum(sp.log(reach)),
                Algebra(),
                "Add up: c₀ is minus the sum that is left, over ln 2.",
            ),
        ),
    )


_CELLS = (Variable(N_k, 0, low_open=True), Variable(N_v, 0, low_open=True))
_ERRORS = (Variable(E_k, 0, low_open=True), Variable(E_v, 0, low_open=True))


def _cells_in_the_bound() -> Derivation:
    ranges = (
        Variable(m, 1),
        *(Variable(symbol, 0, low_open=True) for symbol in (sigma, Q, B, B_v)),
        *_CELLS,
    )
    logit = sigma * Q * (m * B ** (m - 1) * (B / N_k))
    error = B_v**m * logit + m * B_v ** (m - 1) * (B_v / N_v)
    by_key, by_value = sigma * Q * m * B**m * B_v**m, m * B_v**m
    return Derivation(
        "With N cells each term of quantised-upper-bound is an N-th of that with one cell",
        Assumptions(ranges),
        error,
        (Step(EQ, by_key / N_k + by_value / N_v, Algebra(), "ε = B/N, half a cell."),),
    )


_MOST = alpha / (2 * N_k) + alpha / (2 * N_v)
_ANSWERS = (
    _ACCURACY,
    *_ERRORS,
    *(Variable(n, 2 * e / alpha + 1) for n, e in ((N_k, E_k), (N_v, E_v))),
    Variable(unit, 0, E_k + E_v, low_open=True),
    Variable(rounding, 0, unit / (N_k * N_v)),
)


def _rounded_answers() -> Derivation:
    product = N_k * N_v
    return Derivation(
        "Answers rounded by u/(N_k·N_v), u <= E_k + E_v, are off by no more than a cell leaves; "
        "u is 2^-128 for the cache",
        Assumptions(_ANSWERS),
        rounding,
        (
            Step(LE, unit / product, Positivity(), "Answers are rounded by no more."),
            Step(LE, (E_k + E_v) / product, Positivity(), "u <= E_k + E_v."),
            Step(
                LE,
                (alpha * (N_k - 1) / 2 + E_v) / product,
                Positivity(),
                "E_k <= α·(N_k - 1)/2.",
            ),
            Step(
                LE,
                (alpha * (N_k - 1) / 2 + alpha * (N_v - 1) / 2) / product,
                Positivity(),
                "And so for values.",
            ),
            Step(LE, alpha * (N_k + N_v) / (2 * product), Positivity(), "One cell more of each."),
            Step(EQ, _MOST, Algebra(), "Divide."),
        ),
    )


def _accurate() -> Derivation:

    def half(n: sp.Expr) -> sp.Expr:
        return alpha * (n - 1) / (2 * n)

    return Derivation(
        "N >= 2E/α + 1 cells for keys and for values leave an error of α, rounding of answers too",
        Assumptions(_ANSWERS),
        E_k / N_k + E_v / N_v + rounding,
        (
            Step(LE, half(N_k) + E_v / N_v + rounding, Positivity(), "E_k <= α·(N_k - 1)/2."),
            Step(LE, half(N_k) + half(N_v) + rounding, Positivity(), "And so for values."),
            Step(
                LE,
                half(N_k) + half(N_v) + _MOST,
                Monotone(
                    Variable(t),
                    half(N_k) + half(N_v) + t,
                    rounding,
                    _MOST,
                    Cite(_rounded_answers()),
                ),
                "Answers are rounded by less.",
            ),
            Step(EQ, alpha, Algebra(), "Add up."),
        ),
    )


def _cells_in_nats() -> Derivation:
    most = (2 * E + 2) / alpha
    grows = Monotone(Variable(u, 0, low_open=True), sp.log(u), N, most, Positivity())
    accuracy = Variable(alpha, 0, 1, low_open=True)
    cells = Variable(N, 1, 2 * E / alpha + 2)
    return Derivation(
        "For α <= 1 the cell of an entry takes log₂(1/α) bits and a constant; here in nats",
        Assumptions((accuracy, Variable(E, 0, low_open=True), cells)),
        sp.log(N),
        (
            Step(LE, sp.log(most), grows, "N <= 2E/α + 2, and α <= 1."),
            Step(
                EQ,
                sp.log(2 * E + 2) + sp.log(1 / alpha),
                Cite(PRODUCT, ((x, 2 * E + 2), (y, 1 / alpha))),
                "The logarithm of a product.",
            ),
        ),
    )


def _upper() -> Derivation:
    accuracy = Variable(alpha, 0, 1, low_open=True)
    cells = tuple(Variable(n, 1, 2 * e / alpha + 2) for n, e in ((N_k, E_k), (N_v, E_v)))
    two_bits = 2 * sp.log(2)

    def in_nats(by_key: sp.Expr, by_value: sp.Expr) -> sp.Expr:
        return k * by_key + v * by_value + two_bits

    def most(e: sp.Expr) -> sp.Expr:
        return sp.log(2 * e + 2) + sp.log(1 / alpha)

    def cell(n: sp.Expr, e: sp.Expr) -> Cite:
        return Cite(_cells_in_nats(), ((N, n), (E, e)))

    by_key = Monotone(Variable(u), in_nats(u, sp.log(N_v)), sp.log(N_k), most(E_k), cell(N_k, E_k))
    by_value = Monotone(Variable(u), in_nats(most(E_k), u), sp.log(N_v), most(E_v), cell(N_v, E_v))
    return Derivation(
        "k entries of keys and v of values take r·log₂(1/α) bits and a constant, r = k + v; in "
        "nats, with two bits for the number of tokens and for rounding up",
        Assumptions((Variable(k, 0), Variable(v, 0), accuracy, *_ERRORS, *cells)),
        in_nats(sp.log(N_k), sp.log(N_v)),
        (
            Step(LE, in_nats(most(E_k), sp.log(N_v)), by_key, "The cells of keys."),
            Step(LE, in_nats(most(E_k), most(E_v)), by_value, "The cells of values."),
            Step(
                EQ,
                (k + v) * sp.log(1 / alpha)
                + (k * sp.log(2 * E_k + 2) + v * sp.log(2 * E_v + 2) + two_bits),
                Algebra(),
                "Collect: c₁ is what does not depend on α, over ln 2.",
            ),
        ),
    )
