"""Address books: keys, and for each key a query that singles it out (L5 `keys`).

All keys here are whole numbers, and the query for address i is C times a whole vector, so the
margin is certified by integer arithmetic alone. C is chosen by whoever uses the book.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.errors import InputError
from kvfloor.inputs import as_count

__all__ = ["AddressBook", "binary_keys", "orthonormal", "parabola", "sign_keys"]

IntVector = tuple[int, ...]
IntMatrix = tuple[IntVector, ...]


@dataclass(frozen=True)
class AddressBook:
    """n keys in dimension d, and a direction for each whose margin is certified.

    Attributes
    ----------
    name : str
        The family's name in L5.
    keys, directions : tuples of n vectors of d ints
        The query for address i is ``C·directions[i]`` for some C > 0.
    margin : int
        The margin at C = 1, in nats: the least ``directions[i]·(keys[i] - keys[j])``, i ≠ j.
        With a single key, the margin over a zero key.
    zero_margin : int
        The margin at C = 1 over a key of zeros, which the self token has (D2).

    Raises
    ------
    InputError
        If the margin is not positive: then the keys are no address book.
    """

    name: str
    keys: IntMatrix
    directions: IntMatrix
    margin: int
    zero_margin: int

    @classmethod
    def certified(cls, name: str, keys: IntMatrix, directions: IntMatrix) -> AddressBook:
        """Return the book with its margins computed in integers."""
        margin, zero_margin = certified_margins(keys, directions)
        if margin <= 0:
            expected = "keys of which each is singled out by its query"
            raise InputError("keys", expected, f"{name} with a margin of {margin}")
        return cls(name, keys, directions, margin, zero_margin)

    @property
    def n(self) -> int:
        """Number of addresses."""
        return len(self.keys)

    @property
    def d(self) -> int:
        """Dimension of the keys."""
        return len(self.keys[0])


def certified_margins(keys: IntMatrix, directions: IntMatrix) -> tuple[int, int]:
    """Return the margins of `AddressBook`, by exact integer arithmetic over all pairs."""
    logits = _int_array(directions) @ _int_array(keys).T
    own = logits.diagonal().copy()
    zero_margin = int(own.min())
    if len(keys) == 1:
        return zero_margin, zero_margin
    least = logits.min() - 1
    np.fill_diagonal(logits, least)
    return int((own - logits.max(axis=1)).min()), zero_margin


def _int_array(rows: IntMatrix) -> npt.NDArray[Any]:
    """Whole numbers as int64 where no inner product of them can overflow, else as objects."""
    array = np.array(rows, dtype=object)
    largest = max(1, *(abs(x) for row in rows for x in row))
    return array.astype(np.int64) if len(rows[0]) * largest**2 < 2**60 else array


def orthonormal(n: int) -> AddressBook:
    """Unit vectors: d = n, margin C.

    Raises
    ------
    InputError
        If n < 1.
    """
    n = as_count(n, "n", 1)
    eye = tuple(tuple(int(i == c) for c in range(n)) for i in range(n))
    return AddressBook.certified("orthonormal", eye, eye)


def binary_keys(n: int, d: int | None = None) -> AddressBook:
    """The first n rows of {-1, +1}^d counted in binary: d = ⌈log₂ n⌉ is enough, margin 2C.

    Parameters
    ----------
    n : int
        Addresses.
    d : int, optional
        Dimension, by default the least: ``max(1, ⌈log₂ n⌉)``.

    Raises
    ------
    InputError
        If n < 1, or ``2**d < n``.
    """
    n = as_count(n, "n", 1)
    least = max(1, (n - 1).bit_length())
    d = least if d is None else as_count(d, "d", 1)
    if d < least:
        raise InputError("d", f"at least {least} for {n} different rows of signs", str(d))
    codes = tuple(tuple(1 if j >> c & 1 else -1 for c in range(d)) for j in range(n))
    return AddressBook.certified("binary-keys", codes, codes)


def sign_keys(n: int, d: int, *, seed: int = 0, margin: int = 2, draws: int = 100) -> AddressBook:
    """Random rows of {-1, +1}^d: margin C(d - μ), μ the largest inner product of two rows.

    Draws, certifies μ in integers, and draws again if the margin is too small. By Hoeffding and
    the union bound a draw has ``μ < εd`` with positive probability once
    ``d > (2/ε²)·ln(n(n-1)/2)``.

    Parameters
    ----------
    n, d : int
        Addresses and dimension.
    seed : int
        Of NumPy's PCG64.
    margin : int
        The least margin at C = 1 that is accepted, in nats.
    draws : int
        How many draws to try.

    Raises
    ------
    InputError
        If no draw has the margin.
    """
    n, d = as_count(n, "n", 1), as_count(d, "d", 1)
    rng = np.random.default_rng(as_count(seed, "seed"))
    as_count(margin, "margin", 1)
    for _ in range(as_count(draws, "draws", 1)):
        rows = sign_rows(rng.integers(0, 2, size=(n, d)).tolist())
        if certified_margins(rows, rows)[0] >= margin:
            return AddressBook.certified("sign-keys", rows, rows)
    raise InputError("d", f"a dimension where one of {draws} draws has margin {margin}", str(d))


def sign_rows(bits: Sequence[Sequence[int]]) -> IntMatrix:
    """Rows of 0/1 as rows of -1/+1."""
    return tuple(tuple(2 * b - 1 for b in row) for row in bits)


def parabola(n: int) -> AddressBook:
    """Points on a parabola: k_j = (j, -j²), q_i = C(2i, 1) for j = 1 … n; d = 2, margin C.

    ``q_i·k_j = C(i² - (i-j)²)``. Counting from 1 keeps the margin C over the self token too.

    Raises
    ------
    InputError
        If n < 1.
    """
    n = as_count(n, "n", 1)
    keys = tuple((j, -j * j) for j in range(1, n + 1))
    return AddressBook.certified("parabola", keys, tuple((2 * i, 1) for i in range(1, n + 1)))
