"""How many numbers of a cache can be told from its answers (S3 `identifiability`)."""

from __future__ import annotations

from typing import Any

__all__ = ["identifiable"]


def identifiable(order: Any, n: Any, d: Any, d_v: Any) -> Any:
    """Generic rank of the map from keys and values to the attention function (S3).

    ``n(d + d_v) - d`` for order 1 and ``mn(d + d_v) - (m-1)(d + d_v)`` for m >= 2 slots, n >= 2
    tokens; ``d_v`` for a single token, whose keys never matter.
    """
    if n == 1:
        return d_v
    if order == 1:
        return n * (d + d_v) - d
    return order * n * (d + d_v) - (order - 1) * (d + d_v)
