"""Test vectors: the catalogue in small, with correctly rounded results, as files for any language.

The format is described in docs/vectors.md and by the schema ``vectors-1.json``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from kvfloor.conformance.case import Case
from kvfloor.conformance.catalogue import CATALOGUE, Entry
from kvfloor.conformance.draft import Draft
from kvfloor.conformance.size import Size
from kvfloor.conformance.target import Target
from kvfloor.conformance.truth import find_truth
from kvfloor.files import write_whole
from kvfloor.numbers import FORMATS, Array, as_format

__all__ = ["VERSION", "document", "write"]

VERSION = 1
SMALL = {1: (4,), 2: (3, 2)}  # tokens in each slot, by order
# The relations between calls are no matter of one vector.
WITHOUT = (
    "repeat",
    "row-alone",
    "row-moved",
    "strided",
    "columns-apart",
    "offset",
    "expanded",
    "inputs",
    "heads",
    "grouped-heads",
    "block-boundary",
    "many-tokens",
    "batch",
    "long-slot",
    "query-tiles",
    "columns",
    "head-sizes",
    "long-context",
    "one-query",
    "low-logits",
    "poison",
)


def write(folder: Path) -> list[Path]:
    """Write a file of vectors for each format, and return the paths.

    Parameters
    ----------
    folder : Path
        It is made if need be.

    Raises
    ------
    OSError
        If it cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in FORMATS:
        paths.append(folder / f"{name}.json")
        text = json.dumps(document(name), sort_keys=True, separators=(",", ":"), allow_nan=False)
        # one vector a line, so that a difference can be read
        text = text.replace('{"flag"', '\n{"flag"').replace('],"version"', '\n],"version"')
        write_whole(paths[-1], f"{text}\n".encode())
    return paths


def document(name: str) -> dict[str, Any]:
    """Return the vectors of a format as what JSON can say; the same each time."""
    vectors = []
    for order in SMALL:
        for mask in (None, "boolean"):
            target = Target(
                lambda *_: None, dtype=name, accumulate="float64", order=order, mask=mask
            )
            for entry in CATALOGUE:
                masked = entry.family == "masks"
                apt = entry.flag not in WITHOUT and masked == bool(mask)
                if apt and not entry.unless(target):
                    vectors += _vectors(entry, target)
    return {"format": name, "vectors": vectors, "version": VERSION}


def _vectors(entry: Entry, target: Target) -> list[dict[str, Any]]:
    size = Size(1, 1, 1, 3, SMALL[target.order], 2, 2)
    draft = Draft(target, size, seed=target.order, coarse=False)
    return [
        _vector(entry, target, case, row)
        for case in entry.build(draft)
        for row in range(2 if entry.family == "masks" else 1)
    ]


def _vector(entry: Entry, target: Target, case: Case, row: int) -> dict[str, Any]:
    """One query of a case."""
    form = as_format(target.inputs.name)
    truth = find_truth(case, output=form, logsumexp=form, empty=target.empty)
    kept = case.kept
    return {
        "flag": entry.flag,
        "keys": [_hex(K[0, 0]) for K in case.keys],
        "logsumexp": _hex(truth.logsumexp[0, 0, row]),
        "mask": None if kept is None else kept[0, 0, row].tolist(),
        "note": entry.note,
        "output": _hex(truth.output[0, 0, row]),
        "query": _hex(case.query[0, 0, row]),
        "scale": case.scale,
        "values": [_hex(V[0, 0]) for V in case.values],
    }


def _hex(array: Array) -> Any:
    """Numbers as hexadecimal floats without trailing zeros, nested as the array is."""
    if np.ndim(array) == 0:
        return re.sub(r"\.?0*p", "p", float(array).hex())
    return [_hex(part) for part in array]
