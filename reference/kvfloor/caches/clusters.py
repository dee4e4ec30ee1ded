"""Keys in clusters, each with a count and a few members drawn uniformly: the D of SubGen (U2)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from kvfloor.caches.coins import Coins
from kvfloor.caches.packing import COUNT_BYTES, StateReader, count_bytes, number_bytes
from kvfloor.numbers import Array, BinaryFormat

__all__ = ["Clusters"]

# In d dimensions float64 gets squared distances right up to a factor within 1 ± (d+3)·2^-53, so
# for d < 2^12 a key that is found within (1 - 2^-40)·δ², squared, is within δ.
SURELY = 1 - 2.0**-40


class Clusters:
    """Centres, and for each the number of keys near it and ``t`` of them.

    A key belongs to the nearest centre if that is within δ; if none is, it becomes one. Each of the
    t samples of a cluster is a uniform member of it, independently of the others: the i-th member
    takes its place with probability 1/i. (A key whose distance from δ float64 cannot tell opens a
    centre, so members are within δ, and centres at least (1 - 2^-40)·δ apart.)

    The state is the number of clusters in 64 bits; then for each the number of its members in 64
    bits; then all centres; then all samples.

    Parameters
    ----------
    d : int
    delta : Fraction
        δ > 0.
    t : int
        Samples of a cluster.
    target : BinaryFormat
        Of the numbers kept.
    """

    def __init__(self, d: int, delta: Fraction, t: int, target: BinaryFormat) -> None:
        self._d, self._t, self._format = d, t, target
        self._most = SURELY * float(delta**2)
        self.centres: Array = np.empty((0, d))
        self._counts: list[int] = []
        self._samples: list[Array] = []

    @property
    def counts(self) -> Array:
        """Members of each cluster, as float64, shape (clusters,)."""
        return np.array(self._counts, dtype=np.float64)

    @property
    def samples(self) -> Array:
        """Members drawn, shape (clusters, t, d)."""
        return np.array(self._samples).reshape(len(self._samples), self._t, self._d)

    @property
    def members(self) -> int:
        """Keys taken."""
        return sum(self._counts)

    def append(self, key: Array, coins: Coins, place: tuple[int, ...]) -> None:
        """Take one key, numbers of the format, with the coins at a place."""
        with np.errstate(over="ignore"):  # farther than float64 tells is far
            distances = ((self.centres - key) ** 2).sum(axis=1)
        nearest = int(np.argmin(distances)) if len(distances) else -1
        if nearest < 0 or distances[nearest] > self._most:
            self.centres = np.vstack([self.centres, key])
            self._counts.append(1)
            self._samples.append(np.tile(key, (self._t, 1)))
            return
        self._counts[nearest] += 1
        replaced = coins.flips(Fraction(1, self._counts[nearest]), self._t, place)
        self._samples[nearest] = np.where(replaced[:, np.newaxis], key, self._samples[nearest])

    def data(self) -> bytes:
        """Return the clusters as bytes."""
        counts = b"".join(map(count_bytes, self._counts))
        numbers = number_bytes(self.centres, self._format) + number_bytes(
            self.samples, self._format
        )
        return count_bytes(len(self._counts)) + counts + numbers

    def read(self, reader: StateReader) -> None:
        """Read back what `data` returned."""
        size = reader.count()
        counts = StateReader(reader.take(COUNT_BYTES * size))
        self._counts = [counts.count() for _ in range(size)]
        self.centres = reader.numbers((size, self._d), self._format)
        self._samples = list(reader.numbers((size, self._t, self._d), self._format))
