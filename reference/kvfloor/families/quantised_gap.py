"""How near the quantised cache is to the floor of the family `sharp` (S2)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from flint import arb, fmpq, fmpz

from kvfloor.errors import InputError
from kvfloor.families.keys import PairBook
from kvfloor.floors import (
    Guarantee,
    cells_for,
    grid_room,
    least_multiplier,
    room,
    sharp_symbols,
    symbol_ratio,
)
from kvfloor.numbers import arb_precision, as_count, as_positive, ball_ends, to_fmpq

__all__ = ["Tightness", "ratio_at_most", "tightness"]


class Tightness(NamedTuple):
    """One guarantee (0, α), and what it takes.

    Attributes
    ----------
    alpha : Fraction
        Half of what would close the room between payloads.
    multiplier : int
        The least C of the family.
    cells : (int, int)
        Cells for an entry of a key and of a value that make the quantised cache accurate.
    ratio : arb
        Bits of that cache for each bit of the floor, as both grow with the logarithms of cells
        and L; whole bits differ by less than 3.
    most : arb
        What the ratio is at most, by `ratio_at_most` with P = max(cells)/L.
    """

    alpha: Fraction
    multiplier: int
    cells: tuple[int, int]
    ratio: arb
    most: arb


def ratio_at_most(n: Any, d: Any, d_v: Any, b: Any, excess: Any) -> Any:
    """Bits of the quantised cache for each bit of the floor: three factors that go to 1.

    ``n/(n-1) · (d + d_v)/(b + d_v - 2) · (1 + ln P/ln L)``, for cells of at most P·L.

    Parameters
    ----------
    n, d, d_v, b : numbers
        Tokens; columns of keys and values; symbols of a payload.
    excess : number
        ln P / ln L.
    """
    return n / (n - 1) * (d + d_v) / (b + d_v - 2) * (1 + excess)


def tightness(
    book: PairBook, b: int, d_v: int, L: int, *, gamma: Any = Fraction(3, 2)
) -> Tightness:
    """Compare upper and lower bound for the family `sharp` at η = 0, for any size of grid.

    The least room between payloads is that of the two lowest, as `sharp-floor` derives for
    η = 0, so no list of L levels is made.

    Parameters
    ----------
    book : PairBook
    b, d_v : int
        Symbols of a payload; columns of the values.
    L : int
        Size of the grid.
    gamma : number > 0
        Strength of payload queries.

    Raises
    ------
    InputError
        If a number is out of range, or the book has no margin of ties.
    """
    b, d_v, L = as_count(b, "b", 1), as_count(d_v, "d_v", 2), as_count(L, "L", 2)
    gamma = as_positive(gamma, "gamma")
    if book.tie_margin <= 0:
        raise InputError("book", "keys with a positive margin of ties", str(book.tie_margin))
    with arb_precision(2 * L.bit_length() + 128):
        lowest, next_one = (
            ball_ends(1 / (1 + arb(to_fmpq(gamma * (1 - Fraction(k, L - 1)))).exp()))
            for k in (0, 1)
        )
    alpha = room(Guarantee(), lowest[1], next_one[0]) / 4
    guarantee = Guarantee(alpha=alpha)
    pairs = book.n**2
    C = max(
        least_multiplier(Fraction(margin), symbol_ratio(guarantee, competitors, least))
        for margin, competitors, least in (
            (book.margin, pairs - 1, grid_room(guarantee, L)),
            (book.tie_margin, pairs - 2, room(guarantee, lowest[1], next_one[0])),
        )
    )
    # No tie of two sign vectors has a larger norm than twice the dimension.
    cells = cells_for(alpha, 2 * C * book.d + gamma)
    d = book.d + b
    with arb_precision(256):
        key_bits, value_bits, symbol_bits = (arb(fmpz(x)).log() for x in (*cells, L))
        kept = 2 * book.n * (d * key_bits + d_v * value_bits)
        ratio = kept / (int(sharp_symbols(book.n, b, d_v)) * symbol_bits)
        excess = arb(fmpq(max(cells), L)).log() / symbol_bits
        most = ratio_at_most(arb(book.n), d, d_v, b, excess)
    return Tightness(alpha, C, cells, ratio, most)
