"""Attention that reads the memory of its arrays by their strides, in NumPy."""

import numpy as np

from kernels import packed, repeated

ACCUMULATE = np.float32


def contiguous(A):
    """Strides of an array of that shape that is contiguous."""
    return np.empty(A.shape, A.dtype).strides


def at(A, strides, start):
    """What lies in the memory of an array, in bytes from its beginning, in its shape."""
    return np.ndarray(A.shape, A.dtype, A.base, start, strides)


def read(A):
    """An array by its own strides, from where it begins."""
    if A.base is None:
        return A
    start = A.ctypes.data - A.base.ctypes.data
    strides = A.strides
    return at(A, strides, start)


def attention(q, K, V, *, scale, mask):
    """Nothing but what `repeated` does."""
    repeated.ACCUMULATE = ACCUMULATE
    q, K, V = read(q), [read(A) for A in K], [read(A) for A in V]
    return repeated.at_once(q, K, V, scale=scale, mask=mask)


def in_pages(q, K, V, **given):
    """The same over pools of pages."""
    packed.ACCUMULATE = ACCUMULATE
    q, K, V = read(q), [read(A) for A in K], [read(A) for A in V]
    return packed.in_pages(q, K, V, **given)
