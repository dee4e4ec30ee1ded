"""What the queries of a Transformers model with random weights force its caches to keep.

``PYTHONPATH=tests python tests/benchmarks/bench_trace_floors.py`` takes a Llama with grouped heads,
runs random tokens through it, and prints the floor of every layer and key-value head: keys and
queries after rotary embedding, the last queries of each head that shares them, under the causal
mask. Nothing is downloaded. Initial weights are made larger than is usual, or attention would
hardly tell tokens apart; the last line says what the usual ones give.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from time import perf_counter
from typing import Any

import numpy as np

import kvfloor
from benchmarks.make_trace import HEADS, attended

LAYERS, KV_HEADS, D = 3, 2, 64
N, ASKED = 1024, 64  # tokens; queries of a head, the last ones
ALPHAS = (Fraction(1, 16), Fraction(1, 256), Fraction(1, 4096))
SPREADS = (0.1, 0.02)  # of initial weights: larger than is usual, and the usual one


def traces(spread: float) -> list[tuple[Any, Any]]:
    """Return keys (KV_HEADS, N, D) and queries (HEADS, N, D) of each layer, as float64."""
    found = attended(N, D, layers=LAYERS, kv_heads=KV_HEADS, spread=spread)
    return [(k.double().numpy(), q.double().numpy()) for q, k, _ in found]


def floors(keys: Any, queries: Any) -> tuple[list[Any], float]:
    """Return the floors of one key-value head, and the seconds that one of them took."""
    asked = queries[:, -ASKED:].reshape(-1, D)
    mask = np.tile(np.tri(ASKED, N, N - ASKED, dtype=np.bool_), (len(queries), 1))
    started = perf_counter()
    found = [
        kvfloor.floor_of([keys], asked, alpha=alpha, scale="1/sqrt(d)", mask=mask, d_v=D)
        for alpha in ALPHAS
    ]
    return found, (perf_counter() - started) / len(ALPHAS)


def row(layer: int, head: int, keys: Any, queries: Any) -> str:
    found, seconds = floors(keys, queries)
    cells = [f"{floor.bits} ({len(floor.tokens)})" for floor in found]
    return f"| {layer} | {head} | {' | '.join(cells)} | {seconds:.1f} |\n"


def main() -> None:
    group = HEADS // KV_HEADS
    alphas = " | ".join(f"α = {alpha}" for alpha in ALPHAS)
    sys.stdout.write(f"| layer | head | {alphas} | s |\n|---|---|{'---|' * (len(ALPHAS) + 1)}\n")
    for layer, (keys, queries) in enumerate(traces(SPREADS[0])):
        for head in range(KV_HEADS):
            shared = queries[head * group : (head + 1) * group]
            sys.stdout.write(row(layer, head, keys[head], shared))
    usual = [
        floors(keys[head], queries[head * group : (head + 1) * group])[0]
        for keys, queries in traces(SPREADS[1])
        for head in range(KV_HEADS)
    ]
    most = [max(found[i].bits for found in usual) for i in range(len(ALPHAS))]
    sys.stdout.write(f"usual weights, the most of all layers and heads: {most} bits\n")


if __name__ == "__main__":
    main()
