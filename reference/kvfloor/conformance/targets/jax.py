"""JAX's attention; its masks begin at the top left."""

from __future__ import annotations

from typing import Any

from jax.nn import dot_product_attention

from kvfloor.attention import Window
from kvfloor.conformance.targets.reaches import reaches
from kvfloor.conformance.targets.visible import visible

__all__ = ["attention"]


def attention(q: Any, K: Any, V: Any, *, scale: float, mask: Any, key_masks: Any = None) -> Any:
    """`dot_product_attention`, by the implementation that it takes.

    Compiled whole it raises for bfloat16 and float16 on a CPU, so it is not.
    """
    options: dict[str, Any] = {"mask": visible(mask, key_masks)}
    if isinstance(mask, Window):
        options["local_window_size"] = reaches(mask, q.shape[1] + K[0].shape[1])
    elif isinstance(mask, str):
        options["is_causal"] = True
    return dot_product_attention(q, K[0], V[0], scale=scale, return_residual=True, **options)
