"""The search for collisions (T5): untrusted; what it finds is a certificate for the checker."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from kvfloor.caches import CacheFactory, State, describe
from kvfloor.certificates import Document, collision_certificate
from kvfloor.errors import InputError
from kvfloor.families import BinaryValues, Bits
from kvfloor.index import all_inputs, colliding_pair, message
from kvfloor.numbers import as_count

__all__ = ["Collision", "birthday", "certified", "flips", "pigeonhole", "random_inputs"]


class Collision(NamedTuple):
    """Two instances that a cache cannot tell apart.

    Attributes
    ----------
    certificate : dict
        For `kvfloor.check`.
    evaluations : int
        How many instances the cache was run on.
    """

    certificate: Document
    evaluations: int


def pigeonhole(factory: CacheFactory, family: BinaryValues, *, seed: int = 0) -> Collision | None:
    """Run the cache on all instances in order until two end in one state.

    A cache of b < N bits collides within 2**b + 1 instances. Returns None if none of the 2**N
    instances collide; meant for small N. None says nothing about the answers of the cache.

    Raises
    ------
    InputError
        If the cache is not deterministic, or ``seed`` no whole number >= 0.
    """
    return _search(factory, family, all_inputs(family.size), seed)


def birthday(
    factory: CacheFactory,
    family: BinaryValues,
    *,
    seed: int = 0,
    search_seed: int = 0,
    limit: int,
) -> Collision | None:
    """Run the cache on random instances until two end in one state.

    A cache of b bits collides after about 1.25·2**(b/2) of them.

    Parameters
    ----------
    factory, family, seed
        The cache, the family, and the public coins of the cache.
    search_seed : int
        Of the random instances.
    limit : int
        How many instances to run at most; None is returned after them.

    Raises
    ------
    InputError
        If ``limit`` or a seed is no whole number >= 0, or the cache is not deterministic.
    """
    drawn = random_inputs(family.size, as_count(search_seed, "search_seed"))
    inputs = islice(drawn, as_count(limit, "limit"))
    return _search(factory, family, inputs, seed)


def flips(
    factory: CacheFactory, family: BinaryValues, bits: Bits, *, seed: int = 0
) -> Collision | None:
    """Run the cache on an instance and on it with each single bit flipped, until two states agree.

    Finds a cache that drops tokens at once. None is returned if all N + 1 states differ.

    Parameters
    ----------
    factory, family, seed
        The cache, the family, and the public coins of the cache.
    bits : tuple of N bits
        The instance.

    Raises
    ------
    InputError
        If ``bits`` is not N zeros and ones.
    """
    x = family.as_bits(bits)
    flipped = ((*x[:k], 1 - x[k], *x[k + 1 :]) for k in range(family.size))
    return _search(factory, family, chain([x], flipped), seed)


def random_inputs(size: int, seed: int) -> Iterator[Bits]:
    """Yield independent uniform elements of {0, 1}^size without end."""
    rng = random.Random(seed)  # noqa: S311 (reproducible, no secrets here)
    while True:
        yield tuple(map(int, reversed(f"{rng.getrandbits(size):0{size}b}")))


def _search(
    factory: CacheFactory, family: BinaryValues, inputs: Iterable[Bits], seed: int
) -> Collision | None:
    seed = as_count(seed, "seed")

    def encode(bits: Bits) -> State:
        return message(factory, family, bits, seed=seed)

    pair = colliding_pair(encode, inputs)
    if pair is None:
        return None
    return certified(factory, family, pair.x, pair.y, seed=seed, evaluations=pair.encoded)


def certified(
    factory: CacheFactory, family: BinaryValues, x: Bits, y: Bits, *, seed: int, evaluations: int
) -> Collision:
    """Return the collision of two instances, with its certificate.

    Raises
    ------
    InputError
        If the cache does not lead both to one state, every time.
    """
    first, other, again = (message(factory, family, bits, seed=seed) for bits in (x, y, x))
    if first != other or first != again:
        raise InputError("factory", "a deterministic cache", "one with two states for one instance")
    certificate = collision_certificate(
        family, x, y, cache=describe(factory), seed=seed, state=first
    )
    return Collision(certificate, evaluations)
