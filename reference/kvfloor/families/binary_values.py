"""Hard families: symbols in, tokens out, and back again through attention.

A family fixes public keys and queries; its instances differ in what is to be remembered. Whoever
answers its queries accurately can be made to say every symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from numbers import Integral
from typing import Any, NamedTuple

from flint import arb

from kvfloor.attention import ExactAttention
from kvfloor.errors import InputError
from kvfloor.families.keys import AddressBook
from kvfloor.floors import (
    Guarantee,
    competitors_per_tie,
    four_cache,
    leak,
    least_multiplier,
    margin_ratio,
    threshold,
)
from kvfloor.numbers import arb_precision, as_count, as_fraction, ball_ends, to_fmpq

__all__ = ["BinaryValues", "Token", "attend_to", "stack"]

Bits = tuple[int, ...]


class Token(NamedTuple):
    """What one token brings: m key vectors and m value vectors (D2)."""

    keys: tuple[tuple[int | Fraction, ...], ...]
    values: tuple[tuple[int | Fraction, ...], ...]


def stack(tokens: Sequence[Token]) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return tokens as keys and values: m matrices of n rows each."""
    order = len(tokens[0].keys)
    return (
        [[token.keys[r] for token in tokens] for r in range(order)],
        [[token.values[r] for token in tokens] for r in range(order)],
    )


def attend_to(tokens: Sequence[Token]) -> ExactAttention:
    """Return exact attention over the tokens, at scale 1."""
    return ExactAttention(*stack(tokens))


@dataclass(frozen=True)
class BinaryValues:
    """The family `binary-values` of T1: an address book as K_1, bits as V_1, ones elsewhere.

    Parameters
    ----------
    book : AddressBook
        Its n keys, of dimension d, are the rows of K_1.
    d_v : int
        Bits at each address.
    order : int
        m; slots 2 … m hold ones.
    self_token : bool
        Append the query's own token, all zeros (D2; HO25).
    guarantee : Guarantee
        (η, α) of the answers to be decoded, with η + 2α < 1.

    Attributes
    ----------
    multiplier : int
        The least C for which queries ``C·direction`` allow decoding (L2).

    Raises
    ------
    InputError
        If a number is out of range, or the guarantee is too weak to tell 0 from 1.
    """

    book: AddressBook
    d_v: int
    order: int = 2
    self_token: bool = False
    guarantee: Guarantee = field(default_factory=Guarantee)
    multiplier: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "d_v", as_count(self.d_v, "d_v", 1))
        object.__setattr__(self, "order", as_count(self.order, "order", 1))
        if not isinstance(self.self_token, bool):
            raise InputError("self_token", "True or False", repr(self.self_token))
        if self._unit_margin <= 0:
            expected = "keys with a positive margin over the self token's key of zeros"
            raise InputError("book", expected, f"{self.book.name} with {self._unit_margin}")
        self.guarantee.separates_bits()
        ratio = margin_ratio(self.guarantee, self.competitors)
        object.__setattr__(self, "multiplier", least_multiplier(self._unit_margin, ratio))

    def __str__(self) -> str:
        own = ", self token" if self.self_token else ""
        shape = f"order={self.order}, n={self.n}, d={self.book.d}, d_v={self.d_v}"
        return f"binary-values({self.book.name}, {shape}{own}, C={self.multiplier})"

    @property
    def n(self) -> int:
        """Number of addresses; tokens, less the self token."""
        return self.book.n

    @property
    def size(self) -> int:
        """N = n·d_v, the bits of an instance."""
        return int(four_cache(self.n, self.d_v))

    @property
    def competitors(self) -> Fraction:
        """M/ties, competitors for each tuple tied at the top."""
        return Fraction(competitors_per_tie(Fraction(self.n), self.order, self.self_token))

    @property
    def margin(self) -> Fraction:
        """The margin g of every query over every competitor, in nats."""
        return self.multiplier * self._unit_margin

    @cached_property
    def _threshold(self) -> Fraction:
        return Fraction(threshold(self.guarantee))

    @property
    def _unit_margin(self) -> Fraction:
        least = min(self.book.margin, self.book.zero_margin) if self.self_token else None
        return Fraction(self.book.margin if least is None else least)

    def leak(self, bits: int = 128) -> arb:
        """Return a ball around λ, the most that all competitors can weigh (L1)."""
        with arb_precision(bits):
            return arb(leak(to_fmpq(self.competitors) * arb(to_fmpq(-self.margin)).exp()))

    def encode(self, bits: Sequence[int]) -> list[Token]:
        """Return the instance that holds ``bits``, row by row, as n (or n + 1) tokens.

        Raises
        ------
        InputError
            If ``bits`` is not N zeros and ones.
        """
        x = self.as_bits(bits)
        ones_k, ones_v = (1,) * self.book.d, (1,) * self.d_v
        others = self.order - 1
        tokens = [
            Token((key, *[ones_k] * others), (self.row(x, i), *[ones_v] * others))
            for i, key in enumerate(self.book.keys)
        ]
        if self.self_token:
            zero_k, zero_v = (0,) * self.book.d, (0,) * self.d_v
            tokens.append(Token((zero_k,) * self.order, (zero_v,) * self.order))
        return tokens

    def query(self, address: int) -> tuple[int, ...]:
        """Return the query that reads the row at ``address``, shape (d,).

        Raises
        ------
        InputError
            If there is no such address.
        """
        if as_count(address, "address") >= self.n:
            raise InputError("address", f"a whole number below n = {self.n}", str(address))
        return tuple(self.multiplier * x for x in self.book.directions[address])

    def decode(self, answer: Sequence[Any]) -> Bits:
        """Return the d_v bits that an answer reveals, by L2's threshold.

        Parameters
        ----------
        answer : sequence of d_v numbers or Arb balls

        Raises
        ------
        InputError
            If an entry is not a finite number, or a ball lies on both sides of the threshold.
        """
        if len(answer) != self.d_v:
            raise InputError("answer", f"{self.d_v} entries", str(len(answer)))
        return tuple(self._decode_one(o, f"answer[{c}]") for c, o in enumerate(answer))

    def _decode_one(self, o: Any, argument: str) -> int:
        theta = self._threshold
        if not isinstance(o, arb):
            return int(as_fraction(o, argument) > theta)
        sides = {end > theta for end in ball_ends(o)} if o.is_finite() else {False, True}
        if len(sides) > 1:
            raise InputError(argument, f"a ball on one side of the threshold {theta}", str(o))
        return int(sides.pop())

    def row(self, bits: Sequence[int], address: int) -> Bits:
        """Return the bits stored at an address."""
        return tuple(bits[address * self.d_v : (address + 1) * self.d_v])

    def locate(self, symbol: int) -> tuple[int, int]:
        """Return the address and the column that hold a symbol."""
        return divmod(symbol, self.d_v)

    def as_bits(self, bits: Sequence[int]) -> Bits:
        """Return ``bits`` as a tuple of N zeros and ones; `InputError` if it is none."""
        x = tuple(bits)
        if len(x) != self.size:
            raise InputError("bits", f"N = n*d_v = {self.size} bits", str(len(x)))
        if set(map(type, x)) == {int} and set(x) <= {0, 1}:
            return x  # usual, and searches encode a great many instances
        for k, b in enumerate(x):
            if isinstance(b, bool) or not isinstance(b, Integral) or b not in (0, 1):
                raise InputError(f"bits[{k}]", "0 or 1", repr(b))
        return tuple(int(b) for b in x)
