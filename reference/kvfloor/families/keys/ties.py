"""Address books whose first key can be tied to each other key of its slot (`key-levels`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kvfloor.errors import InputError
from kvfloor.families.keys.book import AddressBook, IntMatrix, IntVector
from kvfloor.families.keys.tuples import TupleBook, tuple_keys
from kvfloor.numbers import as_count

__all__ = ["TieBook", "tied_keys"]


@dataclass(frozen=True)
class TieBook(TupleBook):
    """A book of tuples, and queries that put two tuples at the top at once.

    Attributes
    ----------
    ties : tuple of m matrices of ints, shapes (n - 1, d)
        ``ties[r][j-1]`` ties the tuple of first rows and the one with row j in slot r instead.
    tie_margin : int
        The margin at C = 1 of these queries over all tuples but the two.
    """

    ties: tuple[IntMatrix, ...]
    tie_margin: int

    @property
    def n(self) -> int:
        """Number of keys in each slot."""
        return self.lengths[0]

    def tie(self, slot: int, row: int) -> IntVector:
        """Return the query that ties row ``row`` of a slot to its first row at C = 1, shape (d,).

        Raises
        ------
        InputError
            If there is no such slot, or no such row but the first.
        """
        if as_count(slot, "slot") >= self.order:
            raise InputError("slot", f"a whole number below {self.order}", str(slot))
        if not 1 <= as_count(row, "row") < self.n:
            raise InputError("row", f"a whole number from 1 to {self.n - 1}", str(row))
        return self.ties[slot][row - 1]


def tied_keys(book: AddressBook, order: int = 1) -> TieBook:
    """Return a book of ``book.n + 1`` keys a slot, the first of which can be tied to each other.

    In the block of its slot a key has the book's entries and a zero; the first has zeros and a
    one. A query for two of them is the book's direction, and in the last entry what that gives
    its own key.

    Parameters
    ----------
    book : AddressBook
        With a positive margin over a key of zeros too.
    order : int
        m >= 1; ``d = m·(book.d + 1)``.

    Raises
    ------
    InputError
        If ``order`` < 1, or the book has no such margin.
    """
    if book.zero_margin <= 0:
        expected = "keys with a positive margin over a key of zeros"
        raise InputError("book", expected, f"{book.name} with {book.zero_margin}")
    unit = min(book.margin, book.zero_margin)
    zeros = (0,) * book.d
    rows = ((*zeros, 1), *((*key, 0) for key in book.keys))
    first = (*zeros, unit)
    directions = (first, *((*direction, 0) for direction in book.directions))
    in_block = AddressBook.certified(f"tied {book.name}", rows, directions)
    tuples = tuple_keys(in_block, order)
    blocks = [
        (*direction, sum(x * y for x, y in zip(direction, key, strict=True)))
        for direction, key in zip(book.directions, book.keys, strict=True)
    ]
    ties = tuple(
        tuple(first * r + block + first * (tuples.order - 1 - r) for block in blocks)
        for r in range(tuples.order)
    )
    return TieBook(tuples.keys, tuples.products, ties, _least_margin(tuples, ties))


def _least_margin(book: TupleBook, ties: tuple[IntMatrix, ...]) -> int:
    """The least margin of ties over all tuples but the two, in whole numbers; 1 over none."""
    products = np.array(book.products.keys, dtype=object)
    margins = []
    for slot, queries in enumerate(ties):
        step = book.lengths[0] ** (book.order - 1 - slot)
        for row, query in enumerate(queries, start=1):
            logits = products @ np.array(query, dtype=object)
            others = np.delete(logits, [0, row * step])
            margins.append(int(logits[0] - max(others, default=logits[0] - 1)))
    return min(margins)
