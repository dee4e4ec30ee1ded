"""The hard family `dense`: as many levels as answers tell apart, at every order (H6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

from kvfloor.errors import InputError
from kvfloor.families.binary_values import Token
from kvfloor.families.keys import TieBook, TupleBook
from kvfloor.families.levels import Levels, logits, spaced
from kvfloor.families.paired import Symbols, as_address, as_symbols
from kvfloor.floors import (
    Guarantee,
    key_symbols,
    least_multiplier,
    symbol_bits,
    symbol_ratio,
    tied_lift,
    value_symbols,
)
from kvfloor.numbers import as_count

__all__ = ["Dense"]

Entries = tuple[int | Fraction, ...]


@dataclass(frozen=True)
class Dense:
    """Values hold symbols, and so do keys where they have entries to spare.

    A key is an address and b payloads. From order 2 on row 0 of every slot is ones, and the query
    for row j of a slot singles out the tuple with that row there and row 0 elsewhere; at order 1
    row 0 holds symbols like the others. With b > 0 the first m columns of the values mark row 0
    of each slot by a zero, and a query that ties row j to row 0 has in the column of its slot the
    output ``1/(1 + exp(γ(1 - x_jc)))``, but for the leak.

    The addresses are the rows of values, slot by slot, then the payloads.

    Parameters
    ----------
    book : TupleBook
        As many keys in each slot; if b > 0 a `TieBook`.
    d_v : int
        Columns of the values, at least 1, and at least m if b > 0.
    b : int
        Payloads of a key.
    L : int
        Levels of a symbol, at least 2.
    guarantee : Guarantee
        (η, α) of the answers to be decoded.

    Attributes
    ----------
    levels, payload_levels : Levels
        Of an output that reads a value, and a payload.
    payloads : tuple of L rationals
        What stands for a symbol in a key.
    strength : int
        γ, the weight of a payload in its query.
    multiplier : int
        The least C for which all queries allow decoding.

    Raises
    ------
    InputError
        If a number is out of range, or the guarantee is too weak for so many levels.
    """

    book: TupleBook
    d_v: int
    b: int = 0
    L: int = 2
    guarantee: Guarantee = field(default_factory=Guarantee)
    levels: Levels = field(init=False, repr=False)
    payload_levels: Levels = field(init=False, repr=False)
    payloads: tuple[Fraction, ...] = field(init=False, repr=False)
    strength: int = field(init=False)
    multiplier: int = field(init=False)

    def __post_init__(self) -> None:
        if len(set(self.book.lengths)) > 1:
            raise InputError("book", "as many keys in each slot", f"{self.book.lengths}")
        as_count(self.b, "b")
        as_count(self.d_v, "d_v", self.order if self.b else 1)
        if self.b and not isinstance(self.book, TieBook):
            raise InputError("book", "a TieBook, to read payloads", type(self.book).__name__)
        z, payload_levels = logits(self.L, self.guarantee)
        strength = self.order * max(1, *(abs(x).__ceil__() for x in z))
        for name, value in (
            ("levels", spaced(self.L, self.guarantee)),
            ("payload_levels", payload_levels),
            ("strength", strength),
            ("payloads", tuple(1 + x / strength for x in z)),
        ):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "multiplier", max(self._multipliers()))

    def _multipliers(self) -> list[int]:
        tuples = self.n**self.order
        found = [_multiplier(self.guarantee, self.book.margin, tuples - 1, self.levels)]
        if isinstance(self.book, TieBook) and self.b:
            terms = (self.guarantee, self.book.tie_margin, tuples - 2, self.payload_levels)
            found.append(_multiplier(*terms, lift=self.lift))
        return found

    @property
    def lift(self) -> Fraction:
        """What payloads lift a tuple by, at most, over that of the first rows."""
        return Fraction(tied_lift(self.order, self.strength, max(self.payloads)))

    @property
    def order(self) -> int:
        """Slots m."""
        return self.book.order

    @property
    def n(self) -> int:
        """Number of tokens."""
        return self.book.lengths[0]

    @property
    def d(self) -> int:
        """Entries of a key."""
        return self.book.d + self.b

    @property
    def marks(self) -> int:
        """Columns of the values that mark the first rows."""
        return self.order if self.b else 0

    @cached_property
    def rows(self) -> tuple[tuple[int, int], ...]:
        """The rows of values that hold symbols: slot and token."""
        first = 0 if self.order == 1 else 1
        return tuple(product(range(self.order), range(first, self.n)))

    @cached_property
    def keys(self) -> tuple[tuple[int, int], ...]:
        """The rows of keys that hold symbols: slot and token."""
        return tuple(product(range(self.order), range(1, self.n))) if self.b else ()

    @cached_property
    def _places(self) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
        """Where the symbols of each row of values, and of keys, begin."""
        values = {place: k * self.free for k, place in enumerate(self.rows)}
        first = len(self.rows) * self.free
        return values, {place: first + k * self.b for k, place in enumerate(self.keys)}

    @property
    def addresses(self) -> int:
        """Number of queries."""
        return len(self.rows) + len(self.keys) * self.b

    @property
    def size(self) -> int:
        """Symbols of an instance."""
        if self.b:
            return int(key_symbols(self.order, self.n, self.b, self.d_v))
        return int(value_symbols(self.order, self.n, self.d_v))

    @property
    def bits(self) -> int:
        """Bits that every accurate cache needs whose states all have that many."""
        return symbol_bits(self.size, self.L)

    def encode(self, symbols: Sequence[int]) -> list[Token]:
        """Return the instance that holds ``symbols``, address by address, as n tokens.

        Raises
        ------
        InputError
            If ``symbols`` is not `size` whole numbers from 0 to L - 1.
        """
        x = as_symbols(symbols, self.size, self.L)
        slots = range(self.order)
        return [
            Token(
                tuple(self._key(x, slot, row) for slot in slots),
                tuple(self._value(x, slot, row) for slot in slots),
            )
            for row in range(self.n)
        ]

    def _key(self, symbols: Symbols, slot: int, row: int) -> Entries:
        code, start = self.book.keys[slot][row], self._places[1].get((slot, row))
        if start is None:
            return code + (Fraction(1),) * self.b
        return code + tuple(self.payloads[k] for k in symbols[start : start + self.b])

    def _value(self, symbols: Symbols, slot: int, row: int) -> Entries:
        marks = tuple(
            Fraction(0 if (column, 0) == (slot, row) else 1) for column in range(self.marks)
        )
        start = self._places[0].get((slot, row))
        if start is None:
            return marks + (Fraction(1),) * self.free
        stored = symbols[start : start + self.free]
        return marks + tuple(self.levels.lower[k] for k in stored)

    @property
    def free(self) -> int:
        """Symbols of a row of values."""
        return self.d_v - self.marks

    def query(self, address: int) -> Entries:
        """Return the query that reads ``address``, shape (d,).

        Raises
        ------
        InputError
            If there is no such address.
        """
        slot, row, column = self._locate(address)
        if column is None or not isinstance(self.book, TieBook):
            place = [0] * self.order
            place[slot] = row
            direction = self.book.direction(place)
        else:
            direction = self.book.tie(slot, row)
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
        slot, _, column = self._locate(address)
        if len(answer) != self.d_v:
            raise InputError("answer", f"{self.d_v} entries", str(len(answer)))
        if column is not None:
            return (self.payload_levels.decode(answer[slot], f"answer[{slot}]"),)
        columns = range(self.marks, self.d_v)
        return tuple(self.levels.decode(answer[c], f"answer[{c}]") for c in columns)

    def row(self, symbols: Sequence[int], address: int) -> Symbols:
        """Return the symbols stored at an address."""
        address = as_address(address, self.addresses)
        values = len(self.rows)
        if address < values:
            return tuple(symbols[address * self.free : (address + 1) * self.free])
        return (symbols[values * self.free + address - values],)

    def _locate(self, address: int) -> tuple[int, int, int | None]:
        """Slot and row that an address belongs to, and the column of its payload, if it is one."""
        address = as_address(address, self.addresses)
        if address < len(self.rows):
            return (*self.rows[address], None)
        place, column = divmod(address - len(self.rows), self.b)
        return (*self.keys[place], column)


def _multiplier(
    guarantee: Guarantee,
    margin: int,
    competitors: int,
    levels: Levels,
    *,
    lift: Fraction = Fraction(0),
) -> int:
    ratio = Fraction(symbol_ratio(guarantee, competitors, levels.room))
    return least_multiplier(Fraction(margin), ratio, lift)
