"""L4 `index-randomized`: INDEX with error δ needs (1 - H₂(δ))·N bits."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import sympy as sp
from flint import arb
from hypothesis import strategies as st

from kvfloor.floors import binary_entropy, least_error, one_bit_success, randomised_bits
from kvfloor.index import CODES, best_success
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
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.entropies import PRODUCT, entropy, entropy_bits, lemmas, two_terms
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = [
    "CLAIM",
    "N",
    "b",
    "delta",
    "derivations",
    "entropy_bits",
    "floor",
    "sent",
    "sent_without_errors",
    "without_errors",
]

EQ, LE, GE = Relation.EQ, Relation.LE, Relation.GE

N = sp.Symbol("N", integer=True)
b, e, delta, X, z = sp.symbols("b e delta X z", real=True)
u, v, x, y, r, q = sp.symbols("u v x y r q", real=True)  # what is cited is stated in these


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (*lemmas(), _entropy_grows(), floor(), without_errors())


_ERRORS = (
    Variable(delta, 0, sp.Rational(1, 2), low_open=True),
    Variable(e, 0, delta, low_open=True),
)


def _entropy_grows() -> Derivation:
    odds = (1 - delta) / delta
    tangent = e * sp.log(delta) + (1 - e) * sp.log(1 - delta)
    half = entropy(delta)
    return Derivation(
        "Up to 1/2 the entropy grows with the error",
        Assumptions(_ERRORS),
        entropy(e),
        (
            Step(
                LE,
                -tangent,
                Monotone(
                    Variable(z),
                    -z,
                    -entropy(e),
                    tangent,
                    Cite(two_terms(), ((u, e), (v, 1 - e), (r, delta), (q, 1 - delta))),
                ),
                "The tangent at δ.",
            ),
            Step(
                EQ,
                half + (delta - e) * (sp.log(delta) - sp.log(1 - delta)),
                Algebra(),
                "Collect what is H(δ).",
            ),
            Step(
                EQ,
                half - (delta - e) * sp.log(odds),
                Monotone(
                    Variable(z),
                    half + (delta - e) * (sp.log(delta) - z),
                    sp.log(1 - delta),
                    sp.log(odds) + sp.log(delta),
                    Cite(PRODUCT, ((x, odds), (y, delta))),
                ),
                "The logarithm of a product.",
            ),
            Step(LE, half, Positivity(), "(1-δ)/δ >= 1, as δ <= 1/2."),
        ),
    )


def sent(size: sp.Expr) -> tuple[Variable, ...]:
    """Assume b bits sent for ``size`` bits of INDEX, with mean error e and X nats unknown after."""
    unknown = Variable(X, high=size * entropy(e))
    return (*_ERRORS, unknown, Variable(b, size - X / sp.log(2)))


def floor() -> Derivation:
    """Put the parts together: b against (1 - H₂(δ))·N."""
    return Derivation(
        "b bits for N bits of INDEX with mean error e <= δ are at least (1 - H₂(δ))·N; "
        "X is what the message leaves unknown, in nats",
        Assumptions((Variable(N, 1), *sent(N))),
        b,
        (
            Step(GE, N - X / sp.log(2), Positivity(), "2^b messages leave N - b bits unknown."),
            Step(
                GE,
                N - N * entropy(e) / sp.log(2),
                Positivity(),
                "No more is unknown than place by place, and there no more than H at e.",
            ),
            Step(
                GE,
                N - N * entropy(delta) / sp.log(2),
                Monotone(
                    Variable(z),
                    N - N * z / sp.log(2),
                    entropy(e),
                    entropy(delta),
                    Cite(_entropy_grows()),
                ),
                "The entropy grows with the error.",
            ),
            Step(EQ, (1 - entropy_bits(delta)) * N, Algebra(), "Collect."),
        ),
    )


def sent_without_errors(size: sp.Expr) -> tuple[Variable, ...]:
    """Assume as `sent` does, but that Bob never errs: then nothing is unknown after."""
    return (_ERRORS[0], Variable(X, high=0), Variable(b, size - X / sp.log(2)))


def without_errors() -> Derivation:
    """The same for e = 0, where the entropy at e is not an expression."""
    return Derivation(
        "For e = 0 nothing is left unknown, and b is at least N; so it is for δ = 0, H₂(0) = 0",
        Assumptions((Variable(N, 1), *sent_without_errors(N))),
        b,
        (
            Step(GE, N - X / sp.log(2), Positivity(), "2^b messages leave N - b bits unknown."),
            Step(GE, N, Positivity(), "X <= 0."),
            Step(
                GE,
                N - N * entropy(delta) / sp.log(2),
                Positivity(),
                "An entropy is not negative.",
            ),
            Step(EQ, (1 - entropy_bits(delta)) * N, Algebra(), "Collect."),
        ),
    )


def property_chain(data: st.DataObject, tally: Tally) -> None:
    """Each link of the chain holds for any encoder, and best answers to its messages."""
    del tally
    size = data.draw(st.integers(1, 4), label="N")
    b = data.draw(st.integers(0, size), label="b")
    draws = st.lists(st.integers(0, 2**b - 1), min_size=2**size, max_size=2**size)
    encoder = data.draw(draws, label="encoder")
    cells = [[x for x in range(2**size) if encoder[x] == m] for m in set(encoder)]
    ones = [[sum(x >> k & 1 for x in cell) for k in range(size)] for cell in cells]
    errors = [
        [Fraction(min(w, len(cell) - w), len(cell)) for w in row]
        for cell, row in zip(cells, ones, strict=True)
    ]
    share = [Fraction(len(cell), 2**size) for cell in cells]
    by_place = [
        sum((s * row[k] for s, row in zip(share, errors, strict=True)), Fraction(0))
        for k in range(size)
    ]
    mean = sum(by_place, Fraction(0)) / size
    with arb_precision(128):
        logs = [arb(len(cell)).log() / arb.const_log2() for cell in cells]
        unknown = _weighted(share, logs)
        within = [sum(map(binary_entropy, row), arb(0)) for row in errors]
        chain = [
            arb(size - b),
            unknown,
            _weighted(share, within),
            sum(map(binary_entropy, by_place), arb(0)),
            size * binary_entropy(mean),
        ]
        in_order = not any(low > high for low, high in pairwise(chain))
        require(in_order, f"the chain breaks: {chain}")
        by_cell = not any(log > bound for log, bound in zip(logs, within, strict=True))
        require(by_cell, "a cell is larger than the entropies of its places allow")
    require(b >= randomised_bits(size, mean), "fewer bits than the floor")
    require(mean >= least_error(Fraction(b, size)), "a smaller error than the least")
    require(1 - mean <= best_success(size, b), "better than the best")


def _weighted(weights: list[Fraction], balls: list[arb]) -> arb:
    terms = (to_fmpq(w) * ball for w, ball in zip(weights, balls, strict=True))
    return sum(terms, arb(0))


# N and b for which the sets of words can be exhausted.
SMALL = (
    *((size, b) for size in range(1, 5) for b in range(size + 1)),
    *((size, b) for size in (5, 6) for b in range(3)),
    *((size, b) for size in range(7, 11) for b in range(2)),
)


def property_best(data: st.DataObject, tally: Tally) -> None:
    """The best success by exhaustion, in a few small cases: in the bound; for one bit, in full."""
    del tally
    size, b = data.draw(st.sampled_from(SMALL), label="N, b")
    best = best_success(size, b)
    require(best <= 1 - least_error(Fraction(b, size)), "above the bound")
    require(b != 1 or best == one_bit_success(size), "not the closed form")
    require(best >= Fraction(b, size) + Fraction(size - b, 2 * size), "worse than guessing")


def property_codes(data: st.DataObject, tally: Tally) -> None:
    """A code names a word as near as its coset leader is light, and keeps above the floor."""
    del tally
    code = data.draw(st.sampled_from(CODES), label="code")
    x = data.draw(st.integers(0, 2**code.size - 1), label="x")
    message = code.encode(x)
    require(0 <= message < 2**code.bits, "the message is too long")
    word = code.decode(message)
    nearest = min((x ^ code.decode(other)).bit_count() for other in range(2**code.bits))
    require((x ^ word).bit_count() == nearest, "another word is nearer")
    require(code.bits >= randomised_bits(code.size, 1 - code.success), "fewer bits than the floor")


CLAIM = Claim(
    slug="index-randomized",
    title="a protocol for INDEX on N bits that errs with probability δ sends (1 - H₂(δ))·N bits",
    statement="""\
Alice holds N uniform bits, Bob an index, and both the public coins R. If one message of b bits
lets Bob err with probability at most δ <= 1/2 at every index, or only on average over them, then
`b >= (1 - H₂(δ))·N`, with H₂ the binary entropy; at δ = 1/10 that is 532 bits for N = 1000. By T1
a randomised (η, α)-accurate cache of tensor attention needs `⌈(1 - H₂(δ))·n·d_v⌉` bits.

The chain is `b >= I(X;M|R) >= Σ_i I(X_i;M|R) >= Σ_i (1 - H₂(δ_i)) >= N·(1 - H₂(δ))`. X is uniform,
so given the coins and the message it is uniform on the cell of inputs behind that message, and
what is unknown of it is the logarithm of the size of the cell. Thus the links are: 2^b cells leave
N - b bits unknown on average; a cell is no larger than the entropies of its places allow
(induction over the places); Bob's best answer errs with the smaller part of a place, whose entropy
is H₂ at that error (Fano for bits, here an equality); H₂ is concave, over cells, coins and places;
and it grows up to 1/2.

An error rate that was measured, in trials with one probability, is put to it by an interval of
Clopper and Pearson: at either end so many successes have the probability (1 - confidence)/2.

How near protocols come to it: [the table](../index-success.md). With one bit the best average
success of a deterministic protocol is `1/2 + C(N-1, ⌊(N-1)/2⌋)/2^N`.""",
    source="TMT; HO25; L4",
    assumptions=(
        "one message, Alice to Bob; public coins, independent of the input",
        "messages have exactly b bits; with shorter ones too, b is the logarithm of their number",
        "0 <= δ <= 1/2, and H₂(0) = 0: the derivations treat a mean error of 0 on its own",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_chain, property_best, property_codes),
)
