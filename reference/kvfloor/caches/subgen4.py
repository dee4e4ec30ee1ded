"""SubGen with clusters and samples for each slot on its own (U4 `subgen-four-cache`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kvfloor.caches.clusters import Clusters
from kvfloor.caches.coins import Coins, as_coins
from kvfloor.caches.estimates import Estimates, estimates
from kvfloor.caches.packing import StateReader
from kvfloor.caches.reservoir import Reservoir
from kvfloor.caches.tokens import Shape, rounded_token
from kvfloor.errors import InputError
from kvfloor.numbers import Array, as_count, as_format, as_fraction

__all__ = ["SubGen4Cache"]


class SubGen4Cache:
    """Keeps samples of clusters of keys, and samples of values, of each slot (U4).

    With m_r clusters in slot r that is ``Σ_r m_r·(1 + t)·d + m·s·(d + d_v)`` numbers, the counts of
    the clusters in 64 bits, and the masses. The state is, slot by slot, what `Clusters` and
    `Reservoir` write; coins are public. Tokens are rounded to the format as they come, and answers
    are `Estimates` in float64.

    Parameters
    ----------
    order, d, d_v : int
        As for every cache.
    seed : int or Coins
        The public coins, or what they are made of.
    deltas : sequence of m numbers > 0
        The radius of the clusters of each slot.
    t, s : int
        Samples of each cluster, and of values; at least 1. `floors.subgen_samples` gives them.
    dtype : dtype or str
        The format of the numbers kept: one of `FORMATS`.

    Raises
    ------
    InputError
        If a number is out of range, or the format unknown.
    """

    def __init__(
        self,
        *,
        order: int,
        d: int,
        d_v: int,
        seed: int | Coins,
        deltas: Sequence[Any],
        t: int,
        s: int,
        dtype: Any = "float32",
    ) -> None:
        self._shape, self._format, self._coins = (
            Shape(order, d, d_v),
            as_format(dtype),
            as_coins(seed),
        )
        radii = [as_fraction(x, f"deltas[{r}]") for r, x in enumerate(deltas)]
        if len(radii) != order or min(radii) <= 0:
            raise InputError("deltas", f"{order} numbers > 0", str(list(map(str, radii))))
        samples, draws = as_count(t, "t", 1), as_count(s, "s", 1)
        self.clusters = [Clusters(d, radius, samples, self._format) for radius in radii]
        self.reservoirs = [Reservoir(d, d_v, draws, self._format) for _ in radii]

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> SubGen4Cache:
        """Return the cache that had this state; `InputError` if none had."""
        cache = cls(**arguments)
        cache.read(StateReader(state))
        return cache

    def read(self, reader: StateReader) -> None:
        """Become the cache whose state is all that is left to read."""
        for clusters, reservoir in zip(self.clusters, self.reservoirs, strict=True):
            clusters.read(reader)
            reservoir.read(reader)
        reader.end()

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, or a number beyond the format.
        """
        self.take(rounded_token(keys, values, self._shape, self._format))

    def take(self, token: Array) -> None:
        """Take a token's numbers, which are numbers of the format."""
        for slot, (key, value) in enumerate(zip(*self._shape.split(token), strict=True)):
            place = self.clusters[slot].members, slot
            self.clusters[slot].append(key, self._coins, (*place, 0))
            self.reservoirs[slot].append(key, value, self._coins, (*place, 1))

    def state(self) -> bytes:
        """Return clusters and samples."""
        slots = zip(self.clusters, self.reservoirs, strict=True)
        return b"".join(clusters.data() + reservoir.data() for clusters, reservoir in slots)

    def estimates(self) -> Estimates:
        """Return what answers are made of."""
        return estimates(self.clusters, self.reservoirs)

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return the estimated output for a query of shape (d,), shape (d_v,)."""
        return self.estimates().answer(query)
