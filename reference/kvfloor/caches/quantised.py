"""The 2m-cache with rounded entries: near the floor as the precision grows."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from math import prod
from typing import Any, ClassVar

from kvfloor.attention import ExactAttention
from kvfloor.caches.tokens import Shape, as_token
from kvfloor.errors import InputError
from kvfloor.floors import answer_bits, quantised_bits
from kvfloor.numbers import as_count, as_positive, shown, to_fraction

__all__ = ["KEY", "VALUE", "QuantisedCache"]

KEY, VALUE = range(2)  # the two parts of a token


class QuantisedCache:
    """Keeps the cell of every entry, and answers as if entries were the middles of their cells.

    The box [-bound, bound] of an entry is cut into cells of equal width. The state is one number
    in mixed radix with a leading 1, so no bit is lost to padding and the number of tokens is part
    of it. The error is that of `quantised-upper-bound`, and `answer_bits`; `floors.cells_for` gives
    cells for a guarantee.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache.
    key_cells, value_cells : int
        Cells for an entry of a key, of a value; at least 2.
    key_bound, value_bound : number > 0
        The boxes that entries lie in.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    serves: ClassVar[str] = "box"

    def __init__(
        self,
        *,
        order: int,
        d: int,
        d_v: int,
        seed: int,
        key_cells: int,
        value_cells: int,
        key_bound: Any = 1,
        value_bound: Any = 1,
    ) -> None:
        del seed
        self._shape = Shape(order, d, d_v)
        self._cells = as_count(key_cells, "key_cells", 2), as_count(value_cells, "value_cells", 2)
        self._bounds = as_positive(key_bound, "key_bound"), as_positive(value_bound, "value_bound")
        self._kept = 1
        self._tokens = 0
        self._attention: ExactAttention | None = None  # from the first answer to the next token

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> QuantisedCache:
        """Return the cache that had this state; the other arguments are those of the class.

        Raises
        ------
        InputError
            If no cache had it.
        """
        cache = cls(**arguments)
        cache._kept = int.from_bytes(state, "little")
        whole = cache._kept
        while whole > 1:
            whole //= cache._radix(first=whole < 2 * cache._radix(first=True))
            cache._tokens += 1
        if whole != 1 or cache.state() != state:
            raise InputError("state", "a number that tokens lead to, in its bytes", shown(state))
        return cache

    def _fixed(self, part: int, slot: int, *, first: bool) -> Fraction | None:
        """What all entries of this row are, if that is known beforehand: no row is.

        It is asked for the first token and for those that follow.
        """
        del part, slot, first
        return None

    def _rows(self, *, first: bool) -> list[tuple[int, int, Fraction | None]]:
        """Part and slot of the rows of a token, in the order in which they are kept."""
        return [
            (part, slot, self._fixed(part, slot, first=first))
            for part in (KEY, VALUE)
            for slot in range(self._shape.order)
        ]

    def _radix(self, *, first: bool) -> int:
        """States of one token."""
        widths = self._shape.d, self._shape.d_v
        kept = (part for part, _, fixed in self._rows(first=first) if fixed is None)
        return prod(self._cells[part] ** widths[part] for part in kept)

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, an entry outside its box, or one that is not as fixed.
        """
        self._attention = None
        entries = iter(as_token(keys, values, self._shape))
        widths, kept = (self._shape.d, self._shape.d_v), self._kept
        for part, _, fixed in self._rows(first=self._tokens == 0):
            cells, bound = self._cells[part], self._bounds[part]
            for x in islice(entries, widths[part]):
                cell = _cell(x, cells, bound)
                if fixed is None:
                    kept = kept * cells + cell
                elif x != fixed:
                    raise InputError("token", f"the entry {fixed}, by the gauge", shown(x))
        self._kept = kept
        self._tokens += 1

    def state(self) -> bytes:
        """Return the number, little-endian."""
        return self._kept.to_bytes(-(-self.state_bits() // 8), "little")

    def state_bits(self) -> int:
        """Return the bits of the largest state of as many tokens."""
        return quantised_bits(
            self._tokens, self._shape.d, self._shape.d_v, self._cells, order=self._shape.order
        )

    def answer(self, query: Sequence[Any]) -> list[Fraction]:
        """Return the output for a query of shape (d,), shape (d_v,), to `answer_bits`."""
        bits = answer_bits(self._cells)
        if self._attention is None:
            self._attention = ExactAttention(*self._rounded())
        output, precision = self._attention(query), bits + 64
        while True:
            balls = output.enclose(precision)
            radii = [to_fraction(ball.rad().fmpq()) for ball in balls]
            if max(radii) < Fraction(1, 2**bits):
                return [to_fraction(ball.mid().fmpq()) for ball in balls]
            precision *= 2  # ends: radii shrink to nothing

    def _rounded(self) -> tuple[list[list[list[Fraction]]], list[list[list[Fraction]]]]:
        """Take the number apart from its last digit on; the last token comes first, as it may."""
        kept = self._kept
        slots: list[list[list[list[Fraction]]]] = [
            [[] for _ in range(self._shape.order)] for _ in "kv"
        ]
        widths = self._shape.d, self._shape.d_v
        for token in reversed(range(self._tokens)):
            for part, slot, fixed in reversed(self._rows(first=token == 0)):
                cells, bound = self._cells[part], self._bounds[part]
                row = [] if fixed is None else [fixed] * widths[part]
                while len(row) < widths[part]:
                    kept, cell = divmod(kept, cells)
                    row.append(bound * Fraction(2 * cell + 1 - cells, cells))
                slots[part][slot].append(row[::-1])
        return slots[0], slots[1]


def _cell(entry: Fraction, cells: int, bound: Fraction) -> int:
    """The cell that an entry lies in; an end that two cells share belongs to the upper one."""
    if abs(entry) > bound:
        raise InputError("token", f"entries of absolute value at most {bound}", str(entry))
    return min(cells - 1, int((entry + bound) * cells // (2 * bound)))
