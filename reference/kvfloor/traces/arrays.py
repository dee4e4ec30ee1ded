"""Arrays in files, ``.npz`` or ``.safetensors``, exactly as they are; nothing is unpickled."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, is_zipfile

import ml_dtypes
import numpy as np

from kvfloor.errors import InputError, described
from kvfloor.numbers import Array

__all__ = ["read_arrays"]

LENGTH_BYTES = 8  # of the header of safetensors, little-endian
MOST_HEADER = 2**20
DTYPES: dict[str, Any] = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn, "F8_E5M2": ml_dtypes.float8_e5m2,
}  # fmt: skip
#: What NumPy, zip files and headers may raise for bytes of any kind.
DAMAGED = (
    OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, MemoryError, RecursionError,
    NotImplementedError, RuntimeError, OverflowError, BadZipFile, struct.error, zlib.error,
    SyntaxError,
)  # fmt: skip


def read_arrays(
    file: str | os.PathLike[str], argument: str, names: Sequence[str] | None = None
) -> dict[str, Array]:
    """Return the arrays in a file by their names, all of them or some.

    Parameters
    ----------
    file : path
    argument : str
        What the file is called, for the error.
    names : sequence of str, optional
        Which arrays; by default all.

    Raises
    ------
    InputError
        If the file cannot be read, or an array is not there.
    """
    path = Path(file)
    try:
        found = _safetensors(path, names) if path.suffix == ".safetensors" else _npz(path, names)
    except DAMAGED as error:
        told = error.strerror if isinstance(error, OSError) else None
        if type(error) is ValueError:
            told = str(error)
        came = f"{path}: {told or described(error)}"
        raise InputError(argument, "a file .npz or .safetensors", came) from None
    return found


def _wanted(there: Collection[str], names: Sequence[str] | None) -> Collection[str]:
    for name in names or ():
        if name not in there:
            raise ValueError(f"no array {name!r} among {', '.join(sorted(there)) or 'none'}")
    return there if names is None else names


def _npz(path: Path, names: Sequence[str] | None) -> dict[str, Array]:
    if path.is_file() and not is_zipfile(path):
        raise ValueError("no zip file of arrays")
    # Opened here, as NumPy leaves a damaged file open.
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in _wanted(arrays.files, names)}


def _safetensors(path: Path, names: Sequence[str] | None) -> dict[str, Array]:
    content = path.read_bytes()
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    if not 0 < length <= min(MOST_HEADER, len(content)):
        raise ValueError("no header of safetensors")
    header = json.loads(content[LENGTH_BYTES:][:length])
    data, found = content[LENGTH_BYTES + length :], dict[str, Array]()
    for name in _wanted(header.keys() - {"__metadata__"}, names):
        first, end = header[name]["data_offsets"]
        flat = np.frombuffer(data[first:end], dtype=DTYPES[header[name]["dtype"]])
        found[name] = flat.reshape(header[name]["shape"])
    return found
