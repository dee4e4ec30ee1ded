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

__all__ = ["attended", "trace"]

HEADS = 4
N, D, LAYER, HEAD = 64, 16, 1, 2
SPREAD = 0.25  # of initial weights


def attended(n: int, d: int, *, layers: int, kv_heads: int, spread: float) -> list[Any]:
    """Return queries, keys and values of each layer of a Llama of `HEADS` heads, by heads.

    Queries and keys are those after the rotary embedding.
    """
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        hidden_size=HEADS * d,
        intermediate_size=2 * HEADS * d,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        num_key_value_heads=kv_heads,
        vocab_size=256,
        initializer_range=spread,
        attn_implementation="eager",
    )
    model, seen = transformers.LlamaModel(config).eval(), list[Any]()

    def see(module: Any, _args: Any, kwargs: Any, _output: Any) -> None:
        hidden = kwargs["hidden_states"]
        parts = (module.q_proj, module.k_proj, module.v_proj)
        q, k, v = (part(hidden).view(1, n, -1, d).transpose(1, 2) for part in parts)
        rotate = transformers.models.llama.modeling_llama.apply_rotary_pos_emb
        seen.append([x[0] for x in (*rotate(q, k, *kwargs["position_embeddings"]), v)])

    for layer in model.layers:
        layer.self_attn.register_forward_hook(see, with_kwargs=True)
    with torch.no_grad():
        model(torch.randint(0, 256, (1, n)))
    return seen


def trace(n: int = N, d: int = D) -> dict[str, Any]:
    """Return keys, values and queries, float32, of shape (n, d)."""
    q, k, v = attended(n, d, layers=LAYER + 1, kv_heads=HEADS, spread=SPREAD)[LAYER]
    found = {"queries": q / d**0.5, "keys": k, "values": v}
    return {name: rows[HEAD].numpy() for name, rows in found.items()}


if __name__ == "__main__":
    np.savez(sys.argv[1], **trace(*map(int, sys.argv[2:])))
