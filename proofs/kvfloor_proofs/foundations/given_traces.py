"""What properties of `given-keys` draw: traces, and tokens that queries of a trace read."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import arb
from hypothesis import strategies as st

from kvfloor.attention import ExactAttention, TokenWeights
from kvfloor.families import GivenValues, told_levels
from kvfloor.floors import Guarantee

__all__ = ["SCALE", "few_levels", "outputs_of", "read_tokens", "traces"]

SCALE = Fraction(1, 3)  # of the logits


@st.composite
def traces(draw: st.DrawFn) -> tuple[list[list[list[int]]], list[list[int]]]:
    """Draw keys of some slots, and a query for each key of the first, as whole numbers.

    The first keys are points of a parabola, the others near (1, 1), and the queries prefer a key
    by a margin that may be small.
    """
    xs = draw(st.permutations(range(-3, 4)), label="keys")[: draw(st.integers(2, 5), label="n")]
    near = st.lists(st.integers(1, 2), min_size=2, max_size=2)
    others = draw(st.lists(st.lists(near, min_size=1, max_size=2), max_size=1), label="slot 2")
    strength = draw(st.integers(1, 12), label="strength")
    noise = st.integers(-1, 1)
    keys = [[[2 * x, -x * x] for x in xs], *others]
    queries = [[strength * x + draw(noise), strength + draw(noise)] for x in xs]
    return keys, queries


@st.composite
def few_levels(draw: st.DrawFn) -> Guarantee:
    """Draw a guarantee, often one that tells several levels apart."""
    eta_ = draw(st.fractions(0, Fraction(1, 5), max_denominator=20), label="η")
    return Guarantee(eta_, draw(st.fractions(0, Fraction(1, 8), max_denominator=99), label="α"))


def read_tokens(data: st.DataObject) -> tuple[Any, list[int], list[int], GivenValues]:
    """A trace, and tokens that queries read in a drawn order, each with two levels at least."""
    keys, queries = data.draw(traces(), label="keys, queries")
    guarantee, successive = data.draw(few_levels()), data.draw(st.booleans(), label="successive")
    order = data.draw(st.permutations(range(len(keys[0]))), label="order")
    weights = TokenWeights(queries, keys, scale=SCALE)
    plain = weights.plain()
    tokens = list(order[data.draw(st.integers(0, len(order) - 1), label="left out") :])
    readers = [int(plain[:, token].argmax()) for token in tokens]
    while True:
        rows = weights.enclose(readers, tokens)
        most = [
            told_levels(row, j, guarantee, successive=successive, at_most=5)
            for j, row in enumerate(rows)
        ]
        if min(most, default=2) >= 2:
            family = GivenValues(rows, guarantee, most, successive)
            return (keys, queries), tokens, readers, family
        told = [j for j, L in enumerate(most) if L >= 2]
        tokens, readers = [tokens[j] for j in told], [readers[j] for j in told]


def outputs_of(trace: Any, held: dict[int, Fraction], queries: Sequence[int]) -> list[arb]:
    """Outputs where some tokens of the first slot hold values, others 0, and other slots ones."""
    (first, *others), all_queries = trace
    values = [[[held.get(token, Fraction(0))] for token in range(len(first))]]
    attention = ExactAttention(
        [first, *others], values + [[[1]] * len(K_r) for K_r in others], scale=SCALE
    )
    return [attention(all_queries[query]).enclose()[0] for query in queries]
