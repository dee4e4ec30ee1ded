"""Arrays of floating-point numbers in certificates: format, shape, and the bytes as text."""

from __future__ import annotations

from base64 import b64decode, b64encode
from math import prod
from typing import Any

import numpy as np

from kvfloor.certificates.text import Document, InvalidError
from kvfloor.errors import InputError
from kvfloor.numbers import Array, as_format, floats

__all__ = ["packed", "unpacked"]

NARROWEST_FIRST = ("float16", "bfloat16", "float32", "float64")


def packed(array: Array, argument: str) -> Document:
    """Return a finite array of two axes in the narrowest format that holds all of it.

    Raises
    ------
    InputError
        If float64 does not.
    """
    exact = floats(array)
    if exact.dtype == object:
        raise InputError(argument, "numbers that float64 holds", "others")
    with np.errstate(over="ignore"):
        for name in NARROWEST_FIRST:
            rounded = exact.astype(as_format(name).dtype)
            if (rounded.astype(np.float64) == exact).all():
                break
    # rounded is in float64 at the latest
    data = rounded.astype(rounded.dtype.newbyteorder("<")).tobytes()
    return {"dtype": name, "shape": list(exact.shape), "data": b64encode(data).decode()}


def unpacked(part: Document, argument: str) -> Any:
    """Return the array that a certificate holds, as float64.

    Raises
    ------
    InvalidError
        If its bytes are not those of an array of its format and shape.
    """
    dtype, shape = as_format(part["dtype"]).dtype, part["shape"]
    try:
        data = b64decode(part["data"], validate=True)
    except ValueError:
        raise InvalidError(f"{argument}: its data are no base64") from None
    if len(data) != dtype.itemsize * prod(shape):
        raise InvalidError(f"{argument}: {len(data)} bytes are no {part['dtype']} of shape {shape}")
    with np.errstate(invalid="ignore"):  # signalling NaNs, which are refused where they are read
        return np.frombuffer(data, dtype.newbyteorder("<")).astype(np.float64).reshape(shape)
