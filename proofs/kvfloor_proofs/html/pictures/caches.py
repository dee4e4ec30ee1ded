"""T1, T6: what caches give back of a hard instance, against the bits that they keep."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import numpy as np

from kvfloor.caches import (
    CacheFactory,
    ExactCache,
    FloorCache,
    GroupedCache,
    HashedCache,
    HeavyHitterCache,
    LowRankCache,
    ProjectionCache,
    QuantisedCache,
    SinkCache,
    SubGen4Cache,
    WindowCache,
    configure,
    record,
    restore,
)
from kvfloor.families import BinaryValues, attend_to, binary_keys
from kvfloor.floors import certified_bits
from kvfloor_proofs.html.pictures.panel import Panel, Picture, Series

__all__ = ["CACHES"]

FAMILY = BinaryValues(binary_keys(8), d_v=2, order=2)
INSTANCES = 4
CONFIDENCE = Fraction(99, 100)
NARROW = "float8_e4m3fn"  # what caches in use keep numbers in: it costs nothing here
KEPT = (Series("all that is kept", tuple((b, b) for b in range(1, FAMILY.size + 1)), "rule"),)
Caches = dict[str, list[CacheFactory]]


class Point(NamedTuple):
    """A cache on the instances: bits of its largest state, and what came back, certified too."""

    bits: int
    recovered: float
    certified: float
    worst_error: float


def _of_theory() -> Caches:
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


def _in_use() -> Caches:
    kept = range(1, FAMILY.n)
    ranks = range(1, FAMILY.book.d + 1)
    samples = (1, 4, 16, 64)
    narrow = {"dtype": NARROW}
    return {
        "sinks": [configure(SinkCache, sinks=1, window=k, **narrow) for k in kept],
        "heavy hitters": [configure(HeavyHitterCache, heavy=k, recent=1, **narrow) for k in kept],
        "grouped bits": [configure(GroupedCache, bits=b, group=4, **narrow) for b in (1, 2, 4, 8)],
        "low rank": [configure(LowRankCache, rank=k, **narrow) for k in ranks],
        "projection": [configure(ProjectionCache, dimensions=k, **narrow) for k in ranks],
        "SubGen4Cache": [
            configure(SubGen4Cache, deltas=(1, 1), t=1, s=s, **narrow) for s in samples
        ],
    }


def _measured(factory: CacheFactory) -> Point:
    """Ask a cache for every bit of every instance."""
    rng = np.random.default_rng(0)
    right, error, sizes = 0, 0.0, list[int]()
    for _ in range(INSTANCES):
        instance = [int(x) for x in rng.integers(0, 2, FAMILY.size)]
        tokens = FAMILY.encode(instance)
        state = record(factory, tokens, d=FAMILY.book.d, d_v=FAMILY.d_v)
        cache = restore(factory, state, order=FAMILY.order, d=FAMILY.book.d, d_v=FAMILY.d_v)
        attention = attend_to(tokens)
        sizes.append(state.bits)
        for address in range(FAMILY.n):
            query = FAMILY.query(address)
            answer, outputs = cache.answer(query), attention(query).floats()
            row = zip(FAMILY.decode(answer), FAMILY.row(instance, address), strict=True)
            right += sum(found == stored for found, stored in row)
            pairs = zip(answer, outputs, strict=True)
            error = max(error, *(abs(float(o) - out) for o, out in pairs))
    every = INSTANCES * FAMILY.size
    certified = certified_bits(
        *(FAMILY.size, 2),
        instances=INSTANCES,
        wrong=every - right,
        longest=max(sizes),
        alike=len(set(sizes)) == 1,
        confidence=CONFIDENCE,
    )
    return Point(max(sizes), right / every, float(certified), error)


def _panels() -> tuple[Panel, ...]:
    theory, in_use = map(_points, (_of_theory(), _in_use()))
    return (
        _panel(
            "Recovered, caches of the theory",
            "fraction of symbols",
            {name: [(p.bits, p.recovered) for p in points] for name, points in theory.items()},
            "Left of the floor no cache gives back all symbols: hashes do no better than guessing, "
            "one half, and the window's fraction grows with its bits until it reaches 1 at the "
            "floor. Right of the floor the quantised cache begins at guessing too, as it spends "
            "its bits on everything, and reaches 1 at some precision. The exact cache is at 1.",
        ),
        _panel(
            "Worst error, caches of the theory",
            "largest |answer − output|",
            {name: [(p.bits, p.worst_error) for p in points] for name, points in theory.items()},
            "Left of the floor every cache is wrong by 0.45 or more for some query. At the "
            "floor the error of the window drops to nearly nothing, where the cache made for the "
            "floor is. The error of the quantised cache falls with precision.",
        ),
        _panel(
            "Recovered, caches in use",
            "fraction of symbols",
            {name: [(p.bits, p.recovered) for p in points] for name, points in in_use.items()},
            "All six lie right of the floor, as they keep keys too, of all tokens or of some. "
            "Caches that drop tokens recover in proportion to what they keep; rounding in "
            "groups recovers all; low rank and projections need full rank; SubGen, which samples, "
            "takes most bits, and recovers all symbols only with the most samples, if at all.",
        ),
        _panel(
            "Worst error, caches in use",
            "largest |answer − output|",
            {name: [(p.bits, p.worst_error) for p in points] for name, points in in_use.items()},
            "Caches that drop tokens are wrong by 0.45 or more until they keep all of them. "
            "Groups of entries, which are 0 or 1 here, are kept as they are. SubGen is off by "
            "more than 1 with few samples, and by less with more. What recovers all of this family "
            "may be wrong elsewhere: an audit tries a catalogue of other instances.",
        ),
        _panel(
            "Certified, caches of the theory",
            "bits certified to come back",
            {name: [(p.bits, p.certified) for p in points] for name, points in theory.items()},
            "No cache is above the curve, on which all bits that are kept come back: the cache at "
            "the floor is the nearest. Of hashes nothing comes back. What the exact cache gives "
            "back is no more than that, of hundreds of times the bits.",
            kept=KEPT,
        ),
        _panel(
            "Certified, caches in use",
            "bits certified to come back",
            {name: [(p.bits, p.certified) for p in points] for name, points in in_use.items()},
            "All are far right of the curve on which all bits that are kept come back, as they "
            "keep keys, which are public here. Those that recover all symbols give back most, and "
            "every wrong symbol costs bits.",
            kept=KEPT,
        ),
    )


def _points(caches: Caches) -> dict[str, list[Point]]:
    return {name: [_measured(factory) for factory in own] for name, own in caches.items()}


def _panel(
    title: str,
    y_label: str,
    points: dict[str, list[tuple[int, float]]],
    description: str,
    *,
    kept: tuple[Series, ...] = (),
) -> Panel:
    floor = Series(f"floor: {FAMILY.size} bits", ((FAMILY.size, 0), (FAMILY.size, 1)), "rule")
    curves = [Series(name, tuple(curve), "both") for name, curve in points.items()]
    return Panel(
        title,
        "bits of the state",
        y_label,
        (*curves, *(kept or (floor,))),
        description,
        x_scale="log2",
    )


CACHES = Picture(
    "caches",
    "What caches give back, against their bits",
    f"Each cache answers every query of the same {INSTANCES} random instances of `binary-values`, "
    f"order {FAMILY.order}, n = {FAMILY.n}, d = {FAMILY.book.d}, d_v = {FAMILY.d_v}: N = "
    f"{FAMILY.size} bits, which is the floor. Below it no cache can be right for every instance. "
    "Caches in use keep numbers in float8, which holds all entries of this family. "
    "Bits are those of the largest state; the worst error is over all instances and queries. "
    f"What is certified to come back is so at a confidence of {float(CONFIDENCE):.0%}.",
    (
        "four-cache",
        "sliding-window",
        "random-instance-fails",
        "collision",
        "quantised-upper-bound",
        "retrievable-information",
    ),
    _panels,
)
