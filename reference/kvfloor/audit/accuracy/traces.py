"""Traces that a user gives: keys, values and queries in a file, as instances.

``keys`` has the shape (n, d), or (m, n, d) with a slot first; ``values`` likewise with d_v; and
``queries`` (k, d), or (d,) for one. Numbers are taken as they are, so a file of float16 is exact.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import ml_dtypes
import numpy as np

from kvfloor.audit.accuracy.instance import Instance, tokens_of
from kvfloor.errors import InputError
from kvfloor.numbers import Array, shown

__all__ = ["read_trace"]

NAMES = ("keys", "values", "queries")
LENGTH_BYTES = 8  # of the header of safetensors, little-endian
MOST_HEADER = 2**20
DTYPES: dict[str, Any] = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E5M2": ml_dtypes.float8_e5m2,
}  # fmt: skip


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
    path = Path(file)
    try:
        found = _safetensors(path) if path.suffix == ".safetensors" else _npz(path)
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise InputError("traces", "a file .npz or .safetensors", f"{path}: {error}") from None
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
        raise InputError("traces", "finite numbers", shown(str(path)))
    rows = tokens_of(keys.tolist(), values.tolist())
    return Instance(rows, tuple(map(tuple, queries.tolist())))


def _npz(path: Path) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _safetensors(path: Path) -> dict[str, Array]:
    content = path.read_bytes()
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    if not 0 < length <= min(MOST_HEADER, len(content)):
        raise ValueError("no header of safetensors")
    header = json.loads(content[LENGTH_BYTES:][:length])
    data, found = content[LENGTH_BYTES + length :], dict[str, Array]()
    for name, entry in header.items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            flat = np.frombuffer(data[first:end], dtype=DTYPES[entry["dtype"]])
            found[name] = flat.reshape(entry["shape"])
    return found
