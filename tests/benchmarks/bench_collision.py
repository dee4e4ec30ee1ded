"""How many runs of a cache a collision takes; writes docs/collision-search.md.

``PYTHONPATH=tests python tests/benchmarks/bench_collision.py docs/collision-search.md`` (about
three minutes). Caches that keep b bits of a hash; two tokens, N = 40. Evaluations are counted,
over seeds of cache and search. For the times the same search is run by one process and by two.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Any

from kvfloor import BinaryValues, binary_keys, birthday, distinguished_points
from kvfloor.caches import configure
from small_caches import Digest

FAMILY = BinaryValues(binary_keys(2), 20, 1)
SEEDS = {16: 200, 24: 100, 32: 20}
TIMED = 7
HEAD = """\
# Collision search

Written by `tests/benchmarks/bench_collision.py`. Caches that keep b bits of a hash, N = 40;
evaluations of the cache until a collision is certified, mean over seeds, in units of 2^(b/2). The
expectation for random states is √(π/2) = 1.253.

| b | seeds | table | distinguished points |
|---|---|---|---|
"""


def evaluations(search: Any, bits: int) -> float:
    found = [
        search(configure(Digest, bits=bits), FAMILY, seed=k, search_seed=k, limit=40 << bits // 2)
        for k in range(SEEDS[bits])
    ]
    return float(mean(collision.evaluations for collision in found) / 2 ** (bits / 2))


def seconds(workers: int, seed: int) -> float:
    """Of one search at b = 32 by so many processes, which are there already."""
    factory = configure(Digest, bits=32)
    with ProcessPoolExecutor(workers) as executor:
        list(executor.map(abs, range(8 * workers)))
        start = perf_counter()
        distinguished_points(
            factory, FAMILY, search_seed=seed, limit=10**7, executor=executor, workers=workers
        )
        return perf_counter() - start


def main(path: str) -> None:
    rows = [
        f"| {bits} | {count} | {evaluations(birthday, bits):.2f} "
        f"| {evaluations(distinguished_points, bits):.2f} |\n"
        for bits, count in SEEDS.items()
    ]
    ratios = [seconds(1, seed) / seconds(2, seed) for seed in range(TIMED)]
    tail = (
        f"\nAt b = 32 two processes are {median(ratios):.2f} times as fast as one (median of "
        f"{TIMED} searches; from {min(ratios):.2f} to {max(ratios):.2f}).\n"
    )
    Path(path).write_text(HEAD + "".join(rows) + tail)


if __name__ == "__main__":
    main(sys.argv[1])
