"""PyTorch's attention and that of `simplicial-attention`, as targets of the kit."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from simplicial_attention import naive_two_simplicial_attend, nth_order_attend
from torch.nn.functional import scaled_dot_product_attention

from kvfloor.conformance import Domain, Target


def sdpa(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
    """Order 1."""
    causal = isinstance(mask, str)  # its causal mask is top-left
    options: dict[str, Any] = {"is_causal": True} if causal else {"attn_mask": mask}
    return scaled_dot_product_attention(q, K[0], V[0], scale=scale, enable_gqa=True, **options)


def sdpa_math(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
    """The same, by the backend that is plain matrix products."""
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        return sdpa(q, K, V, scale=scale, mask=mask)


def two_simplicial(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
    """Order 2; its scale is always 1/sqrt(d)."""
    return naive_two_simplicial_attend(q, K, V, causal=mask == "causal")


def nth_order(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
    """Any order; its scale is always 1/sqrt(d)."""
    return nth_order_attend(q, K, V, causal=mask == "causal")


_torch = partial(Target, arrays="torch", returns=("output",), grouped=True)
TARGETS = {
    f"{function.__name__} order {order} {dtype} {mask or 'no mask'}{note}": _torch(
        function,
        dtype=dtype,
        accumulate=accumulate,
        order=order,
        mask=mask,
        weights=weights,
        domain=domain,
    )
    for function, orders, masks, domain in (
        (sdpa, (1,), (None, "causal-top-left", "boolean"), Domain()),
        (sdpa_math, (1,), (None, "causal-top-left", "boolean"), Domain()),
        (two_simplicial, (2,), (None, "causal"), Domain(queries="same")),
        (nth_order, (1, 2, 3), (None, "causal"), Domain(queries="same")),
    )
    for order in orders
    for mask in masks
    for dtype, accumulate, weights, note in (
        ("float64", "float64", None, ""),
        ("float32", "float32", None, ""),
        ("bfloat16", "float32", None, ""),
        ("bfloat16", "float32", "bfloat16", ", weights in bfloat16"),
        ("bfloat16", "bfloat16", None, ", arithmetic in bfloat16"),
        ("float16", "float32", None, ""),
        ("float16", "float32", "float16", ", weights in float16"),
    )
}
