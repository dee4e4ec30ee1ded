"""What properties draw: guarantees, families, instances, answers at the edge of a guarantee."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from flint import arb
from hypothesis import strategies as st

from kvfloor.collisions import random_inputs
from kvfloor.families import (
    AddressBook,
    BinaryValues,
    Bits,
    PairBook,
    axes,
    binary_keys,
    binary_pairs,
    orthonormal,
    parabola,
    polygon,
    roots_d,
    roots_e8,
    sign_keys,
    sign_pairs,
)
from kvfloor.floors import Guarantee
from kvfloor.numbers import ball_ends

__all__ = [
    "bits",
    "drawn_bits",
    "edge_answer",
    "families",
    "grid_guarantees",
    "guarantees",
    "pair_books",
    "symbols",
]

BOOKS: dict[str, Callable[[int], AddressBook]] = {
    "binary-keys": binary_keys,
    "orthonormal": orthonormal,
    "parabola": parabola,
    "polygon": polygon,
    "roots-d": roots_d,
    "roots-e8": roots_e8,
    "signed-axes": axes,
    "sign-keys": lambda n: sign_keys(n, 16),
}


@st.composite
def guarantees(draw: st.DrawFn) -> Guarantee:
    """Draw a guarantee under which 0 and 1 can be told apart: η + 2α < 1."""
    eta = draw(st.fractions(0, Fraction(9, 10), max_denominator=20))
    slack = draw(st.fractions(0, Fraction(9, 10), max_denominator=20))
    return Guarantee(eta, slack * (1 - eta) / 2)


@st.composite
def families(
    draw: st.DrawFn, *, most_bits: int = 96, order: int | None = None, least_bits: int = 1
) -> BinaryValues:
    """Draw a family `binary-values`, of every order up to 3 and every book."""
    m = draw(st.integers(1, 3)) if order is None else order
    n = draw(st.integers(1, {1: 24, 2: 12, 3: 5}.get(m, 3)))
    d_v = draw(st.integers(-(-least_bits // n), max(most_bits // n, -(-least_bits // n))))
    return BinaryValues(
        BOOKS[draw(st.sampled_from(sorted(BOOKS)))](n),
        d_v=d_v,
        order=m,
        self_token=draw(st.booleans()),
        guarantee=draw(guarantees()),
    )


def bits(size: int) -> st.SearchStrategy[Bits]:
    """Draw an element of {0, 1}^size."""
    return st.tuples(*[st.integers(0, 1)] * size)


def drawn_bits(size: int) -> st.SearchStrategy[Bits]:
    """Draw a long element of {0, 1}^size: all alike, or at random from a seed."""
    alike = st.sampled_from(((0,) * size, (1,) * size))
    return alike | st.integers(0, 2**32).map(lambda seed: next(random_inputs(size, seed)))


def edge_answer(guarantee: Guarantee, output: arb, *, bit: int) -> Fraction:
    """Return the answer to an output in [0, 1] that speaks most against its ``bit``.

    It is within the guarantee for every non-negative number in the ball.
    """
    lower, upper = ball_ends(output)
    if bit:
        return (1 - guarantee.eta) * upper - guarantee.alpha
    return (1 + guarantee.eta) * lower + guarantee.alpha


@st.composite
def grid_guarantees(draw: st.DrawFn, L: int) -> Guarantee:
    """Draw a guarantee that tells a grid of L levels apart: η(2L-3) + 2α(L-1) < 1."""
    shares = st.fractions(0, Fraction(9, 10), max_denominator=20)
    eta = draw(shares) / (2 * L - 3)
    return Guarantee(eta, draw(shares) * (1 - eta * (2 * L - 3)) / (2 * (L - 1)))


@st.composite
def pair_books(draw: st.DrawFn) -> PairBook:
    """Draw an address book of pairs."""
    n = draw(st.integers(2, 4))
    return binary_pairs(n) if draw(st.booleans()) else sign_pairs(n, 20)


def symbols(size: int, L: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Draw an element of {0, ..., L-1}^size."""
    return st.tuples(*[st.integers(0, L - 1)] * size)
