"""Traces that a user gives: keys, values and queries in a file, as instances.

``keys`` has the shape (n, d), or (m, n, d) with a slot first; ``values`` likewise with d_v; and
``queries`` (k, d), or (d,) for one. Numbers are taken as they are, so a file of float16 is exact.
"""

from __future__ import annotations

import os

import numpy as np

from kvfloor.audit.accuracy.instance import Instance, tokens_of
from kvfloor.errors import InputError
from kvfloor.numbers import shown
from kvfloor.traces import read_arrays

__all__ = ["read_trace"]

NAMES = ("keys", "values", "queries")


def read_trace(file: str | os.PathLike[str], *, order: int, n: int, d: int, d_v: int) -> Instance:
    """Return the instance in a file, ``.npz`` or ``.safetensors``.

    Parameters
    ----------
    file : path
    order, n, d, d_v : int
        The shape of the audit; the trace may have fewer tokens.

    Raises
    ------
    InputError
        If the file has other arrays than it should, or cannot be read.
    """
    found = read_arrays(file, "traces")
    if set(found) != set(NAMES):
        raise InputError("traces", "keys, values and queries", ", ".join(sorted(found)) or "none")
    keys, values, queries = (np.asarray(found[name], dtype=np.float64) for name in NAMES)
    keys, values = (x[np.newaxis] if x.ndim == 2 else x for x in (keys, values))
    queries = np.atleast_2d(queries)
    tokens = keys.shape[1] if keys.ndim == 3 else 0
    shapes = (order, tokens, d), (order, tokens, d_v)
    if (keys.shape, values.shape) != shapes or not 0 < tokens <= n:
        expected = f"keys ({order}, up to {n}, {d}) and values ({order}, as many, {d_v})"
        raise InputError("traces", expected, f"{keys.shape} and {values.shape}")
    if queries.ndim != 2 or queries.shape[1] != d or not len(queries):
        raise InputError("traces", f"queries (k, {d})", str(queries.shape))
    if not all(np.isfinite(x).all() for x in (keys, values, queries)):
        raise InputError("traces", "finite numbers", shown(str(file)))
    rows = tokens_of(keys.tolist(), values.tolist())
    return Instance(rows, tuple(map(tuple, queries.tolist())))
