"""What the three evaluations of T3 count and take: ``python -m kvfloor_proofs.pages.cost FILE``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import numpy as np

from kvfloor.cost import (
    Counts,
    attend_factored,
    attend_formed,
    attend_products,
    query_factored,
    query_formed,
    query_two,
)

__all__ = ["NAMES", "SIZES", "Measured", "closed_forms", "measure", "table"]

SIZES = (16, 32, 64, 128, 256, 512, 1024)
NAMES = ("products formed first", "two-cache", "factored")
D = 64
HEADER = f"""\
# What the three evaluations cost

What a query costs by each evaluation of [`time-memory`](claims/time-memory.md), in float64, at
order 2, d = d_v = {D}. Multiplications and words read are the closed forms, which counting
confirms. Milliseconds are wall-clock time, the median of calls in turn in one run on a shared
machine, BLAS in one thread. Ratios are to *factored*. Written by `OPENBLAS_NUM_THREADS=1 python -m
kvfloor_proofs.pages.cost docs/cost.md`.

The two-cache saves half of *products formed first*, counted, and more on the clock, where forming
products is memory traffic. Against *factored* a query saves one multiplication in n + 1, while its
appending costs more than that; and on the clock reading n² rows takes longer, at the largest n,
than computing n² logits from 2n rows.

| n | evaluation | multiplications | ratio | words read | milliseconds | ratio |
|---|---|---|---|---|---|---|
"""


class Measured(NamedTuple):
    """One evaluation at one n: its counts, and the wall-clock time of a call in seconds."""

    n: int
    name: str
    counts: Counts
    seconds: float


def closed_forms(n: int) -> dict[str, Counts]:
    """Return the counts of each evaluation, in the order of `NAMES`."""
    forms = (query_formed, query_two, query_factored)
    return {name: form(n, D, D) for name, form in zip(NAMES, forms, strict=True)}


def measure(sizes: tuple[int, ...] = SIZES, calls: int = 9) -> Iterator[Measured]:
    """Yield a row for each n and evaluation, each called ``calls`` times in turn after one call."""
    for n in sizes:
        seconds: dict[str, list[float]] = {name: [] for name in NAMES}
        evaluations = _evaluations(n)
        for _ in range(calls + 1):
            for name, evaluate in evaluations.items():
                start = perf_counter()
                evaluate()
                seconds[name].append(perf_counter() - start)
        for name, counts in closed_forms(n).items():
            yield Measured(n, name, counts, median(seconds[name][1:]))


def _evaluations(n: int) -> dict[str, Callable[[], object]]:
    rng = np.random.default_rng(n)
    query = rng.standard_normal(D) / 8
    keys, values = ([rng.standard_normal((n, D)) for _ in range(2)] for _ in range(2))
    rows = [(A[:, None] * B).reshape(-1, D) for A, B in (keys, values)]
    return {
        NAMES[0]: lambda: attend_formed(query, keys, values),
        NAMES[1]: lambda: attend_products(query, *rows),
        NAMES[2]: lambda: attend_factored(query, keys, values),
    }


def table(rows: list[Measured]) -> str:
    """Return the page."""
    base = {row.n: row for row in rows if row.name == NAMES[2]}
    return HEADER + "".join(_row(row, base[row.n]) for row in rows)


def _row(row: Measured, base: Measured) -> str:
    counted = row.counts.multiplications / base.counts.multiplications
    return (
        f"| {row.n} | {row.name} | {row.counts.multiplications} | {counted:.2f} "
        f"| {row.counts.read} | {1000 * row.seconds:.2f} | {row.seconds / base.seconds:.1f} |\n"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(table(list(measure())), encoding="utf-8")
