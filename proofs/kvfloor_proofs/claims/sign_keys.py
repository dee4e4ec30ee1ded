"""L5 `sign-keys`: in how many dimensions random signs are far apart."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import floor, prod

import sympy as sp
from hypothesis import strategies as st

from kvfloor.families import sign_keys, sign_tuples
from kvfloor.floors import (
    exceeds_log,
    hoeffding_exponent,
    least_sign_dimension,
    pairs_of,
    sign_tail,
)
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
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "d", "derivations", "eps"]

EQ, LE, LT = Relation.EQ, Relation.LE, Relation.LT

d, i, k, r, K, P = sp.symbols("d i k r K P", integer=True)
t, u, x, y, eps, rest = sp.symbols("t u x y epsilon A", real=True)
w = sp.IndexedBase("w", real=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_exponential_series(), _markov(), _exponent(), _hoeffding(), _union_bound())


_DOUBLE = sp.Sum(sp.log(2 * i * (2 * i - 1)), (i, 1, k))  # ln (2k)!, two factors at a time
_EVEN = sp.Sum(sp.log(2 * i), (i, 1, k))  # ln (2^k·k!)


def _exponential_series() -> Derivation:
    factor = Monotone(
        Variable(u, 0, low_open=True), sp.log(u), 2 * i * (2 * i - 1), 2 * i, Positivity()
    )
    return Derivation(
        "cosh x <= exp(x²/2): so it is for the sums up to x^(2K); y = x²",
        Assumptions((Variable(y, 0, low_open=True), Variable(K, 0))),
        sp.Sum(y**k * sp.exp(-_DOUBLE), (k, 0, K)),
        (
            Step(
                LE,
                sp.Sum(y**k * sp.exp(-_EVEN), (k, 0, K)),
                Termwise(
                    Monotone(Variable(u), y**k * sp.exp(-u), _DOUBLE, _EVEN, Termwise(factor))
                ),
                "(2k)! >= 2^k·k!, as 2i(2i-1) >= 2i for all i >= 1.",
            ),
        ),
    )


def _markov() -> Derivation:
    # w_k is the probability of k positive signs among d; then they add up to 2k - d >= s = 2r - d.
    moment = w[k] * sp.exp(t * (2 * k - 2 * r))
    weights = Family(w[k], low=0, index=(k, 0, d))
    size = Variable(d, 1), Variable(r, 0, d), Variable(t, 0), weights
    one = Monotone(Variable(u), sp.exp(t * u), sp.Integer(0), 2 * k - 2 * r, Positivity())
    return Derivation(
        "The tail is at most the moment E exp(t(S - s))",
        Assumptions(size, ((rest, sp.Sum(moment, (k, 0, r - 1))),)),
        sp.Sum(w[k], (k, r, d)),
        (
            Step(
                LE,
                sp.Sum(moment, (k, r, d)),
                Termwise(Monotone(Variable(u), w[k] * u, sp.Integer(1), moment / w[k], one)),
                "In the tail the exponent is not negative.",
            ),
            Step(LE, sp.Sum(moment, (k, r, d)) + rest, Positivity(), "No term is negative."),
        ),
    )


COSH = Statement(Assumptions((Variable(t),)), (sp.exp(t) + sp.exp(-t)) / 2, LE, sp.exp(t**2 / 2))


def _exponent() -> Derivation:
    cosh = (sp.exp(t) + sp.exp(-t)) / 2
    return Derivation(
        "The moment E exp(tS - tεd) = exp(-tεd)·(cosh t)^d, here its logarithm",
        Assumptions((Variable(d, 1), Variable(eps, 0, 1), Variable(t))),
        d * sp.log(cosh) - t * eps * d,
        (
            Step(
                LE,
                d * sp.log(sp.exp(t**2 / 2)) - t * eps * d,
                Monotone(
                    Variable(u, 0, low_open=True),
                    d * sp.log(u) - t * eps * d,
                    cosh,
                    sp.exp(t**2 / 2),
                    Cite(COSH),
                ),
                "cosh t <= exp(t²/2).",
            ),
            Step(EQ, d * (t**2 / 2 - t * eps), Algebra(), "ln exp(z) = z."),
        ),
    )


def _hoeffding() -> Derivation:
    return Derivation(
        "At t = ε it is -ε²d/2",
        Assumptions((Variable(d, 1), Variable(eps, 0, 1))),
        d * sp.log((sp.exp(eps) + sp.exp(-eps)) / 2) - eps * eps * d,
        (Step(LE, d * (eps**2 / 2 - eps * eps), Cite(_exponent(), ((t, eps),)), "Put t = ε."),),
    )


def _union_bound() -> Derivation:
    least = 2 / eps**2 * sp.log(P)
    return Derivation(
        "For P pairs, d > (2/ε²)·ln P makes the union bound P·exp(-ε²d/2) less than 1",
        Assumptions(
            (
                Variable(P, 1),
                Variable(eps, 0, 1, low_open=True),
                Variable(u, least, low_open=True),
            )
        ),
        P * sp.exp(-(eps**2) * u / 2),
        (
            Step(
                LT,
                P * sp.exp(-(eps**2) * least / 2),
                Monotone(Variable(x), P * sp.exp(-(eps**2) * x / 2), u, least, Positivity()),
                "It falls as d, here u, grows; and P·exp(-ln P) = 1.",
            ),
        ),
    )


def property_sign_dimension(data: st.DataObject, tally: Tally) -> None:
    """The exact tail is below Hoeffding's bound, and there signs are found in fewer dimensions."""
    del tally
    size = data.draw(st.integers(2, 40), label="rows")
    epsilon = data.draw(st.fractions(Fraction(1, 5), 1, max_denominator=10), label="ε")
    dimension = data.draw(st.integers(1, 60), label="d")
    tail = sign_tail(dimension, epsilon * dimension)
    require(tail > 0, "all signs may be positive")
    exponent = hoeffding_exponent(dimension, epsilon)
    require(not exceeds_log(exponent, 1 / tail), "Hoeffding's bound is below the exact tail")
    exact = least_sign_dimension(size, epsilon)
    hoeffdings = least_sign_dimension(size, epsilon, exact=False)
    require(exact <= hoeffdings, "the exact tail asks for more")
    require(pairs_of(size) * sign_tail(hoeffdings, epsilon * hoeffdings) < 1, "not enough")


def property_products_of_signs(data: st.DataObject, tally: Tally) -> None:
    """Products of independent signs for two different tuples are independent, over all coins."""
    del tally
    order, size = data.draw(st.sampled_from(((1, 2), (1, 4), (2, 2), (2, 3), (3, 2))), label="m, n")
    tuples = list(product(range(size), repeat=order))
    first, second = data.draw(st.sampled_from(list(combinations(tuples, 2))), label="tuples")
    outcomes = dict.fromkeys(product((1, -1), repeat=2), 0)
    for coins in product((1, -1), repeat=order * size):
        slots = [coins[slot * size : (slot + 1) * size] for slot in range(order)]
        a, b = (prod(map(tuple.__getitem__, slots, address)) for address in (first, second))
        outcomes[a, b] += 1
    require(len(set(outcomes.values())) == 1, "the four outcomes are not equally likely")


def property_draws(data: st.DataObject, tally: Tally) -> None:
    """In the dimension that Hoeffding asks for, drawing again ends with inner products below εd."""
    del tally
    order = data.draw(st.integers(1, 3), label="m")
    size = data.draw(st.integers(2, {1: 24, 2: 5, 3: 3}[order]), label="n")
    epsilon = data.draw(st.fractions(Fraction(1, 4), 1, max_denominator=8), label="ε")
    dimension = least_sign_dimension(size**order, epsilon, exact=False)
    margin = floor((1 - epsilon) * dimension) + 1  # the least whole number above (1-ε)d
    seed = data.draw(st.integers(0, 99), label="seed")
    options = {"seed": seed, "margin": margin, "draws": 10_000}
    book = sign_tuples(size, dimension, order=order, **options)
    require(book.margin > (1 - epsilon) * dimension, "the margin is not above (1-ε)d")
    require(book.zero_margin == dimension, "a product of signs has not d signs")
    if order == 1:
        same = sign_keys(size, dimension, **options)
        require(same.margin == book.margin, "tuples of order 1 are not the keys")


CLAIM = Claim(
    slug="sign-keys",
    title="rows of random signs have inner products below εd once d > (2/ε²)·ln(number of pairs)",
    statement="""\
The inner product of two rows of d independent random signs is εd or more with probability at most
`exp(-ε²d/2)` (Hoeffding), by cosh t <= exp(t²/2). So of n rows some draw has no two with an inner
product of εd or more once `d > (2/ε²)·ln(n(n-1)/2)`; the exact binomial tail, summed over all
pairs, shows it in fewer dimensions. Such a draw is the address book `sign-keys` of
[`keys`](keys.md) with margin above `C(1-ε)d`.

For tuples with one key matrix of signs a slot (`sign-pairs`), the products of the keys of any two
different tuples are independent rows of uniform signs too. So the same holds with n^m for n.""",
    source="TMT (its Johnson–Lindenstrauss step); L5",
    assumptions=(
        "0 < ε <= 1",
        "cosh and exp are the limits of the partial sums of their series",
        "E exp(tS) = (cosh t)^d for a sum S of d independent signs (binomial theorem)",
        "the probability of a union is at most the sum of the probabilities",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_sign_dimension, property_products_of_signs, property_draws),
)
