"""Correct rounding beside what people use, in one run; writes the table in docs/benchmarks.md.

``python tests/benchmarks/bench_rounding.py docs/benchmarks.md`` (about two minutes). Order 2,
d = d_v = 64, standard normal entries, scale 1, one query, BLAS in one thread. Processor time of
single calls in turn; medians, and their ratios to plain NumPy factored in float64.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import mpmath
import numpy as np
from flint import arb

from kvfloor.attention import enclose, tensor_attention_rounded
from kvfloor.numbers import arb_precision

D = 64
SIZES = (256, 512, 1024, 2048)
HEAD = """\
# Benchmarks

Written by `python tests/benchmarks/bench_rounding.py docs/benchmarks.md`. Order 2, d = d_v = 64,
standard normal entries, scale 1, one query, BLAS in one thread; medians of processor time in one
run, in milliseconds, and their ratio to plain NumPy in float64. The machine is shared, so the
ratios say more than the times.

"""


def factored(q: Any, K: Any, V: Any) -> Any:
    logits = (q * K[0]) @ K[1].T
    P = np.exp(logits - logits.max())
    return (V[0] * (P @ V[1])).sum(axis=0) / P.sum()


def materialised(q: Any, K: Any, V: Any) -> Any:
    keys, values = ((A[0][:, None] * A[1]).reshape(-1, D) for A in (K, V))
    logits = keys @ q
    P = np.exp(logits - logits.max())
    return P @ values / P.sum()


def loops(q: Any, K: Any, V: Any, exp: Callable[[Any], Any]) -> Any:
    """Attention over pairs as one would write it for a number type."""
    total, sums = 0, [0] * D
    for k1, v1 in zip(K[0], V[0], strict=True):
        scaled = [a * b for a, b in zip(q, k1, strict=True)]
        for k2, v2 in zip(K[1], V[1], strict=True):
            weight = exp(sum(a * b for a, b in zip(scaled, k2, strict=True)))
            total += weight
            for c in range(D):
                sums[c] += weight * (v1[c] * v2[c])
    return [s / total for s in sums]


def with_mpmath(q: Any, K: Any, V: Any) -> Any:
    with mpmath.workdps(30):
        numbers = [[[mpmath.mpf(x) for x in row] for row in A.tolist()] for A in (*K, *V)]
        return loops([mpmath.mpf(x) for x in q.tolist()], numbers[:2], numbers[2:], mpmath.exp)


def with_flint(q: Any, K: Any, V: Any) -> Any:
    with arb_precision(128):
        numbers = [[[arb(x) for x in row] for row in A.tolist()] for A in (*K, *V)]
        return loops([arb(x) for x in q.tolist()], numbers[:2], numbers[2:], lambda x: x.exp())


def variants(n: int) -> dict[str, tuple[int, Callable[[], Any]]]:
    rng = np.random.default_rng(n)
    q = rng.standard_normal(D)
    K, V = ([rng.standard_normal((n, D)) for _ in range(2)] for _ in range(2))
    found: dict[str, tuple[int, Callable[[], Any]]] = {
        "NumPy float64, factored": (15, lambda: factored(q, K, V)),
        "NumPy float64, materialised": (5, lambda: materialised(q, K, V)),
        "kvfloor, rounded to float32": (
            15,
            lambda: tensor_attention_rounded(q, K, V, dtype="float32"),
        ),
        "kvfloor, rounded to float64": (
            7,
            lambda: tensor_attention_rounded(q, K, V, dtype="float64"),
        ),
        "kvfloor.enclose, 128 bits": (1, lambda: enclose(q, K, V)),
    }
    if n == SIZES[0]:
        found["python-flint over pairs, 128 bits"] = (1, lambda: with_flint(q, K, V))
        found["mpmath over pairs, 30 digits"] = (1, lambda: with_mpmath(q, K, V))
    return found


def milliseconds(call: Callable[[], Any], calls: int) -> float:
    times = []
    for _ in range(calls + (calls > 1)):
        start = process_time()
        call()
        times.append(1000 * (process_time() - start))
    return median(times[-calls:])


def table() -> str:
    columns = {
        n: {name: milliseconds(call, calls) for name, (calls, call) in variants(n).items()}
        for n in SIZES
    }
    lines = ["| | " + " | ".join(f"n = {n}" for n in SIZES) + " |", "|---" * (len(SIZES) + 1) + "|"]
    for name in columns[SIZES[0]]:
        cells = []
        for n in SIZES:
            time = columns[n].get(name)
            base = columns[n]["NumPy float64, factored"]
            cells.append("" if time is None else f"{time:.1f} ({time / base:.1f})")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = HEAD + table()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    sys.stdout.write(text)
