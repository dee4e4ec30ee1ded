"""Address books of n keys in one slot: unit vectors, binary codes, points on a parabola (L5)."""

from __future__ import annotations

from kvfloor.errors import InputError
from kvfloor.families.keys.book import AddressBook
from kvfloor.numbers import as_count

__all__ = ["binary_keys", "orthonormal", "parabola"]


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
