"""E5 `gradient-rounding`: correctly rounded gradients are found, and what is left to chance."""

from __future__ import annotations

from math import copysign
from typing import Any

import sympy as sp
from hypothesis import strategies as st

from kvfloor.attention import GradientLayers, tensor_attention_gradients_rounded
from kvfloor.numbers import FORMATS, BinaryFormat, as_format, ball_ends
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Derivation,
    Family,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.exponential_quotients import Quotient, draw_whole
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "derivations", "property_single", "property_sums"]

EQ, LE = Relation.EQ, Relation.LE

i, j, M, d = sp.symbols("i j M d", integer=True)
r, g, D, Z, ratio, N, Y = sp.symbols("r g D Z lambda N Y", real=True)
u_1, m_1, k_1, a_1 = sp.symbols("U_1 m_1 K_1 A_1", real=True)
degree, height, prime, size = sp.symbols("Delta H p L", real=True)
W, X, S, U, K, A, B = (sp.IndexedBase(name, real=True) for name in "wxsukab")
m = sp.IndexedBase("m", real=True)

ALL, OTHER = (j, 1, M), (i, 1, M)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return _share(), _less(), _pairs(), _limit(), _split(), _conjugate(), _chance()


def _families(*bases: Any) -> tuple[Family, ...]:
    return tuple(Family(base[j], index=ALL) for base in bases)


_COUNTS = Family(m[j], 0, low_open=True, index=ALL)


def _share() -> Derivation:
    w, k, a = W[j], K[j], A[j]
    return Derivation(
        "What one query gives a gradient, Σ k·dz, by sums of its weights w = Z·p",
        Assumptions(
            (
                *(Variable(M, 1), Variable(Z, 0, low_open=True), Variable(D), Variable(g)),
                *_families(W, K, A),
            )
        ),
        sp.Sum(k * (w / Z) * (a - D + g), ALL),
        (
            Step(
                EQ,
                sp.Sum(k * (a + g) * w, ALL) / Z - D * sp.Sum(k * w, ALL) / Z,
                Algebra(),
                "a = Σ_c G·v, and D = Σ a·w/Z. Tuples of one logit s go together: U_s, K_s, A_s.",
            ),
        ),
    )


def _less() -> Derivation:
    def total(of: Any) -> Any:
        return sp.Sum(of * sp.exp(S[j]), ALL)

    return Derivation(
        "A share less a rational r is a quotient of sums of exponentials",
        Assumptions((Variable(M, 1), Variable(r), _COUNTS, *_families(S, U, K, A))),
        total(U[j]) / total(m[j]) - total(A[j]) / total(m[j]) * total(K[j]) / total(m[j]) - r,
        (
            Step(
                EQ,
                (total(U[j] - r * m[j]) * total(m[j]) - total(K[j]) * total(A[j]))
                / total(m[j]) ** 2,
                Algebra(),
                "It is r just if the numerator is 0.",
            ),
        ),
    )


def _pairs() -> Derivation:
    first, second = sp.exp(S[i]), sp.exp(S[j])
    return Derivation(
        "The numerator by sums of two logits",
        Assumptions((Variable(M, 1), Variable(r), *_families(S, m, U, K, A))),
        sp.Sum((U[i] - r * m[i]) * first, OTHER) * sp.Sum(m[j] * second, ALL)
        - sp.Sum(K[i] * first, OTHER) * sp.Sum(A[j] * second, ALL),
        (
            Step(
                EQ,
                sp.Sum(((U[i] - r * m[i]) * m[j] - K[i] * A[j]) * sp.exp(S[i] + S[j]), OTHER, ALL),
                Algebra(),
                "By E6 it is 0 only if the coefficients of each sum s_i + s_j add up to 0.",
            ),
        ),
    )


def _limit() -> Derivation:
    return Derivation(
        "There is one rational to ask for: twice the largest logit is no other sum",
        Assumptions(
            (*map(Variable, (u_1, k_1, a_1)), Variable(m_1, 0, low_open=True)),
            ((r, (u_1 * m_1 - k_1 * a_1) / m_1**2),),
        ),
        (u_1 - r * m_1) * m_1 - k_1 * a_1,
        (Step(EQ, sp.Integer(0), Algebra(), "The coefficient there is 0 for this r alone."),),
    )


def _split() -> Derivation:
    def total(of: Any) -> Any:
        return sp.Sum(of * W[j], ALL)

    return Derivation(
        "The numerator is 0, whatever the logits are, if A = λ·m and U - r·m = λ·K",
        Assumptions((Variable(M, 1), Variable(ratio), *_families(W, m, K))),
        total(ratio * K[j]) * total(m[j]) - total(K[j]) * total(ratio * m[j]),
        (Step(EQ, sp.Integer(0), Algebra(), "Take λ out of both sums."),),
    )


def _conjugate() -> Derivation:
    root = sp.sqrt(d)
    return Derivation(
        "With the scale 1/√d a gradient of a query or key is N/(Y·√d): that less r, times √d·Y and "
        "its conjugate",
        Assumptions((Variable(d, 1), *map(Variable, (N, Y, r)))),
        (N - r * Y * root) * (N + r * Y * root),
        (
            Step(
                EQ,
                N**2 - d * r**2 * Y**2,
                Algebra(),
                "With rational coefficients. If it is 0, so is r, or d is a square.",
            ),
        ),
    )


def _chance() -> Derivation:
    bits = sp.Integer(2) ** 67
    ranges = (
        Variable(size, 1),
        Variable(degree, 0, size),
        Variable(height, 0, size),
        Variable(prime, bits * size),
    )
    return Derivation(
        "A numerator of degree Δ and height 2^H that is not 0 is 0 at a random point, modulo a "
        "random prime p of B bits: Δ, H <= L and 2^(B-1) = 2^67·L",
        Assumptions(ranges),
        degree / (prime - 1) + sp.Rational(6, 5) * height / (bits * size),
        (
            Step(
                LE,
                size / (prime - 1) + sp.Rational(6, 5) * height / (bits * size),
                Positivity(),
                "It has Δ zeros at most, of p - 1 points.",
            ),
            Step(
                LE,
                size / (bits * size - 1) + sp.Rational(6, 5) * height / (bits * size),
                Positivity(),
                "p >= 2^(B-1).",
            ),
            Step(
                LE,
                size / (bits * size - 1) + sp.Rational(6, 5) / bits,
                Positivity(),
                "H/(B-1) such primes at most divide a coefficient, of 2^(B-1)/(1.2·(B-1)).",
            ),
            Step(Relation.LT, sp.Rational(1, 2**64), Positivity(), "L >= 1."),
        ),
    )


# --- on instances ----------------------------------------------------------------------------

BITS = 1200  # weights of drawn cases are e^-400 or more


def property_single(data: st.DataObject, tally: Tally) -> None:
    """Gradients of one query are rounded as polynomials in e say, by proof alone."""
    del tally
    layers = _rounded(data, queries=1)
    require(layers.residues == 0, f"{layers.residues} numbers of one query are not proved")


def property_sums(data: st.DataObject, tally: Tally) -> None:
    """So are sums over two queries, one of which may undo the other."""
    del tally
    _rounded(data, queries=2)


def _rounded(data: st.DataObject, *, queries: int) -> GradientLayers:
    target = as_format(data.draw(st.sampled_from(FORMATS), label="format"))
    rounding: Any = data.draw(st.sampled_from(("nearest", "up", "down", "zero")), label="rounding")
    case, layers = draw_whole(data, target, queries=queries), GradientLayers()
    found = tensor_attention_gradients_rounded(
        **case.arguments, dtype=target.name, rounding=rounding, layers=layers
    )
    for name, number, quotient in case.quotients(found):
        right = _right(quotient, target, rounding)
        signed = number != 0 or quotient.rational != 0 or copysign(1, number) > 0
        require(number == right and signed, f"{name}: {number}, not {right}")
    return layers


def _right(quotient: Quotient, target: BinaryFormat, rounding: Any) -> float:
    """A gradient rounded: as the rational that it is, or as all of a ball that holds it."""
    rational = quotient.rational
    if rational is not None:
        return target.round(rational, rounding)
    low, high = (target.round(end, rounding) for end in ball_ends(quotient.enclose(BITS)))
    require(low == high, f"{BITS} bits do not part an irrational gradient from a boundary")
    return low


CLAIM = Claim(
    slug="gradient-rounding",
    title="correctly rounded gradients are computable; of one query rationals are recognised",
    statement="""\
One query gives a gradient the share `N/Z²`. Group its tuples by their exact logits s, m_s of them,
with values that sum to A_s under the cotangent, and let K_s and U_s be the sums of k_t and of
`k_t·(Σ_c G_c·v_tc + g)`, where k_t is what the gradient multiplies ds_t by. Then
`N = (Σ U_s·e^s)·(Σ m_s·e^s) - (Σ K_s·e^s)·(Σ A_s·e^s)` and `Z = Σ m_s·e^s`. (A gradient of values
has no K, and in U what p_t is multiplied by.) `N/Z² = r` for a rational r just if for every sum of
two logits the coefficients of `N - r·Z²` add up to 0 (`exponentials-independent`). Twice the
largest logit is the sum of no other two, so there is one r to ask for. So of one query it is
decided whether a gradient is a rational, and a rational is rounded as such. What is none is equal
to no boundary, and enclosures of growing precision end, as in `correct-rounding-terminates`.

A sum over queries is a quotient of sums of exponentials, too. Without a soft cap it is not r, for
certain, once it is not r modulo one prime. It is proved to be r if every share is a rational and
they add up to r. Shares that are not rational, and yet cancel, are compared with r at a random
point modulo a random prime: what is not r passes with a chance below 2^-64. The same holds of one
query with more than 512 different logits that no simpler reason proves, and of a zero under a soft
cap; `GradientLayers.residues` counts these numbers.

With the scale 1/√d gradients of queries and keys have a factor √d, and are no rationals but 0.

The program stops at 2^16 bits. What they do not part from a boundary, and of which it is not known
on which side of it, is refused with an error: under a soft cap a boundary that is none as a
function; and what is nearer to one than 2^16 bits tell, under a soft cap, with more than 512
different logits, or if what the shares of several queries leave beyond their largest logits
cancels.""",
    source="E5; Schwartz 1980, Zippel 1979",
    assumptions=(
        "inputs are rational; the scale is rational, or 1/√d",
        "for the chance: draws are uniform, and of numbers of B bits more than 2^(B-1)/(1.2·(B-1)) "
        "are primes",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_single, property_sums),
)
