"""Which search for a collision is worth trying on a cache, and the time it gets (T5)."""

from __future__ import annotations

import time

from kvfloor.caches import CacheFactory
from kvfloor.certificates import Document, canonical, check
from kvfloor.collisions import Collision, birthday, distinguished_points, flips, pigeonhole
from kvfloor.families import BinaryValues, Bits
from kvfloor.isolation import Factory, Isolated, Misbehaviour

__all__ = ["find_collision"]

PIGEONHOLE_BITS = 8  # all 2**8 states are soon seen
TABLE_BITS = 24  # a table of 2**12 states is small
MOST_BITS = 48  # 2**24 instances are a matter of hours, for whoever gives them


def find_collision(
    factory: Factory,
    family: BinaryValues,
    *,
    bits: int,
    instance: Bits,
    seed: int,
    seconds: float,
    jobs: int,
) -> Document | None:
    """Return the certificate of a collision if one is found in time; the checker has accepted it.

    Parameters
    ----------
    factory, family, seed
        The cache, the family, and the public coins of the cache.
    bits : int
        b, the bits of its state.
    instance : tuple of N bits
        Whose symbols are flipped.
    seconds : float
        Time limit for all of it.
    jobs : int
        Processes.
    """
    deadline = time.monotonic() + seconds
    by_flips = (family.size + 1, _flipped, (family, instance, seed))
    by_states = (2 ** (bits // 2), _random, (family, bits, seed, jobs))
    searches = [by_flips, by_states] if bits <= MOST_BITS else [by_flips]
    for k, (_, search, arguments) in enumerate(sorted(searches, key=lambda search: search[0])):
        left = (deadline - time.monotonic()) / (len(searches) - k)
        with Isolated(factory) as process:
            try:
                found = process.call(search, *arguments, seconds=left)
            except Misbehaviour:  # too slow above all; a search that fails proves nothing
                continue
        if found is not None and check(canonical(found[0])).status == "ok":
            return dict(found[0])
    return None


def _flipped(
    factory: CacheFactory, family: BinaryValues, instance: Bits, seed: int
) -> Collision | None:
    return flips(factory, family, instance, seed=seed)


def _random(
    factory: CacheFactory, family: BinaryValues, bits: int, seed: int, jobs: int
) -> Collision | None:
    if bits <= PIGEONHOLE_BITS:
        return pigeonhole(factory, family, seed=seed)
    limit = 8 << (bits + 1) // 2  # exp(-32) is what remains by then
    if bits <= TABLE_BITS:
        return birthday(factory, family, seed=seed, limit=limit)
    return distinguished_points(factory, family, seed=seed, limit=limit, workers=jobs)
