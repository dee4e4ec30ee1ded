"""The hard family `paired-values`: both slots' values hold symbols of any size (S1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Integral
from typing import Any

from kvfloor.errors import InputError
from kvfloor.families.binary_values import Token
from kvfloor.families.keys import PairBook
from kvfloor.families.levels import Levels, grid
from kvfloor.floors import Guarantee, least_multiplier, paired_symbols, symbol_ratio, whole_bits
from kvfloor.numbers import as_count

__all__ = ["PairedValues", "Symbols", "as_address", "as_symbols"]

Symbols = tuple[int, ...]


@dataclass(frozen=True)
class PairedValues:
    """Order 2; rows 1 … n-1 of V_1 and of V_2 hold symbols, row 0 of both is all ones.

    The symbol k is the value k/(L-1). Query (j, 0) reads row j of V_1, query (0, l) row l of V_2:
    addresses 0 … n-2 and n-1 … 2n-3.

    Parameters
    ----------
    book : PairBook
        Its keys are K_1 and K_2.
    d_v : int
        Symbols at each address.
    L : int
        Size of the grid, at least 2.
    guarantee : Guarantee
        (η, α) of the answers to be decoded: ``η(2L-3) + 2α(L-1) < 1``.

    Attributes
    ----------
    multiplier : int
        The least C for which queries ``C·direction`` allow decoding.

    Raises
    ------
    InputError
        If a number is out of range, or the guarantee is too weak for the grid.
    """

    book: PairBook
    d_v: int
    L: int = 2
    guarantee: Guarantee = field(default_factory=Guarantee)
    levels: Levels = field(init=False, repr=False)
    multiplier: int = field(init=False)

    def __post_init__(self) -> None:
        as_count(self.d_v, "d_v", 1)
        as_count(self.book.n, "book.n", 2)
        levels = grid(self.L, self.guarantee)
        ratio = symbol_ratio(self.guarantee, self.competitors, levels.room)
        object.__setattr__(self, "levels", levels)
        object.__setattr__(self, "multiplier", least_multiplier(Fraction(self.book.margin), ratio))

    @property
    def addresses(self) -> int:
        """Number of rows that hold symbols, 2(n-1)."""
        return 2 * (self.book.n - 1)

    @property
    def size(self) -> int:
        """Symbols of an instance."""
        return int(paired_symbols(self.book.n, self.d_v))

    @property
    def bits(self) -> int:
        """Bits that every accurate cache needs whose states all have that many."""
        return whole_bits(self.size, self.L)

    @property
    def competitors(self) -> int:
        """M = n² - 1 pairs other than the one in question."""
        return self.book.n**2 - 1

    @property
    def margin(self) -> Fraction:
        """The margin of every query over every competitor, in nats."""
        return Fraction(self.multiplier * self.book.margin)

    def encode(self, symbols: Sequence[int]) -> list[Token]:
        """Return the instance that holds ``symbols``, address by address, as n tokens.

        Raises
        ------
        InputError
            If ``symbols`` is not `size` whole numbers from 0 to L - 1.
        """
        x = as_symbols(symbols, self.size, self.L)
        ones = (Fraction(1),) * self.d_v
        slots = [
            [ones, *(self._values(x, slot * (self.book.n - 1) + i) for i in range(self.book.n - 1))]
            for slot in range(2)
        ]
        keys = zip(*self.book.keys, strict=True)
        return [Token(k, v) for k, v in zip(keys, zip(*slots, strict=True), strict=True)]

    def _values(self, symbols: Symbols, address: int) -> tuple[Fraction, ...]:
        return tuple(Fraction(k, self.L - 1) for k in self.row(symbols, address))

    def query(self, address: int) -> tuple[int, ...]:
        """Return the query that reads the row at ``address``, shape (d,).

        Raises
        ------
        InputError
            If there is no such address.
        """
        slot, row = divmod(as_address(address, self.addresses), self.book.n - 1)
        pair = (0, row + 1) if slot else (row + 1, 0)
        return tuple(self.multiplier * x for x in self.book.direction(pair))

    def decode(self, answer: Sequence[Any]) -> Symbols:
        """Return the d_v symbols that an answer reveals.

        Parameters
        ----------
        answer : sequence of d_v numbers or Arb balls

        Raises
        ------
        InputError
            If an entry is not a finite number, or a ball that does not reveal one symbol.
        """
        if len(answer) != self.d_v:
            raise InputError("answer", f"{self.d_v} entries", str(len(answer)))
        return tuple(self.levels.decode(o, f"answer[{c}]") for c, o in enumerate(answer))

    def row(self, symbols: Sequence[int], address: int) -> Symbols:
        """Return the symbols stored at an address."""
        return tuple(symbols[address * self.d_v : (address + 1) * self.d_v])


def as_address(address: Any, addresses: int) -> int:
    """Return a whole number below ``addresses``; `InputError` if it is none."""
    if as_count(address, "address") >= addresses:
        raise InputError("address", f"a whole number below {addresses}", str(address))
    return int(address)


def as_symbols(symbols: Sequence[Any], size: int, L: int) -> Symbols:
    """Return ``size`` whole numbers from 0 to L - 1 as a tuple; `InputError` if they are not."""
    x = tuple(symbols)
    if len(x) != size:
        raise InputError("symbols", f"{size} symbols", str(len(x)))
    for k, symbol in enumerate(x):
        whole = isinstance(symbol, Integral) and not isinstance(symbol, bool)
        if not whole or not 0 <= symbol < L:
            raise InputError(f"symbols[{k}]", f"a whole number from 0 to {L - 1}", repr(symbol))
    return tuple(int(symbol) for symbol in x)
