"""Attention of order 2 and above in simplicial-attention; its scale is always 1/sqrt(d)."""

from __future__ import annotations

from typing import Any

from simplicial_attention import naive_two_simplicial_attend, nth_order_attend

__all__ = ["naive", "nth_order"]


def naive(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:  # noqa: ARG001
    """`naive_two_simplicial_attend`, order 2."""
    return naive_two_simplicial_attend(q, K, V, causal=mask == "causal")


def nth_order(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:  # noqa: ARG001
    """`nth_order_attend`, any order."""
    return nth_order_attend(q, K, V, causal=mask == "causal")
