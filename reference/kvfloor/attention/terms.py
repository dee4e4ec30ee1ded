"""What joins the inner products: a soft cap, a bias and a sink, read once (D1)."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kvfloor.attention.windows import Intervals
from kvfloor.errors import InputError
from kvfloor.numbers import Array, as_fraction, floats, read_extended

__all__ = [
    "NO_TERMS",
    "Terms",
    "as_bias",
    "as_finite",
    "as_sink",
    "as_softcap",
    "rows_of",
    "without_lowest",
]

Booleans = npt.NDArray[np.bool_]


class Terms(NamedTuple):
    """Soft cap, bias and sinks of b queries, every number exact.

    The logit of a tuple is ``cap(σ⟨q, Π_r k_r⟩) + bias``, where ``cap(s) = c·tanh(s/c)``. A sink
    is one more logit, with value zero, which neither cap nor bias changes.

    Attributes
    ----------
    bias : ndarray, shape (b or 1, n_1, ..., n_m), or None
        Of a single query: shape (n_1, ..., n_m).
    sink : ndarray, shape (b,), or None
        Of a single query: a number.
    softcap : Fraction or None
        c > 0.
    """

    bias: Any = None
    sink: Any = None
    softcap: Fraction | None = None

    def row(self, b: int) -> Terms:
        """Return those of one query."""
        bias = None if self.bias is None else self.bias[b % len(self.bias)]
        return self._replace(bias=bias, sink=None if self.sink is None else self.sink[b])

    def taken(self, queries: slice | npt.NDArray[np.intp]) -> Terms:
        """Return those of some queries."""
        one = self.bias is None or len(self.bias) == 1
        return self._replace(
            bias=self.bias if one else self.bias[queries],
            sink=None if self.sink is None else self.sink[queries],
        )


NO_TERMS = Terms()


def as_softcap(softcap: Any) -> Fraction | None:
    """Return c of the soft cap, None for none.

    Raises
    ------
    InputError
        If it is not a positive rational.
    """
    if softcap is None:
        return None
    expected = "a positive rational, or None"
    try:
        c = as_fraction(softcap, "softcap")
    except InputError as error:
        raise InputError("softcap", expected, error.got) from None
    if c <= 0:
        raise InputError("softcap", expected, str(c))
    return c


def as_bias(bias: Any, leading: tuple[int, ...], lengths: tuple[int, ...]) -> Array | None:
    """Return a bias as an array of shape ``leading + lengths`` in which -inf may stand.

    Raises
    ------
    InputError
        If an entry is no number, or it does not broadcast to that shape.
    """
    if bias is None:
        return None
    return _broadcast(floats(read_extended(bias, "bias")), "bias", leading + lengths)


def as_sink(sink: Any, leading: tuple[int, ...]) -> Array | None:
    """Return sinks as an array of shape ``leading``.

    Raises
    ------
    InputError
        If one is no finite number, or they do not broadcast to that shape.
    """
    if sink is None:
        return None
    return _broadcast(as_finite(sink, "sink"), "sink", leading)


def as_finite(value: Any, argument: str) -> Array:
    """Return an array of finite numbers with any number of axes; `InputError` for another entry."""
    array = floats(read_extended(value, argument))
    if (array == -np.inf).any():
        raise InputError(argument, "finite numbers", "-inf")
    return array


def _broadcast(array: Array, argument: str, shape: tuple[int, ...]) -> Array:
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        expected = f"numbers that broadcast to shape {shape}"
        raise InputError(argument, expected, f"shape {array.shape}") from None


def rows_of(array: Array, axes: int) -> Array:
    """Return an array with its first axes made one, of length 1 if they are all broadcast."""
    if not any(array.strides[:axes]):
        return np.asarray(array[(0,) * axes])[None]
    return array.reshape(prod(array.shape[:axes]), *array.shape[axes:])


def without_lowest(
    bias: Array | None, mask: Booleans | Intervals | None
) -> tuple[Array | None, Booleans | Intervals | None]:
    """Return bias and mask with tuples of bias -inf masked instead; both for b queries."""
    if bias is None or not (lowest := bias == -np.inf).any():
        return bias, mask
    kept = mask.booleans if isinstance(mask, Intervals) else mask
    return np.where(lowest, 0, bias), ~lowest if kept is None else ~lowest & kept
