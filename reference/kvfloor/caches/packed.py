"""The two-cache in the code of T2: products of whole numbers, packed (T2 `two-cache`)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, ClassVar, NoReturn

import numpy as np

from kvfloor.attention import khatri_rao
from kvfloor.caches.khatri_rao_codec import pack, read_bits, write_bits
from kvfloor.caches.packing import COUNT_BYTES, count_bytes
from kvfloor.caches.tokens import Shape, as_token, attend
from kvfloor.errors import InputError
from kvfloor.numbers import Array, as_count, floats, read

__all__ = ["PackedCache", "RestoredProducts"]


class PackedCache:
    """Keeps the products K_1 ⊘ … ⊘ K_m and V_1 ⊘ … ⊘ V_m, packed into a few of their entries.

    After n tokens that is ``(d + d_v)·((m(n-1) + 1)·width + ⌈log₂(n^m + 1)⌉)`` bits, and n in 64
    more: the state is n, then what `write_bits` writes for keys and values side by side, as a
    number in little-endian. Answers are the true outputs at scale 1, correctly rounded to float64.

    A restored cache answers, and takes no more tokens: their products would need the factors,
    which the products before do not tell.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; there are no coins.
    width : int
        Bits of an entry of the products, a whole number in two's complement.
    """

    serves: ClassVar[str] = "signs"

    def __init__(self, *, order: int, d: int, d_v: int, seed: int, width: int = 16) -> None:
        del seed
        self._shape, self._width = Shape(order, d, d_v), as_count(width, "width", 1)
        self._tokens: list[list[Fraction]] = []

    @classmethod
    def from_state(
        cls, state: bytes, *, order: int, d: int, d_v: int, seed: int, width: int = 16
    ) -> RestoredProducts:
        """Return a cache that answers as this one did; `InputError` if none had the state."""
        del seed
        return RestoredProducts(state, Shape(order, d, d_v), as_count(width, "width", 1))

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token; `InputError` for another shape."""
        self._tokens.append(as_token(keys, values, self._shape))

    def state(self) -> bytes:
        """Return the number of tokens and the packed products.

        Raises
        ------
        InputError
            If an entry is not a whole number of ``width`` bits.
        """
        tokens, order = len(self._tokens), self._shape.order
        if not tokens:
            return count_bytes(0)
        (d, d_v), values = (self._shape.d, self._shape.d_v), order * self._shape.d
        slots = [
            [token[r * d :][:d] + token[values + r * d_v :][:d_v] for token in self._tokens]
            for r in range(order)
        ]
        text = write_bits(pack(khatri_rao(*slots), (tokens,) * order), self._width)
        return count_bytes(tokens) + int(text, 2).to_bytes(-(-len(text) // 8), "little")

    def state_bits(self) -> int:
        """Return the bits of the state without the padding of its last byte."""
        return 8 * COUNT_BYTES + code_size(len(self._tokens), self._shape, self._width)

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        return RestoredProducts(self.state(), self._shape, self._width).answer(query)


class RestoredProducts:
    """What a state of `PackedCache` is restored to: products, unpacked.

    Raises
    ------
    InputError
        If the bytes are no state.
    """

    def __init__(self, state: bytes, shape: Shape, width: int) -> None:
        self._state, self._shape = state, shape
        tokens, body = int.from_bytes(state[:COUNT_BYTES], "little"), state[COUNT_BYTES:]
        size = code_size(tokens, shape, width)
        if len(state) != COUNT_BYTES - -size // 8:
            raise InputError("state", f"{tokens} tokens in {size} bits", f"{len(state)} bytes")
        self._bits, columns = 8 * COUNT_BYTES + size, shape.d + shape.d_v
        self._products: Array = np.empty((0, columns))
        if tokens:
            text = f"{int.from_bytes(body, 'little'):0{size}b}"
            packed = read_bits(text, (tokens,) * shape.order, columns, width)
            self._products = floats(read(packed.unpack(), "products", 2))

    def append(self, keys: Any, values: Any) -> NoReturn:
        """Raise `InputError`."""
        del keys, values
        raise InputError("token", "none after a restored state: it has no factors", "one")

    def state(self) -> bytes:
        """Return the state that this was restored from."""
        return self._state

    def state_bits(self) -> int:
        """Return its bits."""
        return self._bits

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        keys, values = np.split(self._products, [self._shape.d], axis=1)
        return attend([keys], [values], query, self._shape.d)


def code_size(tokens: int, shape: Shape, width: int) -> int:
    """Bits that `write_bits` takes for the products of that many tokens."""
    numbers, rows = shape.order * (tokens - 1) + 1, tokens**shape.order
    return (shape.d + shape.d_v) * (numbers * width + rows.bit_length()) if tokens else 0
