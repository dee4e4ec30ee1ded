"""Inputs as arrays, for what computes on whole arrays: float64 where that holds them exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

from kvfloor.errors import InputError
from kvfloor.numbers.inputs import (
    NATIVE,
    Array,
    Mask,
    as_booleans,
    as_matrix,
    as_numpy,
    as_vector,
    check_shapes,
    named_slots,
    shown,
)

__all__ = ["as_array", "as_queries", "as_row_masks", "as_slot_arrays"]


def as_array(value: Any, argument: str, ndim: int) -> Array:
    """Return an array of ``ndim`` axes exactly: float64 if that holds it, else objects.

    Parameters
    ----------
    value : array or nested sequence
    argument : str
        Its name, for the error.
    ndim : int
        1 or 2.

    Returns
    -------
    ndarray
        Of dtype float64, or object with a Fraction in each place.

    Raises
    ------
    InputError
        As `as_vector` and `as_matrix` do.
    """
    if hasattr(value, "__array__") and not isinstance(value, np.ma.MaskedArray):
        array = as_numpy(value, argument, f"an array of {ndim} axes")
        embeds = array.dtype in NATIVE or (array.dtype.kind == "V" and array.dtype.itemsize <= 2)
        if array.ndim == ndim and array.size and embeds:
            with np.errstate(invalid="ignore"):  # signalling NaNs
                floats = array.astype(np.float64)
            if np.isfinite(floats).all():
                return floats
    exact = as_vector(value, argument) if ndim == 1 else as_matrix(value, argument)
    objects = np.array(exact, dtype=object)
    try:
        floats = objects.astype(np.float64)
    except OverflowError:
        return objects
    return floats if (floats == objects).all() else objects


def as_slot_arrays(
    keys: Any, values: Any, d: int | None = None
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Return the same as arrays, as `as_array` makes them."""
    K = tuple(as_array(*named, 2) for named in named_slots(keys, "keys"))
    V = tuple(as_array(*named, 2) for named in named_slots(values, "values"))
    check_shapes([A.shape for A in K], [A.shape for A in V], d)
    return K, V


def as_queries(value: Any) -> tuple[Array, tuple[int, ...]]:
    """Return queries of shape (..., d) as an array (b, d), and the leading axes.

    Raises
    ------
    InputError
        If there is no query, or rows differ in length, or an entry is not finite.
    """
    expected = "an array of shape (..., d)"
    if not hasattr(value, "__array__"):
        try:
            value = np.array(value, dtype=object)
        except ValueError:
            raise InputError("query", expected, "a ragged sequence") from None
    array = as_numpy(value, "query", expected)
    if array.ndim == 0 or array.size == 0 or isinstance(value, np.ma.MaskedArray):
        raise InputError("query", expected, shown(value))
    return as_array(array.reshape(-1, array.shape[-1]), "query", 2), array.shape[:-1]


def as_row_masks(mask: Any, leading: tuple[int, ...], lengths: tuple[int, ...]) -> Mask | None:
    """Return masks as a boolean array (b, n_1, ..., n_m), or (1, ...) for one for all queries.

    Raises
    ------
    InputError
        If it is not boolean, or of another shape.
    """
    if mask is None:
        return None
    expected = f"booleans of shape {lengths}" + (f" or {leading + lengths}" if leading else "")
    array = as_booleans(mask, expected)
    if array.shape not in (lengths, leading + lengths):
        raise InputError("mask", expected, f"shape {array.shape}")
    return array.reshape(-1, *lengths)
