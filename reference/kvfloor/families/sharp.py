"""The hard family `sharp`: keys hold symbols too, read off two tied addresses (S2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import exp
from typing import Any

from kvfloor.errors import InputError
from kvfloor.families.binary_values import Token
from kvfloor.families.keys import PairBook
from kvfloor.families.levels import Levels, grid, logistic
from kvfloor.families.paired import Symbols, as_address, as_symbols
from kvfloor.floors import (
    Guarantee,
    least_multiplier,
    room,
    sharp_symbols,
    strength_ratio,
    symbol_ratio,
    whole_bits,
)
from kvfloor.numbers import as_count, as_fraction

__all__ = ["Sharp", "strength"]

_STRENGTHS = tuple(Fraction(k, 4) for k in range(1, 41))
_FINEST = Fraction(1, 2**40)  # floats tell no room from none on a finer grid


def strength(L: int, guarantee: Guarantee) -> Fraction:
    """Return a strength γ with room between neighbouring payloads.

    Of the multiples of 1/4 up to 10 the one with most room; if there is none, the best one in
    between. For L = 2 room grows with γ: then, one above the least whole γ with any.

    A search in floating point; what it finds is certified by `logistic`.

    Raises
    ------
    InputError
        For `guarantee` if no γ leaves room between the two highest payloads, for `gamma` if none
        was found that does between all.
    """
    if guarantee.eta + 4 * guarantee.alpha >= 1:
        expected = "eta + 4*alpha < 1, or no strength tells payloads apart"
        raise InputError("guarantee", expected, str(guarantee))

    def least_room(gamma: Fraction) -> float:
        levels = [1 / (1 + exp(float(gamma) * (1 - k / (L - 1)))) for k in range(L)]
        return min(float(room(guarantee, low, high)) for low, high in pairwise(levels))

    best, step = max(_STRENGTHS, key=least_room), _STRENGTHS[0]
    if L == 2 and least_room(best) <= 0:
        return 1 + Fraction(least_multiplier(Fraction(1), strength_ratio(guarantee)))
    # For each two neighbours room rises with γ and then falls, so the least of them does too: the
    # best strength is less than a step from the best multiple of the step.
    while least_room(best) <= 0:
        if step < _FINEST:
            raise InputError(
                "gamma", "a strength that leaves room for payloads, as none was found", "None"
            )
        step /= 2
        best = max((best - step, best, best + step), key=least_room)
    return best


@dataclass(frozen=True)
class Sharp:
    """Order 2; rows 1 … n-1 of K_1, K_2, V_1 and V_2 hold symbols.

    A key is an address and a payload: K_1[j] = (α_j, x_j), K_2[l] = (β_l, y_l), with payloads of
    b symbols k as k/(L-1), and ones in row 0. The first two columns of the values mark row 0 of
    V_1 and of V_2 by a zero; the rest are symbols as in `PairedValues`. Query
    ``C(α_j∘β_0, 0)`` reads row j of V_1. Query ``(C(α_j∘β_0 + α_0∘β_0), γ·e_c)`` ties the pairs
    (j, 0) and (0, 0) and has the output 1/(1 + exp(γ(1 - x_jc))), but for the leak, in column 0;
    likewise for V_2 and y_l, in column 1.

    The addresses are 2(n-1) rows of values, then 2(n-1)·b payloads, slot by slot.

    Parameters
    ----------
    book : PairBook
        Its keys, in dimension a, are α and β; its ``tie_margin`` must be positive.
    b : int
        Symbols of a payload, at least 1; d = a + b.
    d_v : int
        Columns of the values, at least 2.
    L : int
        Size of the grid, at least 2.
    guarantee : Guarantee
        (η, α) of the answers to be decoded.
    gamma : number > 0, optional
        The strength γ of payload queries; by default what `strength` finds.

    Attributes
    ----------
    multiplier : int
        The least C for which all queries allow decoding, given γ.

    Raises
    ------
    InputError
        If a number is out of range, or the guarantee is too weak for the grid or the payloads.
    """

    book: PairBook
    b: int
    d_v: int
    L: int = 2
    guarantee: Guarantee = field(default_factory=Guarantee)
    gamma: Fraction | None = None
    levels: Levels = field(init=False, repr=False)
    payload_levels: Levels = field(init=False, repr=False)
    multiplier: int = field(init=False)

    def __post_init__(self) -> None:
        as_count(self.book.n, "book.n", 2)
        as_count(self.b, "b", 1)
        as_count(self.d_v, "d_v", 2)
        if self.book.tie_margin <= 0:
            expected = "keys with a positive margin of ties"
            raise InputError("book", expected, f"{self.book.name} with {self.book.tie_margin}")
        levels = grid(self.L, self.guarantee)
        chosen = strength(self.L, self.guarantee) if self.gamma is None else self.gamma
        object.__setattr__(self, "gamma", as_fraction(chosen, "gamma"))
        payload_levels = logistic(self.L, self.strength, self.guarantee)
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "payload_levels", payload_levels)
        pairs = self.book.n**2
        multipliers = [
            least_multiplier(
                Fraction(margin), symbol_ratio(self.guarantee, pairs - ties, found.room)
            )
            for margin, ties, found in (
                (self.book.margin, 1, levels),
                (self.book.tie_margin, 2, payload_levels),
            )
        ]
        object.__setattr__(self, "multiplier", max(multipliers))

    @property
    def strength(self) -> Fraction:
        """The γ in use."""
        return Fraction(self.gamma or 0)

    @property
    def d(self) -> int:
        """Dimension of the keys, a + b."""
        return self.book.d + self.b

    @property
    def free(self) -> int:
        """Symbols of a row of values, d_v - 2."""
        return self.d_v - 2

    @property
    def rows(self) -> int:
        """Rows that hold symbols, 2(n-1)."""
        return 2 * (self.book.n - 1)

    @property
    def addresses(self) -> int:
        """Number of queries, 2(n-1)(1 + b)."""
        return self.rows * (1 + self.b)

    @property
    def size(self) -> int:
        """Symbols of an instance."""
        return int(sharp_symbols(self.book.n, self.b, self.d_v))

    @property
    def bits(self) -> int:
        """Bits that every accurate cache needs whose states all have that many."""
        return whole_bits(self.size, self.L)

    @property
    def query_norm(self) -> Fraction:
        """The largest ‖q‖₁ of a query."""
        return max(
            sum((abs(Fraction(x)) for x in self.query(address)), Fraction(0))
            for address in range(self.addresses)
        )

    def encode(self, symbols: Sequence[int]) -> list[Token]:
        """Return the instance that holds ``symbols``, address by address, as n tokens.

        Raises
        ------
        InputError
            If ``symbols`` is not `size` whole numbers from 0 to L - 1.
        """
        x = as_symbols(symbols, self.size, self.L)
        one, zero = Fraction(1), Fraction(0)
        return [
            Token(
                (self._key(x, 0, j), self._key(x, 1, j)),
                (
                    self._value(x, 0, j, (zero, one) if j == 0 else (one, one)),
                    self._value(x, 1, j, (one, zero) if j == 0 else (one, one)),
                ),
            )
            for j in range(self.book.n)
        ]

    def _key(self, symbols: Symbols, slot: int, row: int) -> tuple[int | Fraction, ...]:
        code = self.book.keys[slot][row]
        start = self.rows * self.free + self._place(slot, row) * self.b
        return code + self._grid(symbols, start, self.b, row)

    def _value(
        self, symbols: Symbols, slot: int, row: int, marks: tuple[Fraction, Fraction]
    ) -> tuple[Fraction, ...]:
        return marks + self._grid(symbols, self._place(slot, row) * self.free, self.free, row)

    def _grid(self, symbols: Symbols, start: int, count: int, row: int) -> tuple[Fraction, ...]:
        if row == 0:
            return (Fraction(1),) * count
        return tuple(Fraction(k, self.L - 1) for k in symbols[start : start + count])

    def _place(self, slot: int, row: int) -> int:
        return slot * (self.book.n - 1) + row - 1

    def query(self, address: int) -> tuple[int | Fraction, ...]:
        """Return the query that reads ``address``, shape (d,).

        Raises
        ------
        InputError
            If there is no such address.
        """
        row, column = self._locate(address)
        slot, j = divmod(row, self.book.n - 1)
        pair = (0, j + 1) if slot else (j + 1, 0)
        direction = self.book.direction(pair) if column is None else self.book.tie(pair)
        payload = tuple(self.strength if c == column else 0 for c in range(self.b))
        return tuple(self.multiplier * x for x in direction) + payload

    def decode(self, address: int, answer: Sequence[Any]) -> Symbols:
        """Return the symbols that an answer to the query for ``address`` reveals.

        Parameters
        ----------
        address : int
        answer : sequence of d_v numbers or Arb balls

        Raises
        ------
        InputError
            If an entry is not a finite number, or a ball that does not reveal one symbol.
        """
        row, column = self._locate(address)
        if len(answer) != self.d_v:
            raise InputError("answer", f"{self.d_v} entries", str(len(answer)))
        if column is None:
            return tuple(
                self.levels.decode(o, f"answer[{c}]") for c, o in enumerate(answer) if c >= 2
            )
        mark = row // (self.book.n - 1)
        return (self.payload_levels.decode(answer[mark], f"answer[{mark}]"),)

    def row(self, symbols: Sequence[int], address: int) -> Symbols:
        """Return the symbols stored at an address."""
        row, column = self._locate(address)
        if column is None:
            return tuple(symbols[row * self.free : (row + 1) * self.free])
        return (symbols[self.rows * self.free + row * self.b + column],)

    def _locate(self, address: int) -> tuple[int, int | None]:
        """The row that an address belongs to, and the column of its payload, None for values."""
        address = as_address(address, self.addresses)
        if address < self.rows:
            return address, None
        row, column = divmod(address - self.rows, self.b)
        return row, column
