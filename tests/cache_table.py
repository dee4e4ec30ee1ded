"""Caches and budgets: what each takes at (n, d) = (64, 16), and on which side of a floor it is.

One table for three tests: of what caches promise, of bits against floors, of docs/caches.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from kvfloor import BinaryValues, sign_keys
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
    PolarCache,
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
from kvfloor.families import PairedValues, Token, binary_pairs

__all__ = ["FAMILIES", "ROWS", "Budget", "D", "N", "padded", "shown"]

N, D = 64, 16
L = 2**16 + 1  # symbols k/2^16, which float64 holds


@cache
def binary_1() -> BinaryValues:
    return BinaryValues(sign_keys(N, D), D, order=1)


@cache
def binary_2() -> BinaryValues:
    return BinaryValues(sign_keys(N, D), D, order=2)


@cache
def paired_2() -> PairedValues:
    return PairedValues(binary_pairs(N), D, L)


FAMILIES: dict[str, Callable[[], Any]] = {
    "binary-1": binary_1,
    "binary-2": binary_2,
    "paired-2": paired_2,
}


def padded(token: Token, d: int = D) -> Token:
    """A token with zeros after its keys, for a family of fewer dimensions."""
    return Token(tuple((*key, *[0] * (d - len(key))) for key in token.keys), token.values)


@dataclass(frozen=True)
class Budget:
    """A cache with its options, its bits, and what is expected of it.

    ``under``: fewer bits than the floor of the family. ``exact``: answers the family right.
    """

    cache: Any
    options: dict[str, Any]
    family: str
    bits: int
    under: bool
    exact: bool = False

    @property
    def factory(self) -> Any:
        return configure(self.cache, **self.options)

    @property
    def id(self) -> str:
        options = ",".join(f"{k}={v}" for k, v in self.options.items() if k != "family")
        return f"{self.cache.__name__}({options})-{self.family}"


def shown(row: Budget) -> str:
    """The row of docs/caches.md."""
    options = ", ".join(f"{k}={v}" for k, v in row.options.items() if k != "family")
    name = {"binary-1": "binary, m = 1", "binary-2": "binary, m = 2", "paired-2": "paired"}
    side = "under" if row.under else "over, exact" if row.exact else "over"
    return f"| `{row.cache.__name__}({options})` | {name[row.family]} | {row.bits} | {side} |"


F8, F16 = "float8_e4m3fn", "float16"

ROWS = [
    # --- order 1, floor n·d_v = 1024
    Budget(ExactCache, {}, "binary-1", 131072, under=False, exact=True),
    Budget(TwoCache, {}, "binary-1", 262144, under=False, exact=True),
    Budget(PackedCache, {"width": 2}, "binary-1", 4384, under=False, exact=True),
    Budget(FloorCache, {"family": binary_1()}, "binary-1", 1024, under=False, exact=True),
    Budget(WindowCache, {"family": binary_1(), "window": 63}, "binary-1", 1008, under=True),
    Budget(HashedCache, {"bits": 1000}, "binary-1", 1000, under=True),
    Budget(QuantisedCache, {"key_cells": 3, "value_cells": 3}, "binary-1", 3248, under=False),
    Budget(GroupedCache, {"bits": 1, "group": 16}, "binary-1", 6208, under=False, exact=True),
    Budget(
        KiviCache,
        {"bits": 1, "group": 16, "residual": 32},
        "binary-1",
        12864,
        under=False,
        exact=True,
    ),
    Budget(PolarCache, {"bits": 2}, "binary-1", 8000, under=False),
    Budget(RotatedCache, {"bits": 2}, "binary-1", 6208, under=False),
    Budget(RotatedCache, {"bits": 4}, "binary-1", 10304, under=False, exact=True),
    Budget(BalancedCache, {"batch": 2, "levels": 5, "dtype": F8}, "binary-1", 576, under=True),
    Budget(BalancedCache, {"batch": 16, "levels": 1}, "binary-1", 16448, under=False),
    Budget(SinkCache, {"sinks": 1, "window": 2, "dtype": F8}, "binary-1", 768, under=True),
    Budget(SinkCache, {"sinks": 4, "window": 28}, "binary-1", 32768, under=False),
    Budget(SinkCache, {"sinks": 4, "window": 60}, "binary-1", 65536, under=False, exact=True),
    Budget(HeavyHitterCache, {"heavy": 1, "recent": 2, "dtype": F8}, "binary-1", 792, under=True),
    Budget(
        HeavyHitterCache, {"heavy": 32, "recent": 32}, "binary-1", 67584, under=False, exact=True
    ),
    Budget(LowRankCache, {"rank": 1, "dtype": F8}, "binary-1", 1344, under=False),
    Budget(LowRankCache, {"rank": 16}, "binary-1", 81984, under=False, exact=True),
    Budget(ProjectionCache, {"dimensions": 8, "dtype": F16}, "binary-1", 24576, under=False),
    Budget(SubGen, {"delta": 9, "t": 1, "s": 1, "dtype": F8}, "binary-1", 776, under=True),
    Budget(SubGen, {"delta": 1, "t": 2, "s": 64, "dtype": F8}, "binary-1", 45256, under=False),
    # --- order 2, floor 2(n-1)·d_v·log₂ L = 32257
    Budget(ExactCache, {}, "paired-2", 262144, under=False, exact=True),
    Budget(TwoCache, {}, "binary-2", 8650752, under=False, exact=True),
    Budget(PackedCache, {"width": 2}, "binary-2", 8608, under=False, exact=True),
    Budget(QuantisedCache, {"key_cells": 2, "value_cells": 2}, "paired-2", 4097, under=True),
    Budget(QuantisedCache, {"key_cells": 3, "value_cells": 2**17}, "paired-2", 38064, under=False),
    Budget(GroupedCache, {"bits": 4, "group": 16}, "paired-2", 24640, under=True),
    Budget(GroupedCache, {"bits": 8, "group": 16}, "paired-2", 41024, under=False),
    Budget(KiviCache, {"bits": 4, "group": 16, "residual": 16}, "paired-2", 29760, under=True),
    Budget(KiviCache, {"bits": 8, "group": 16, "residual": 16}, "paired-2", 44096, under=False),
    Budget(PolarCache, {"bits": 2}, "paired-2", 15936, under=True),
    Budget(RotatedCache, {"bits": 4}, "paired-2", 20544, under=True),
    Budget(RotatedCache, {"bits": 8}, "paired-2", 36928, under=False),
    Budget(SinkCache, {"sinks": 4, "window": 8}, "paired-2", 24576, under=True),
    Budget(SinkCache, {"sinks": 4, "window": 60}, "paired-2", 131072, under=False, exact=True),
    Budget(HeavyHitterCache, {"heavy": 8, "recent": 7}, "paired-2", 31200, under=True),
    Budget(HeavyHitterCache, {"heavy": 8, "recent": 8}, "paired-2", 33280, under=False),
    Budget(LowRankCache, {"rank": 6, "dtype": F16}, "paired-2", 30784, under=True),
    Budget(LowRankCache, {"rank": 16}, "paired-2", 163904, under=False),
    Budget(ProjectionCache, {"dimensions": 12, "dtype": F8}, "paired-2", 28672, under=True),
    Budget(ProjectionCache, {"dimensions": 16}, "paired-2", 131072, under=False),
    Budget(SubGen4Cache, {"deltas": (9, 9), "t": 8, "s": 8}, "paired-2", 26200, under=True),
    Budget(SubGen4Cache, {"deltas": (1, 1), "t": 2, "s": 64}, "paired-2", 336344, under=False),
    Budget(
        SubGen2Cache, {"delta": 99, "t": 2, "s": 4, "dtype": F16}, "paired-2", 68736, under=False
    ),
]
