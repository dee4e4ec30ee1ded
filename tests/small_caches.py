"""Caches that are cheap to run, and how many bits they keep: as told, 3/2 a value, compressed."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from kvfloor.caches import ExactCache

__all__ = ["Compressed", "Digest", "ThreeHalves"]


class Digest:
    """Keeps b bits of a hash of all tokens; has nothing to answer."""

    def __init__(self, *, order: int, d: int, d_v: int, seed: int, bits: int) -> None:
        self.d_v, self.bits = d_v, bits
        self.hash = blake2b(b"%d" % seed, digest_size=16)

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> Digest:
        return cls(**arguments)

    def append(self, keys: Any, values: Any) -> None:
        self.hash.update(repr((keys, values)).encode())

    def state(self) -> bytes:
        whole = int.from_bytes(self.hash.digest(), "little")
        return (whole & ((1 << self.bits) - 1)).to_bytes(-(-self.bits // 8), "little")

    def state_bits(self) -> int:
        return self.bits

    def answer(self, query: Any) -> list[float]:
        return [0.0] * self.d_v


class ThreeHalves:
    """Keeps two bits of every other value in [0, 1] and one of the rest; keys it takes for public.

    It answers with the value of the token whose signs are those of the query: right for zeros and
    ones at binary keys.
    """

    def __init__(self, *, order: int, d: int, d_v: int, seed: int) -> None:
        self.d_v, self.levels = d_v, list[int]()

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> ThreeHalves:
        cache = cls(**arguments)
        whole = int.from_bytes(state, "little")
        while whole > 1:
            bits = cache._bits(len(cache.levels))
            cache.levels.append(whole & ((1 << bits) - 1))
            whole >>= bits
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        for x in values[0]:
            most = (1 << self._bits(len(self.levels))) - 1
            self.levels.append(max(0, min(most, round(float(x) * most))))

    def state(self) -> bytes:
        whole = 1  # where it ends
        for place in reversed(range(len(self.levels))):
            whole = whole << self._bits(place) | self.levels[place]
        return whole.to_bytes(-(-whole.bit_length() // 8), "little")

    def answer(self, query: Sequence[Any]) -> list[float]:
        count = len(self.levels) // self.d_v
        token = min(count - 1, sum((x > 0) << place for place, x in enumerate(query)))
        places = range(token * self.d_v, (token + 1) * self.d_v)
        return [self.levels[place] / ((1 << self._bits(place)) - 1) for place in places]

    @staticmethod
    def _bits(place: int) -> int:
        return 1 + place % 2


class Compressed:
    """An exact cache whose state is compressed: short where tokens are alike."""

    def __init__(self, **arguments: Any) -> None:
        self.exact = ExactCache(**arguments)

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> Compressed:
        cache = cls(**arguments)
        cache.exact = ExactCache.from_state(zlib.decompress(state), **arguments)
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        self.exact.append(keys, values)

    def state(self) -> bytes:
        return zlib.compress(self.exact.state())

    def answer(self, query: Sequence[Any]) -> list[float]:
        return self.exact.answer(query)
