"""A model with latent attention, as DeepSeek's, whose latents carry keys and values of one's own.

It is a ``DeepseekV3ForCausalLM`` of dense layers. A token's latent has columns for the keys and
values of all heads of a layer, and one more, its level: the norm of latents is then nothing but
roundings, as that of hidden states. Keys and queries have two entries more, which are zeros: those
that the rotary embedding turns. Transformers caches what heads make of latents, not the latents.
"""

from __future__ import annotations

from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.adapters.carrying import CarryingModel, ModelShape, Numbers, factor_for

__all__ = ["LatentModel", "carrying_model"]

ROTARY = 2  # entries of keys that are turned: as few as there may be
LATENT_EPSILON = 1e-6  # of the norm of latents, which no configuration sets
CARRIED = 4.0  # by which latents are smaller in hidden states: √6, as a power of two


class LatentModel(CarryingModel):
    """A `CarryingModel` whose keys and values come from latents; as many heads as query heads."""

    @cached_property
    def _read(self) -> float:
        """By how much keys and values are smaller in a latent."""
        shape = self.shape
        largest = max(shape.key_norm, shape.value_norm)
        return factor_for(largest, 2 * shape.heads, shape.rank)

    def _made(self, transformers: Any, sizes: dict[str, Any]) -> Any:
        shape = self.shape
        own = {
            "kv_lora_rank": shape.rank,
            "q_lora_rank": None,
            "qk_rope_head_dim": ROTARY,
            "head_dim": ROTARY,  # of the rotary embedding
            "qk_nope_head_dim": shape.d,
            "v_head_dim": shape.d,
            "first_k_dense_replace": shape.layers,
            "n_group": 1,
            "topk_group": 1,
            "n_routed_experts": 1,
            "num_experts_per_tok": 1,
            "moe_intermediate_size": 1,
        }
        config = transformers.DeepseekV3Config(**sizes | own)
        return transformers.DeepseekV3ForCausalLM(config)

    def hidden(
        self, keys: Numbers, values: Numbers, queries: Numbers, positions: npt.NDArray[np.int64]
    ) -> Any:
        """Return hidden states that carry tokens; see `CarryingModel.hidden`."""
        n, shape = len(positions), self.shape
        k, v, q = self._checked(n, keys, values, queries)
        heads = np.concatenate([k, v], axis=3).reshape(n, shape.layers, -1) / self._read
        used = (heads.astype(np.float32).astype(np.float64) ** 2).sum(2, keepdims=True)
        level = np.sqrt(shape.rank * (1 - LATENT_EPSILON) - used)
        asked = q.reshape(n, shape.layers, -1) * sqrt(shape.d + ROTARY) / self._factors[2]
        parts = heads / CARRIED, level / CARRIED, asked
        return self._levelled(np.concatenate(parts, axis=2).reshape(n, -1))

    def _set(self, made: Any) -> None:
        shape = self.shape
        for number, layer in enumerate(made.model.layers):
            part, first = layer.self_attn, number * (shape.rank + shape.query_heads * shape.d)
            down = part.kv_a_proj_with_mqa.weight[: shape.rank, first : first + shape.rank]
            down.fill_diagonal_(CARRIED)
            part.kv_b_proj.weight.fill_diagonal_(self._read)
            first += shape.rank
            for head in range(shape.query_heads):
                row = head * (shape.d + ROTARY)
                columns = slice(first + head * shape.d, first + (head + 1) * shape.d)
                part.q_proj.weight[row : row + shape.d, columns].fill_diagonal_(self._factors[2])
        self._set_outputs(made)


def carrying_model(shape: ModelShape, attention: str) -> CarryingModel:
    """Return the model of a shape."""
    return LatentModel(shape, attention) if shape.latent else CarryingModel(shape, attention)
