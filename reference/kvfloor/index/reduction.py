"""INDEX, and the reduction that turns any cache into a one-way protocol for it (D5, L3).

Alice encodes her bits as tokens and sends the state of the cache that saw them. Bob restores the
cache, asks one query and decodes his bit. So a cache of b bits is a protocol of b bits.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import product
from typing import NamedTuple

from kvfloor.caches import CacheFactory, State, record, restore
from kvfloor.families import BinaryValues, Bits

__all__ = ["Pair", "all_inputs", "colliding_pair", "message", "output_row"]


def message(factory: CacheFactory, family: BinaryValues, bits: Bits, *, seed: int = 0) -> State:
    """Alice: return the state after the instance that holds ``bits``."""
    return record(factory, family.encode(bits), d=family.book.d, d_v=family.d_v, seed=seed)


def output_row(
    factory: CacheFactory, family: BinaryValues, state: State, address: int, *, seed: int = 0
) -> Bits:
    """Bob: return the bits at ``address`` as a cache restored from the message tells them."""
    cache = restore(factory, state, order=family.order, d=family.book.d, d_v=family.d_v, seed=seed)
    return family.decode(cache.answer(family.query(address)))


class Pair(NamedTuple):
    """Two different inputs with one message, and how many inputs were encoded to find them."""

    x: Bits
    y: Bits
    encoded: int


def colliding_pair(encode: Callable[[Bits], Hashable], inputs: Iterable[Bits]) -> Pair | None:
    """Return the first two different inputs with the same message, None if there are none.

    With fewer than N bits of message, `all_inputs` of size N always hold such a pair, after at
    most one input more than there are messages (L3 `index-deterministic`).
    """
    seen: dict[Hashable, Bits] = {}
    for encoded, y in enumerate(inputs, start=1):
        x = seen.setdefault(encode(y), y)
        if x != y:
            return Pair(x, y, encoded)
    return None


def all_inputs(size: int) -> Iterator[Bits]:
    """Yield all of {0, 1}^size in lexicographic order."""
    return product((0, 1), repeat=size)
