"""Address books: keys, and for each key a query that singles it out (L5 `keys`).

All keys are whole numbers, and the query for address i is C times a whole vector, so the margin
is certified by integer arithmetic alone. C is chosen by whoever uses the book.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.errors import InputError

__all__ = ["AddressBook", "IntMatrix", "IntVector", "certified_margins"]

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

    @property
    def norms_squared(self) -> int:
        """Largest ``‖directions[i]‖²·‖keys[j]‖²``: at strength C, ``ρ = C·√norms_squared``."""
        largest_direction, largest_key = (
            max(sum(x * x for x in row) for row in rows) for rows in (self.directions, self.keys)
        )
        return largest_direction * largest_key

    def restricted(self, addresses: Iterable[int]) -> AddressBook:
        """Return the book of some of the addresses; its margin may be larger.

        Raises
        ------
        InputError
            If there is no such address, or none is named.
        """
        chosen = tuple(addresses)
        if not chosen or not all(0 <= i < self.n for i in chosen):
            raise InputError("addresses", f"at least one of 0 to {self.n - 1}", f"{chosen}")
        return AddressBook.certified(
            f"part of {self.name}",
            tuple(self.keys[i] for i in chosen),
            tuple(self.directions[i] for i in chosen),
        )


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
