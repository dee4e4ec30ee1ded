"""H5 `retrievable-information`: what can be read from a state is no more than its bits."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import product
from math import prod

import sympy as sp
from hypothesis import strategies as st

from kvfloor.families import Dense, attend_to, parabola, tuple_keys
from kvfloor.floors import certified_bits, symbol_bits, whole_bits
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
from kvfloor_proofs.foundations import counted_errors
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.entropies import (
    JOINED,
    LOGARITHM,
    PRODUCT,
    entropy,
    entropy_bits,
    messages,
    x,
    y,
)
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = [
    "CLAIM",
    "L",
    "N",
    "bits_of",
    "delta",
    "derivations",
    "e",
    "letter",
    "property_any_encoder",
    "property_counted",
]

EQ, LE, GE = Relation.EQ, Relation.LE, Relation.GE

L, N, K, j = sp.symbols("L N K j", integer=True)
b, e, delta, X, z = sp.symbols("b e delta X z", real=True)
w = sp.IndexedBase("w", real=True)

_WORDS = (j, 1, K)
_MOST = (L - 1) / L  # the error of a guess
_ERRORS = (
    Variable(L, 2),
    Variable(delta, 0, _MOST, low_open=True, high_open=True),
    Variable(e, 0, delta),
)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    average = (_letters(), _cell(), _surprises(), messages(), letter(), floor(), without_errors())
    return average + counted_errors.derivations()


def _letters() -> Derivation:
    return Derivation(
        "Weights of a letter, 1-δ for the one that is read and δ/(L-1) for each other, add up to "
        "1; so do their products over all words",
        Assumptions(_ERRORS[:2]),
        1 - delta + sp.Sum(delta / (L - 1), (j, 1, L - 1)),
        (Step(EQ, sp.Integer(1), Algebra(), "There are L - 1 others."),),
    )


def _cell() -> Derivation:
    each = 1 / (K * w[j])
    return Derivation(
        "K words of weights w are no more likely than their weights allow",
        Assumptions((Variable(K, 1), Family(w[j], 0, low_open=True, index=_WORDS))),
        sp.Sum(sp.log(1 / w[j]), _WORDS),
        (
            Step(
                EQ,
                sp.Sum(sp.log(K) + sp.log(each), _WORDS),
                Termwise(
                    Monotone(
                        Variable(z),
                        z,
                        sp.log(1 / w[j]),
                        sp.log(K) + sp.log(each),
                        Cite(PRODUCT, ((x, K), (y, each))),
                    )
                ),
                "The logarithm of a product.",
            ),
            Step(
                GE,
                sp.Sum(sp.log(K) + 1 - K * w[j], _WORDS),
                Termwise(
                    Monotone(
                        Variable(z),
                        sp.log(K) + z,
                        sp.log(each),
                        1 - K * w[j],
                        Cite(LOGARITHM, ((x, each),)),
                    )
                ),
                "ln x >= 1 - 1/x.",
            ),
            Step(EQ, K * sp.log(K) + K - K * sp.Sum(w[j], _WORDS), Algebra(), "Collect."),
        ),
    )


def _surprises() -> Derivation:
    total, sought = sp.symbols("W U", real=True)
    left = K * sp.log(K) + K - K * total
    return Derivation(
        "So ln K is at most the mean of ln 1/w over the words behind one message; U is K times it",
        Assumptions((Variable(K, 1), Variable(total, 0, 1), Variable(sought, left))),
        sought / K,
        (
            Step(GE, left / K, Positivity(), "The weights of the K words."),
            Step(GE, sp.log(K), Positivity(), "They add up to at most 1."),
        ),
    )


def _cost(error: sp.Expr) -> sp.Expr:
    """Mean of ln 1/w of a letter that is read with an error, for weights at δ."""
    return error * (sp.log(L - 1) - sp.log(delta)) - (1 - error) * sp.log(1 - delta)


def letter() -> Derivation:
    """Derive what a letter leaves unknown at most."""
    odds = (L - 1) * (1 - delta) / delta
    rest = (L - 1) * (1 - delta)
    unknown = entropy(delta) + delta * sp.log(L - 1)

    joined = sp.log(L - 1) + sp.log(1 - delta)
    return Derivation(
        "A letter read with error e <= δ leaves no more unknown than at δ",
        Assumptions(_ERRORS),
        _cost(e),
        (
            Step(
                EQ,
                unknown - (delta - e) * (joined - sp.log(delta)),
                Algebra(),
                "Collect what is there at δ.",
            ),
            Step(
                EQ,
                unknown - (delta - e) * (sp.log(rest) - sp.log(delta)),
                Monotone(
                    Variable(z),
                    unknown - (delta - e) * (z - sp.log(delta)),
                    joined,
                    sp.log(rest),
                    Cite(JOINED, ((x, L - 1), (y, 1 - delta))),
                ),
                "The logarithm of a product.",
            ),
            Step(
                EQ,
                unknown - (delta - e) * sp.log(odds),
                Monotone(
                    Variable(z),
                    unknown - (delta - e) * (z - sp.log(delta)),
                    sp.log(rest),
                    sp.log(odds) + sp.log(delta),
                    Cite(PRODUCT, ((x, odds), (y, delta))),
                ),
                "And again.",
            ),
            Step(LE, unknown, Positivity(), "The odds are at least 1, as δ <= 1 - 1/L."),
        ),
    )


def _sent(cost: sp.Expr) -> tuple[Variable, ...]:
    """Assume b bits sent for N symbols, after which X nats are unknown, at most the cost."""
    unknown = Variable(X, high=N * cost)
    return (Variable(N, 1), unknown, Variable(b, (N * sp.log(L) - X) / sp.log(2)))


def bits_of(size: sp.Expr) -> sp.Expr:
    """N·(log₂ L - H₂(δ) - δ·log₂(L-1)), as an expression."""
    one, others = (sp.log(x) / sp.log(2) for x in (L, L - 1))
    return size * (one - entropy_bits(delta) - delta * others)


def floor() -> Derivation:
    """Put the parts together."""
    return Derivation(
        "b bits, N symbols of L, read with mean error e <= δ; X is what is unknown after, in nats",
        Assumptions((*_ERRORS, *_sent(_cost(e)))),
        b,
        (
            Step(GE, (N * sp.log(L) - X) / sp.log(2), Positivity(), "2^b messages of L^N words."),
            Step(
                GE,
                (N * sp.log(L) - N * _cost(e)) / sp.log(2),
                Positivity(),
                "Behind a message, as its words have weights; the cost is linear in the error.",
            ),
            Step(
                GE,
                (N * sp.log(L) - N * (entropy(delta) + delta * sp.log(L - 1))) / sp.log(2),
                Monotone(
                    Variable(z),
                    (N * sp.log(L) - N * z) / sp.log(2),
                    _cost(e),
                    entropy(delta) + delta * sp.log(L - 1),
                    Cite(letter()),
                ),
                "The cost grows with the error.",
            ),
            Step(EQ, bits_of(N), Algebra(), "Collect."),
        ),
    )


def without_errors() -> Derivation:
    """The same for δ = 0, where the weights at δ are no expressions."""
    return Derivation(
        "Without errors nothing is unknown after, X <= 0, and there H₂ = 0 too",
        Assumptions((Variable(L, 2), *_sent(sp.Integer(0)))),
        b,
        (
            Step(GE, (N * sp.log(L) - X) / sp.log(2), Positivity(), "2^b messages of L^N words."),
            Step(GE, N * sp.log(L) / sp.log(2), Positivity(), "X <= 0."),
        ),
    )


def property_any_encoder(data: st.DataObject, tally: Tally) -> None:
    """For any encoder, and the best guess of every symbol, the bits are at least the floor."""
    del tally
    levels = data.draw(st.integers(2, 4), label="L")
    size = data.draw(st.integers(1, {2: 5, 3: 3, 4: 2}[levels]), label="N")
    bits = data.draw(st.integers(0, 5), label="b")
    words = list(product(range(levels), repeat=size))
    draws = st.lists(st.integers(0, 2**bits - 1), min_size=len(words), max_size=len(words))
    encoder = data.draw(draws, label="encoder")
    right = 0
    for message in set(encoder):
        cell = [word for word, sent in zip(words, encoder, strict=True) if sent == message]
        columns = zip(*cell, strict=True)
        right += sum(max(column.count(k) for k in range(levels)) for column in columns)
    error = 1 - Fraction(right, size * len(words))
    require(bits >= symbol_bits(size, levels, error), "fewer bits than the floor")


def property_read_by_attention(data: st.DataObject, tally: Tally) -> None:
    """A state of some symbols, read by attention on all instances: its bits are not fewer."""
    del tally
    levels, n, d_v = data.draw(st.sampled_from(((2, 2, 2), (3, 2, 1), (2, 3, 1), (4, 2, 1))))
    family = Dense(tuple_keys(parabola(n), 1), d_v, L=levels)
    kept = data.draw(st.integers(0, family.size), label="symbols kept")
    filler = data.draw(st.integers(0, levels - 1), label="in place of the others")
    wrong = 0
    for stored in product(range(levels), repeat=family.size):
        attention = attend_to(family.encode((*stored[:kept], *[filler] * (family.size - kept))))
        for address in range(family.addresses):
            found = family.decode(address, attention(family.query(address)).enclose())
            wrong += sum(a != b for a, b in zip(found, family.row(stored, address), strict=True))
    error = Fraction(wrong, family.size * levels**family.size)
    missing = Fraction(family.size - kept, family.size)
    require(error == missing * (1 - Fraction(1, levels)), "another rate of errors")
    floor_bits = symbol_bits(family.size, levels, error)
    require(whole_bits(kept, levels) >= floor_bits, "fewer bits than the floor")
    require(kept < family.size or whole_bits(kept, levels) == floor_bits, "not met without errors")


def property_counted(data: st.DataObject, tally: Tally) -> None:
    """For any states and words read from them, too much is certified as seldom as is said."""
    del tally
    levels, size, instances = data.draw(st.sampled_from(SIZES), label="L, N, k")
    words = list(product(range(levels), repeat=size))
    state = st.tuples(st.integers(0, 3), st.sampled_from(words))  # its bits, and what is read
    many = data.draw(st.lists(state, min_size=1, max_size=6), label="states")
    states = [
        one for k, one in enumerate(many) if [b for b, _ in many[:k]].count(one[0]) < 2 ** one[0]
    ]
    nearest = data.draw(st.booleans(), label="the nearest state")
    seen = Counter[tuple[int, int]]()
    for word in words:
        wrong = [(_distance(word, read), bits) for bits, read in states]
        seen[min(wrong) if nearest else data.draw(st.sampled_from(wrong))] += 1
    confidence = data.draw(st.sampled_from((Fraction(1, 4), Fraction(1, 2), Fraction(7, 8))))
    too_much = 0
    for each in product(seen, repeat=instances):
        longest = max(bits for _, bits in each)
        bits = certified_bits(
            *(size, levels),
            instances=instances,
            wrong=sum(wrong for wrong, _ in each),
            longest=longest,
            alike=all(bits == longest for _, bits in each),
            confidence=confidence,
        )
        too_much += (bits > longest) * prod(seen[one] for one in each)
    chance = Fraction(too_much, len(words) ** instances)
    require(chance <= 1 - confidence, f"too much is certified with probability {chance}")


SIZES = ((2, 7, 1), (3, 4, 1), (4, 3, 1), (2, 4, 2), (3, 2, 2), (2, 2, 3))


def _distance(word: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum(a != b for a, b in zip(word, other, strict=True))


CLAIM = Claim(
    slug="retrievable-information",
    title="N symbols read with error δ take N·(log₂ L - H₂(δ) - δ·log₂(L-1)) bits of state",
    statement="""\
N symbols are uniform in L values. Whoever reads them from a state of b bits and public coins, each
with probability of error at most `δ <= 1 - 1/L`, or so on average over the symbols, has

    b >= N·( log₂ L - H₂(δ) - δ·log₂(L-1) )

where H₂ is the binary entropy. L = 2 is [`index-randomized`](index-randomized.md). So no cache
gives back more than its bits, and what it gives back can be measured.

Given the coins and a message, give each word the product of the weights of its letters: 1-δ where
it agrees with what is read, δ/(L-1) where it does not. All words together weigh 1, so the
logarithm of the number of words behind a message is at most the mean of ln 1/weight over them. That
is linear in the error, so it may be averaged over words, symbols, messages and coins, and up to
1 - 1/L it grows with it. No entropy of a place is needed (Fano's inequality says the same).

**Counted.** Of k random instances e symbols are read wrong in all, from states that all have b
bits. Then with probability at least 1 - ε over the instances

    k·b > k·N·log₂ L - log₂ V - log₂(2(b+1)(b+2)/ε),    V = Σ_(i<=e) C(kN, i)·(L-1)^i

For states of up to b bits, k·(b+1) stands on the left. Each tuple of k states leads to one word,
and V of the L^(kN) words have at most e errors from it; the tuples have weights that add up to at
most 1, and the part of ε that a tuple gets is its weight. So nothing need be known of the states
that do not occur, nor before how long they are. This is what
[`kvfloor.efficiency`](../efficiency.md) measures.""",
    source="H5; L4 for bits",
    assumptions=(
        "symbols are uniform and independent; public coins, independent of them",
        "states have exactly b bits; with shorter ones too, b is the logarithm of their number",
        "0 <= δ <= 1 - 1/L, L >= 2, and H₂(0) = 0; at δ = 1 - 1/L the floor is 0",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_any_encoder, property_read_by_attention, property_counted),
)
