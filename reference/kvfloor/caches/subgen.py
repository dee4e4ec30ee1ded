"""SubGen for standard attention, in streaming (U2 `subgen`)."""

from __future__ import annotations

from typing import Any

from kvfloor.caches.subgen4 import SubGen4Cache
from kvfloor.errors import InputError

__all__ = ["SubGen"]


class SubGen(SubGen4Cache):
    """Keeps samples of clusters of keys, and samples of values (U2).

    It is `SubGen4Cache` at order 1: with k clusters, ``k·(1 + t)·d + s·(d + d_v)`` numbers, and k
    counts and the mass.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; the order is 1.
    delta : number > 0
        The radius of the clusters.
    t, s, dtype
        As for `SubGen4Cache`.

    Raises
    ------
    InputError
        If a number is out of range, or the format unknown.
    """

    def __init__(self, *, order: int, delta: Any, **arguments: Any) -> None:
        if order != 1:
            raise InputError("order", "1", str(order))
        super().__init__(order=1, deltas=(delta,), **arguments)
