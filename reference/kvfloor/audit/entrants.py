"""Who plays in the league: every cache that ships and speaks the order, at up to four budgets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kvfloor.audit.auditor import label
from kvfloor.audit.symbol_families import HardShape
from kvfloor.caches import (
    BalancedCache,
    Configured,
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
from kvfloor.families import BinaryValues, binary_keys
from kvfloor.isolation import Factory

__all__ = ["Entrant", "entrants", "guest", "left_out"]

LEFT_OUT = {
    "GaugedCache": "takes only tokens in its gauge",
    "LayeredCache": "keeps a cache for each layer and head",
}
LEFT_OUT_AT_1 = {"SubGen4Cache": "is `SubGen` at order 1"}
LEFT_OUT_ABOVE = {
    "BalancedCache": "is of order 1",
    "SubGen": "is of order 1",
    "FloorCache": "is for keys of other instances",
    "WindowCache": "is for keys of other instances",
}
BITS = (1, 2, 4, 8)
Ladder = tuple[Any, list[dict[str, Any]], dict[str, Any]]  # a cache, budgets, and what is fixed


@dataclass(frozen=True)
class Entrant:
    """A cache at a budget.

    Attributes
    ----------
    cache : str
        What it is called.
    options : str
        What sets its budget, as a reader writes it.
    factory : CacheFactory or "MODULE:FACTORY"
    """

    cache: str
    options: str
    factory: Factory = field(repr=False)


def guest(factory: Factory) -> Entrant:
    """Return a cache of one's own as it plays beside those that ship.

    Raises
    ------
    InputError
        If it has no name.
    """
    if isinstance(factory, Configured):
        return Entrant(label(factory.cache_class), _shown(dict(factory.options), {}), factory)
    return Entrant(label(factory), "", factory)


def left_out(order: int) -> dict[str, str]:
    """Return which caches do not play at an order, and why."""
    return LEFT_OUT | (LEFT_OUT_AT_1 if order == 1 else LEFT_OUT_ABOVE)


def entrants(shape: HardShape) -> tuple[Entrant, ...]:
    """Return all that play, least budget first, for instances of a shape."""
    half = {"dtype": "float16"}
    family = BinaryValues(
        binary_keys(shape.n, shape.d), shape.d_v, order=1, guarantee=shape.guarantee
    )
    group = max(1, min(16, shape.n // 4))
    shares = [max(1, shape.n * k // 4) for k in (1, 2, 3, 4)]
    ladders: tuple[Ladder, ...] = (
        (ExactCache, [{}], {}),
        (TwoCache, [{}], {}),
        (PackedCache, [{"width": w} for w in (2, 4, 8, 16)], {}),
        (FloorCache, [{}], {"family": family}),
        (WindowCache, [{"window": kept} for kept in shares], {"family": family}),
        (HashedCache, [{"bits": kept * shape.d_v} for kept in shares], {}),
        (QuantisedCache, [_cells(k, v) for k, v in ((3, 3), (3, 9), (5, 17), (17, 257))], {}),
        (GroupedCache, [{"bits": bits} for bits in BITS], {"group": 16}),
        (KiviCache, [{"bits": bits} for bits in BITS], {"group": group, "residual": group}),
        (RotatedCache, [{"bits": bits} for bits in BITS], {}),
        (PolarCache, [{"bits": bits} for bits in (1, 2, 4, 6)], {}),
        (BalancedCache, [{"levels": up} for up in (4, 3, 2, 1)], {"batch": shape.n // 16 * 2 or 2}),
        (SinkCache, [{"sinks": 1, "window": max(1, kept - 1)} for kept in shares], half),
        (HeavyHitterCache, [_hitters(kept) for kept in shares], half),
        (LowRankCache, [{"rank": max(1, shape.d * k // 8)} for k in (1, 2, 4, 8)], half),
        (ProjectionCache, [{"dimensions": max(1, shape.d * k // 4)} for k in (1, 2, 3, 4)], half),
        (SubGen, [{"s": kept} for kept in shares], {"delta": 1, "t": 1} | half),
        (SubGen2Cache, [{"s": kept} for kept in shares], {"delta": 1, "t": 1} | half),
        (
            SubGen4Cache,
            [{"s": kept} for kept in shares],
            {"deltas": (1,) * shape.order, "t": 1} | half,
        ),
    )
    found = [
        Entrant(name, _shown(budget, fixed), configure(cache, **fixed, **budget))
        for name, (cache, budgets, fixed) in [
            *((ladder[0].__name__, ladder) for ladder in ladders),
            *_variants(shape, shares),
        ]
        if cache.__name__ not in left_out(shape.order)
        for budget in budgets
    ]
    formats = ("float8_e4m3fn", "bfloat16", "float16", "float32")
    found += [Entrant("all tokens, rounded", name, _all_tokens(shape.n, name)) for name in formats]
    return tuple(found)


def _variants(shape: HardShape, shares: list[int]) -> list[tuple[str, Ladder]]:
    """Other ways to use the same caches, by names of their own."""
    half, quarter = {"dtype": "float16"}, {"dtype": "float8_e4m3fn"}
    sinks = [{"window": max(1, kept - 1)} for kept in shares]
    few = {"group": max(1, min(4, shape.n // 4))}
    return [
        ("sliding window", (SinkCache, [{"window": kept} for kept in shares], half | {"sinks": 0})),
        ("SinkCache in float8", (SinkCache, sinks, quarter | {"sinks": 1})),
        ("heavy hitters alone", (HeavyHitterCache, [_heaviest(kept) for kept in shares], half)),
        ("HeavyHitterCache in float8", (HeavyHitterCache, [_hitters(k) for k in shares], quarter)),
        ("GroupedCache in small groups", (GroupedCache, [{"bits": b} for b in BITS], few)),
        (
            "KiviCache in small groups",
            (KiviCache, [{"bits": b} for b in BITS], few | {"residual": few["group"]}),
        ),
        (
            "PolarCache of one level",
            (PolarCache, [{"bits": b} for b in (1, 2, 4, 6)], {"levels": 1}),
        ),
        (
            "LowRankCache in float8",
            (LowRankCache, [{"rank": max(1, shape.d * k // 8)} for k in (1, 2, 4, 8)], quarter),
        ),
        (
            "ProjectionCache in float8",
            (
                ProjectionCache,
                [{"dimensions": max(1, shape.d * k // 4)} for k in (1, 2, 3, 4)],
                quarter,
            ),
        ),
    ]


def _cells(keys: int, values: int) -> dict[str, int]:
    return {"key_cells": keys, "value_cells": values}


def _hitters(kept: int) -> dict[str, int]:
    return {"heavy": kept // 2, "recent": max(1, kept - kept // 2)}


def _heaviest(kept: int) -> dict[str, int]:
    return {"heavy": max(0, kept - 1), "recent": 1}


def _all_tokens(n: int, dtype: str) -> Factory:
    return configure(SinkCache, sinks=0, window=n, dtype=dtype)


def _shown(budget: dict[str, Any], fixed: dict[str, Any]) -> str:
    options = budget | {name: value for name, value in fixed.items() if name != "family"}
    return ", ".join(f"{name}={value}" for name, value in options.items())
