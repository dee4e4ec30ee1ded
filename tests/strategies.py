"""What tests are run on: small exact problems, guarantees, families with an instance; and all
small alterations of a JSON value.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from kvfloor import (
    AddressBook,
    BinaryValues,
    Guarantee,
    binary_keys,
    orthonormal,
    parabola,
    sign_keys,
)

__all__ = [
    "BOOKS",
    "Path",
    "Problem",
    "altered_node",
    "families",
    "fractions",
    "guarantees",
    "instances",
    "make_book",
    "problems",
]

Path = tuple[str | int, ...]
Rows = list[list[Fraction]]
BOOKS = ("orthonormal", "binary-keys", "sign-keys", "parabola")
SCALES: tuple[Any, ...] = (1, Fraction(1, 3), 2.5, "1/sqrt(d)")


class Problem(NamedTuple):
    """One query for tensor attention, everything rational."""

    query: list[Fraction]
    keys: list[Rows]
    values: list[Rows]
    scale: Any
    mask: npt.NDArray[np.bool_] | None

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(len(K) for K in self.keys)

    @property
    def d(self) -> int:
        return len(self.query)

    @property
    def d_v(self) -> int:
        return len(self.values[0][0])

    @property
    def tuples(self) -> list[tuple[int, ...]]:
        """The tuples that the mask keeps, the last slot fastest."""
        every = product(*map(range, self.lengths))
        return [t for t in every if self.mask is None or self.mask[t]]


def fractions() -> st.SearchStrategy[Fraction]:
    """Small numbers, so that ties and cancellation are common."""
    return st.builds(Fraction, st.integers(-6, 6), st.sampled_from((1, 1, 2, 3, 8)))


def matrices(rows: int, columns: int) -> st.SearchStrategy[Rows]:
    row = st.lists(fractions(), min_size=columns, max_size=columns)
    return st.lists(row, min_size=rows, max_size=rows)


@st.composite
def masks(draw: st.DrawFn, lengths: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Masks that keep at least one tuple."""
    size = int(np.prod(lengths))
    flat = draw(st.lists(st.booleans(), min_size=size, max_size=size))
    flat[draw(st.integers(0, size - 1))] = True
    return np.array(flat, dtype=np.bool_).reshape(lengths)


@st.composite
def problems(
    draw: st.DrawFn,
    orders: tuple[int, ...] = (1, 2, 3),
    scales: tuple[Any, ...] = SCALES,
    masked: bool = True,
) -> Problem:
    """Problems with different lengths in the slots, and d_v independent of d."""
    order = draw(st.sampled_from(orders))
    d, d_v = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    longest = {1: 5, 2: 3, 3: 2}[order]
    lengths = tuple(draw(st.integers(1, longest)) for _ in range(order))
    mask = draw(st.none() | masks(lengths)) if masked else None
    return Problem(
        draw(st.lists(fractions(), min_size=d, max_size=d)),
        [draw(matrices(n, d)) for n in lengths],
        [draw(matrices(n, d_v)) for n in lengths],
        draw(st.sampled_from(scales)),
        mask,
    )


@st.composite
def guarantees(draw: st.DrawFn) -> Guarantee:
    """Guarantees with η + 2α < 1, the corners η = 0 and α = 0 included."""
    slack = draw(st.fractions(0, Fraction(15, 16), max_denominator=16))
    share = draw(st.sampled_from((Fraction(0), Fraction(1, 3), Fraction(1))))
    return Guarantee(slack * share, slack * (1 - share) / 2)


def make_book(name: str, n: int) -> AddressBook:
    """The book of a family in a dimension that is surely enough for n <= 16."""
    if name == "sign-keys":
        return sign_keys(n, 9, seed=n)
    return {"orthonormal": orthonormal, "binary-keys": binary_keys, "parabola": parabola}[name](n)


@st.composite
def families(draw: st.DrawFn, most_bits: int = 12) -> BinaryValues:
    """Hard families of every book and order, with and without self token."""
    order = draw(st.integers(1, 3))
    n = draw(st.integers(1, {1: 6, 2: 4, 3: 3}[order]))
    return BinaryValues(
        make_book(draw(st.sampled_from(BOOKS)), n),
        d_v=draw(st.integers(1, min(3, most_bits // n))),
        order=order,
        self_token=draw(st.booleans()),
        guarantee=draw(guarantees()),
    )


@st.composite
def instances(draw: st.DrawFn) -> tuple[BinaryValues, tuple[int, ...]]:
    """A family and the bits of one of its instances."""
    family = draw(families())
    bits = st.lists(st.integers(0, 1), min_size=family.size, max_size=family.size)
    return family, tuple(draw(bits))


# --- alterations of JSON, one at a time ----------------------------------------------------

OTHER_CHARACTER = str.maketrans("0123456789abcdef+-", "1234567890bcdefa-+")
RETYPED: tuple[Any, ...] = (None, True, 0, "", [], {}, [0], {"x": 0}, 10**30, -1, "x")
NAMES = ("orthonormal", "binary-keys", "sign-keys", "parabola")


def altered_text(text: str) -> Iterator[str]:
    """Each character changed, dropped; made longer, shorter, negative, unreduced, upper case."""
    for k, c in enumerate(text):
        other = c.translate(OTHER_CHARACTER)
        yield text[:k] + (other if other != c else "x") + text[k + 1 :]
        yield text[:k] + text[k + 1 :]
    yield from ("0" + text, text + "0", text + text, " " + text, text + " ", "-" + text)
    yield from (text.upper(), text[::-1], text + "/1", text + "0/10", text + "é", text + "\ud800")
    yield from NAMES


def altered_leaf(leaf: Any) -> Iterator[Any]:
    yield from RETYPED
    if isinstance(leaf, str):
        yield from altered_text(leaf)
        yield int(leaf) if leaf.isdecimal() else [leaf]
    elif isinstance(leaf, bool):
        yield from (not leaf, int(leaf), str(leaf).lower())
    else:
        yield from (leaf + 1, leaf - 1, -leaf, 2 * leaf, leaf + 10**6, str(leaf), bool(leaf))


def altered_children(node: Any) -> Iterator[Any]:
    """A list with entries dropped, doubled, swapped; an object with keys dropped, renamed, new."""
    if isinstance(node, list):
        for k in range(len(node)):
            yield node[:k] + node[k + 1 :]
            yield [*node[:k], node[k], *node[k:]]
            yield node[:k] + node[k : k + 2][::-1] + node[k + 2 :]
    else:
        for key in node:
            rest = {other: node[other] for other in node if other != key}
            yield from (rest, rest | {key.upper(): node[key]}, rest | {f"{key} ": node[key]})
        yield node | {"unknown": 0}
    yield from RETYPED


def altered_node(node: Any) -> Iterator[tuple[Path, Any]]:
    """All alterations of a JSON value, each with the path of what was altered."""
    if not isinstance(node, dict | list):
        yield from (((), new) for new in altered_leaf(node))
        return
    yield from (((), new) for new in altered_children(node))
    for key in node if isinstance(node, dict) else range(len(node)):
        for path, new in altered_node(node[key]):
            copy = dict(node) if isinstance(node, dict) else list(node)
            copy[key] = new
            yield (key, *path), copy
