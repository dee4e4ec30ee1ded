"""A batch compressor in the shape of NVIDIA's kvpress as a cache of order 1."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from kvfloor.adapters.tensors import Array, Tensors, attend
from kvfloor.caches import Shape, rounded_token
from kvfloor.errors import InputError

__all__ = ["PressCache"]

COUNT_BYTES = 4


class PressCache:
    """Gathers tokens; its state is what ``press.compress`` makes of all of them at once.

    The press gets one sequence with one head: keys and values of shape (1, 1, n, w) with
    w = max(d, d_v), zeros beyond d and d_v, hidden states of shape (1, n, w) that are all zeros,
    no attentions, and a stand-in for the model's module (``head_dim``, ``layer_idx``, ``config``).

    The state is the number of tokens kept and their keys and values in ``dtype``:
    ``32 + 2·kept·w`` numbers of it, counted in bits. Not seen, and so not counted: what the press
    keeps in itself, positions of the tokens kept, and what it would make of real hidden states,
    attentions or weights. A press that prunes by hooks on a model instead does nothing here.

    Parameters
    ----------
    order, d, d_v, seed : int
        As for every cache; order 1. The seed is PyTorch's, or NumPy's, while the press runs.
    press : object with ``compress(module, hidden_states, keys, values, attentions, kwargs)``
    library : "torch" or "numpy"
        Of the tensors that it takes.
    dtype : str
        Format of keys and values, as in `kvfloor.numbers.formats`.
    module : object, optional
        In place of the stand-in.

    Raises
    ------
    InputError
        For another order, or an unknown library or format.
    """

    scope: ClassVar[str] = (
        "counted: the number of tokens kept, and their keys and values; not seen: what the press "
        "keeps in itself, positions, and what it would do with real hidden states or attentions"
    )

    def __init__(
        self,
        *,
        order: int,
        d: int,
        d_v: int,
        seed: int,
        press: Any,
        library: str = "torch",
        dtype: str = "float32",
        module: Any = None,
    ) -> None:
        if order != 1:
            raise InputError("order", "1: a press knows one key and one value a token", str(order))
        self._shape, self._seed = Shape(order, d, d_v), seed
        self._press = press
        self._tensors = Tensors.of(library, dtype)
        self._module = _stand_in(self._width) if module is None else module
        self._tokens: tuple[list[Any], list[Any]] = ([], [])
        self._kept: tuple[Array, Array] | None = None

    @property
    def _width(self) -> int:
        return max(self._shape.d, self._shape.d_v)

    @classmethod
    def from_state(cls, state: bytes, **arguments: Any) -> PressCache:
        """Return the cache that had this state; the other arguments are those of the class."""
        cache = cls(**arguments)
        dtype, width = cache._tensors.format.dtype, cache._width
        count = int.from_bytes(state[:COUNT_BYTES], "little")
        size = COUNT_BYTES + 2 * count * width * dtype.itemsize
        if len(state) != size:
            raise InputError("state", f"{size} bytes, for {count} tokens", str(len(state)))
        kept = np.frombuffer(state[COUNT_BYTES:], dtype=dtype).reshape(2, count, width)
        cache._kept = kept[0], kept[1]
        return cache

    def append(self, keys: Sequence[Sequence[Any]], values: Sequence[Sequence[Any]]) -> None:
        """Take one token.

        Raises
        ------
        InputError
            For another shape, numbers beyond the format, or after a restore: a press sees all
            tokens at once or none.
        """
        if self._kept is not None:
            raise InputError("token", "none after the tokens were compressed", "one")
        rounded_token(keys, values, self._shape, self._tensors.format)
        for rows, part in zip(self._tokens, (keys, values), strict=True):
            rows.append(part[0])

    def state(self) -> bytes:
        """Return the number of tokens kept, then their keys, then their values, little-endian."""
        keys, values = self._kept or self._compressed()
        return len(keys).to_bytes(COUNT_BYTES, "little") + keys.tobytes() + values.tobytes()

    def answer(self, query: Sequence[Any]) -> list[float]:
        """Return attention over what is kept, for a query of shape (d,), shape (d_v,)."""
        return attend(query, *(self._kept or self._compressed()), self._shape.d_v)

    def _compressed(self) -> tuple[Array, Array]:
        keys, values = (self._tensors.make(rows, self._width) for rows in self._tokens)
        hidden = self._tensors.make([[]] * len(self._tokens[0]), self._width)[0]
        with self._tensors.seeded(self._seed):
            found = self._press.compress(self._module, hidden, keys, values, None, {})
        names = ("keys that compress returned", "values that compress returned")
        kept = [self._tensors.array(x, name) for x, name in zip(found, names, strict=True)]
        dtype = self._tensors.format.dtype
        for array, name in zip(kept, names, strict=True):
            shape = (1, 1, kept[0].shape[-2], self._width)
            if array.shape != shape or array.dtype != dtype:
                expected = f"shape (1, 1, kept, {self._width}) of {dtype}, kept alike in both"
                raise InputError(name, expected, f"{array.shape} of {array.dtype}")
        return kept[0][0, 0], kept[1][0, 0]


def _stand_in(width: int) -> SimpleNamespace:
    config = SimpleNamespace(
        num_attention_heads=1, num_key_value_heads=1, hidden_size=width, head_dim=width
    )
    return SimpleNamespace(head_dim=width, layer_idx=0, num_key_value_groups=1, config=config)
