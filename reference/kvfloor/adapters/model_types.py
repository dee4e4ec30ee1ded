"""What a Transformers configuration leaves to its model type, and what names another kind of layer.

As of Transformers 5.24; a test compares these lists with it where it is installed. A file of a type
with a default of its own has to have the number written down, as nothing is taken from memory.
"""

from __future__ import annotations

__all__ = [
    "ALL_SLIDE",
    "ALWAYS_OTHERWISE",
    "HAVE_WINDOWS",
    "OTHERWISE",
    "OWN_GLOBAL_HEAD_DIM",
    "OWN_HEAD_DIM",
    "PATTERNS",
    "SHARE_NONE",
    "UNUSED_WINDOWS",
]

# Where neither the kinds of layers nor a pattern is written down: every so many is full.
PATTERNS = {"gemma2": 2, "gemma3_text": 6, "cohere2": 4}
# What says that layers keep something else, whatever their kinds are said to be. The keys of
# mimo_v2_flash's windows are twice as many by its code alone.
ALWAYS_OTHERWISE = (
    "attention_k_eq_v", "attention_other_setting", "block_configs", "cross_attention_layers",
    "hybrid_layer_pattern", "index_topk", "kv_source_layers", "mimo_v2_flash", "n_recurrent_layers",
    "num_key_value_heads_per_layer", "patch_size", "swa_num_key_value_heads", "use_cla",
)  # fmt: skip
# What says, where kinds are not written down, that layers attend otherwise or not at all.
OTHERWISE = (
    "attention_chunk_size", "attention_window", "attn_config", "attn_layer_indices",
    "attn_layer_period", "attn_type_list", "bamba", "block_types", "compress_ratios",
    "dense_attention_every_n_layers", "full_attn_idxs", "global_attn_every_n_layers",
    "hybrid_override_pattern", "layer_group_size", "layers_block_type", "linear_attn_config",
    "local_attention", "mamba_enabled", "mb_per_layer",
)  # fmt: skip
# Types that have as many key-value heads as heads where num_key_value_heads is not told.
SHARE_NONE = (
    "afmoe", "apertus", "apertus1p5_text", "arcee", "aria_text", "baichuan", "biogpt", "cohere",
    "cohere2", "cohere2_moe", "cohere_compass_text", "cpmant", "deepseek_ocr2_text", "diffllama",
    "doge", "falcon", "flex_olmo", "fuyu", "git", "gpt_neox", "gpt_neox_japanese", "granite",
    "granite4_vision_text", "granitemoe", "granitemoe_swa", "granitemoeshared", "hrm_text",
    "hunyuan_v1_dense", "hunyuan_v1_moe", "hunyuan_vl_text", "hyperclovax", "idefics", "internlm",
    "jais2", "kyutai_speech_to_text", "llama", "modernbert-decoder", "moshi", "musicgen_decoder",
    "musicgen_melody_decoder", "nanochat", "nemotron", "olmo", "olmo2", "olmo3", "olmo_hybrid",
    "olmoe", "opt", "persimmon", "phi", "phi3", "qwen",
)  # fmt: skip
# Types whose head_dim is, by default, not hidden_size / num_attention_heads.
OWN_HEAD_DIM = (
    "afmoe", "beam", "cohere2_moe", "cosmos3_edge_text", "cwm", "deepseek_v4",
    "diffusion_gemma_text", "dory", "ernie4_5", "flint", "gemma", "gemma2", "gemma3_text",
    "gemma3n_text", "gemma4_text", "gemma4_unified_text", "glm", "glm4", "gpt_oss", "helium",
    "hrm_text", "hy_v3", "inkling2_loop_text", "inkling2_text", "inkling_text", "internlm3",
    "iquestcoder", "kolibri1", "laguna", "lara_mini", "lfm3", "llama4_text", "mellum",
    "mimo_v2_flash", "minimax_m2", "minimax_m3_vl_text", "ministral3", "molmo2_text",
    "muse_glimmer_text", "muse_spark_text", "nemotron_h", "paddleocr_vl_text", "qwen3",
    "qwen3_5_moe_text", "qwen3_5_text", "qwen3_next", "qwen3_vl_text", "qwen4_exp_text",
    "sarvam_moe", "seed_oss", "solar_open", "step3p5", "t5gemma2_decoder", "vaultgemma", "zaya",
)  # fmt: skip
# Types that have such a global_head_dim besides.
OWN_GLOBAL_HEAD_DIM = ("diffusion_gemma_text", "gemma4_text", "gemma4_unified_text")
# Types that have a window if none is told.
HAVE_WINDOWS = (
    "afmoe", "beam", "cohere2", "cohere2_moe", "cohere_compass_text", "cwm", "deepseek_v4",
    "diffusion_gemma_text", "dory", "dots1", "exaone4", "exaone_moe", "flint", "gemma2",
    "gemma3_text", "gemma3n_text", "gemma4_text", "gemma4_unified_text", "gpt_oss", "granite_swa",
    "granitemoe_swa", "kolibri1", "kyutai_speech_to_text", "laguna", "lara_mini", "lfm3", "mellum",
    "mimo_v2_flash", "ministral", "mistral", "moshi", "muse_glimmer_text", "muse_spark_text",
    "olmo3", "t5gemma2_decoder", "unlimited_ocr_text", "vaultgemma", "voxtral_realtime_text",
)  # fmt: skip
# Types that do not use their window unless use_sliding_window says so.
UNUSED_WINDOWS = (
    "qwen2", "qwen2_5_omni_text", "qwen2_5_vl", "qwen2_5_vl_text", "qwen2_moe", "qwen2_vl",
    "qwen2_vl_text", "qwen3", "qwen3_moe", "smollm3",
)  # fmt: skip
# Types in which every layer has the window; so it is where no type is told.
ALL_SLIDE = (
    "doge", "kyutai_speech_to_text", "ministral3", "mistral", "mixtral", "moshi", "nemotron_h",
    "phi3", "phi4_multimodal", "phimoe", "qwen3_moe", "qwen3_omni_moe_text", "qwen3_vl_moe_text",
    "starcoder2", "voxtral_realtime_text",
)  # fmt: skip
