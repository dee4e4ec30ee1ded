"""Random signs as keys, for one slot and for tuples: draw, certify, draw again (L5).

For different tuples the products of independent signs are again independent signs, so one tail
bound serves keys and tuples (`kvfloor.floors.signs`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from kvfloor.errors import InputError
from kvfloor.families.keys.book import AddressBook, IntMatrix, certified_margins
from kvfloor.families.keys.tuples import TupleBook, row_products
from kvfloor.numbers import as_count

__all__ = ["draw_signs", "sign_keys", "sign_rows", "sign_tuples"]


def sign_keys(n: int, d: int, *, seed: int = 0, margin: int = 2, draws: int = 100) -> AddressBook:
    """Random rows of {-1, +1}^d: margin C(d - μ), μ the largest inner product of two rows.

    Draws, certifies μ in integers, and draws again if the margin is too small. A draw has
    ``μ < εd`` with positive probability from `kvfloor.floors.least_sign_dimension` on.

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
    _, rows = _draw(1, n, d, seed, margin, draws)
    return AddressBook.certified("sign-keys", rows, rows)


def sign_tuples(
    n: int, d: int, *, order: int = 2, seed: int = 0, margin: int = 2, draws: int = 100
) -> TupleBook:
    """Independent random signs in every slot: the n**order products are an address book.

    This is `sign-pairs` of L5 for order 2. The margin is C(d - μ), μ the largest inner product of
    two of the products; parameters and errors are those of `sign_keys`.

    Parameters
    ----------
    n, d : int
        Keys in each slot, and dimension.
    order : int
        m >= 1.
    seed, margin, draws : int
        As for `sign_keys`.
    """
    keys, products = _draw(as_count(order, "order", 1), n, d, seed, margin, draws)
    return TupleBook.certified("sign-pairs", keys, products)


def _draw(
    order: int, n: int, d: int, seed: int, margin: int, draws: int
) -> tuple[tuple[IntMatrix, ...], IntMatrix]:
    as_count(margin, "margin", 1)

    def enough(products: IntMatrix) -> bool:
        return certified_margins(products, products)[0] >= margin

    return draw_signs(order, n, d, seed, draws, enough=enough, wanted=f"margin {margin}")


def draw_signs(
    order: int,
    n: int,
    d: int,
    seed: int,
    draws: int,
    *,
    enough: Callable[[IntMatrix], bool],
    wanted: str,
) -> tuple[tuple[IntMatrix, ...], IntMatrix]:
    """Draw keys until their products, all different, are good enough; return both.

    Raises
    ------
    InputError
        If a number is out of range, or no draw has what is ``wanted``.
    """
    n, d = as_count(n, "n", 1), as_count(d, "d", 1)
    rng = np.random.default_rng(as_count(seed, "seed"))
    for _ in range(as_count(draws, "draws", 1)):
        keys = tuple(sign_rows(rows) for rows in rng.integers(0, 2, size=(order, n, d)).tolist())
        products = row_products(keys)
        if len(set(products)) == len(products) and enough(products):
            return keys, products
    raise InputError("d", f"a dimension where one of {draws} draws has {wanted}", str(d))


def sign_rows(bits: Sequence[Sequence[int]]) -> IntMatrix:
    """Rows of 0/1 as rows of -1/+1."""
    return tuple(tuple(2 * b - 1 for b in row) for row in bits)
