"""A cache for every layer and key-value head, states end to end: at the floor of all (H1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kvfloor.caches.floor import FloorCache
from kvfloor.caches.window import WindowCache
from kvfloor.errors import InputError
from kvfloor.families import BinaryValues
from kvfloor.numbers import as_count

__all__ = ["LayeredCache"]


class LayeredCache:
    """Keeps the bits of the values of every layer and key-value head, and no more.

    It is a `FloorCache`, or with a window a `WindowCache`, for each; as keys are public, the number
    of bits of each is too, and none is spent on telling them apart. Query heads share key-value
    heads in groups: head i of h uses head ``i // (h / heads)``.

    Parameters
    ----------
    families : sequence of layers, each a sequence of `BinaryValues`, one a key-value head
        The only inputs that it can take.
    query_heads : int
        h, a multiple of the key-value heads of every layer.
    windows : sequence of int or None, optional
        Tokens that queries of a layer see; None is all.

    Raises
    ------
    InputError
        If there is no layer, or query heads cannot share key-value heads evenly, or windows are not
        one a layer.
    """

    def __init__(
        self,
        families: Sequence[Sequence[BinaryValues]],
        *,
        query_heads: int,
        windows: Sequence[int | None] | None = None,
    ) -> None:
        self.query_heads = as_count(query_heads, "query_heads", 1)
        windows = [None] * len(families) if windows is None else windows
        if not families or len(windows) != len(families):
            raise InputError("windows", f"one for each of {len(families)} layers", f"{windows}")
        for layer in families:
            if not layer or self.query_heads % len(layer):
                expected = f"a multiple of the {len(layer)} key-value heads of a layer"
                raise InputError("query_heads", expected, str(query_heads))
        self._parts = [
            [_cache(family, window) for family in layer]
            for layer, window in zip(families, windows, strict=True)
        ]

    def append(self, keys: Sequence[Any], values: Sequence[Any]) -> None:
        """Take one token: for each layer and key-value head its m keys and m values.

        Raises
        ------
        InputError
            If a value is not of 0 and 1.
        """
        for part, own_keys, own_values in zip(self._parts, keys, values, strict=True):
            for cache, K, V in zip(part, own_keys, own_values, strict=True):
                cache.append(K, V)

    def state_bits(self) -> int:
        """Return the number of bits kept."""
        return sum(cache.state_bits() for part in self._parts for cache in part)

    def state(self) -> bytes:
        """Return the bits, layer by layer and head by head, lowest first."""
        packed = place = 0
        for part in self._parts:
            for cache in part:
                packed |= int.from_bytes(cache.state(), "little") << place
                place += cache.state_bits()
        return packed.to_bytes(-(-place // 8), "little")

    @classmethod
    def from_state(cls, state: bytes, **options: Any) -> LayeredCache:
        """Return the cache that had this state after a whole instance; options as for the class."""
        cache = cls(**options)
        packed = int.from_bytes(state, "little")
        for part in cache._parts:
            for head, empty in enumerate(part):
                size = _size(empty)
                own = packed & ((1 << size) - 1)
                packed >>= size
                part[head] = _restored(empty, own.to_bytes(-(-size // 8), "little"))
        return cache

    def answer(self, layer: int, head: int, query: Sequence[Any]) -> list[float]:
        """Return the output of a query head of a layer, shape (d_v,).

        Raises
        ------
        InputError
            If there is no such layer or head.
        """
        if as_count(layer, "layer") >= len(self._parts):
            raise InputError("layer", f"a whole number below {len(self._parts)}", str(layer))
        if as_count(head, "head") >= self.query_heads:
            raise InputError("head", f"a whole number below {self.query_heads}", str(head))
        part = self._parts[layer]
        return part[head // (self.query_heads // len(part))].answer(query)


def _shape(family: BinaryValues) -> dict[str, Any]:
    return {"order": family.order, "d": family.book.d, "d_v": family.d_v, "seed": 0}


def _cache(family: BinaryValues, window: int | None) -> FloorCache:
    if window is None:
        return FloorCache(family=family, **_shape(family))
    return WindowCache(family=family, window=window, **_shape(family))


def _size(cache: FloorCache) -> int:
    """The bits of a part after a whole instance."""
    tokens = cache.window if isinstance(cache, WindowCache) else cache.family.n
    return tokens * cache.family.d_v


def _restored(empty: FloorCache, state: bytes) -> FloorCache:
    shape = _shape(empty.family)
    if isinstance(empty, WindowCache):
        return WindowCache.from_state(state, family=empty.family, window=empty.window, **shape)
    return FloorCache.from_state(state, family=empty.family, **shape)
