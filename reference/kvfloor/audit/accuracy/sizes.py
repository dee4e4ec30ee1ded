"""Sizes of blocks, rings and groups: what options name, and what states betray.

The functions run in the process of the cache.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from kvfloor.caches import CacheFactory, Configured, state_of
from kvfloor.families import Token

__all__ = ["lengths_at", "named_sizes", "sizes_at"]


def named_sizes(factory: Any) -> list[int]:
    """Return the whole numbers among the options of a factory, and their sums in pairs."""
    made, options = factory, dict[str, Any]()
    if isinstance(factory, Configured):
        made, options = factory.cache_class, dict(factory.options)
    defaults = {
        name: parameter.default for name, parameter in inspect.signature(made).parameters.items()
    }
    named = [x for x in (defaults | options).values() if type(x) is int and x > 0]
    return sorted({*named, *(x + y for x, y in combinations(named, 2))})


def sizes_at(
    factory: CacheFactory, tokens: Sequence[Token], shape: tuple[int, int, int], seed: int
) -> list[int]:
    """Return the bits of the state after each of the tokens."""
    order, d, d_v = shape
    cache, bits = factory(order=order, d=d, d_v=d_v, seed=seed), []
    for token in tokens:
        cache.append(token.keys, token.values)
        bits.append(state_of(cache).bits)
    return bits


def lengths_at(bits: Any) -> list[int]:
    """Return the lengths at which the bits per token jump, from the bits at each length."""
    if not isinstance(bits, list) or not all(type(b) is int for b in bits) or not bits:
        return []
    steps = [b - a for a, b in zip([0, *bits], bits, strict=False)]
    usual = max(set(steps), key=steps.count)
    return [k + 1 for k, step in enumerate(steps) if step != usual and k]
