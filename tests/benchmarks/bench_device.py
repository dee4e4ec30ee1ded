"""Level (a) on a device, beside its own attention.

    python tests/benchmarks/bench_device.py torch cuda
    python tests/benchmarks/bench_device.py array_api_strict cpu --small

Order 1, causal, standard normal entries, scale 1/√d, to bfloat16: medians of wall time in one run.
Attention of the device is that of PyTorch, in float64 and in bfloat16, where the framework is that,
else written out in float64. The last column says how many numbers were left to the CPU.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from math import isnan
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from kvfloor.attention import Layers, tensor_attention_rounded
from kvfloor.numbers import to_numpy

SHAPES = ((2, 16, 2048, 64), (1, 32, 8192, 128))
SMALL = ((1, 2, 256, 16), (1, 1, 512, 32))
CALLS = 3


def timed(call: Callable[[], Any]) -> float:
    """Median seconds of a call, the first of which is not counted."""
    call()
    found = []
    for _ in range(CALLS):
        started = perf_counter()
        call()
        found.append(perf_counter() - started)
    return median(found)


def written_out(xp: Any, q: Any, k: Any, v: Any) -> Any:
    """Causal attention in the framework's float64."""
    n = q.shape[-2]
    logits = xp.matmul(q, xp.matrix_transpose(k)) / q.shape[-1] ** 0.5
    seen = xp.tril(xp.ones((n, n), dtype=xp.bool))
    logits = xp.where(seen, logits, xp.full_like(logits, -xp.inf))
    weights = xp.exp(logits - xp.max(logits, axis=-1, keepdims=True))
    return xp.matmul(weights, v) / xp.sum(weights, axis=-1, keepdims=True)


def attention(framework: Any, name: str, given: list[Any], form: str) -> Callable[[], Any] | None:
    """The device's own attention in a format, None where there is none."""
    if name == "torch":
        q, k, v = (x.to(getattr(framework, form)) for x in given)
        sdpa = framework.nn.functional.scaled_dot_product_attention
        return lambda: sdpa(q, k, v, is_causal=True).sum().item()  # waits for the device
    xp = import_module("array_api_compat").array_namespace(given[0])
    return (lambda: to_numpy(written_out(xp, *given))) if form == "float64" else None


def row(framework: Any, name: str, place: str, shape: tuple[int, ...]) -> list[str]:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for _ in range(3)]
    options = {"device": place} if name == "torch" else {}
    given = [framework.asarray(x, **options) for x in arrays]
    layers = Layers()

    def ours(counted: Layers | None = None) -> Any:
        q, k, v = given
        return tensor_attention_rounded(
            q, [k], [v], dtype="bfloat16", scale="1/sqrt(d)", mask="causal", on=q, layers=counted
        )

    ours(layers)
    seconds = [timed(ours)]
    for form in ("float64", "bfloat16"):
        other = attention(framework, name, given, form)
        seconds.append(float("nan") if other is None else timed(other))
    left = layers.refined + layers.double + layers.balls + layers.exact
    texts = ["-" if isnan(x) else f"{x:.3g}" for x in (*seconds, seconds[0] / seconds[1])]
    return [str(list(shape)), *texts, f"{left:,} of {left + layers.single:,}"]


def write(cells: Iterable[str]) -> None:
    sys.stdout.write("| " + " | ".join(cells) + " |\n")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("framework", help="torch, jax.numpy or array_api_strict")
    parser.add_argument("device", help="cpu, or what the framework calls it")
    parser.add_argument("--small", action="store_true", help="shapes for a CPU")
    told = parser.parse_args()
    framework = import_module(told.framework)
    if told.framework.startswith("jax"):
        import_module("jax").config.update("jax_enable_x64", True)
    heads = (
        "shape",
        "kvfloor, s",
        "float64, s",
        "bfloat16, s",
        "ratio to float64",
        "left to the CPU",
    )
    write(heads)
    write(("---",) * len(heads))
    for shape in SMALL if told.small else SHAPES:
        write(row(framework, told.framework, told.device, shape))


if __name__ == "__main__":
    main()
