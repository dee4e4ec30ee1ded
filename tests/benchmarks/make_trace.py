"""A trace of a Transformers model with random weights, for the league: nothing is downloaded.

``python tests/benchmarks/make_trace.py docs/league-trace.npz`` writes keys, values and queries of
a head in the second layer of a Llama, after its rotary embedding, over random tokens. Queries are
divided by √d, so that the scale is 1. Initial weights are made larger than is usual, or attention
would hardly tell tokens apart.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch
import transformers

__all__ = ["trace"]

N, D, LAYER, HEAD = 64, 16, 1, 2
SPREAD = 0.25  # of initial weights


def trace(n: int = N, d: int = D) -> dict[str, Any]:
    """Return keys, values and queries, float32, of shape (n, d)."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        hidden_size=4 * d,
        intermediate_size=8 * d,
        num_hidden_layers=LAYER + 1,
        num_attention_heads=4,
        num_key_value_heads=4,
        vocab_size=256,
        initializer_range=SPREAD,
        attn_implementation="eager",
    )
    model = transformers.LlamaModel(config).eval()
    seen = dict[str, Any]()
    attention = model.layers[LAYER].self_attn

    def see(_module: Any, _args: Any, kwargs: Any, _output: Any) -> None:
        hidden, embedded = kwargs["hidden_states"], kwargs["position_embeddings"]
        shape = (*hidden.shape[:2], -1, d)
        parts = (attention.q_proj, attention.k_proj, attention.v_proj)
        q, k, v = (part(hidden).view(shape).transpose(1, 2) for part in parts)
        turned = transformers.models.llama.modeling_llama.apply_rotary_pos_emb(q, k, *embedded)
        seen.update(queries=turned[0] / d**0.5, keys=turned[1], values=v)

    attention.register_forward_hook(see, with_kwargs=True)
    with torch.no_grad():
        model(torch.randint(0, 256, (1, n)))
    return {name: rows[0, HEAD].numpy() for name, rows in seen.items()}


if __name__ == "__main__":
    np.savez(sys.argv[1], **trace(*map(int, sys.argv[2:])))
