"""Fast enclosures beside plain NumPy, in one run: ``python tests/benchmarks/bench_fast.py``.

Order 2, d = d_v = 64, standard normal entries, σ = 1/8, one query. BLAS runs in one thread, and
processor time is taken: on shared cores threads wait for each other, and for other processes. The
variants take turns, five calls at a time, of which the first is not counted; medians and their
ratios are printed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from fractions import Fraction
from statistics import median
from time import process_time

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import numpy.typing as npt

from kvfloor.attention.fast.double import evaluate_double
from kvfloor.attention.fast.operands import prepare
from kvfloor.attention.fast.single import evaluate_single
from kvfloor.attention.inputs import Scale

Float = npt.NDArray[np.float64]
D = 64
SIGMA = Scale(Fraction(1, 8), 1)
SIZES = (64, 128, 256, 512, 1024, 2048)


def factored(q: Float, K: list[Float], V: list[Float]) -> Float:
    logits = (q * K[0]) @ K[1].T
    logits -= logits.max()
    P = np.exp(logits)
    return np.asarray((V[0] * (P @ V[1])).sum(axis=0) / P.sum())


def materialised(q: Float, K: list[Float], V: list[Float]) -> Float:
    keys, values = ((A[0][:, None] * A[1]).reshape(-1, D) for A in (K, V))
    logits = keys @ q
    P = np.exp(logits - logits.max())
    return np.asarray(P @ values / P.sum())


def variants(n: int) -> dict[str, Callable[[], object]]:
    rng = np.random.default_rng(n)
    q = rng.standard_normal(D)
    K, V = ([rng.standard_normal((n, D)) for _ in range(2)] for _ in range(2))
    shared = prepare(K, V)
    scaled, one = q / 8, q[None]
    return {
        "factored": lambda: factored(scaled, K, V),
        "materialised": lambda: materialised(scaled, K, V),
        "single": lambda: evaluate_single(prepare(K, V), one, SIGMA),
        "single, prepared": lambda: evaluate_single(shared, one, SIGMA),
        "double": lambda: evaluate_double(prepare(K, V), one, SIGMA),
        "double, prepared": lambda: evaluate_double(shared, one, SIGMA),
    }


def medians(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for name in list(calls) * rounds:
        for _ in range(5):
            start = process_time()
            calls[name]()
            seconds[name].append(process_time() - start)
        del seconds[name][-5]
    return {name: median(times) for name, times in seconds.items()}


def main() -> None:
    out = sys.stdout.write
    names = list(variants(2))
    out("milliseconds (times plain factored NumPy)\n")
    out(f"{'n':>5} " + "".join(f"{name:>20}" for name in names) + "\n")
    for n in SIZES:
        times = medians(variants(n), rounds=max(2, min(50, 10**6 // n**2)))
        cells = (f"{t * 1e3:10.3f} ({t / times['factored']:6.2f})" for t in times.values())
        out(f"{n:>5} " + "".join(f"{cell:>20}" for cell in cells) + "\n")


if __name__ == "__main__":
    main()
