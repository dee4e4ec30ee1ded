"""The shape of a model's cache from its Transformers configuration, ``config.json`` (H1, H2)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kvfloor.adapters.model_types import (
    ALL_SLIDE,
    ALWAYS_OTHERWISE,
    HAVE_WINDOWS,
    OTHERWISE,
    OWN_GLOBAL_HEAD_DIM,
    OWN_HEAD_DIM,
    PATTERNS,
    SHARE_NONE,
    UNUSED_WINDOWS,
)
from kvfloor.errors import InputError
from kvfloor.floors import Part, latent_part
from kvfloor.numbers import as_count, shown

__all__ = ["parts_of", "read_configuration"]

MOST_BYTES = 10_000_000
FULL, SLIDING = "full_attention", "sliding_attention"
LINEAR = "linear_attention"  # keeps no keys, so it has no part in a floor
KINDS = (FULL, SLIDING, LINEAR)


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

    Read are ``num_hidden_layers``, ``num_attention_heads``, ``num_key_value_heads`` (or what
    Falcon has for it), ``head_dim`` (or ``global_head_dim``, ``kv_channels``, ``hidden_size``),
    ``v_head_dim``; ``layer_types``, or ``sliding_window`` with ``use_sliding_window``,
    ``max_window_layers`` and ``sliding_window_pattern``; and for latents ``kv_lora_rank`` and
    ``qk_rope_head_dim``. ``text_config`` is looked into where there is one, and
    ``per_layer_config`` says what a layer has otherwise. Layers without keys of their own are left
    out: those of linear attention (by ``layer_types`` or ``full_attention_interval``), and the last
    ``num_kv_shared_layers``.

    Raises
    ------
    InputError
        If one that is needed is missing or no whole number, layers are of another kind, or the
        model is no decoder alone.
    """
    if not isinstance(configuration, Mapping):
        raise InputError("config", "a JSON object", type(configuration).__name__)
    text = configuration.get("text_config")
    known = text if isinstance(text, Mapping) else configuration
    for part in (configuration, known):
        _no_encoder(part)
    layers = _count(known, "num_hidden_layers")
    _refused(known, ALWAYS_OTHERWISE)
    kinds, shared = _kinds(known, layers), known.get("num_kv_shared_layers") or 0
    own = kinds[: max(0, layers - as_count(shared, "num_kv_shared_layers"))]
    others = _others(known)
    parts = Counter(
        _layer({**known, **others.get(number, {})}, kind)
        for number, kind in enumerate(own)
        if kind != LINEAR
    )
    if not parts:
        raise InputError("config", "a layer with keys of its own", "none")
    return tuple(replace(part, layers=number) for part, number in parts.items())


def _no_encoder(known: Mapping[str, Any]) -> None:
    """Encoders keep no cache, and the other half of a pair attends to another sequence."""
    expected = "the configuration of a decoder alone"
    if known.get("is_encoder_decoder"):
        raise InputError("config", expected, "is_encoder_decoder")
    if _has(known, "type_vocab_size") and not known.get("is_decoder"):
        raise InputError("config", expected, "type_vocab_size without is_decoder, an encoder")


def _refused(known: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """What is false or 0 says nothing."""
    expected = "layers that see all tokens or a window, or latents"
    if _type(known) in names:
        raise InputError("config", expected, f"model_type {_type(known)}")
    for name in names:
        if known.get(name):
            raise InputError("config", expected, name)


def _others(known: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """What each layer has otherwise, of those that do."""
    told = known.get("per_layer_config") or {}
    try:
        return {int(number): {**other} for number, other in told.items()}
    except (AttributeError, TypeError, ValueError):
        expected = "objects by the numbers of layers"
        raise InputError("per_layer_config", expected, shown(told)) from None


def _layer(known: Mapping[str, Any], kind: str) -> Part:
    window = _count(known, "sliding_window") if kind == SLIDING else None
    heads = _count(known, "num_attention_heads")
    if _has(known, "kv_lora_rank"):
        rank, rotary = _count(known, "kv_lora_rank"), _count(known, "qk_rope_head_dim", least=0)
        return latent_part(1, rank, rotary, heads * _count(known, "v_head_dim"), window)
    shared = _key_value_heads(known, heads)
    if heads % shared:
        expected = f"a divisor of num_attention_heads = {heads}"
        raise InputError("num_key_value_heads", expected, str(shared))
    d = _head_dim(known, heads, kind)
    d_v = _count(known, "v_head_dim") if _has(known, "v_head_dim") else d
    return Part(1, shared, d, d_v, window)


def _key_value_heads(known: Mapping[str, Any], heads: int) -> int:
    if known.get("multi_query") and not known.get("new_decoder_architecture"):  # Falcon
        return 1
    for name in ("num_key_value_heads", "num_kv_heads", "num_attention_groups"):
        if _has(known, name):
            return _count(known, name)
    if "num_key_value_heads" not in known and _type(known) not in ("", *SHARE_NONE):
        _count(known, "num_key_value_heads")
    return heads


def _head_dim(known: Mapping[str, Any], heads: int, kind: str) -> int:
    wide = _has(known, "global_head_dim") or _type(known) in OWN_GLOBAL_HEAD_DIM
    if wide and kind == FULL and "per_layer_config" not in known:
        return _count(known, "global_head_dim")
    for name in ("head_dim", "attention_head_dim", "kv_channels"):
        if _has(known, name):
            return _count(known, name)
    if "head_dim" not in known and _type(known) in OWN_HEAD_DIM:
        _count(known, "head_dim")
    size = _count(known, "hidden_size")
    if size % heads:
        raise InputError("hidden_size", f"a multiple of num_attention_heads = {heads}", str(size))
    return size // heads


def _type(known: Mapping[str, Any]) -> str:
    return str(known.get("model_type") or "")


def _has(known: Mapping[str, Any], name: str) -> bool:
    return known.get(name) is not None


def _count(known: Mapping[str, Any], name: str, *, least: int = 1) -> int:
    if name not in known:
        expected = f"an object with {name}, as defaults of model types are not known here"
        raise InputError("config", expected, "none")
    return as_count(known[name], name, least)


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
    _refused(known, OTHERWISE)
    if _has(known, "full_attention_interval"):
        every = _count(known, "full_attention_interval")
        return [LINEAR if number % every else FULL for number in range(1, layers + 1)]
    return [KINDS[slide] for slide in _slides(known, layers)]


def _slides(known: Mapping[str, Any], layers: int) -> list[bool]:
    """Which layers have a window, where their kinds are not written down."""
    if "sliding_window" not in known and _type(known) in HAVE_WINDOWS:
        _count(known, "sliding_window")
    used = known.get("use_sliding_window", _type(known) not in UNUSED_WINDOWS)
    if not _has(known, "sliding_window") or used is False:
        return [False] * layers
    pattern = known.get("sliding_window_pattern", PATTERNS.get(_type(known)))
    if pattern is not None:
        every = as_count(pattern, "sliding_window_pattern", 1)
        return [(number + 1) % every != 0 for number in range(layers)]
    if "max_window_layers" in known:
        first = _count(known, "max_window_layers", least=0)
        return [number >= first for number in range(layers)]
    if _type(known) not in ("", *ALL_SLIDE):
        expected = f"kinds of layers, as which of a {_type(known)} have the window is not known"
        raise InputError("layer_types", expected, "none")
    return [True] * layers
