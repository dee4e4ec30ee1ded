"""PyTorch's attention."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch.nn.attention.flex_attention import AuxRequest, create_block_mask, flex_attention
from torch.nn.functional import scaled_dot_product_attention

from kvfloor.attention import WINDOWS
from kvfloor.conformance.targets.reaches import reaches
from kvfloor.conformance.targets.visible import visible

__all__ = ["flex", "sdpa"]


def sdpa(q: Any, K: Any, V: Any, *, scale: float, mask: Any, key_masks: Any = None) -> Any:
    """`scaled_dot_product_attention`, by the backend that it takes; is_causal is top-left.

    It takes is_causal or a mask.
    """
    options: dict[str, Any] = {"is_causal": True}
    if key_masks is not None and isinstance(mask, str):
        mask = torch.ones(q.shape[2], K[0].shape[2], dtype=torch.bool, device=q.device).tril()
    if not isinstance(mask, str):
        options = {"attn_mask": visible(mask, key_masks)}
    return scaled_dot_product_attention(q, K[0], V[0], scale=scale, enable_gqa=True, **options)


def flex(q: Any, K: Any, V: Any, *, scale: float, mask: Any, key_masks: Any = None) -> Any:
    """`flex_attention` as it is called, not compiled."""
    n_q, n = q.shape[2], K[0].shape[2]
    block_mask = None
    if mask is not None or key_masks is not None:
        seen, b = _seen(mask, n_q, n), None
        if key_masks is not None:
            seen, b = _shown(seen, key_masks[0]), len(q)
        block_mask = create_block_mask(seen, b, None, n_q, n, device=q.device)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*without torch.compile.*")
        out, aux = flex_attention(
            *(q, K[0], V[0]),
            block_mask=block_mask,
            scale=scale,
            enable_gqa=True,
            return_aux=AuxRequest(lse=True),
        )
    return out, aux.lse


def _seen(mask: Any, n_q: int, n: int) -> Any:
    """Return which token a query sees, as a function of the places of both."""
    if mask is None:
        return lambda _b, _h, i, j: (i >= 0) & (j >= 0)
    if isinstance(mask, torch.Tensor):
        return lambda _b, _h, i, j: mask[i, j]
    left, right = reaches(mask, n_q + n)
    shift = 0 if (WINDOWS[mask] if isinstance(mask, str) else mask).top_left else n - n_q
    return lambda _b, _h, i, j: (j >= i + shift - left) & (j <= i + shift + right)


def _shown(seen: Any, key_mask: Any) -> Any:
    """Return the same of a batch whose keys are padded."""
    return lambda b, h, i, j: seen(b, h, i, j) & key_mask[b, j]
