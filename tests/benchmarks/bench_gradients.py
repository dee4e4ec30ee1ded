"""What correctly rounded gradients cost beside NumPy's backward pass in float64, in one run.

``python tests/benchmarks/bench_gradients.py`` (a minute). Standard normal entries, scale 1/8, one
thread. Processor time of single calls in turn; medians, and their ratios to NumPy's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from fractions import Fraction
from statistics import median
from time import process_time
from typing import Any, NamedTuple

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from kvfloor import GradientLayers, tensor_attention_gradients_rounded

Array = Any
D = 64
FORMATS = ("bfloat16", "float32", "float64")


class Problem(NamedTuple):
    """Heads (1 for none), queries, tokens of a slot, order; causal at order 1, maybe capped."""

    heads: int
    queries: int
    tokens: int
    order: int
    cap: int | None = None

    @property
    def name(self) -> str:
        heads = f"{self.heads} heads, " if self.heads > 1 else ""
        causal = ", causal" if self.order == 1 else ""
        cap = "" if self.cap is None else f", soft cap {self.cap}"
        return f"order {self.order}, {heads}{self.queries:,} × {self.tokens:,}{causal}{cap}"


PROBLEMS = (
    Problem(2, 1024, 1024, 1),
    Problem(8, 256, 256, 1),
    Problem(8, 256, 256, 1, 30),
    Problem(1, 1, 256, 2),
    Problem(1, 16, 256, 2),
    Problem(1, 64, 256, 2),
)


def plain(Q: Array, K: Array, V: Array, G: Array, cap: int | None) -> tuple[Array, ...]:
    """The backward pass of causal attention as one writes it, all heads at once."""
    n_q, n = Q.shape[-2], K.shape[-2]
    S, slope = Q @ K.swapaxes(-1, -2) / 8, 1
    if cap is not None:
        t = np.tanh(S / cap)
        S, slope = cap * t, 1 - t * t
    S = np.where(np.tri(n_q, n, n - n_q, dtype=bool), S, -np.inf)
    P = np.exp(S - S.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    dP = G @ V.swapaxes(-1, -2)
    dS = P * (dP - (G * (P @ V)).sum(axis=-1, keepdims=True)) * slope / 8
    return dS @ K, dS.swapaxes(-1, -2) @ Q, P.swapaxes(-1, -2) @ G


def plain_pairs(
    Q: Array, K: tuple[Array, Array], V: tuple[Array, Array], G: Array
) -> tuple[Array, ...]:
    """That of order 2, factored: products of matrices over the second slot."""
    A, W, n = Q[:, None] * K[0], G[:, None] * V[0], len(K[1])
    S = A @ K[1].T / 8
    P = np.exp(S - S.max(axis=(1, 2), keepdims=True))
    P /= P.sum(axis=(1, 2), keepdims=True)
    dP = W @ V[1].T
    Y = P @ V[1]
    dS = P * (dP - (W * Y).sum(axis=(1, 2))[:, None, None]) / 8
    X = dS @ K[1]
    first = (X * K[0]).sum(axis=1), (Q[:, None] * X).sum(axis=0), (G[:, None] * Y).sum(axis=0)
    last = dS.reshape(-1, n).T @ A.reshape(-1, D), P.reshape(-1, n).T @ W.reshape(-1, D)
    return *first, *last


def calls(problem: Problem) -> tuple[dict[str, Callable[[], Any]], dict[str, GradientLayers]]:
    """What is timed, and the layers of each format."""
    rng = np.random.default_rng(0)
    heads = (problem.heads,) if problem.heads > 1 else ()
    Q, G = (rng.standard_normal((*heads, problem.queries, D)) for _ in range(2))
    K, V = (
        [rng.standard_normal((*heads, problem.tokens, D)) for _ in range(problem.order)]
        for _ in range(2)
    )
    options: dict[str, Any] = {"scale": Fraction(1, 8), "softcap": problem.cap}
    if problem.order == 1:
        options["mask"] = "causal"
    layers = {name: GradientLayers() for name in FORMATS}

    def numpy_alone() -> Any:
        return (
            plain(Q, K[0], V[0], G, problem.cap)
            if problem.order == 1
            else plain_pairs(Q, (K[0], K[1]), (V[0], V[1]), G)
        )

    def rounded(name: str) -> Callable[[], Any]:
        return lambda: tensor_attention_gradients_rounded(
            Q, K, V, G, dtype=name, layers=layers[name], **options
        )

    return {"NumPy": numpy_alone, **{name: rounded(name) for name in FORMATS}}, layers


def medians(timed: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    for call in timed.values():
        call()
    for name in list(timed) * rounds:
        start = process_time()
        timed[name]()
        seconds[name].append(process_time() - start)
    return {name: median(times) for name, times in seconds.items()}


def main() -> None:
    out = sys.stdout.write
    out("| problem, d = 64 | NumPy, ms | " + " | ".join(FORMATS) + " | left to balls |\n")
    out("|---|---|" + "---|" * (len(FORMATS) + 1) + "\n")
    for problem in PROBLEMS:
        timed, layers = calls(problem)
        found = medians(timed, rounds=7)
        cells = [
            f"{found[name] * 1e3:.0f} ({found[name] / found['NumPy']:.1f})" for name in FORMATS
        ]
        left = sum(some.balls + some.exact + some.residues for some in layers.values())
        row = [problem.name, f"{found['NumPy'] * 1e3:.1f}", *cells, str(left)]
        out("| " + " | ".join(row) + " |\n")


if __name__ == "__main__":
    main()
