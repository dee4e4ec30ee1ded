"""Families of hard instances at a shape, with as many levels as are asked for, read alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from kvfloor.errors import InputError
from kvfloor.families import (
    BinaryValues,
    Dense,
    PairedValues,
    Sharp,
    Token,
    binary_keys,
    binary_pairs,
    sign_pairs,
    tied_keys,
    tuple_keys,
)
from kvfloor.floors import Guarantee, most_levels
from kvfloor.numbers import shown

__all__ = ["SYMBOL_FAMILIES", "HardShape", "SymbolFamily", "offered"]

MOST_TUPLES = 2**12  # margins are certified over all pairs of them
MOST_LEVELS = 2**16 + 1
STEPS = (2, 3, 5, 17, 257, MOST_LEVELS)  # levels in a grid that floats hold exactly
DRAWS = 20  # of signs whose ties have a margin

Held = BinaryValues | PairedValues | Dense | Sharp
WithLevels = Callable[[int], Held]


@dataclass(frozen=True)
class HardShape:
    """What instances are to have: sizes, and the guarantee of the answers that are decoded."""

    order: int
    n: int
    d: int
    d_v: int
    guarantee: Guarantee


@dataclass(frozen=True)
class SymbolFamily:
    """A family of one of `SYMBOL_FAMILIES` with L levels; keys have zeros up to d entries.

    Attributes
    ----------
    name : str
    shape : HardShape
    L : int
    held : a family of `kvfloor.families`
    """

    name: str
    shape: HardShape
    L: int
    held: Held

    @property
    def size(self) -> int:
        """Symbols of an instance."""
        return self.held.size

    @property
    def addresses(self) -> int:
        """Number of queries, which read every symbol once."""
        return self.held.n if isinstance(self.held, BinaryValues) else self.held.addresses

    def encode(self, symbols: Sequence[int]) -> list[Token]:
        """Return the instance that holds the symbols, as n tokens."""
        return [
            Token(tuple(map(self._padded, token.keys)), token.values)
            for token in self.held.encode(symbols)
        ]

    def query(self, address: int) -> tuple[int | Fraction, ...]:
        """Return the query that reads an address, of d entries."""
        return self._padded(self.held.query(address))

    def wrong(self, symbols: Sequence[int], answers: Mapping[int, Sequence[Any]]) -> int:
        """Return how many symbols answers do not reveal, each to the query for an address."""
        return sum(
            stored != found
            for address, answer in answers.items()
            for stored, found in zip(
                self.held.row(symbols, address), self.revealed(address, answer), strict=True
            )
        )

    def revealed(self, address: int, answer: Sequence[Any]) -> tuple[int, ...]:
        """Return the symbols that an answer to the query for an address reveals."""
        if isinstance(self.held, BinaryValues | PairedValues):
            return self.held.decode(answer)
        return self.held.decode(address, answer)

    def _padded(self, entries: Sequence[int | Fraction]) -> tuple[int | Fraction, ...]:
        return (*entries, *[0] * (self.shape.d - len(entries)))


def offered(shape: HardShape, family: str, levels: int | None) -> list[SymbolFamily]:
    """Return the families of a name, or all for ``"auto"``, that there are at a shape.

    With so many levels, or with several numbers of them if none is given.

    Raises
    ------
    InputError
        If a number is out of range, or there is none.
    """
    if family not in SYMBOL_FAMILIES and family != "auto":
        raise InputError.among("family", ("auto", *SYMBOL_FAMILIES), shown(family))
    if shape.n**shape.order > MOST_TUPLES:
        raise InputError("n", f"n**order <= {MOST_TUPLES}", f"{shape.n}**{shape.order}")
    most = most_levels(shape.guarantee.separates_bits(), MOST_LEVELS)
    steps = sorted({min(L, most) for L in STEPS}) if levels is None else [levels]
    found, refused = [], list[InputError]()
    for name in SYMBOL_FAMILIES if family == "auto" else (family,):
        try:
            with_levels = _BUILT[name](shape)
        except InputError as error:  # too few dimensions
            refused.append(error)
            continue
        for L in steps:
            try:
                found.append(SymbolFamily(name, shape, L, with_levels(L)))
            except InputError as error:  # too many levels
                refused.append(error)
    if not found:
        raise refused[-1]
    return found


def _binary(shape: HardShape) -> WithLevels:
    book, guarantee = binary_keys(shape.n, shape.d), shape.guarantee

    def with_levels(L: int) -> Held:
        if L != 2:
            raise InputError("levels", "2 for the family binary-values", str(L))
        return BinaryValues(book, shape.d_v, shape.order, guarantee=guarantee)

    return with_levels


def _dense(shape: HardShape) -> WithLevels:
    book = tuple_keys(binary_keys(shape.n, shape.d // shape.order), shape.order)
    return lambda L: Dense(book, shape.d_v, L=L, guarantee=shape.guarantee)


def _dense_keys(shape: HardShape) -> WithLevels:
    if shape.n < 2:
        raise InputError("n", "at least 2 for the family dense-keys", str(shape.n))
    book = tied_keys(binary_keys(shape.n - 1), shape.order)
    if shape.d <= book.d:
        raise InputError("d", f"more than {book.d} for the family dense-keys", str(shape.d))
    return lambda L: Dense(book, shape.d_v, shape.d - book.d, L, shape.guarantee)


def _paired(shape: HardShape) -> WithLevels:
    _require_pairs(shape)
    book = binary_pairs(shape.n)
    if shape.d < book.d:
        raise InputError("d", f"at least {book.d} for the family paired-values", str(shape.d))
    return lambda L: PairedValues(book, shape.d_v, L, shape.guarantee)


def _sharp(shape: HardShape) -> WithLevels:
    _require_pairs(shape)
    entries = shape.d // 2
    book = sign_pairs(shape.n, entries, draws=DRAWS)
    return lambda L: Sharp(book, shape.d - entries, shape.d_v, L, shape.guarantee)


def _require_pairs(shape: HardShape) -> None:
    if shape.order != 2:
        raise InputError("order", "2 for the families of pairs", str(shape.order))


_BUILT: dict[str, Callable[[HardShape], WithLevels]] = {
    "binary-values": _binary,
    "dense": _dense,
    "dense-keys": _dense_keys,
    "paired-values": _paired,
    "sharp": _sharp,
}
SYMBOL_FAMILIES = tuple(_BUILT)
