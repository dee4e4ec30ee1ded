"""Shapes from Transformers configurations: heads, windows by every way to say them, latents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kvfloor import InputError, Part
from kvfloor.adapters import model_types, parts_of, read_configuration

LLAMA = {
    "hidden_size": 4096, "num_hidden_layers": 32,
    "num_attention_heads": 32, "num_key_value_heads": 8,
}  # fmt: skip
LATENT = {
    "num_hidden_layers": 61, "num_attention_heads": 128, "num_key_value_heads": 128,
    "kv_lora_rank": 512, "qk_rope_head_dim": 64, "v_head_dim": 128,
}  # fmt: skip
FALCON = {"model_type": "falcon", "multi_query": True, "num_key_value_heads": None}
HALF = {"num_key_value_heads": 4, "head_dim": 64}
DECODER = "config: expected the configuration of a decoder alone"
FULL, SLIDING, LINEAR = "full_attention", "sliding_attention", "linear_attention"


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({}, [(32, 8, 128, 128, None)]),
        ({"num_key_value_heads": None}, [(32, 32, 128, 128, None)]),
        ({"head_dim": 64, "v_head_dim": 32}, [(32, 8, 64, 32, None)]),
        ({"head_dim": None}, [(32, 8, 128, 128, None)]),
        ({"sliding_window": 4096}, [(32, 8, 128, 128, 4096)]),
        ({"sliding_window": None}, [(32, 8, 128, 128, None)]),
        ({"sliding_window": 9, "use_sliding_window": False}, [(32, 8, 128, 128, None)]),
        (
            {"sliding_window": 9, "use_sliding_window": True, "max_window_layers": 28},
            [(28, 8, 128, 128, None), (4, 8, 128, 128, 9)],
        ),
        (
            {"sliding_window": 9, "sliding_window_pattern": 6},
            [(27, 8, 128, 128, 9), (5, 8, 128, 128, None)],
        ),
        (
            {"sliding_window": 9, "model_type": "gemma2", "head_dim": 128},
            [(16, 8, 128, 128, 9), (16, 8, 128, 128, None)],
        ),
        (
            {"sliding_window": 9, "layer_types": [FULL] * 30 + [SLIDING] * 2},
            [(30, 8, 128, 128, None), (2, 8, 128, 128, 9)],
        ),
        ({"layer_types": [FULL] * 32}, [(32, 8, 128, 128, None)]),
        ({"full_attention_interval": 4}, [(8, 8, 128, 128, None)]),
        ({"layer_types": [LINEAR, LINEAR, FULL, LINEAR] * 8}, [(8, 8, 128, 128, None)]),
        (
            {"sliding_window": 9, "sliding_window_pattern": 5, "num_kv_shared_layers": 12},
            [(16, 8, 128, 128, 9), (4, 8, 128, 128, None)],
        ),
        ({"text_config": {**LLAMA, "num_hidden_layers": 2}}, [(2, 8, 128, 128, None)]),
        (FALCON, [(32, 1, 128, 128, None)]),
        (FALCON | {"new_decoder_architecture": True, "num_kv_heads": 4}, [(32, 4, 128, 128, None)]),
        (FALCON | {"multi_query": False}, [(32, 32, 128, 128, None)]),
        ({"num_key_value_heads": None, "num_attention_groups": 2}, [(32, 2, 128, 128, None)]),
        ({"kv_channels": 96}, [(32, 8, 96, 96, None)]),
        (
            {"sliding_window": 9, "sliding_window_pattern": 2, "global_head_dim": 512},
            [(16, 8, 128, 128, 9), (16, 8, 512, 512, None)],
        ),
        (
            {"sliding_window": 9, "per_layer_config": {"02": {"sliding_window": 5}, 31: HALF}},
            [(30, 8, 128, 128, 9), (1, 8, 128, 128, 5), (1, 4, 64, 64, 9)],
        ),
        ({"sliding_window": 9, "model_type": "qwen2"}, [(32, 8, 128, 128, None)]),
    ],
)
def test_heads_and_windows(changes: dict[str, Any], parts: list[Any]) -> None:
    assert parts_of(LLAMA | changes) == tuple(Part(*part) for part in parts)


def test_latents() -> None:
    assert parts_of(LATENT) == (Part(61, 1, 64, 512),)
    assert parts_of(LATENT | {"qk_rope_head_dim": 0}) == (Part(61, 1, 2, 510),)
    few = LATENT | {"num_attention_heads": 3}
    with pytest.raises(InputError, match="columns: expected at least 512, to read the latent"):
        parts_of(few)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_hidden_layers": "32"}, "num_hidden_layers: expected a whole number >= 1, got '32'"),
        ({"num_attention_heads": True}, "num_attention_heads: expected a whole number"),
        ({"num_key_value_heads": 5}, "num_key_value_heads: expected a divisor of num_attention"),
        ({"hidden_size": 4097}, "hidden_size: expected a multiple of num_attention_heads = 32"),
        ({"layer_types": [FULL]}, "layer_types: expected a list of 32 kinds"),
        ({"layer_types": "full"}, "layer_types: expected a list of 32 kinds"),
        (
            {"layer_types": ["chunked_attention"] * 32},
            r"layer_types\[0\]: expected one of full_attention, .*, linear_attention, got",
        ),
        ({"layer_types": [LINEAR] * 32}, "config: expected a layer with keys of its own, got none"),
        ({"num_kv_shared_layers": 33}, "config: expected a layer with keys of its own, got none"),
        ({"num_kv_shared_layers": "2"}, "num_kv_shared_layers: expected a whole number >= 0"),
        ({"full_attention_interval": 0}, "full_attention_interval: expected a whole number >= 1"),
        ({"attention_chunk_size": 9}, "config: expected layers .*, got attention_chunk_size"),
        ({"layer_types": [None] * 32}, r"layer_types\[0\]: expected one of full_attention"),
        ({"layer_types": [SLIDING] * 32}, "config: expected an object with sliding_window"),
        ({"sliding_window": 0}, "sliding_window: expected a whole number >= 1, got 0"),
        ({"sliding_window": 3, "sliding_window_pattern": 0}, "sliding_window_pattern: expected"),
        (
            {"sliding_window": 3, "model_type": "gpt_oss", "head_dim": 64},
            "layer_types: expected kinds of layers, as which of a gpt_oss have the window",
        ),
        ({"model_type": "mistral"}, "config: expected an object with sliding_window"),
        ({"model_type": "gemma3_text", "sliding_window": 3}, "config: .* object with head_dim"),
        (
            {"model_type": "gemma4_text", "head_dim": 256, "layer_types": [FULL] * 32},
            "config: expected an object with global_head_dim",
        ),
        ({"cross_attention_layers": [3]}, "config: expected layers .*, got cross_attention_layers"),
        ({"model_type": "mimo_v2_flash"}, "config: expected layers .*, got model_type mimo_v2_fl"),
        ({"is_encoder_decoder": True}, f"{DECODER}, got is_encoder_decoder"),
        ({"type_vocab_size": 2}, f"{DECODER}, got type_vocab_size without is_decoder"),
        ({"is_encoder_decoder": True, "text_config": LLAMA}, f"{DECODER}, got is_encoder_decoder"),
        ({"per_layer_config": [3]}, "per_layer_config: expected objects by the numbers of layers"),
        ({"per_layer_config": {"a": {}}}, "per_layer_config: expected objects by the numbers"),
    ],
)
def test_what_does_not_describe_a_model(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parts_of(LLAMA | changes)


@pytest.mark.parametrize("name", ["num_hidden_layers", "num_attention_heads", "hidden_size"])
def test_what_is_missing_is_named(name: str) -> None:
    rest = {key: value for key, value in LLAMA.items() if key != name}
    with pytest.raises(InputError, match=f"config: expected an object with {name}, as defaults"):
        parts_of(rest)


def test_heads_left_to_the_type() -> None:
    rest = {key: value for key, value in LLAMA.items() if key != "num_key_value_heads"}
    every = (Part(32, 32, 128, 128),)
    assert parts_of(rest) == parts_of(rest | {"model_type": "llama"}) == every
    with pytest.raises(InputError, match="config: expected an object with num_key_value_heads"):
        parts_of(rest | {"model_type": "mixtral"})


@pytest.mark.long
def test_what_is_left_to_types_is_as_in_transformers() -> None:
    """Of every decoder that Transformers knows."""
    auto = pytest.importorskip("transformers.models.auto")
    types = model_types
    for name in auto.modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        default = auto.CONFIG_MAPPING[name].__dict__.get
        if default("num_attention_heads") is None:
            continue  # an attribute by another name, or a configuration of configurations
        assert not (default("num_key_value_heads") and name in types.SHARE_NONE), name
        if isinstance(default("head_dim"), int) and not default("kv_lora_rank"):
            assert name in types.OWN_HEAD_DIM, name
        unused = default("use_sliding_window") is False
        assert unused == (name in types.UNUSED_WINDOWS), name
        if default("sliding_window") and not unused:
            assert name in types.HAVE_WINDOWS, name


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(LLAMA))
    assert read_configuration(file) == parts_of(LLAMA)
    file.write_text("[" * 100_000)
    with pytest.raises(InputError, match="config: expected a file of JSON"):
        read_configuration(file)
    file.write_text(" " * 10_000_001)
    with pytest.raises(InputError, match="config: expected at most 10000000 bytes, got more"):
        read_configuration(file)
    with pytest.raises(InputError, match="config: expected a file that can be read"):
        read_configuration(tmp_path)
