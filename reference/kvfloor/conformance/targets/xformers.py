"""The memory-efficient attention of xFormers."""

from __future__ import annotations

from typing import Any

from xformers.ops import LowerTriangularMask, memory_efficient_attention

__all__ = ["attention"]


def attention(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
    """`memory_efficient_attention`; its triangular mask is top-left."""
    bias = None if mask is None else LowerTriangularMask()
    return memory_efficient_attention(
        *(q.cuda(), K[0].cuda(), V[0].cuda()), attn_bias=bias, scale=scale
    )
