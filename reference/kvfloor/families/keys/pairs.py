"""Address books of pairs with ties: queries that put two pairs at the top at once (S2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.errors import InputError
from kvfloor.families.keys.book import IntMatrix, IntVector
from kvfloor.families.keys.signs import draw_signs
from kvfloor.families.keys.single import binary_keys
from kvfloor.families.keys.tuples import TupleBook, tuple_keys
from kvfloor.numbers import as_count

__all__ = ["PairBook", "binary_pairs", "sign_pairs"]


@dataclass(frozen=True)
class PairBook(TupleBook):
    """A book of order 2, n keys in each slot, that also knows the margin of ties.

    Attributes
    ----------
    tie_margin : int
        The margin at C = 1 of queries that tie two pairs, ``tie((j, 0))`` and ``tie((0, l))``,
        over all pairs other than those two (S2 `sharp-floor`). Not positive if some such query
        has a third pair at the top, or does not tie its two.
    """

    tie_margin: int

    @classmethod
    def certified(cls, name: str, keys: tuple[IntMatrix, ...], directions: IntMatrix) -> PairBook:
        """Return the book with its margins, that of ties too, computed in integers.

        Raises
        ------
        InputError
            If there are not two slots of as many keys, or the margin is not positive.
        """
        sizes = tuple(map(len, keys))
        if len(sizes) != 2 or sizes[0] != sizes[1]:
            raise InputError("keys", "two slots of as many keys", f"slots of {sizes}")
        book = TupleBook.certified(name, keys, directions)
        ties = least_tie_margin(book.products.keys, directions, sizes[0])
        return cls(keys, book.products, ties)

    @property
    def n(self) -> int:
        """Number of keys in each slot."""
        return self.lengths[0]

    def tie(self, address: tuple[int, int]) -> IntVector:
        """Return the query that ties a pair with (0, 0) at C = 1, shape (d,).

        Raises
        ------
        InputError
            If there is no such address.
        """
        both = zip(self.direction(address), self.direction((0, 0)), strict=True)
        return tuple(x + y for x, y in both)


def least_tie_margin(rows: IntMatrix, directions: IntMatrix, n: int) -> int:
    """The least margin of ties between row 0, the pair (0, 0), and each other (j, 0) or (0, l)."""
    keys, queries = (np.array(matrix, dtype=object) for matrix in (rows, directions))
    partners = [*range(n, n * n, n), *range(1, n)]
    margins = [_tie_margin(keys @ (queries[p] + queries[0]), p) for p in partners]
    return min(margins, default=0)


def _tie_margin(logits: npt.NDArray[Any], partner: int) -> int:
    if logits[partner] != logits[0]:
        return 0
    others = [s for t, s in enumerate(logits) if t not in (0, partner)]
    return int(logits[0] - max(others, default=0))


def sign_pairs(n: int, d: int, *, seed: int = 0, tie_margin: int = 2, draws: int = 200) -> PairBook:
    """Random rows of {-1, +1}^d in both slots; products of signs are signs again.

    With μ the largest absolute inner product of two different products, the margin is at least
    ``C(d - μ)`` and that of a tie at least ``C(d - 3μ)``. The latter is far from necessary: what
    is certified is the margin itself.

    Parameters
    ----------
    n, d : int
        Rows of each slot, n >= 2; dimension.
    seed : int
        Of NumPy's PCG64.
    tie_margin : int
        The least margin of ties at C = 1 that is accepted, in nats.
    draws : int
        How many draws to try.

    Raises
    ------
    InputError
        If no draw has the margin.
    """
    n = as_count(n, "n", 2)
    as_count(tie_margin, "tie_margin", 1)

    def enough(products: IntMatrix) -> bool:
        return least_tie_margin(products, products, n) >= tie_margin

    keys, products = draw_signs(2, n, d, seed, draws, enough=enough, wanted=f"{tie_margin=}")
    return PairBook.certified("sign-pairs", keys, products)


def binary_pairs(n: int) -> PairBook:
    """First slot (code_j, 1), second (1, code_l), codes as in `binary_keys`; d = 2⌈log₂ n⌉.

    The margin is 2C. From n = 4 on some tie has more than two pairs at the top.

    Raises
    ------
    InputError
        If n < 2.
    """
    book = tuple_keys(binary_keys(as_count(n, "n", 2)), 2)
    return PairBook.certified("binary-pairs", book.keys, book.products.directions)
