"""T6 `random-instance-fails`: one random instance exposes a cache under the floor."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import sympy as sp
from hypothesis import strategies as st

from kvfloor.caches import HashedCache, configure
from kvfloor.collisions import random_inputs
from kvfloor.families import BinaryValues, binary_keys
from kvfloor.floors import all_correct_probability, expected_wrong, states_up_to
from kvfloor.index import all_inputs, best_success, message, output_row
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
from kvfloor_proofs.claims.index_deterministic import N, b, messages_up_to
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.draws import families
from kvfloor_proofs.foundations.entropies import entropy, entropy_bits
from kvfloor_proofs.foundations.properties import Tally, require

__all__ = ["CLAIM", "derivations"]

EQ, LE, LT, GE = Relation.EQ, Relation.LE, Relation.LT, Relation.GE

k = sp.Symbol("k", integer=True)
u, e, X, w = sp.symbols("u e X w", real=True)


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (_exact_length(), _length_up_to(), _wrong(), _none_wrong())


def _exact_length() -> Derivation:
    return Derivation(
        "2^b of the 2^N instances, b <= N - k, are at most one in 2^k",
        Assumptions((Variable(N, 1), Variable(k, 0, N), Variable(b, 0, N - k))),
        2**b / 2**N,
        (
            Step(
                LE,
                2 ** (N - k) / 2**N,
                Monotone(Variable(u), 2**u / 2**N, b, N - k, Positivity()),
                "b <= N - k.",
            ),
            Step(EQ, 2 ** (-k), Algebra(), "Cancel 2^N."),
        ),
    )


def _length_up_to() -> Derivation:
    states = messages_up_to().start
    return Derivation(
        "With states of up to b bits that takes b <= N - k - 1",
        Assumptions((Variable(N, 1), Variable(k, 0, N - 1), Variable(b, 0, N - k - 1))),
        states / 2**N,
        (
            Step(
                EQ,
                (2 ** (b + 1) - 1) / 2**N,
                Monotone(Variable(u), u / 2**N, states, 2 ** (b + 1) - 1, Cite(messages_up_to())),
                "L3 counts them.",
            ),
            Step(LT, 2 ** (b + 1) / 2**N, Positivity(), "One more."),
            Step(
                LE,
                2 ** (N - k) / 2**N,
                Monotone(Variable(u), 2**u / 2**N, b + 1, N - k, Positivity()),
                "b + 1 <= N - k.",
            ),
            Step(EQ, 2 ** (-k), Algebra(), "Cancel 2^N."),
        ),
    )


def _wrong() -> Derivation:
    ranges = (
        Variable(N, 1),
        Variable(e, 0, sp.Rational(1, 2), low_open=True),
        Variable(X, high=N * entropy(e)),
        Variable(w, N - X / sp.log(2)),
    )
    return Derivation(
        "The mean error e of w bits has H₂(e) >= 1 - w/N; X is what the state leaves unknown",
        Assumptions(ranges),
        entropy_bits(e),
        (
            Step(GE, X / (N * sp.log(2)), Positivity(), "L4: X <= N·H(e), in nats."),
            Step(GE, 1 - w / N, Positivity(), "L4: 2^w states leave N - w bits unknown."),
        ),
    )


def _none_wrong() -> Derivation:
    ranges = (Variable(N, 1), Variable(X, high=0), Variable(w, N - X / sp.log(2)))
    return Derivation(
        "For e = 0, H₂(0) = 0, that is w >= N: nothing is left unknown",
        Assumptions(ranges),
        sp.Integer(0),
        (
            Step(GE, X / (N * sp.log(2)), Positivity(), "L4: X <= 0."),
            Step(GE, 1 - w / N, Positivity(), "L4: 2^w states leave N - w bits unknown."),
        ),
    )


SIZES = ((1, 0), (2, 0), (2, 1), (2, 2), (3, 0), (3, 1))


def property_all_encoders(data: st.DataObject, tally: Tally) -> None:
    """With any decoder, all encoders for N bits keep to the bounds; they attain the probability."""
    del tally
    size, b = data.draw(st.sampled_from(SIZES), label="(N, b)")
    up_to = b < 2 and size < 3 and data.draw(st.booleans(), label="shorter states too")
    states = states_up_to(b) if up_to else 2**b
    word = st.integers(0, 2**size - 1)
    words = data.draw(st.lists(word, min_size=states, max_size=states), label="decoder")
    distances = [[(x ^ word).bit_count() for word in words] for x in range(2**size)]
    most_right, least_wrong = 0, size * 2**size
    for encoder in product(range(states), repeat=2**size):
        wrong = [row[state] for row, state in zip(distances, encoder, strict=True)]
        most_right = max(most_right, wrong.count(0))
        least_wrong = min(least_wrong, sum(wrong))
    probability, expected = Fraction(most_right, 2**size), Fraction(least_wrong, 2**size)
    most = all_correct_probability(size, states)
    require(probability <= most, f"all is right with probability {probability}")
    distinct = len(set(words)) == min(states, 2**size)
    require(not distinct or probability == most, "the probability is not attained")
    require(expected >= expected_wrong(size, min(b + up_to, size)), f"{expected} wrong")
    require(up_to or expected >= size * (1 - best_success(size, b)), "better than the best")


def property_all_instances(data: st.DataObject, tally: Tally) -> None:
    """All instances through a real cache: as many states as b bits have, each right on one."""
    del tally
    n, d_v = data.draw(st.sampled_from(((1, 1), (2, 1), (3, 1), (2, 2))), label="n, d_v")
    family = BinaryValues(binary_keys(n), d_v, order=1)
    b = data.draw(st.integers(0, family.size), label="b")
    factory = configure(HashedCache, bits=b, family=family)
    states = {x: message(factory, family, x) for x in all_inputs(family.size)}
    require(all(state.bits == b for state in states.values()), "states of other lengths")
    occur = set(states.values())
    require(len(occur) <= 2**b, "more states than b bits have")
    told = {
        state: [bit for a in range(n) for bit in output_row(factory, family, state, a)]
        for state in occur
    }
    right = sum(told[state] == list(x) for x, state in states.items())
    most = all_correct_probability(family.size, len(occur))
    require(Fraction(right, 2**family.size) <= most, "more is right than there are states")
    require(right == len(occur), "a state is right on no instance")  # the table's choice


def property_exposed(data: st.DataObject, tally: Tally) -> None:
    """A random instance and its queries expose a real cache k >= 32 bits under the floor."""
    del tally
    family = data.draw(families(most_bits=60, least_bits=40, order=1), label="family")
    b = data.draw(st.integers(0, 5), label="b")
    factory = configure(HashedCache, bits=b, family=family)
    x = next(random_inputs(family.size, data.draw(st.integers(0, 10**6), label="seed")))
    chance = all_correct_probability(family.size, 2**b)
    require(chance <= Fraction(1, 2**32), "the cache is not far enough under the floor")
    state = message(factory, family, x)
    rows = (output_row(factory, family, state, a) == family.row(x, a) for a in range(family.n))
    require(not all(rows), f"all is answered right, with a chance of {chance}")


CLAIM = Claim(
    slug="random-instance-fails",
    title="a cache k bits under the floor answers a random instance with probability 2^-k at most",
    statement="""\
Let N bits of a hard family be uniform. A state decodes to one instance, so a deterministic cache
answers all queries right on at most as many of the 2^N instances as it has states that occur:
with probability at most `2^b/2^N <= 2^-k` if states have exactly b <= N - k bits. States of
varying length up to b bits are `2^(b+1) - 1`; then b <= N - k - 1 is needed. The probability is
attained. So one random instance and its queries expose, with confidence `1 - 2^-k`, any cache k
bits under the floor.

With at most 2^b states the mean error e of a symbol has `H₂(e) >= 1 - b/N`, so at least
`N·H₂⁻¹(1 - b/N)` wrong symbols are to be expected; for states of up to b bits, b + 1 stands for b.
The expectation is over the instance, the public coins being independent of it.""",
    source="T6; HO25 (reduction from INDEX)",
    assumptions=(
        "the instance is uniform and independent of the cache's public coins",
        "answers decode to bits as in L2",
        "H₂(0) = 0: the derivations treat e = 0 on its own",
    ),
    verdict="holds",
    derivations=derivations,
    properties=(property_all_encoders, property_all_instances, property_exposed),
)
