"""D6 `gradients`: what the backward pass returns is the derivative of the definition."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.attention import enclose, enclose_gradients, tensor_attention_gradients
from kvfloor.numbers import arb_precision, as_fraction, to_fmpq
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Family,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.foundations import first_differences
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.derivatives import (
    LARGEST_SUM,
    along,
    directions,
    draw_case,
    parts,
)
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = [
    "CLAIM",
    "derivations",
    "property_derivative",
    "property_laws",
    "property_remainder",
]

EQ = Relation.EQ

j, i, M = sp.symbols("j i M", integer=True)
sink, g, G, D, o, q, sigma, L, b, d = sp.symbols("w_0 g G D o q sigma L lambda mu", real=True)
g_1, g_2, total, cap, E, F = sp.symbols("g_1 g_2 Z c E F", real=True)
W, H, V, U, A, B, P, K = (sp.IndexedBase(name, real=True) for name in "whvuabpk")

ALL = (j, 1, M)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (
        *first_differences.derivations(),
        _pulled_back(),
        _row_sum(),
        _rows(),
        _linear(),
        _slots(),
        _values(),
        _cap(),
        _slope(),
    )


def _members(*bases: Any) -> tuple[Family, ...]:
    return tuple(Family(base[j], index=ALL) for base in bases)


_WEIGHTS = Family(W[j], 0, low_open=True, index=ALL)


def _pulled_back() -> Derivation:
    return Derivation(
        "The cotangents take Σ p·h·(v - o) and Σ p·h to Σ dz·h, column by column",
        Assumptions((Variable(M, 1), *map(Variable, (o, G, g)), *_members(P, V, H)), ((D, G * o),)),
        G * sp.Sum(P[j] * H[j] * (V[j] - o), ALL) + g * sp.Sum(P[j] * H[j], ALL),
        (
            Step(
                EQ,
                sp.Sum(P[j] * (G * V[j] - D + g) * H[j], ALL),
                Algebra(),
                "dz = p·(G·v - D + g). More columns add to G·v and to D.",
            ),
        ),
    )


def _row_sum() -> Derivation:
    w, a = W[j], A[j]
    return Derivation(
        "The gradients of a row of logits and of its sink, of value zero, added up",
        Assumptions(
            (
                *(Variable(M, 1), Variable(total, 0, low_open=True), Variable(sink, 0)),
                *(Variable(D), Variable(g), _WEIGHTS, *_members(A)),
            )
        ),
        sp.Sum(w / total * (a - D + g), ALL) + sink / total * (g - D),
        (
            Step(
                EQ,
                (sp.Sum(w * a, ALL) + (g - D) * (sink + sp.Sum(w, ALL))) / total,
                Algebra(),
                "p = w/Z, and a = Σ_c G·v.",
            ),
        ),
    )


def _rows() -> Derivation:
    w, a = W[j], A[j]
    return Derivation(
        "They sum to g",
        Assumptions(
            (Variable(M, 1), Variable(sink, 0), Variable(g), _WEIGHTS, *_members(A)),
            ((total, sink + sp.Sum(w, ALL)), (D, sp.Sum(w * a, ALL) / total)),
        ),
        (sp.Sum(w * a, ALL) + (g - D) * (sink + sp.Sum(w, ALL))) / total,
        (Step(EQ, g, Algebra(), "Z is the sum of the weights, and D = Σ p·a."),),
    )


def _linear() -> Derivation:
    def pulled(a: Any, at: Any, lse_cotangent: Any) -> Any:
        mean = sp.Sum(P[i] * a.xreplace({j: i}), (i, 1, M))
        return P[j] * (a - mean + lse_cotangent) * at

    a = b * A[j] + d * B[j]
    return Derivation(
        "Gradients of logits are linear in the cotangents, and so is every sum of them",
        Assumptions((Variable(M, 1), *map(Variable, (b, d, g_1, g_2)), *_members(P, A, B, H))),
        sp.Sum(pulled(a, H[j], b * g_1 + d * g_2), ALL),
        (
            Step(
                EQ,
                b * sp.Sum(pulled(A[j], H[j], g_1), ALL) + d * sp.Sum(pulled(B[j], H[j], g_2), ALL),
                Algebra(),
                "So is D, which is a mean. h is what a gradient multiplies dz by.",
            ),
        ),
    )


def _slots() -> Derivation:
    ds, k = U[j], K[j]
    return Derivation(
        "One moment for all slots and the query: Σ K·dK = Σ L·dL = Σ q·dq",
        Assumptions((Variable(M, 1), *map(Variable, (sigma, q, L)), *_members(U, K))),
        sp.Sum(k * (sigma * q * ds * L), ALL),
        (
            Step(
                EQ,
                L * (sigma * q * sp.Sum(ds * k, ALL)),
                Algebra(),
                "What the row L of the other slots gets, with each of its tuples.",
            ),
            Step(
                EQ,
                q * (sigma * sp.Sum(ds * k * L, ALL)),
                Algebra(),
                "What the query gets there. Sums over rows L and queries q keep the equalities.",
            ),
        ),
    )


def _values() -> Derivation:
    p, k, by = P[j], K[j], H[j]
    return Derivation(
        "Values of a slot that move by h, with those of the other slots L: the output moves by "
        "Σ p·L·h; so do inner products with q for p",
        Assumptions((Variable(M, 1), Variable(L), *_members(P, K, H))),
        sp.Sum(p * (k + by) * L, ALL) - sp.Sum(p * k * L, ALL),
        (Step(EQ, L * sp.Sum(p * by, ALL), Algebra(), "There is no more than the first order."),),
    )


def _capped(e: Any) -> Any:
    return cap * (e - 1) / (e + 1)


_CAP = Assumptions(
    (
        Variable(cap, 0, low_open=True),
        Variable(E, 0, low_open=True),
        Variable(F, 0, low_open=True),
    )
)


def _cap() -> Derivation:
    return Derivation(
        "A soft cap of E = e^(2s/c), c·(E - 1)/(E + 1), as E grows by F = e^(2h/c)",
        _CAP,
        _capped(E * F) - _capped(E),
        (
            Step(
                EQ,
                2 * cap * (F - 1) * E / ((E * F + 1) * (E + 1)),
                Algebra(),
                "As h tends to 0, c·(F - 1)/h tends to 2, and F to 1.",
            ),
        ),
    )


def _slope() -> Derivation:
    return Derivation(
        "So its slope is 1 - tanh²(s/c)",
        _CAP,
        2 * 2 * E / (E + 1) ** 2,
        (Step(EQ, 1 - ((E - 1) / (E + 1)) ** 2, Algebra(), "tanh(s/c) = (E - 1)/(E + 1)."),),
    )


# --- on instances ----------------------------------------------------------------------------

BITS = 200
DIGITS = 30


def property_derivative(data: st.DataObject, tally: Tally) -> None:
    """Definition and balls are, along any direction, the derivative of the definition of attention.

    That is taken by power series of balls, in which no formula of a gradient occurs.
    """
    del tally
    case = draw_case(data)
    given = case.arguments(case.cotangent, case.logsumexp_cotangent)
    balls = parts(enclose_gradients(**given, bits=BITS))
    plain = parts(tensor_attention_gradients(**given, digits=DIGITS))
    direction = directions(data, case)
    with arb_precision(BITS):
        slope, found = along(case, direction), arb(0)
        for name, by in direction.items():
            require(balls[name].shape == plain[name].shape == by.shape, f"{name}: another shape")
            for ball, x, y in zip(balls[name].flat, plain[name].flat, by.flat, strict=True):
                found += ball * to_fmpq(Fraction(y))
                apart = abs(ball - to_fmpq(as_fraction(x, name)))
                promised = bool(apart <= arb(10) ** -DIGITS * LARGEST_SUM)
                require(promised, f"{name}: the definition and its ball are {apart} apart")
        require(found.overlaps(slope), f"the derivative is {slope}, by gradients {found}")
        width = found.rad() + slope.rad()
        require(bool(width <= arb(2) ** (32 - BITS)), f"balls of radius {width} say little")


def property_remainder(data: st.DataObject, tally: Tally) -> None:
    """Logits that move by h <= ε: first differences are within ε²(2-ε)/(1-ε)² of gradients."""
    del tally
    n = data.draw(st.integers(2, 4), label="n")

    def column(label: str, *menu: int) -> list[Fraction]:
        places = st.lists(st.sampled_from(menu), min_size=n, max_size=n)
        return [Fraction(x) for x in data.draw(places, label=label)]

    z, v = column("z", -3, 0, 1), column("v", 1, 0, -2)
    epsilon = Fraction(1, data.draw(st.sampled_from((2, 3, 10, 10**6)), label="1/ε"))
    h = [epsilon * x for x in column("h/ε", 1, -1, 0)]
    after = [x + y for x, y in zip(z, h, strict=True)]
    here, there = (enclose([1], [_column(at)], [_column(v)], bits=BITS) for at in (z, after))
    with arb_precision(BITS):
        rise, out = there.logsumexp - here.logsumexp, here.output[0]
        below, above = _first_order(z, v, h, (0, 1)), _first_order(after, v, h, (0, 1))
        require(not below > rise and not rise > above, "lse is not between its tangents")
        deviations = arb(0)
        for x, y in zip(z, v, strict=True):
            deviations += (to_fmpq(x) - here.logsumexp).exp() * abs(to_fmpq(y) - out)
        share = first_differences.BOUND.subs(
            first_differences.delta, sp.Rational(*epsilon.as_integer_ratio())
        )
        rest = abs(there.output[0] - out - _first_order(z, v, h, (1, 0)))
        require(not rest > deviations * to_fmpq(Fraction(str(share))), f"{rest} is left")


def _first_order(z: Any, v: Any, h: Any, cotangents: tuple[int, int]) -> arb:
    """Σ dz·h for cotangents of the output and the log-sum-exp."""
    G, g = cotangents
    found = enclose_gradients(
        *([1], [_column(z)], [_column(v)], [G]),
        logsumexp_cotangent=g,
        bias=np.zeros(len(z)),
        bits=BITS,
    )
    return sum((dz * to_fmpq(y) for dz, y in zip(found.bias, h, strict=True)), arb(0))


def _column(numbers: list[Fraction]) -> list[list[Fraction]]:
    return [[x] for x in numbers]


def property_laws(data: st.DataObject, tally: Tally) -> None:
    """Rows sum to g; moments of slots are that of queries; cotangents go in linearly."""
    del tally
    case = draw_case(data)
    G, g = case.cotangent, case.logsumexp_cotangent
    other = directions(data, case)["query"][:, :1] * G
    first, second, both = (
        parts(enclose_gradients(**case.arguments(*pair), bits=BITS))
        for pair in ((G, g), (other, 0 * g), (2 * G - 3 * other, 2 * g))
    )
    mask = case.options["mask"]
    with arb_precision(BITS):
        for name, joined in both.items():
            for x, y, z in zip(first[name].flat, second[name].flat, joined.flat, strict=True):
                require((2 * x - 3 * y).overlaps(z), f"{name}: not linear in the cotangents")
        for b, row in enumerate(first["bias"]):
            ends = [first["sink"][b]] if "sink" in first else []
            empty = not ends and mask is not None and not mask[b].any()
            of_row = sum([*row.flat, *ends], arb(0))
            right = Fraction(0 if empty else g[b])
            require(of_row.contains(to_fmpq(right)), f"row {b} sums to {of_row}, not {right}")
        for c in range(case.given["query"].shape[1]):
            moments = [
                sum(
                    (to_fmpq(Fraction(x)) * y for x, y in zip(A[:, c], dA[:, c], strict=True)),
                    arb(0),
                )
                for A, dA in (
                    (case.given[name], first[name])
                    for name in ("query", *(f"keys {r}" for r in range(case.order)))
                )
            ]
            require(all(moments[0].overlaps(x) for x in moments), f"moments {moments}")


CLAIM = Claim(
    slug="gradients",
    title="the backward pass: six formulas are the derivative of attention of any order",
    statement="""\
Let G_b be the cotangent of the output of query b, and g_b that of its log-sum-exp. For a tuple
t = (j_1 … j_m) let `k_t = Π_r K_r[j_r]`, `v_t = Π_r V_r[j_r]`, `s_bt = σ Σ_c q_bc·k_tc`, let the
logit be `cap(s_bt) + bias_bt`, and p_bt its weight. With `D_b = Σ_c G_bc·out_bc` the derivative of
`Σ_b (Σ_c G_bc·out_bc + g_b·lse_b)` is
`dz_bt = p_bt·(Σ_c G_bc·v_tc - D_b + g_b)` for a logit and its bias, `p_b0·(g_b - D_b)` for a sink,
`ds_bt = dz_bt·(1 - tanh²(s_bt/c))` for an inner product under a soft cap c,
`dq_bc = σ Σ_t ds_bt·k_tc`, `dK_r[j, c] = σ Σ_b q_bc Σ_{t: t_r = j} ds_bt·Π_{s≠r} K_s[t_s, c]` and
`dV_r[j, c] = Σ_b G_bc Σ_{t: t_r = j} p_bt·Π_{s≠r} V_s[t_s, c]`. A tuple that is masked gets zero,
and a row without a tuple or sink contributes nothing.

Let logits move by h_t, |h_t| <= ε < 1. The log-sum-exp rises by `Σ p_t·h_t` at least, and by the
same with the weights after the step at most. The output moves by `Σ p_t·h_t·(v_t - out)`, but for
`ε²(2-ε)/(1-ε)²·Σ p_t·|v_t - out|`: what is left is of second order, and the formula of dz is the
derivative. Inner products are linear in the query and in each slot, and so is the output in each
slot of values; the rest is the chain rule.

So, for each row with a tuple or sink, the gradients of its logits and of its sink sum to g_b;
gradients are linear in the cotangents; and `Σ_j K_r[j, c]·dK_r[j, c]` is one number for all slots
r, and `Σ_b q_bc·dq_bc` is it, too: what is moved from one slot to another changes nothing.""",
    source="D6",
    assumptions=("the chain rule, and limits of these bounds as ε tends to 0, are calculus",),
    verdict="holds",
    derivations=derivations,
    properties=(property_derivative, property_remainder, property_laws),
)
