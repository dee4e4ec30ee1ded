"""The universal too-small cache: b bits of hash, and a table of what they may mean (T5)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import islice, product
from typing import Any

from kvfloor.caches.protocol import configure, record
from kvfloor.families import BinaryValues, attend_to
from kvfloor.numbers import as_count, as_fraction

__all__ = ["HashedCache"]


class HashedCache:
    """Keeps b bits, whatever it is given.

    The state is a polynomial hash of the tokens modulo 2**b, keyed by the seed. To answer, the
    first instance of a family that has the same hash stands in for what was really seen.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; the seed keys the hash.
    bits : int
        b >= 0.
    family : BinaryValues, optional
        What the table is built from. Without it every answer is zero.

    Raises
    ------
    InputError
        If ``bits`` is negative.
    """

    def __init__(
        self,
        *,
        order: int,
        d: int,
        d_v: int,
        seed: int,
        bits: int = 8,
        family: BinaryValues | None = None,
    ) -> None:
        del order, d
        self.d_v, self.seed, self.family = d_v, seed, family
        self.bits = as_count(bits, "bits")
        self._hash = 0

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> HashedCache:
        """Return the cache that had this state; the other arguments are those of the class."""
        cache = cls(**arguments)
        cache._hash = int.from_bytes(state, "little")
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token."""
        # The multiplier is odd, so different hashes stay different under the same token.
        digest = _digest((*keys, *values), self.seed)
        self._hash = (0x9E3779B97F4A7C15 * self._hash + digest) % 2**self.bits

    def state(self) -> bytes:
        """Return the hash, little-endian."""
        return self._hash.to_bytes(-(-self.bits // 8), "little")

    def state_bits(self) -> int:
        """Return b."""
        return self.bits

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the true output of the instance that the table gives, shape (d_v,)."""
        if self.family is None:
            return [0.0] * self.d_v
        stand_in = _table(self.family, self.bits, self.seed).get(
            self._hash, (0,) * self.family.size
        )
        return [
            float(ball.mid()) for ball in attend_to(self.family.encode(stand_in))(query).enclose()
        ]


def _digest(vectors: Sequence[Sequence[Any]], seed: int) -> int:
    text = ";".join(",".join(str(as_fraction(x, "token")) for x in row) for row in vectors)
    return int.from_bytes(blake2b(f"{seed}:{text}".encode()).digest(), "little")


@lru_cache(maxsize=4)
def _table(family: BinaryValues, bits: int, seed: int) -> dict[int, tuple[int, ...]]:
    """First instance of each hash among the first 2**(b + 2); about e^-4 of hashes find none."""
    factory = configure(HashedCache, bits=bits)
    table: dict[int, tuple[int, ...]] = {}
    for x in islice(product((0, 1), repeat=family.size), 2 ** (bits + 2)):
        state = record(factory, family.encode(x), d=family.book.d, d_v=family.d_v, seed=seed)
        table.setdefault(int.from_bytes(state.data, "little"), x)
    return table
