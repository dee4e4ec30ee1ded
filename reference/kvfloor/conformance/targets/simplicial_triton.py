"""The sliding-window kernel of simplicial-attention; its scale is always 1/sqrt(d)."""

from __future__ import annotations

from typing import Any

from simplicial_attention.triton_two_simplicial_attention import sliding_two_simplicial_attn

from kvfloor.attention import Window

__all__ = ["sliding"]


def sliding(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:  # noqa: ARG001
    """`sliding_two_simplicial_attn`, order 2; its widths count a query's own token."""
    n = q.shape[1]
    left = mask.left if isinstance(mask, Window) else None
    sides = left if isinstance(left, tuple | list) else (left, left)
    w1, w2 = (n if side is None else min(side + 1, n) for side in sides)
    keys, values = (tuple(A.cuda() for A in pair) for pair in (K, V))
    return sliding_two_simplicial_attn(q.cuda(), keys, values, w1=w1, w2=w2, causal=True)
