"""Arrays as views of larger memory: what a function is given of an array."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from kvfloor.conformance.packed import filled
from kvfloor.numbers import Array

__all__ = ["View", "copied", "lay_out"]

GAPS = {"query": 1, "keys": 2, "values": 3}  # each with strides of its own
OFFSET = 3  # numbers before the first: no multiple of 16 bytes
ROOM = 64  # numbers of memory besides, for functions that read what is not theirs


class View(NamedTuple):
    """An array in a flat memory; strides and the offset count numbers, not bytes."""

    memory: Array
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int

    @property
    def array(self) -> Array:
        """The array, which shares the memory."""
        size = self.memory.itemsize
        return np.ndarray(
            self.shape,
            self.memory.dtype,
            self.memory.view(np.uint8),
            self.offset * size,
            tuple(stride * size for stride in self.strides),
        )

    def given(self, convert: Callable[[Array], Any]) -> Any:
        """The same as arrays of another framework have it."""
        memory = convert(self.memory)
        if hasattr(memory, "as_strided"):  # PyTorch, which would lose the offset otherwise
            return memory.as_strided(self.shape, self.strides, self.offset)
        return convert(self.array)


def copied(
    arrays: dict[str, Array], way: str | None, convert: Callable[[Array], Any]
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return copies that lie in memory in some way, and the same as another framework has them."""
    if way is None:
        copies = {name: A.copy(order="C") for name, A in arrays.items()}
        return copies, {name: convert(A) for name, A in copies.items()}
    laid = {name: lay_out(name, A, way) for name, A in arrays.items()}
    views = {name: view.array for name, view in laid.items()}
    return views, {name: view.given(convert) for name, view in laid.items()}


def lay_out(name: str, array: Array, way: str) -> View:
    """Return a copy of an array that lies in memory in some way.

    Parameters
    ----------
    name : str
        What it is: queries, keys and values have strides of their own, others are contiguous.
    array : ndarray
    way : "strided", "transposed", "columns", "offset" or "expanded"
        With room after each axis; with its first axes in the reverse order; with room
        after each number; after other numbers; one slice for all along axes where all are the same.
    """
    gap = GAPS.get(name.partition("[")[0])
    offset, shape = 0, array.shape
    strides = _contiguous(shape)
    if gap is not None and array.ndim > 1:
        if way == "strided":
            strides = _contiguous([n + gap for n in shape])
        elif way == "transposed":
            strides = (*_contiguous((*shape[-2::-1], shape[-1]))[-2::-1], 1)
        elif way == "columns":
            strides = tuple(2 * stride for stride in strides)
        elif way == "offset":
            offset = OFFSET
        elif way == "expanded":
            same = [_is_same(array, axis) for axis in range(array.ndim - 1)] + [False]
            kept = _contiguous([1 if one else n for one, n in zip(same, shape, strict=True)])
            strides = tuple(0 if one else s for one, s in zip(same, kept, strict=True))
    last = sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    size = offset + 2 * max(last + 1, array.size) + ROOM
    view = View(filled(array, (size,), np.nan), shape, strides, offset)
    view.array[...] = array
    return view


def _contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(int(np.prod(shape[axis + 1 :], dtype=int)) for axis in range(len(shape)))


def _is_same(array: Array, axis: int) -> bool:
    """Whether all slices along an axis are the first."""
    first = array.take([0], axis=axis) if array.shape[axis] > 1 else None
    return first is not None and bool((array == first).all())
