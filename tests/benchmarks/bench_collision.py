"""How many runs of a cache a collision takes; writes docs/collision-search.md.

``PYTHONPATH=tests python tests/benchmarks/bench_collision.py docs/collision-search.md`` (about
three minutes). Caches that keep b bits of a hash; two tokens, N = 40. Evaluations are counted,
over seeds of cache and search. For the times the same search is run by one process and by two.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import mean, median
from time import perf_counter as time
from time import process_time, sleep
from typing import Any

from kvfloor import BinaryValues, binary_keys, birthday, distinguished_points
from kvfloor.caches import configure
from small_caches import Digest

FAMILY = BinaryValues(binary_keys(2), 20, 1)
SEEDS = {16: 200, 24: 100, 32: 20}
TIMED = 7
HEAD = """\
# Collision search

How often a cache of b bits has to be run until two instances are found that it cannot tell apart
([`collision`](claims/collision.md)): mean over seeds, in units of 2^(b/2). The caches keep a hash,
N = 40; the expectation for random states is √(π/2) = 1.253. Written by `PYTHONPATH=tests python
tests/benchmarks/bench_collision.py docs/collision-search.md`.

| b | seeds | table | distinguished points |
|---|---|---|---|
"""


def evaluations(search: Any, bits: int) -> float:
    found = [
        search(configure(Digest, bits=bits), FAMILY, seed=k, search_seed=k, limit=40 << bits // 2)
        for k in range(SEEDS[bits])
    ]
    return float(mean(collision.evaluations for collision in found) / 2 ** (bits / 2))


def used(_: int) -> tuple[int, float]:
    """Which process this is, and its processor time; long enough for each of them to take one."""
    sleep(0.05)
    return os.getpid(), process_time()


def seconds(workers: int, seed: int) -> tuple[float, float]:
    """Of one search at b = 32 by so many processes: by the clock, and of the busiest with ours."""
    factory = configure(Digest, bits=32)
    with ProcessPoolExecutor(workers) as executor:
        before, own, start = dict(executor.map(used, range(4 * workers))), process_time(), time()
        distinguished_points(
            factory, FAMILY, search_seed=seed, limit=10**7, executor=executor, workers=workers
        )
        clock, own = time() - start, process_time() - own
        after = dict(executor.map(used, range(4 * workers)))
    return clock, own + max(after[process] - before[process] for process in before)


def main(path: str) -> None:
    rows = [
        f"| {bits} | {count} | {evaluations(birthday, bits):.2f} "
        f"| {evaluations(distinguished_points, bits):.2f} |\n"
        for bits, count in SEEDS.items()
    ]
    times = [(seconds(1, seed), seconds(2, seed)) for seed in range(TIMED)]
    clock, busy = (median(one[k] / two[k] for one, two in times) for k in range(2))
    tail = (
        f"\nAt b = 32 two processes are {busy:.2f} times as fast as one, in processor time of the\n"
        f"busiest worker and of the process that waits for it (median of {TIMED} searches). By\n"
        f"the clock it was {clock:.2f}, on a machine whose cores were shared with other work.\n"
    )
    Path(path).write_text(HEAD + "".join(rows) + tail)


if __name__ == "__main__":
    main(sys.argv[1])
