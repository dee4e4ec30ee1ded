"""T1, T6: what caches give back of a hard instance, against the bits that they keep."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kvfloor.caches import (
    CacheFactory,
    ExactCache,
    FloorCache,
    HashedCache,
    QuantisedCache,
    WindowCache,
    configure,
    record,
    restore,
)
from kvfloor.instances import BinaryValues, attend_to
from kvfloor.keys import binary_keys
from kvfloor_proofs.html.pictures.panel import Panel, Picture, Series

__all__ = ["CACHES"]

FAMILY = BinaryValues(binary_keys(8), d_v=2, order=2)
INSTANCES = 8


class Point(NamedTuple):
    """A cache on the instances: bits of its largest state, and what came back."""

    bits: int
    recovered: float
    worst_error: float


def _caches() -> dict[str, list[CacheFactory]]:
    sizes = range(2, 11, 2)  # the table behind a hash is four times as large as its range
    windows = range(1, FAMILY.n + 1)
    cells = [2**k for k in range(1, 9)]
    return {
        "hashed": [configure(HashedCache, bits=bits, family=FAMILY) for bits in sizes],
        "window": [configure(WindowCache, family=FAMILY, window=window) for window in windows],
        "at the floor": [configure(FloorCache, family=FAMILY)],
        "quantised": [configure(QuantisedCache, key_cells=k, value_cells=k) for k in cells],
        "exact": [ExactCache],
    }


def _measured(factory: CacheFactory) -> Point:
    """Ask a cache for every bit of every instance."""
    rng = np.random.default_rng(0)
    bits = right = 0
    error = 0.0
    for _ in range(INSTANCES):
        instance = [int(x) for x in rng.integers(0, 2, FAMILY.size)]
        tokens = FAMILY.encode(instance)
        state = record(factory, tokens, d=FAMILY.book.d, d_v=FAMILY.d_v)
        cache = restore(factory, state, order=FAMILY.order, d=FAMILY.book.d, d_v=FAMILY.d_v)
        attention = attend_to(tokens)
        bits = max(bits, state.bits)
        for address in range(FAMILY.n):
            query = FAMILY.query(address)
            answer, outputs = cache.answer(query), attention(query).floats()
            row = zip(FAMILY.decode(answer), FAMILY.row(instance, address), strict=True)
            right += sum(found == stored for found, stored in row)
            pairs = zip(answer, outputs, strict=True)
            error = max(error, *(abs(float(o) - out) for o, out in pairs))
    return Point(bits, right / (INSTANCES * FAMILY.size), error)


def _panels() -> tuple[Panel, ...]:
    found = {name: list(map(_measured, caches)) for name, caches in _caches().items()}
    return (
        _panel(
            "Symbols recovered",
            "fraction",
            {name: [(p.bits, p.recovered) for p in points] for name, points in found.items()},
            "Left of the floor no cache gives back all symbols: hashes do no better than guessing, "
            "one half, and the window's fraction grows with its bits until it reaches 1 at the "
            "floor. Right of the floor the quantised cache begins at guessing too, as it spends "
            "its bits on everything, and reaches 1 at some precision. The exact cache is at 1.",
        ),
        _panel(
            "Worst error",
            "largest |answer − output|",
            {name: [(p.bits, p.worst_error) for p in points] for name, points in found.items()},
            "Left of the floor every cache is wrong by one half or more for some query. At the "
            "floor the error of the window drops to nearly nothing, where the cache made for the "
            "floor is. The error of the quantised cache falls with precision.",
        ),
    )


def _panel(
    title: str, y_label: str, points: dict[str, list[tuple[int, float]]], description: str
) -> Panel:
    floor = Series(f"floor: {FAMILY.size} bits", ((FAMILY.size, 0), (FAMILY.size, 1)), "rule")
    curves = [Series(name, tuple(curve), "both") for name, curve in points.items()]
    return Panel(
        title,
        "bits of the state",
        y_label,
        (*curves, floor),
        description,
        x_scale="log2",
    )


CACHES = Picture(
    "caches",
    "What caches give back, against their bits",
    f"Each cache answers every query of the same {INSTANCES} random instances of `binary-values`, "
    f"order {FAMILY.order}, n = {FAMILY.n}, d = {FAMILY.book.d}, d_v = {FAMILY.d_v}: N = "
    f"{FAMILY.size} bits, which is the floor. Below it no cache can be right for every instance. "
    "Bits are those of the largest state; the worst error is over all instances and queries.",
    ("four-cache", "sliding-window", "random-instance-fails", "collision", "quantised-upper-bound"),
    _panels,
)
