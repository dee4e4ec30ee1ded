"""A cache layer in the shape of Hugging Face Transformers' as a cache of order 1."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from kvfloor.adapters.tensors import Array, Tensors, attend
from kvfloor.caches import Shape, rounded_token
from kvfloor.errors import InputError

__all__ = ["LayerCache"]

COUNT_BYTES = 4


class LayerCache:
    """Feeds a layer through ``update(key_states, value_states)``, token by token.

    The layer gets tensors of shape (1, 1, 1, w), w = max(d, d_v), zeros beyond d and d_v. A query
    attends to what ``update`` returns for one more token of zeros, less that token; it is asked
    of a copy.

    The state is the number of tokens and then the bytes of every tensor that the layer's
    attributes hold, lists and dictionaries of tensors too, in the order of their names. All else
    (shapes, counters, options) must be what as many tokens of zeros lead to, which is how a
    restored layer comes by it. A layer that keeps more, in objects of its own or in plain numbers,
    is refused by `state` as soon as a restored one returns something else. Not seen: padding that
    only a mask hides, as in layers of a fixed length.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; order 1. The seed is PyTorch's, or NumPy's, while the layer runs.
    layer : callable
        Returns an empty layer.
    library : "torch" or "numpy"
        Of its tensors.
    dtype : str
        Format of keys and values, as in `kvfloor.numbers.formats`.

    Raises
    ------
    InputError
        For another order, or an unknown library or format.
    """

    scope: ClassVar[str] = (
        "counted: the number of tokens, and every tensor among the layer's attributes; not seen: "
        "what the layer keeps elsewhere, and padding that only a mask hides"
    )

    def __init__(
        self,
        *,
        order: int,
        d: int,
        d_v: int,
        seed: int,
        layer: Callable[[], Any],
        library: str = "torch",
        dtype: str = "float32",
    ) -> None:
        if order != 1:
            raise InputError("order", "1: a layer knows one key and one value a token", str(order))
        self._shape, self._seed = Shape(order, d, d_v), seed
        self._tensors = Tensors.of(library, dtype)
        self._from_state = partial(
            type(self).from_state,
            order=order,
            d=d,
            d_v=d_v,
            seed=seed,
            layer=layer,
            library=library,
            dtype=dtype,
        )
        self._layer = layer()
        self._count = 0

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> LayerCache:
        """Return the cache that had this state; the other arguments are those of the class."""
        cache = cls(**arguments)
        for _ in range(int.from_bytes(state[:COUNT_BYTES], "little")):
            cache.append([[0] * cache._shape.d], [[0] * cache._shape.d_v])
        place = COUNT_BYTES
        for name, tensor in cache._held():
            array = cache._tensors.array(tensor, name)
            part = state[place : place + array.nbytes]
            if len(part) < array.nbytes:
                raise InputError("state", f"{array.nbytes} bytes for {name}", str(len(part)))
            cache._tensors.fill(tensor, np.frombuffer(part, array.dtype).reshape(array.shape))
            place += array.nbytes
        if place != len(state):
            raise InputError("state", f"{place} bytes, as for tokens of zeros", str(len(state)))
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, numbers beyond the format.
        """
        rounded_token(keys, values, self._shape, self._tensors.format)
        self._update(self._layer, keys, values)
        self._count += 1

    def state(self) -> bytes:
        """Return the number of tokens, then the tensors that the layer holds.

        Raises
        ------
        InputError
            If a layer restored from them returns anything else than this one: it keeps more.
        """
        arrays = (self._tensors.array(tensor, name) for name, tensor in self._held())
        state = self._count.to_bytes(COUNT_BYTES, "little") + b"".join(x.tobytes() for x in arrays)
        restored = self._from_state(state)
        for one, other in zip(self._returned(), restored._returned(), strict=True):
            if one.tobytes() != other.tobytes():  # rows of one width
                expected = "one that keeps all it needs in tensors, lists and dictionaries of them"
                raise InputError("layer", expected, "one that returns something else restored")
        return state

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return attention over what the layer returns, for a query of shape (d,)."""
        keys, values = self._returned()
        return attend(query, keys[:-1], values[:-1], self._shape.d_v)

    def _returned(self) -> tuple[Array, Array]:
        """What a copy of the layer returns for one more token of zeros."""
        layer = copy.deepcopy(self._layer)
        return self._update(layer, [[0] * self._shape.d], [[0] * self._shape.d_v])

    def _update(
        self, layer: Any, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]
    ) -> tuple[Array, Array]:
        """Give the layer a token, and return the keys and values that it returns."""
        width = max(self._shape.d, self._shape.d_v)
        states = [self._tensors.make(rows, width) for rows in (keys, values)]
        with self._tensors.seeded(self._seed):
            found = layer.update(*states)
        names = ("keys that update returned", "values that update returned")
        arrays = [self._tensors.array(x, name) for x, name in zip(found, names, strict=True)]
        for array, name in zip(arrays, names, strict=True):
            shape = (1, 1, arrays[0].shape[-2], width)
            if array.shape != shape:
                expected = f"shape (1, 1, tokens, {width}), tokens alike in both"
                raise InputError(name, expected, str(array.shape))
        return arrays[0][0, 0], arrays[1][0, 0]

    def _held(self) -> Iterator[tuple[str, Any]]:
        """Yield name and tensor for each tensor that the layer holds, by name."""
        return self._tensors_in("layer", vars(self._layer))

    def _tensors_in(self, name: str, value: Any) -> Iterator[tuple[str, Any]]:
        if self._tensors.is_tensor(value):
            yield name, value
        elif isinstance(value, dict):
            for key in sorted(value, key=str):
                yield from self._tensors_in(f"{name}.{key}", value[key])
        elif isinstance(value, list | tuple):
            for place, item in enumerate(value):
                yield from self._tensors_in(f"{name}[{place}]", item)
