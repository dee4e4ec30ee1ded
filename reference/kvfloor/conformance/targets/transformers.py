"""Attention in Transformers, as its models call it: with a mask of shape (b, 1, n_q, n)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.models.llama.modeling_llama import eager_attention_forward

from kvfloor.conformance.targets.visible import visible

__all__ = ["eager", "sdpa"]


def eager(q: Any, K: Any, V: Any, *, scale: float, mask: Any, key_masks: Any = None) -> Any:
    """Llama's, which many models share; hidden logits get the least number added."""
    whole = visible(mask, key_masks)
    if whole is not None:
        zero = torch.zeros((), dtype=q.dtype)
        whole = torch.where(whole, zero, torch.finfo(q.dtype).min)
    return _called(eager_attention_forward, q, K[0], V[0], whole, scale)


def sdpa(q: Any, K: Any, V: Any, *, scale: float, mask: Any, key_masks: Any = None) -> Any:
    """What leads to PyTorch's `scaled_dot_product_attention`."""
    return _called(sdpa_attention_forward, q, K[0], V[0], visible(mask, key_masks), scale)


def _called(forward: Any, q: Any, key: Any, value: Any, mask: Any, scale: float) -> Any:
    groups = q.shape[1] // key.shape[1]
    layer = SimpleNamespace(num_key_value_groups=groups, is_causal=False, training=False)
    shape = (q.shape[0], 1, q.shape[2], key.shape[2])
    by_batch = None if mask is None else mask.expand(shape)
    output, _ = forward(layer, q, key, value, by_batch, scaling=scale, dropout=0.0)
    return output.transpose(1, 2)
