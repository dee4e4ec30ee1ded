"""T4 `low-dimension`: what norms and dimension leave of the floor, d·min(n, e^Ω(d))."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import isqrt

import sympy as sp
from flint import arb, fmpq
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention
from kvfloor.families import AddressBook, axes, binary_keys, greedy_code, polygon, roots_d, roots_e8
from kvfloor.floors import best, crossover, exceeds_log, leak, margin_ratio, threshold
from kvfloor.numbers import arb_precision, to_fmpq
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Monotone,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.claims import decode_threshold
from kvfloor_proofs.claims.decode_threshold import GUARANTEE, alpha, eta, leak_of, ratio
from kvfloor_proofs.claims.softmax_concentration import g
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import bits, edge_answer, guarantees
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "A", "N", "cosine", "derivations", "rho"]

EQ, LE, LT = Relation.EQ, Relation.LE, Relation.LT

d, n, A = sp.symbols("d n A", integer=True)
N, u, x, eps, kappa, rho, cosine = sp.symbols("N u x epsilon kappa rho c", real=True)

_SIZE = sp.exp(eps**2 * d / 4)
_EPSILON = Variable(eps, 0, 1, low_open=True, high_open=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_code(), _exponentially_many(), _margin(), _crossover())


def _code() -> Derivation:
    least = sp.log(ratio(A - 1)) / (1 - cosine)
    return Derivation(
        "A keys at angle θ can be read once ρ(1 - cos θ) > ln((A-1)(1+η+2α)/(1-η-2α)); c = cos θ",
        Assumptions(
            (
                Variable(A, 2),
                *GUARANTEE,
                Variable(cosine, -1, 1, high_open=True),
                Variable(rho, least, low_open=True),
            )
        ),
        leak_of(A - 1).xreplace({g: rho * (1 - cosine)}),
        (
            Step(
                LT,
                (1 - eta) / 2 - alpha,
                Cite(
                    decode_threshold.margin_suffices(),
                    ((decode_threshold.c, A - 1), (g, rho * (1 - cosine))),
                ),
                "L2, with the margin ρ(1 - cos θ) and A - 1 competitors.",
            ),
        ),
    )


def _exponentially_many() -> Derivation:
    tail = sp.exp(-(eps**2) * d / 2)
    return Derivation(
        "There are N = e^(ε²d/4) rows of signs with all inner products below εd",
        Assumptions((Variable(d, 1), _EPSILON, Variable(N, 1, _SIZE))),
        N * (N - 1) / 2 * tail,
        (
            Step(LT, N**2 / 2 * tail, Positivity(), "More pairs than there are."),
            Step(
                LE,
                _SIZE**2 / 2 * tail,
                Monotone(Variable(u, 0), u**2 / 2 * tail, N, _SIZE, Positivity()),
                "N is at most e^(ε²d/4); the exponentials cancel.",
            ),
            Step(LT, sp.Integer(1), Positivity(), "So some draw has no such pair (`sign-keys`)."),
        ),
    )


def _margin() -> Derivation:
    # u is d, real here: at least (4/ε²)·ln N.
    one = sp.log(ratio(sp.Integer(1)))
    least = (eps**2 / 4 + one / u) / (1 - eps)
    return Derivation(
        "N <= e^(ε²d/4) can be read where ρ = κd with κ(1-ε) >= ε²/4 + ln((1+η+2α)/(1-η-2α))/d",
        Assumptions(
            (
                *GUARANTEE,
                _EPSILON,
                Variable(N, 1, low_open=True),
                Variable(u, 4 * sp.log(N) / eps**2),
                Variable(kappa, least),
            )
        ),
        ratio(N - 1),
        (
            Step(EQ, ratio(N) - ratio(sp.Integer(1)), Algebra(), "Multiply out."),
            Step(LT, ratio(N), Positivity(), "One competitor more."),
            _grows(sp.log(N) + one, eps**2 * u / 4 + one, "N = e^ln N is at most e^(ε²d/4)."),
            _grows(eps**2 * u / 4 + one, kappa * u * (1 - eps), "That is the condition on κ."),
        ),
    )


def _grows(low: sp.Expr, high: sp.Expr, reason: str) -> Step:
    """Step from exp(low) to exp(high)."""
    return Step(LE, sp.exp(high), Monotone(Variable(x), sp.exp(x), low, high, Positivity()), reason)


def _crossover() -> Derivation:
    least = 4 * sp.log(n) / eps**2
    return Derivation(
        "They are as many as the n tokens from d = (4/ε²)·ln n on, here u",
        Assumptions((Variable(n, 1), _EPSILON, Variable(u, least))),
        n,
        (
            Step(
                LE,
                sp.exp(eps**2 * u / 4),
                Monotone(Variable(N), sp.exp(eps**2 * N / 4), least, u, Positivity()),
                "n is that at d = (4/ε²)·ln n, and it grows with d.",
            ),
        ),
    )


EXPLICIT: dict[str, Callable[[int], AddressBook]] = {
    "binary-keys": binary_keys,
    "polygon": polygon,
    "roots-d": roots_d,
    "roots-e8": roots_e8,
    "signed-axes": axes,
}


def property_explicit_codes(data: st.DataObject, tally: Tally) -> None:
    """The codes of L5 are read at ‖q‖·‖k‖ <= ρ wherever the condition holds: the floor's bits."""
    del tally
    book = EXPLICIT[data.draw(st.sampled_from(sorted(EXPLICIT)), label="code")](
        data.draw(st.integers(2, 24), label="keys")
    )
    guarantee = data.draw(guarantees(), label="guarantee")
    # The strength: ρ/√norms_squared, or a hair less where that is no rational.
    norms = data.draw(st.fractions(0, 30, max_denominator=8), label="ρ")
    strength = norms / (isqrt(book.norms_squared - 1) + 1)
    enough = exceeds_log(strength * book.margin, margin_ratio(guarantee, Fraction(book.n - 1)))
    with arb_precision(256):
        lam = leak((book.n - 1) * arb(to_fmpq(-strength * book.margin)).exp())
        least = (1 - to_fmpq(guarantee.eta)) / 2 - to_fmpq(guarantee.alpha)
        require(bool(lam < least) == enough, "the condition is not that of L2")
    if not enough:
        return
    x = data.draw(bits(book.n), label="bits")
    attention = ExactAttention([book.keys], [[[b] for b in x]])
    read = 0
    for direction, b in zip(book.directions, x, strict=True):
        (out,) = attention([strength * c for c in direction]).enclose()
        worst = edge_answer(guarantee, out, bit=b)
        require((worst > threshold(guarantee)) == bool(b), "a bit is not read")
        read += 1
    found = best(book.n, book.d, rho=norms, eta=guarantee.eta, alpha=guarantee.alpha, d_v=1)
    require(read == found.bits == book.n, "the floor is not the number of bits that were read")


def property_best(data: st.DataObject, tally: Tally) -> None:
    """The best floor is what its code gives, and no explicit code gives more."""
    del tally
    tokens = data.draw(st.integers(1, 60), label="n")
    dimension = data.draw(st.integers(1, 9), label="d")
    norms = data.draw(st.fractions(0, 60, max_denominator=4), label="ρ")
    guarantee = data.draw(guarantees(), label="guarantee")
    found = best(tokens, dimension, rho=norms, eta=guarantee.eta, alpha=guarantee.alpha, d_v=3)
    require(found.bits == 3 * found.addresses, "the floor is not d_v bits for each address")

    def separates(k: int, cosine: fmpq | arb) -> bool:
        with arb_precision(256):
            lam = leak((k - 1) * arb(-to_fmpq(norms) * (1 - cosine)).exp())
            return bool(lam < (1 - to_fmpq(guarantee.eta)) / 2 - to_fmpq(guarantee.alpha))

    for book in _explicit_codes(dimension):
        cosine = 1 - fmpq(book.margin, isqrt(book.norms_squared))
        most = max(k for k in range(1, min(tokens, book.n) + 1) if separates(k, cosine))
        require(found.addresses >= most, f"{book.name} gives more")
    if dimension >= 2:
        for k in range(1, tokens + 1):
            if separates(k, arb.cos_pi_fmpq(fmpq(2, k))):
                require(found.addresses >= k, "a polygon gives more")
    if found.addresses > 1 and found.code != "polygon":
        numerator = Fraction(found.angle.removeprefix("arccos(").removesuffix(")"))
        require(separates(found.addresses, to_fmpq(numerator)), "its own code is not read")


def _explicit_codes(dimension: int) -> list[AddressBook]:
    """All keys of each explicit code that fits, to have cosines from the keys themselves."""
    d_roots = [roots_d(2 * dimension * (dimension - 1), dimension)] if dimension >= 2 else []
    e8 = [roots_e8()] if dimension >= 8 else []
    cubes = [binary_keys(2**a, a) for a in range(1, min(dimension, 6) + 1)]
    return [axes(2 * dimension, dimension), *d_roots, *e8, *cubes]


def property_monotone(data: st.DataObject, tally: Tally) -> None:
    """The best floor grows with n, d and ρ, and falls with η and α."""
    del tally
    n_least = data.draw(st.integers(1, 10**6), label="n")
    d_least = data.draw(st.integers(1, 80), label="d")
    norms = data.draw(st.fractions(0, 90, max_denominator=4), label="ρ")
    guarantee = data.draw(guarantees(), label="guarantee")
    bits_least = best(n_least, d_least, rho=norms, eta=guarantee.eta, alpha=guarantee.alpha).bits
    more = best(
        n_least + data.draw(st.integers(0, 9), label="n more"),
        d_least + data.draw(st.integers(0, 9), label="d more"),
        rho=norms + data.draw(st.fractions(0, 9, max_denominator=4), label="ρ more"),
        eta=guarantee.eta * data.draw(st.fractions(0, 1, max_denominator=4), label="part of η"),
        alpha=guarantee.alpha * data.draw(st.fractions(0, 1, max_denominator=4), label="of α"),
    )
    require(more.bits >= bits_least, "fewer bits with more of n, d, ρ and less of η, α")
    unbounded = best(n_least, d_least, rho=None)
    require(unbounded.bits >= bits_least, "fewer bits with norms unbounded")


def property_crossover(data: st.DataObject, tally: Tally) -> None:
    """With ρ = κd all n tokens count from a d on that is at most what the theorem says."""
    del tally
    tokens = data.draw(st.integers(1, 10**6), label="n")
    per_dimension = data.draw(st.fractions(Fraction(1, 4), 8, max_denominator=4), label="κ")
    least = crossover(tokens, rho_per_dimension=per_dimension)
    for dimension, enough in ((least - 1, False), (least, True), (least + 3, True)):
        if dimension:
            found = best(tokens, dimension, rho=per_dimension * dimension, d_v=1).bits
            require((found == tokens) == enough, "not the least dimension")
    # For exact answers at ε = 1/2: d >= 16·ln n, and κ >= 1/8, are enough.
    with arb_precision(128):
        require(bool(least <= 16 * arb(tokens).log() + 1), "more dimensions than derived")


def property_greedy(data: st.DataObject, tally: Tally) -> None:
    """Where a greedy code is best, the code can be drawn, and is read at ρ·64/61 after rounding."""
    del tally
    dimension = data.draw(st.integers(3, 5), label="d")
    norms = data.draw(st.fractions(22, 40, max_denominator=4), label="ρ")
    found = best(10**6, dimension, rho=norms, d_v=1)
    require(found.code == "greedy", "another code is best at these norms")
    cosine = Fraction(found.angle.removeprefix("arccos(").removesuffix(")"))
    book = greedy_code(dimension, cosine, size=found.addresses)
    strength = norms * Fraction(64, 61) / (isqrt(book.norms_squared - 1) + 1)
    enough = exceeds_log(strength * book.margin, Fraction(book.n - 1))
    require(enough, "the rounded code is not read")


CLAIM = Claim(
    slug="low-dimension",
    title="with σ‖q‖‖k‖ <= ρ the floor is d_v·min(n, A), A the size of a code that ρ tells apart",
    statement="""\
Let norms be bounded by `σ·‖q‖·‖k‖ <= ρ`. Any spherical code of A unit vectors at angles of θ or
more gives `d_v·min(n, A)` bits, if `ρ(1 - cos θ) > ln((A-1)(1+η+2α)/(1-η-2α))`; of a larger code
any part will do, and only the keys in use compete. `kvfloor.floors.best` takes the best of the
codes of [`keys`](keys.md): it grows with n, d and ρ and falls with η and α.

With ρ = κd this is `d_v·min(n, e^(Ω(d)))` (HO25; TMT v1): for every 0 < ε < 1 there are
`⌊e^(ε²d/4)⌋` rows of signs with inner products below εd, and they can be read if
`κ(1-ε) >= ε²/4 + ln((1+η+2α)/(1-η-2α))/d`. They are as many as the n tokens from
`d = (4/ε²)·ln n` on: there it meets the n·d_v of [`four-cache`](four-cache.md), TMT's d = Ω(log n).
`kvfloor.floors.crossover` finds the least such d that the codes give.""",
    source="TMT v1; HO25; T4",
    assumptions=(
        "0 <= η < 1, α >= 0, η + 2α < 1",
        "keys and queries are real vectors; explicit codes are rounded, at a cost that is shown",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(
        property_explicit_codes,
        property_best,
        property_monotone,
        property_crossover,
        property_greedy,
    ),
)
