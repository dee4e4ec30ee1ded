"""Files of arrays: exact, by name, never unpickled; a damaged one is one error."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from kvfloor import InputError
from kvfloor.traces import read_arrays
from kvfloor_proofs.foundations.properties import refuses

KEYS = np.arange(12, dtype=np.float16).reshape(4, 3)
QUERIES = np.arange(6, dtype=np.float32).reshape(2, 3) / 7


def safetensors(**arrays: Any) -> bytes:
    names = {"float16": "F16", "float32": "F32", "bfloat16": "BF16"}
    header, data = dict[str, Any](__metadata__={"from": "a test"}), b""
    for name, array in arrays.items():
        end = len(data) + array.nbytes
        header[name] = {"dtype": names[array.dtype.name], "shape": array.shape}
        header[name]["data_offsets"] = [len(data), end]
        data += array.tobytes()
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "t.npz", tmp_path / "t.safetensors"]
    named: dict[str, Any] = {"layer0.keys": KEYS, "queries": QUERIES}
    np.savez(paths[0], **named)
    paths[1].write_bytes(safetensors(**named))
    return paths


def test_arrays_come_by_name_as_they_are(files: list[Path]) -> None:
    for path in files:
        both = read_arrays(path, "trace")
        assert both.keys() == {"layer0.keys", "queries"}
        (found,) = read_arrays(path, "trace", ["layer0.keys"]).values()
        assert (found.dtype, found.tolist()) == (KEYS.dtype, KEYS.tolist())
        assert (both["queries"] == QUERIES).all()
        with pytest.raises(InputError, match=r"[zs]: no array 'keys' among layer0\.keys, qu"):
            read_arrays(path, "trace", ["keys"])


def test_bfloat16_needs_no_library(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    path.write_bytes(safetensors(x=KEYS.astype(ml_dtypes.bfloat16)))
    assert read_arrays(path, "trace")["x"].astype(np.float64).tolist() == KEYS.tolist()


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    class Loud:
        def __reduce__(self) -> Any:
            return print, ("unpickled",)

    path = tmp_path / "t.npz"
    np.savez(path, keys=np.array([Loud()], dtype=object))
    with pytest.raises(InputError, match="allow_pickle=False"):
        read_arrays(path, "trace")
    np.save(tmp_path / "t.npy", KEYS)
    with pytest.raises(InputError, match="no zip file of arrays"):
        read_arrays(tmp_path / "t.npy", "trace")
    with pytest.raises(InputError, match=": No such file"):
        read_arrays(tmp_path / "none.npz", "trace")


def test_a_header_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "t.safetensors"
    for content in (bytes(9), b"\xff" * 9, b""):
        path.write_bytes(content)
        with pytest.raises(InputError, match="no header of safetensors"):
            read_arrays(path, "trace")


@pytest.mark.parametrize("which", [0, 1])
def test_damaged_files_are_one_error(files: list[Path], which: int, tmp_path: Path) -> None:
    whole, rng = files[which].read_bytes(), random.Random(which)
    refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(rng.choice((1, 3))):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        path = files[which].with_stem("damaged")
        path.write_bytes(bytes(damaged[: rng.choice((len(whole), rng.randrange(len(whole)))) or 1]))
        refused += refuses(read_arrays, path, "trace")
    assert refused > 150
