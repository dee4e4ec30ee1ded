"""Right kernels of unusual forms raise no alarm: tree-order sums, two passes, merged halves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kernels import unusual
from kvfloor import Window
from kvfloor.conformance import Target, entries_for, run
from kvfloor.numbers import as_format
from seeds import LAST_SEED

NAMES = ("tree", "two_pass", "halves")
FORMATS = (("float32", "float32"), ("float64", "float64"), ("bfloat16", "float32"),
           ("float16", "float32"))  # fmt: skip
MASKS = (None, "causal", "boolean", Window(3, 1), "causal-top-left")
FLAGS = {
    "drawn", "tail-block", "empty-rows", "low-logits", "exp-overflow", "cancelling-values",
    "many-tokens", "light-tokens", "late-maximum",
}  # fmt: skip


def kernel(name: str, accumulate: str) -> Callable[..., Any]:
    module: dict[str, Any] = {"__name__": "unusual"}
    exec(Path(unusual.__file__).read_text(), module)
    module["ACCUMULATE"] = as_format(accumulate).dtype.type
    function: Callable[..., Any] = module[name]
    return function


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, LAST_SEED))]
)
def test_no_false_alarm(seed: int) -> None:
    """Each seed each of them, in another format and order, with another mask."""
    for k, name in enumerate(NAMES):
        dtype, accumulate = FORMATS[(seed + k) % len(FORMATS)]
        target = Target(
            kernel(name, accumulate), dtype=dtype, accumulate=accumulate, order=1 + (seed + k) % 2,
            mask=MASKS[(seed + k) % len(MASKS)], block=3 if name == "halves" else None,
        )  # fmt: skip
        flags = [entry.flag for entry in entries_for(target) if entry.flag in FLAGS]
        report = run(target, examples=1, seed=seed, flags=flags)
        assert report.ok, str(report)
        assert report.worst_ratio > 0.01
