"""L3 `index-deterministic`: fewer than N bits have fewer than 2^N messages."""

from __future__ import annotations

import sympy as sp
from hypothesis import strategies as st

from kvfloor.index import all_inputs, colliding_pair
from kvfloor_proofs.calculus import (
    Algebra,
    Assumptions,
    Cite,
    Derivation,
    Induction,
    Monotone,
    Positivity,
    Relation,
    Step,
    Variable,
)
from kvfloor_proofs.foundations.claim import Claim
from kvfloor_proofs.foundations.properties import Falsified, Tally, require

__all__ = ["CLAIM", "N", "b", "derivations", "exact_length", "length_up_to", "messages_up_to"]

N, b, i = sp.symbols("N b i", integer=True)
u = sp.Symbol("u", real=True)

_FEWER_BITS = Assumptions((Variable(N, 1), Variable(b, 0, N - 1)))


def derivations() -> tuple[Derivation, ...]:
    """Return the derivations of the claim."""
    return (exact_length(), messages_up_to(), length_up_to())


def exact_length() -> Derivation:
    """Count the messages of exactly b bits."""
    return Derivation(
        "Messages of exactly b < N bits are fewer than the 2^N inputs",
        _FEWER_BITS,
        2**b,
        (
            Step(
                Relation.LT,
                2**N,
                Monotone(Variable(u), 2**u, b, N, Positivity()),
                "2^u grows with u, and b < N.",
            ),
        ),
    )


def messages_up_to() -> Derivation:
    """Count the messages of at most b bits."""
    return Derivation(
        "Messages of at most b bits, the empty one included",
        Assumptions((Variable(b, 0),)),
        sp.Sum(2**i, (i, 0, b)),
        (
            Step(
                Relation.EQ,
                2 ** (b + 1) - 1,
                Induction(b, Algebra()),
                "By induction on b: the next term, 2^(b+1), doubles the sum plus 1.",
            ),
        ),
    )


def length_up_to() -> Derivation:
    """Compare the messages of at most b bits with the inputs."""
    return Derivation(
        "Messages of at most b < N bits, the empty one included, are fewer than 2^N",
        _FEWER_BITS,
        sp.Sum(2**i, (i, 0, b)),
        (
            Step(Relation.EQ, 2 ** (b + 1) - 1, Cite(messages_up_to()), "Counted."),
            Step(Relation.LT, 2 ** (b + 1), Positivity(), "One more."),
            Step(
                Relation.LE,
                2**N,
                Monotone(Variable(u), 2**u, b + 1, N, Positivity()),
                "2^u grows with u, and b + 1 <= N.",
            ),
        ),
    )


def property_too_few_messages(data: st.DataObject, tally: Tally) -> None:
    """Any encoder into fewer messages than inputs collides within one input more than messages."""
    del tally
    size = data.draw(st.integers(1, 7), label="N")
    b = data.draw(st.integers(0, size - 1), label="b")
    up_to = data.draw(st.booleans(), label="shorter messages too")
    messages = 2 ** (b + 1) - 1 if up_to else 2**b
    table = data.draw(
        st.lists(st.integers(0, messages - 1), min_size=2**size, max_size=2**size), label="encoder"
    )
    encoder = dict(zip(all_inputs(size), table, strict=True))
    pair = colliding_pair(encoder.__getitem__, data.draw(st.permutations(list(encoder))))
    if pair is None:
        raise Falsified("no two inputs share a message")
    require(pair.x != pair.y and encoder[pair.x] == encoder[pair.y], "no collision")
    require(pair.encoded <= messages + 1, "more inputs were needed than messages + 1")


def property_enough_messages(data: st.DataObject, tally: Tally) -> None:
    """N bits are enough: an injective encoder into 2^N messages has no collision."""
    del tally
    size = data.draw(st.integers(1, 5), label="N")
    code = data.draw(st.permutations(range(2**size)), label="encoder")
    encoder = dict(zip(all_inputs(size), code, strict=True))
    require(colliding_pair(encoder.__getitem__, encoder) is None, "an injective encoder collides")


CLAIM = Claim(
    slug="index-deterministic",
    title="a zero-error one-way protocol for INDEX on N bits sends at least N bits",
    statement="""\
With b < N bits there are `2^b` messages, or `2^(b+1) - 1` if shorter ones are allowed: fewer than
the `2^N` inputs, so two inputs share a message, and they differ in a bit on which one of them is
answered wrongly. Any one input more than there are messages contains such a pair.""",
    source="TMT; HO25; L3",
    assumptions=("the protocol is deterministic and never errs", "one message, Alice to Bob"),
    verdict="holds",
    derivations=derivations,
    properties=(property_too_few_messages, property_enough_messages),
)
