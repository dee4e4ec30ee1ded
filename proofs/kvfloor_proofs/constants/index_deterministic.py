"""L3 `index-deterministic`: how many messages there are, and how few inputs hold a pair."""

from __future__ import annotations

from itertools import islice

from hypothesis import strategies as st

from kvfloor.floors import states_up_to
from kvfloor.index import all_inputs, colliding_pair
from kvfloor_proofs.calculus import Relation
from kvfloor_proofs.claims.index_deterministic import b, messages_up_to
from kvfloor_proofs.foundations.constants import Constant, both_sides, concluded
from kvfloor_proofs.foundations.properties import Falsified, Tally, require

__all__ = ["constants"]


def constants() -> tuple[Constant, ...]:
    """Return what the claim hands to users."""
    return (
        Constant(
            states_up_to, (concluded(messages_up_to(), Relation.EQ, lambda: states_up_to(b)),)
        ),
        Constant(
            colliding_pair,
            (
                both_sides(
                    "a pair in messages + 1 inputs, in fewer there may be none", property_pair
                ),
            ),
        ),
        Constant(all_inputs, (both_sides("2^N inputs, no two the same", property_inputs),)),
    )


def property_pair(data: st.DataObject, tally: Tally) -> None:
    """An encoder that uses all its messages collides at the next input, and not before."""
    del tally
    size = data.draw(st.integers(1, 7), label="N")
    b_ = data.draw(st.integers(0, size - 1), label="b")
    up_to = data.draw(st.booleans(), label="shorter messages too")
    messages = states_up_to(b_) if up_to else 2**b_
    inputs = data.draw(st.permutations(list(all_inputs(size))), label="inputs")
    twin = data.draw(st.integers(0, messages - 1), label="shared")
    encoder = {x: k if k < messages else twin for k, x in enumerate(inputs)}
    first = list(islice(inputs, messages))
    require(colliding_pair(encoder.__getitem__, first) is None, "different messages collide")
    pair = colliding_pair(encoder.__getitem__, inputs)
    if pair is None:
        raise Falsified("no two inputs share a message")
    require(pair == (inputs[twin], inputs[messages], messages + 1), "another pair, or later")


def property_inputs(data: st.DataObject, tally: Tally) -> None:
    """Every input of N bits comes once."""
    del tally
    size = data.draw(st.integers(1, 9), label="N")
    numbers = [int("".join(map(str, x)), 2) for x in all_inputs(size) if len(x) == size]
    require(numbers == list(range(2**size)), "an input is left out or comes twice")
