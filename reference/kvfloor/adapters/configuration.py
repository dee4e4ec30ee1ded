"""The shape of a model's cache from its Transformers configuration, ``config.json`` (H1, H2)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kvfloor.errors import InputError
from kvfloor.floors import Part, latent_part
from kvfloor.numbers import as_count, shown

__all__ = ["parts_of", "read_configuration"]

MOST_BYTES = 10_000_000
LINEAR = "linear_attention"  # keeps no keys, so it has no part in a floor
KINDS = ("full_attention", "sliding_attention", LINEAR)
# Where neither the kinds of layers nor a pattern is written down: every so many is full.
PATTERNS = {"gemma2": 2, "gemma3_text": 6, "cohere2": 4}
# What says, where kinds are not written down, that layers attend otherwise or not at all.
OTHERWISE = (
    "attention_chunk_size", "attn_layer_indices", "attn_layer_period", "attn_type_list",
    "block_types", "full_attn_idxs", "hybrid_override_pattern", "linear_attn_config",
)  # fmt: skip


def read_configuration(file: str | Path) -> tuple[Part, ...]:
    """Return the parts of the model that a configuration file describes; see `parts_of`.

    Raises
    ------
    InputError
        If it cannot be read, is no JSON object, or does not describe a model.
    """
    try:
        with open(file, "rb") as stream:
            content = stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise InputError("config", f"at most {MOST_BYTES} bytes", "more")
        document = json.loads(content)
    except OSError as error:
        raise InputError("config", "a file that can be read", f"{error.strerror}: {file}") from None
    except (ValueError, RecursionError) as error:
        raise InputError("config", "a file of JSON", shown(str(error))) from None
    return parts_of(document)


def parts_of(configuration: Mapping[str, Any]) -> tuple[Part, ...]:
    """Return layers that are alike, as `Part`, of the model that a configuration describes.

    Read are ``num_hidden_layers``, ``num_attention_heads``, ``num_key_value_heads``, ``head_dim``
    (or ``hidden_size``), ``v_head_dim``; ``layer_types``, or ``sliding_window`` with
    ``use_sliding_window``, ``max_window_layers`` and ``sliding_window_pattern``; and for latents
    ``kv_lora_rank`` and ``qk_rope_head_dim``. ``text_config`` is looked into where there is one.
    Layers without keys of their own are left out: those of linear attention (by ``layer_types`` or
    ``full_attention_interval``), and the last ``num_kv_shared_layers``.

    Raises
    ------
    InputError
        If one that is needed is missing or no whole number, or layers are of another kind.
    """
    if not isinstance(configuration, Mapping):
        raise InputError("config", "a JSON object", type(configuration).__name__)
    text = configuration.get("text_config")
    known = text if isinstance(text, Mapping) else configuration
    layers = _count(known, "num_hidden_layers")
    windows = Counter(_windows(known, layers))
    if not windows:
        raise InputError("config", "a layer with keys of its own", "none")
    if known.get("kv_lora_rank") is not None:
        rank, rotary = _count(known, "kv_lora_rank"), _count(known, "qk_rope_head_dim", least=0)
        heads, columns = _count(known, "num_attention_heads"), _count(known, "v_head_dim")
        return tuple(
            latent_part(number, rank, rotary, heads * columns, window)
            for window, number in windows.items()
        )
    heads = _count(known, "num_attention_heads")
    shared = _count(known, "num_key_value_heads") if _has(known, "num_key_value_heads") else heads
    if heads % shared:
        expected = f"a divisor of num_attention_heads = {heads}"
        raise InputError("num_key_value_heads", expected, str(shared))
    d = _count(known, "head_dim") if _has(known, "head_dim") else _head_dim(known, heads)
    d_v = _count(known, "v_head_dim") if _has(known, "v_head_dim") else d
    return tuple(Part(number, shared, d, d_v, window) for window, number in windows.items())


def _has(known: Mapping[str, Any], name: str) -> bool:
    return known.get(name) is not None


def _count(known: Mapping[str, Any], name: str, *, least: int = 1) -> int:
    if name not in known:
        expected = f"an object with {name}, as defaults of model types are not known here"
        raise InputError("config", expected, "none")
    return as_count(known[name], name, least)


def _head_dim(known: Mapping[str, Any], heads: int) -> int:
    size = _count(known, "hidden_size")
    if size % heads:
        raise InputError("hidden_size", f"a multiple of num_attention_heads = {heads}", str(size))
    return size // heads


def _windows(known: Mapping[str, Any], layers: int) -> list[int | None]:
    """The window of each layer that has keys of its own, None where it sees all tokens."""
    kinds, shared = _kinds(known, layers), known.get("num_kv_shared_layers") or 0
    own = kinds[: max(0, layers - as_count(shared, "num_kv_shared_layers"))]
    if "sliding_attention" not in own:
        return [None for kind in own if kind != LINEAR]
    window = _count(known, "sliding_window")
    return [window if kind == "sliding_attention" else None for kind in own if kind != LINEAR]


def _kinds(known: Mapping[str, Any], layers: int) -> list[str]:
    """The kind of each layer, one of KINDS."""
    kinds = known.get("layer_types")
    if kinds is not None:
        if not isinstance(kinds, list) or len(kinds) != layers:
            raise InputError("layer_types", f"a list of {layers} kinds", shown(kinds))
        for number, kind in enumerate(kinds):
            if kind not in KINDS:
                raise InputError.among(f"layer_types[{number}]", KINDS, shown(kind))
        return kinds
    for name in OTHERWISE:
        if _has(known, name):
            raise InputError("config", "layers that see all tokens or a window, or latents", name)
    if _has(known, "full_attention_interval"):
        every = _count(known, "full_attention_interval")
        return [LINEAR if number % every else KINDS[0] for number in range(1, layers + 1)]
    return [KINDS[slide] for slide in _slides(known, layers)]


def _slides(known: Mapping[str, Any], layers: int) -> list[bool]:
    """Which layers have a window, where their kinds are not written down."""
    if not _has(known, "sliding_window") or known.get("use_sliding_window") is False:
        return [False] * layers
    pattern = known.get("sliding_window_pattern", PATTERNS.get(str(known.get("model_type"))))
    if pattern is not None:
        every = as_count(pattern, "sliding_window_pattern", 1)
        return [(number + 1) % every != 0 for number in range(layers)]
    first = _count(known, "max_window_layers", least=0) if "max_window_layers" in known else 0
    return [number >= first for number in range(layers)]
