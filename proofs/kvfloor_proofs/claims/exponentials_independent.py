"""E6 `exponentials-independent`: sums of exponentials of different logits vanish only as sums."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial, prod

import sympy as sp
from flint import arb, fmpq, fmpz, fmpz_poly
from hypothesis import strategies as st

from kvfloor.numbers import arb_precision, ball_ends, to_fmpq
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
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "derivations", "property_apart", "property_hermite"]

EQ, LE = Relation.EQ, Relation.LE

j, J, D, n, d, e, x, y = sp.symbols("j J D n d e x y", integer=True)
t, M, w, c_0, F_0 = sp.symbols("t M w c_0 F_0", real=True)
c, b, F = (sp.IndexedBase(name, real=True)[j] for name in "cbF")


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_integer(), _quartic(), _errors())


def _integer() -> Derivation:
    families = tuple(Family(a, index=(j, 1, J)) for a in (c, b, F))
    return Derivation(
        "An integer, with F = Σ D^i·f^(i), is a multiple of the sum of exponentials but for errors",
        Assumptions((*map(Variable, (c_0, F_0)), Variable(D, 1), Variable(J, 1), *families)),
        c_0 * F_0 + sp.Sum(c * F, (j, 1, J)),
        (
            Step(
                EQ,
                F_0 * (c_0 + sp.Sum(c * sp.exp(b / D), (j, 1, J)))
                + sp.Sum(c * (F - F_0 * sp.exp(b / D)), (j, 1, J)),
                Algebra(),
                "If the sum vanishes, only the errors F(b) - e^(b/D)·F(0) are left.",
            ),
        ),
    )


def _quartic() -> Derivation:
    p, q = x * sp.sqrt(d), y * sp.sqrt(e)
    return Derivation(
        "A polynomial with integer coefficients that vanishes at x√d + y√e",
        Assumptions((Variable(t), Variable(x), Variable(y), Variable(d, 1), Variable(e, 1))),
        (t - p - q) * (t + p + q) * (t - p + q) * (t + p - q),
        (
            Step(
                EQ,
                t**4 - 2 * (d * x**2 + e * y**2) * t**2 + (d * x**2 - e * y**2) ** 2,
                Algebra(),
                "All four signs. At t = 0 it is 0 only for x = y = 0, as de is no square.",
            ),
        ),
    )


def _errors() -> Derivation:
    return Derivation(
        "From n to n + 1 the errors, of w = K·Mⁿ/n! at most, are halved once M <= (n + 1)/2",
        Assumptions((Variable(n, 0), Variable(M, 0, (n + 1) / 2), Variable(w, 0))),
        M * w / (n + 1),
        (Step(LE, w / 2, Positivity(), "M <= (n + 1)/2."),),
    )


@dataclass(frozen=True)
class _Hermite:
    """The sum c_0 + Σ c·e^(b/D) for integers b that differ from each other and from 0."""

    c_0: int
    terms: Sequence[tuple[int, int]]
    D: int

    @property
    def g(self) -> fmpz_poly:
        """The polynomial that vanishes at each b."""
        return prod((fmpz_poly([-b, 1]) for _, b in self.terms), start=fmpz_poly([1]))

    def f(self, n: int) -> fmpz_poly:
        """x^n·g^(n+1)."""
        return fmpz_poly([0, 1]) ** n * self.g ** (n + 1)

    def F(self, n: int, at: int) -> int:
        """Σ D^i·f^(i)."""
        return sum(self.D**i * int(h(at)) for i, h in enumerate(_derivatives(self.f(n))))

    def value(self) -> arb:
        """The sum, as a ball."""
        return sum((c * arb(fmpq(b, self.D)).exp() for c, b in self.terms), arb(self.c_0))

    def errors(self, n: int) -> arb:
        """Σ |c|·|b|·e^(2|b|+1)·G·(|b|·G)^n, where |g| <= G on [-|b|, |b|]."""
        absolute = fmpz_poly([abs(a) for a in self.g.coeffs()])
        total = arb(0)
        for c, b in self.terms:
            G = int(absolute(abs(b)))
            total += abs(c * b) * arb(2 * abs(b) + 1).exp() * G * fmpz(abs(b) * G) ** n
        return total


def _derivatives(polynomial: fmpz_poly) -> Iterator[fmpz_poly]:
    while polynomial.degree() >= 0:
        yield polynomial
        polynomial = polynomial.derivative()


def property_hermite(data: st.DataObject, tally: Tally) -> None:
    """Hermite's integer is none modulo n + 1, and is the sum times F(0), but for the errors."""
    del tally
    whole = st.integers(-2, 2).filter(bool)
    exponents = data.draw(st.lists(whole, min_size=1, max_size=3, unique=True), label="exponents")
    terms = [(data.draw(whole, label="coefficient"), b) for b in exponents]
    sum_of = _Hermite(data.draw(whole, label="c_0"), terms, data.draw(st.integers(1, 2), label="D"))
    a = prod(-b for b in exponents)
    n = data.draw(st.integers(1, 3), label="k") * abs(sum_of.c_0 * sum_of.D * a)
    at_0 = sum_of.F(n, 0)
    total = sum_of.c_0 * at_0 + sum(c * sum_of.F(n, b) for c, b in terms)
    quotient, rest = divmod(total, factorial(n))
    require(rest == 0, "no integer times n!")
    left = sum_of.c_0 * sum_of.D**n * a ** (n + 1)
    require((quotient - left) % (n + 1) == 0 != left % (n + 1), "0, or another rest")
    with arb_precision(4000):
        require(bool(abs(total - at_0 * sum_of.value()) <= sum_of.errors(n)), "larger errors")


def property_apart(data: st.DataObject, tally: Tally) -> None:
    """A sum of a·e^s is 0 where the a of each s add to 0, and else not 0, but as near as 2^-k."""
    del tally
    d, e = (data.draw(st.sampled_from([1, 2, 3, 4, 8]), label=name) for name in "de")
    number = st.sampled_from([Fraction(k, 2) for k in range(-2, 3)])
    pairs = data.draw(st.lists(st.tuples(number, number), min_size=1, max_size=4), label="s")
    rest = [data.draw(number, label="a") for _ in pairs[1:]]
    bits = data.draw(st.integers(2, 500), label="k")
    near = data.draw(st.booleans(), label="near")
    first = _cancelling(pairs, rest, d, e, bits) if near else data.draw(number, label="first a")
    coefficients = [first, *rest]
    sums = [
        sum(a for a, q in zip(coefficients, pairs, strict=True) if _same(p, q, d, e)) for p in pairs
    ]
    precision = 2 * bits + 128
    while precision < 2**14:
        with arb_precision(precision):
            apart = not _sum(pairs, coefficients, d, e).contains(0)
        if apart or not any(sums):
            break
        precision *= 2
    require(apart == any(sums), "not 0 exactly where the coefficients of one exponent are not")


def _cancelling(
    pairs: Sequence[tuple[Fraction, Fraction]], rest: list[Fraction], d: int, e: int, bits: int
) -> Fraction:
    """The multiple of 2^-bits for the first exponent that brings the sum nearest to 0."""
    with arb_precision(bits + 64):
        ratio = _sum(pairs[1:], rest, d, e) / _exponential(pairs[0], d, e)
    low, high = ball_ends(ratio)
    return Fraction(-round((low + high) / 2 * 2**bits), 2**bits)


def _sum(
    pairs: Sequence[tuple[Fraction, Fraction]], coefficients: list[Fraction], d: int, e: int
) -> arb:
    terms = zip(coefficients, pairs, strict=True)
    return sum((to_fmpq(a) * _exponential(pair, d, e) for a, pair in terms), arb(0))


def _exponential(pair: tuple[Fraction, Fraction], d: int, e: int) -> arb:
    return (to_fmpq(pair[0]) * arb(d).sqrt() + to_fmpq(pair[1]) * arb(e).sqrt()).exp()


def _same(p: tuple[Fraction, Fraction], q: tuple[Fraction, Fraction], d: int, e: int) -> bool:
    """Whether a√d + b√e is the same for two pairs: a difference u√d = -v√e."""
    u, v = p[0] - q[0], p[1] - q[1]
    return u * u * d == v * v * e and u * v <= 0


CLAIM = Claim(
    slug="exponentials-independent",
    title="exponentials of different logits are linearly independent over the rationals",
    statement="""\
Let s_1 … s_k be different numbers `a·√d + b·√e` with rational a and b, for whole d and e, and let
c_1 … c_k be rational. If `Σ c_i·e^(s_i) = 0`, then every c_i is 0. For `d = e = 1` the s_i are
rational.

Equality and rounding ask for no more. Rational inputs with a rational scale have rational logits,
all of them multiples of one 1/D; then a sum of exponentials is a polynomial in `e^(1/D)` with
rational coefficients. Were it 0 without being the polynomial 0, `e^(1/D)` would be algebraic, and
so would e: it is enough that e is transcendental. With the scale 1/√d logits are rational
multiples of √d; two outputs with scales 1/√d and 1/√e are compared by exponents `a·√d + b·√e`.
For other algebraic numbers there is the theorem of Lindemann and Weierstrass, which only two
outputs with biases and two different irrational roots need: their exponents are
`x + a·√d + b·√e`.

The proof is Hermite's. The sum, times the same sum with -√e, times both with all exponents
negated, has coefficients that signs of the roots do not change, and a positive one at exponent 0.
For `f = x^n·g^(n+1)`, where g vanishes at all exponents but 0, and `F = Σ D^i·f^(i)`, the mean
value theorem bounds `F(b) - e^(b/D)·F(0)` by `K·Mⁿ`. If the sum vanished, `c_0·F(0) + Σ c·F(b)`
would be that small; it is n! times an integer that n + 1 does not divide, if n + 1 is prime to
`c_0·D·g(0)`. The n + 1 that are 1 more than a multiple of it are enough: no primes are needed.""",
    source="Hermite 1873; E6",
    assumptions=("coefficients are rational",),
    verdict="holds",
    derivations=derivations,
    properties=(property_hermite, property_apart),
)
