"""Spherical codes as address books: vectors of (nearly) one length, far apart in angle (L5).

A code of angle θ has margin ρ(1 - cos θ) for queries with ‖q‖·‖k‖ = ρ. Roots and axes have whole
coordinates; polygons and greedy codes are rounded to a lattice, and their margin is that of the
rounded keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, combinations, count, islice, product

import numpy as np
from flint import arb, fmpq

from kvfloor.errors import InputError
from kvfloor.families.keys.book import AddressBook, IntVector
from kvfloor.floors import greedy_size
from kvfloor.numbers import arb_precision, as_count, as_fraction, to_fraction

__all__ = ["axes", "greedy_code", "polygon", "roots_d", "roots_e8"]

GREEDY_RADIUS = 2**16  # rounding moves cos θ by about 2**-16·√d


def polygon(n: int) -> AddressBook:
    """The regular n-gon of radius ``R = 8n²``, corners rounded: d = 2, angle 2π/n.

    Rounding costs at most 3n²/(8R) = 3/64 of the margin ``R²(1 - cos(2π/n))`` (`keys`).

    Raises
    ------
    InputError
        If n < 1.
    """
    n = as_count(n, "n", 1)
    radius = 8 * n * n
    with arb_precision(64 + radius.bit_length()):
        corners = [
            (arb.cos_pi_fmpq(fmpq(2 * j, n)) * radius, arb.sin_pi_fmpq(fmpq(2 * j, n)) * radius)
            for j in range(n)
        ]
    keys = tuple(tuple(round(to_fraction(x.mid().fmpq())) for x in corner) for corner in corners)
    return AddressBook.certified("polygon", keys, keys)


def axes(n: int, d: int | None = None) -> AddressBook:
    """The first n of the 2d signed unit vectors: 90° or more, margin C at ρ = C.

    Parameters
    ----------
    n : int
        Addresses.
    d : int, optional
        Dimension, by default the least: ``⌈n/2⌉``.

    Raises
    ------
    InputError
        If n < 1, or ``2d < n``.
    """
    n = as_count(n, "n", 1)
    d = _dimension(n, d, -(-n // 2), "signed axes")
    signed = (_sparse(d, {c: sign}) for c in range(d) for sign in (1, -1))
    return _code("signed-axes", signed, n)


def roots_d(n: int, d: int | None = None) -> AddressBook:
    """The first n of the 2d(d-1) roots ±e_a ± e_b of D_d: 60° or more, margin C at ρ = 2C.

    Parameters
    ----------
    n : int
        Addresses.
    d : int, optional
        Dimension, by default the least, and 2 at least.

    Raises
    ------
    InputError
        If n < 1, or ``2d(d-1) < n``.
    """
    n = as_count(n, "n", 1)
    least = next(d for d in count(2) if 2 * d * (d - 1) >= n)
    return _code("roots-d", _roots(_dimension(n, d, least, "roots"), 1), n)


def roots_e8(n: int = 240) -> AddressBook:
    """The first n of the 240 roots of E8, doubled to be whole: d = 8, 60°, margin 4C at ρ = 8C.

    They are the roots of D_8 and the vectors (±1/2)^8 with an even number of minus signs.

    Raises
    ------
    InputError
        If n < 1 or n > 240.
    """
    if as_count(n, "n", 1) > 240:
        raise InputError("n", "at most 240, the roots there are", str(n))
    halves = (signs for signs in product((1, -1), repeat=8) if signs.count(-1) % 2 == 0)
    return _code("roots-e8", chain(_roots(8, 2), halves), n)


def _code(name: str, vectors: Iterable[IntVector], n: int) -> AddressBook:
    """The first n of the vectors, each its own direction."""
    keys = tuple(islice(vectors, n))
    return AddressBook.certified(name, keys, keys)


def _dimension(n: int, d: int | None, least: int, what: str) -> int:
    if d is None:
        return least
    if as_count(d, "d", 1) < least:
        raise InputError("d", f"at least {least} for {n} {what}", str(d))
    return d


def _roots(d: int, unit: int) -> Iterator[IntVector]:
    """±unit at two places."""
    return (
        _sparse(d, {a: s * unit, b: t * unit})
        for a, b in combinations(range(d), 2)
        for s, t in product((1, -1), repeat=2)
    )


def _sparse(d: int, entries: dict[int, int]) -> IntVector:
    return tuple(entries.get(c, 0) for c in range(d))


def greedy_code(
    d: int, cosine: Fraction, *, size: int | None = None, seed: int = 0, draws: int = 100_000
) -> AddressBook:
    """Random vectors, each kept if it is at angle arccos(cosine) or more from all kept before.

    As long as fewer than 1/I are kept, I the fraction of the sphere within that angle of one of
    them, there is room for more; so the default size can be had in every dimension (`keys`).

    Parameters
    ----------
    d : int
        At least 2.
    cosine : Fraction
        cos θ, 0 <= cos θ < 1.
    size : int, optional
        Keys wanted, by default the guaranteed ⌈1/I⌉.
    seed : int
        Of NumPy's PCG64.
    draws : int
        How many vectors to draw.

    Raises
    ------
    InputError
        If a number is out of range, or too few of the vectors drawn can be kept.
    """
    wanted = greedy_size(d, cosine) if size is None else as_count(size, "size", 1)
    cosine = as_fraction(cosine, "cosine")
    if not 0 <= cosine < 1:
        raise InputError("cosine", "a number with 0 <= cosine < 1", str(cosine))
    rng = np.random.default_rng(as_count(seed, "seed"))
    kept: list[IntVector] = []
    for _ in range(as_count(draws, "draws", 1)):
        vector = rng.normal(size=as_count(d, "d", 2))
        scaled = np.rint(vector * (GREEDY_RADIUS / np.linalg.norm(vector)))
        key = tuple(int(x) for x in scaled)
        if all(_apart(key, other, cosine) for other in kept):
            kept.append(key)
        if len(kept) == wanted:
            return AddressBook.certified("greedy", tuple(kept), tuple(kept))
    raise InputError("draws", f"enough for {wanted} keys, {len(kept)} found", str(draws))


def _apart(u: IntVector, v: IntVector, cosine: Fraction) -> bool:
    """Whether the angle is arccos(cosine) or more: ``u·v <= cosine·‖u‖·‖v‖``, in integers."""
    uv = sum(a * b for a, b in zip(u, v, strict=True))
    norms = sum(a * a for a in u) * sum(b * b for b in v)
    return uv <= 0 or uv * uv * cosine.denominator**2 <= cosine.numerator**2 * norms
