"""What audits say of every cache that ships.

``PYTHONPATH=tests python tests/benchmarks/bench_verdicts.py``.

At n = 16, d = 4, α = 1/8: the verdict on the hard family alone, the one with the catalogue, and the
entries that failed.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from kvfloor import Audit, BinaryValues, Guarantee, audit, binary_keys
from kvfloor.audit import DEFAULT_ALPHA, label
from kvfloor.caches import (
    BalancedCache,
    ExactCache,
    FloorCache,
    GroupedCache,
    HashedCache,
    HeavyHitterCache,
    KiviCache,
    LowRankCache,
    PackedCache,
    ProjectionCache,
    QuantisedCache,
    RotatedCache,
    SinkCache,
    SubGen,
    SubGen2Cache,
    SubGen4Cache,
    TwoCache,
    WindowCache,
    configure,
)
from reference.adapters.test_adapters import ByteLayer, KeepLast, ListLayer, layer, press

N, D = 16, 4


def family(order: int) -> BinaryValues:
    return BinaryValues(binary_keys(N, D), D, order, guarantee=Guarantee(alpha=DEFAULT_ALPHA))


def sinks(kept: int, dtype: str) -> Any:
    return configure(SinkCache, sinks=kept // 4, window=kept - kept // 4, dtype=dtype)


ROWS: tuple[tuple[Any, int], ...] = (
    *((cache, order) for cache in (ExactCache, TwoCache, PackedCache) for order in (1, 2)),
    *((configure(FloorCache, family=family(m)), m) for m in (1, 2)),
    *((configure(WindowCache, family=family(1), window=w), 1) for w in (16, 15)),
    *((configure(HashedCache, bits=bits), 1) for bits in (60, 70)),
    *((configure(QuantisedCache, key_cells=k, value_cells=64), 1) for k in (3, 64, 4096)),
    *((configure(GroupedCache, bits=b, group=8), 1) for b in (8, 4, 1)),
    *((configure(KiviCache, bits=b, group=4, residual=8), 1) for b in (8, 4, 2)),
    *((configure(RotatedCache, bits=b), 1) for b in (8, 4)),
    (configure(BalancedCache, batch=4), 1),
    *((sinks(16, f), 1) for f in ("float32", "float16", "bfloat16", "float8_e4m3fn")),
    (sinks(8, "float32"), 1),
    *((configure(HeavyHitterCache, heavy=h, recent=h), 1) for h in (8, 4)),
    *((configure(LowRankCache, rank=r), 1) for r in (4, 2)),
    *((configure(ProjectionCache, dimensions=k), 1) for k in (4, 2)),
    (configure(SubGen, delta=1, t=2, s=64), 1),
    (configure(SubGen4Cache, deltas=(1, 1), t=2, s=64), 2),
    (configure(SubGen2Cache, delta=9, t=2, s=64), 2),
    *((press(KeepLast(k)), 1) for k in (16, 8)),
    (press(KeepLast(16), dtype="float16"), 1),
    (layer(ListLayer), 1),
    (layer(partial(ByteLayer, 5)), 1),
)


def before(found: Audit) -> str:
    """What the hard family alone says."""
    if found.verdict == "violates" and not found.findings[0].reason.startswith("it answers"):
        return "within-guarantee"
    return found.verdict


def main() -> None:
    for factory, order in ROWS:
        found = audit(factory, n=N, d=D, order=order)
        failed = ", ".join(found.failed) or "-"
        name = label(factory).rpartition(":")[2]
        words = (name, str(order), before(found), found.verdict, failed)
        sys.stdout.write(f"| {' | '.join(words)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
