"""A cache that meets the floor of T1 exactly: the bits of one instance and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from kvfloor.attention import ExactAttention
from kvfloor.errors import InputError
from kvfloor.families import BinaryValues, Token, attend_to
from kvfloor.numbers import as_fraction

__all__ = ["FloorCache"]


class FloorCache:
    """Keeps ``n·d_v`` bits, which is enough for the instances of one family (T1 `four-cache`).

    Keys and queries of the family are public, so only V_1 is kept; answers are float64 numbers
    within one ulp of the true output.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache.
    family : BinaryValues
        The only inputs it can take.
    """

    serves: ClassVar[str] = "binary-values"

    def __init__(self, *, order: int, d: int, d_v: int, seed: int, family: BinaryValues) -> None:
        del order, d, d_v, seed
        self.family = family
        self._bits: list[int] = []
        self._attention: ExactAttention | None = None  # from the first answer to the next token

    @classmethod
    def from_state(cls, state: bytes, *, family: BinaryValues, **arguments: Any) -> FloorCache:
        """Return the cache that had this state after a whole instance."""
        cache = cls(family=family, **arguments)
        packed = int.from_bytes(state, "little")
        cache._bits = [packed >> k & 1 for k in range(family.size)]
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take the next token of an instance.

        Raises
        ------
        InputError
            If the value is not of 0 and 1.
        """
        del keys  # public
        self._attention = None
        if len(self._bits) == self.family.size:
            return  # the self token, also public
        for x in values[0]:
            bit = as_fraction(x, "values[0]")
            if bit not in (0, 1):
                raise InputError("values[0]", "0 or 1", str(bit))
            self._bits.append(int(bit))

    def state(self) -> bytes:
        """Return the bits, lowest first."""
        packed = sum(bit << k for k, bit in enumerate(self._bits))
        return packed.to_bytes(-(-len(self._bits) // 8), "little")

    def state_bits(self) -> int:
        """Return the number of bits kept."""
        return len(self._bits)

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the output for a query of shape (d,), shape (d_v,)."""
        if self._attention is None:
            self._attention = attend_to(self._tokens())
        return self._attention(query).floats()

    def _tokens(self) -> list[Token]:
        """The tokens that it answers as attention over."""
        return self.family.encode(self._bits)
