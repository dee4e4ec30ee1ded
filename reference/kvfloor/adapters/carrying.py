"""A Transformers model whose hidden states carry keys, values and queries of one's own.

It is a Llama, or with a window a Mistral, as the library builds it; only its weights are set, to
zeros and powers of two. A hidden state has columns for each key and value of every layer and
key-value head, for each query of every layer and query head, and for each output. One column more,
the level, gives every token the root mean square of 1, so that norms change nothing but roundings.
Projections pick columns. Keys and queries are turned back beforehand (H3 `positions`), so that the
rotary embedding brings them to what they were. What heads put out goes to columns of its own, made
so small that later norms hardly notice it, and the logits of the model are these outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import frexp, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from kvfloor.errors import InputError
from kvfloor.numbers import as_count, as_positive, to_framework

__all__ = [
    "ATTENTIONS", "NORM_EPSILON", "CarryingModel", "ModelShape", "factor_for", "libraries",
]  # fmt: skip

Numbers = npt.NDArray[np.float64]
ATTENTIONS = ("sdpa", "eager")
NORM_EPSILON = 2.0**-20
SHRINKING = 12  # outputs within 1 are at most 2^-12 in hidden states: their squares are below u
MOST_POSITIONS = 2**20


@dataclass(frozen=True)
class ModelShape:
    """The shape of a model, and how large the vectors are that it carries.

    Parameters
    ----------
    layers, heads, query_heads : int
        Heads are key-value heads; query head i of h uses ``i // (h / heads)``.
    d : int
        Entries of keys, values and queries: an even number.
    window : int, optional
        Tokens that a query sees, its own included; by default all.
    latent : bool
        Whether keys and values come from latents that all heads read: see `LatentModel`.
    key_norm, value_norm, query_norm : number
        Bounds on the Euclidean norms of keys, values and queries (at scale 1).
    largest_value : number
        A bound on the entries of values.

    Raises
    ------
    InputError
        If a number is out of range.
    """

    layers: int
    heads: int
    query_heads: int
    d: int
    window: int | None = None
    latent: bool = False
    key_norm: float = field(kw_only=True)
    value_norm: float = field(kw_only=True)
    query_norm: float = field(kw_only=True)
    largest_value: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        for name in ("layers", "heads", "query_heads", "d"):
            as_count(getattr(self, name), name, 1)
        if self.query_heads % self.heads:
            expected = f"a multiple of the {self.heads} key-value heads"
            raise InputError("query_heads", expected, str(self.query_heads))
        if self.d % 2:
            raise InputError(
                "d", "an even number, as the rotary embedding turns pairs", str(self.d)
            )
        if self.window is not None:
            as_count(self.window, "window", 2)
        if self.latent and (self.heads != self.query_heads or self.window is not None):
            expected = "as many heads as query heads, and no window, with latents"
            raise InputError("latent", expected, f"{self.heads}, {self.query_heads}, {self.window}")
        for name in ("key_norm", "value_norm", "query_norm", "largest_value"):
            as_positive(getattr(self, name), name)

    @property
    def outputs(self) -> int:
        """Columns of outputs, and logits of the model."""
        return self.layers * self.query_heads * self.d

    @property
    def rank(self) -> int:
        """Columns of keys and values of a layer; with latents one more, the level of their norm."""
        return 2 * self.heads * self.d + self.latent

    @property
    def hidden(self) -> int:
        """Columns of a hidden state: a multiple of the query heads, as configurations ask."""
        taken = self.layers * self.rank + 2 * self.outputs + 1
        return taken + -taken % self.query_heads


class CarryingModel:
    """A model of a shape, in float32, that carries any instance within its norms.

    Parameters
    ----------
    shape : ModelShape
    attention : "sdpa" or "eager"
        The implementation that Transformers uses.

    Raises
    ------
    InputError
        If PyTorch or Transformers is not installed, or the implementation unknown.
    """

    def __init__(self, shape: ModelShape, attention: str = "sdpa") -> None:
        if attention not in ATTENTIONS:
            raise InputError.among("attention", ATTENTIONS, repr(attention))
        self.shape, self._attention = shape, attention
        hidden, counts = shape.hidden, shape.layers * np.array((shape.heads, shape.query_heads))
        self._factors = (
            factor_for(shape.key_norm, counts[0], hidden),
            factor_for(shape.value_norm, counts[0], hidden),
            factor_for(shape.query_norm * sqrt(shape.d), counts[1], hidden),
        )
        self._shrinking = 2.0 ** -(SHRINKING + max(0, frexp(shape.largest_value)[1]))

    @cached_property
    def model(self) -> Any:
        """The model, as the library makes it of its configuration, with the weights set."""
        torch, transformers = libraries()
        made = self._made(transformers, self._sizes())
        with torch.no_grad():
            for name, weight in made.named_parameters():
                weight.fill_(1.0 if name.endswith("norm.weight") else 0.0)
            self._set(made.eval())
        return made.requires_grad_(requires_grad=False)

    def _sizes(self) -> dict[str, Any]:
        """What every configuration has."""
        shape = self.shape
        return {
            "hidden_size": shape.hidden,
            "intermediate_size": 1,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.query_heads,
            "num_key_value_heads": shape.heads,
            "head_dim": shape.d,
            "vocab_size": shape.outputs,
            "rms_norm_eps": NORM_EPSILON,
            "max_position_embeddings": MOST_POSITIONS,
            "tie_word_embeddings": False,
            "attn_implementation": self._attention,
            "bos_token_id": None,
            "eos_token_id": None,
        }

    def _made(self, transformers: Any, sizes: dict[str, Any]) -> Any:
        window = self.shape.window
        if window is None:
            return transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes))
        config = transformers.MistralConfig(sliding_window=window, **sizes)
        return transformers.MistralForCausalLM(config)

    def hidden(
        self, keys: Numbers, values: Numbers, queries: Numbers, positions: npt.NDArray[np.int64]
    ) -> Any:
        """Return hidden states that carry tokens, a tensor of shape (1, n, hidden).

        Parameters
        ----------
        keys, values : array, shape (n, layers, heads, d)
        queries : array, shape (n, layers, query_heads, d)
            At scale 1.
        positions : array of int, shape (n,)
            Those that the model will be told.

        Raises
        ------
        InputError
            For another shape, or a vector beyond the norms of the model's shape.
        """
        rows = self._checked(len(positions), keys, values, queries)
        turned = self._turned_back(np.asarray(positions))
        keys, values, queries = turned(rows[0]), rows[1], turned(rows[2]) * sqrt(self.shape.d)
        parts = [
            part.reshape(len(positions), self.shape.layers, -1) / factor
            for part, factor in zip((keys, values, queries), self._factors, strict=True)
        ]
        return self._levelled(np.concatenate(parts, axis=2).reshape(len(positions), -1))

    def _checked(
        self, n: int, keys: Numbers, values: Numbers, queries: Numbers
    ) -> tuple[Numbers, Numbers, Numbers]:
        shape, found = self.shape, []
        for name, array, heads, most in (
            ("keys", keys, shape.heads, shape.key_norm),
            ("values", values, shape.heads, shape.value_norm),
            ("queries", queries, shape.query_heads, shape.query_norm),
        ):
            rows = np.asarray(array, dtype=np.float64)
            expected = (n, shape.layers, heads, shape.d)
            if rows.shape != expected:
                raise InputError(name, f"shape {expected}", str(rows.shape))
            largest = float(np.sqrt((rows**2).sum(-1).max(initial=0.0)))
            if not largest <= most:
                raise InputError(name, f"norms of at most {most}", str(largest))
            found.append(rows)
        return found[0], found[1], found[2]

    def _levelled(self, rows: Numbers) -> Any:
        """Hidden states of these first columns, with the level; a tensor."""
        taken = rows.astype(np.float32)
        states = np.zeros((len(rows), self.shape.hidden), dtype=np.float32)
        states[:, : taken.shape[1]] = taken
        rest = self.shape.hidden * (1 - NORM_EPSILON) - (taken.astype(np.float64) ** 2).sum(1)
        states[:, self._level] = np.sqrt(rest)
        return to_framework("torch")(states[None])

    @property
    def _level(self) -> int:
        """The column that gives every token the same root mean square."""
        return self.shape.hidden - 1

    @property
    def _first_output(self) -> int:
        shape = self.shape
        return shape.layers * shape.rank + shape.outputs

    def _set(self, made: Any) -> None:
        """Set the weights: each projection picks columns, layer by layer."""
        shape = self.shape
        one, many = shape.heads * shape.d, shape.query_heads * shape.d
        for number, layer in enumerate(made.model.layers):
            part, first = layer.self_attn, number * (2 * one + many)
            picked = ((part.k_proj, one), (part.v_proj, one), (part.q_proj, many))
            for (projection, size), factor in zip(picked, self._factors, strict=True):
                projection.weight[:, first : first + size].fill_diagonal_(factor)
                first += size
        self._set_outputs(made)

    def _set_outputs(self, made: Any) -> None:
        """Set what brings outputs of heads to columns of their own, and those to the logits."""
        shape, many = self.shape, self.shape.query_heads * self.shape.d
        for number, layer in enumerate(made.model.layers):
            output = self._first_output + number * many
            weight = layer.self_attn.o_proj.weight
            weight[output : output + many].fill_diagonal_(self._shrinking)
        columns = slice(self._first_output, self._first_output + shape.outputs)
        made.lm_head.weight[:, columns].fill_diagonal_(1 / self._shrinking)

    def _turned_back(self, positions: npt.NDArray[np.int64]) -> Any:
        """The inverse of the model's own rotation at positions, in float64."""
        torch, _ = libraries()
        places = torch.from_numpy(positions)[None]
        found = self.model.model.rotary_emb(torch.zeros(1, dtype=torch.float32), places)
        half = self.shape.d // 2
        cos, sin = (x[0, :, None, None, :half].numpy().astype(np.float64) for x in found)

        def turn(rows: Numbers) -> Numbers:
            first, second = rows[..., :half], rows[..., half:]
            pairs = (first * cos + second * sin, second * cos - first * sin)
            turned: Numbers = np.concatenate(pairs, axis=-1) / np.tile(cos**2 + sin**2, 2)
            return turned

        return turn


def factor_for(norm: float, count: int, hidden: int) -> float:
    """Return the least power of two by which vectors fill at most a sixth of the mean square."""
    return float(2.0 ** frexp(norm * sqrt(6 * count / hidden))[1])


def libraries() -> tuple[Any, Any]:
    """Return PyTorch and Transformers; `InputError` if one is not installed."""
    try:
        import torch  # noqa: PLC0415 (optional, and slow to import)
        import transformers  # noqa: PLC0415 (optional, and slow to import)
    except ImportError as error:
        expected = "PyTorch and Transformers: pip install 'kvfloor[adapters]'"
        raise InputError("model", expected, str(error)) from None
    return torch, transformers
