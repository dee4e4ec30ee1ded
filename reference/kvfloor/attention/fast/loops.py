"""Where compiled loops take the place of NumPy's passes: many numbers, and Numba there."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MANY", "SOME", "flat", "loops_for"]

_Array = npt.NDArray[np.float64] | npt.NDArray[np.int64]

#: Numbers from which compiled loops are worth their loading, and once they are loaded a call.
MANY, SOME = 2**14, 2**10
_LOOPS = "kvfloor.attention.fast.compiled"


@cache
def compiled() -> Any:
    """The module of compiled loops, or None if there can be none."""
    if not find_spec("numba"):
        return None
    try:
        return import_module(_LOOPS)
    except (ImportError, RuntimeError):  # another NumPy than Numba knows, nowhere to keep loops
        return None


def loops_for(*arrays: _Array) -> Any:
    """Return the compiled loops where they serve arrays, the first of which is the largest."""
    if arrays[0].size < (SOME if _LOOPS in sys.modules else MANY):
        return None
    for array in arrays:
        if not array.flags.c_contiguous:
            return None
    return compiled()


def flat(arrays: Sequence[_Array]) -> list[Any]:
    """Return contiguous arrays as arrays of one axis."""
    return [array.reshape(-1) for array in arrays]
