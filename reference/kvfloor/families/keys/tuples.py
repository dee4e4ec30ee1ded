"""Address books for tuples: one key matrix a slot, and a query for each tuple (L5).

The logit of a tuple is that of its row in K_1 ⊘ … ⊘ K_m, so its margin is certified there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from kvfloor.attention import row_products as products_in_any_ring
from kvfloor.errors import InputError
from kvfloor.families.keys.book import AddressBook, IntMatrix, IntVector
from kvfloor.numbers import as_count

__all__ = ["TupleBook", "tuple_keys"]

Address = tuple[int, ...]


@dataclass(frozen=True)
class TupleBook:
    """m key matrices, and for each tuple of rows a direction whose margin is certified.

    Attributes
    ----------
    keys : tuple of m matrices of ints, shapes (n_r, d)
        K_1 … K_m.
    products : AddressBook
        The rows of K_1 ⊘ … ⊘ K_m, the last slot fastest, with their directions and margins: what
        the two-cache of D3 holds.
    """

    keys: tuple[IntMatrix, ...]
    products: AddressBook

    @classmethod
    def certified(cls, name: str, keys: tuple[IntMatrix, ...], directions: IntMatrix) -> TupleBook:
        """Return the book with its margins computed in integers.

        Parameters
        ----------
        name : str
        keys : tuple of m matrices of ints, shapes (n_r, d)
        directions : matrix of ints, shape (n_1···n_m, d)
            The last slot fastest.

        Raises
        ------
        InputError
            If the margin is not positive.
        """
        return cls(keys, AddressBook.certified(name, row_products(keys), directions))

    @property
    def name(self) -> str:
        """The family's name in L5."""
        return self.products.name

    @property
    def order(self) -> int:
        """Slots m."""
        return len(self.keys)

    @property
    def lengths(self) -> tuple[int, ...]:
        """The keys in each slot."""
        return tuple(len(K) for K in self.keys)

    @property
    def d(self) -> int:
        """Dimension of the keys."""
        return self.products.d

    @property
    def margin(self) -> int:
        """The margin at C = 1 over every other tuple, in nats."""
        return self.products.margin

    @property
    def zero_margin(self) -> int:
        """The margin at C = 1 over a tuple that holds the self token, whose product is zero."""
        return self.products.zero_margin

    def addresses(self) -> Iterator[Address]:
        """Yield every tuple of rows, the last slot fastest."""
        return product(*map(range, self.lengths))

    def direction(self, address: Sequence[int]) -> IntVector:
        """Return the direction of the query for a tuple, shape (d,).

        Raises
        ------
        InputError
            If there is no such address.
        """
        position = 0
        if len(address) != self.order:
            raise InputError("address", f"{self.order} rows, one a slot", str(len(address)))
        for r, (j, n) in enumerate(zip(address, self.lengths, strict=True)):
            if as_count(j, f"address[{r}]") >= n:
                raise InputError(f"address[{r}]", f"a whole number below {n}", str(j))
            position = position * n + j
        return self.products.directions[position]


def row_products(keys: Sequence[IntMatrix]) -> IntMatrix:
    """Return the rows of K_1 ⊘ … ⊘ K_m in whole numbers, the last slot fastest."""
    return tuple(map(tuple, products_in_any_ring(keys, [1] * len(keys[0][0]))))


def tuple_keys(book: AddressBook, order: int) -> TupleBook:
    """Return the book of all n**order tuples of a book's addresses, in ``order·d`` dimensions.

    Slot r has the keys in its own block of d columns and ones elsewhere, so that the product of a
    tuple's keys is all of them side by side, and its query is all of theirs. The margin is that
    of the book. With `binary_keys` and order 2: K_1[j] = (code_j, 1), K_2[l] = (1, code_l) and
    ``d = 2⌈log₂ n⌉``; with `parabola`: K_1[j] = (j, -j², 1, 1), K_2[l] = (1, 1, l, -l²).

    Raises
    ------
    InputError
        If ``order`` < 1.
    """
    order = as_count(order, "order", 1)
    ones = (1,) * book.d
    keys = tuple(
        tuple(ones * r + key + ones * (order - 1 - r) for key in book.keys) for r in range(order)
    )
    directions = tuple(
        tuple(x for direction in chosen for x in direction)
        for chosen in product(book.directions, repeat=order)
    )
    return TupleBook.certified(f"{book.name} in {order} blocks", keys, directions)
