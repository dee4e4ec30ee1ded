"""FlashAttention 2; its masks end at the bottom right."""

from __future__ import annotations

from typing import Any

from flash_attn import flash_attn_func

from kvfloor.attention import Window
from kvfloor.conformance.targets.reaches import reaches

__all__ = ["attention"]


def attention(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
    """`flash_attn_func`."""
    sides = reaches(mask, -1) if isinstance(mask, Window) else (-1, -1)
    return flash_attn_func(
        *(q.cuda(), K[0].cuda(), V[0].cuda()),
        softmax_scale=scale,
        causal=mask == "causal",
        window_size=sides,
    )
