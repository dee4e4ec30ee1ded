"""Which theorems of ``proofs/coq/statements`` belong to a claim; what they leave out.

And which belong to none: those about the arithmetic of `kvfloor.attention.fast`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["FAST_PATH", "NOT_IN_KERNEL", "NO_THEOREM", "THEOREMS", "statements"]

THEOREMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "softmax-concentration": (
            "softmax_concentration",
            "softmax_concentration_rest",
            "softmax_concentration_ties",
            "softmax_concentration_equality",
            "softmax_concentration_output",
        ),
        "decode-threshold": (
            "decode_threshold",
            "decode_threshold_margin",
            "decode_threshold_ties",
            "decode_threshold_exactly_when",
        ),
        "index-deterministic": (
            "index_deterministic",
            "index_deterministic_collision",
            "index_deterministic_met",
        ),
        "index-randomized": (
            "index_randomized",
            "index_randomized_average",
            "index_randomized_up_to",
            "index_randomized_tenth",
            "index_randomized_met",
            "index_randomized_one_bit",
            "index_randomized_one_bit_met",
        ),
        "retrievable-information": (
            "retrievable_information",
            "retrievable_information_average",
            "retrievable_information_up_to",
            "retrievable_information_met",
        ),
        "keys": (
            "keys_parabola",
            "keys_binary",
            "keys_parabola_pairs",
            "keys_inner_margin",
            "keys_inner",
            "keys_spherical",
            "keys_orthonormal",
            "keys_signed_axes",
            "keys_roots_d",
            "keys_parabola_book",
            "keys_binary_book",
            "keys_integer_code",
            "keys_e8",
            "keys_polygon",
            "keys_blocks",
            "keys_binary_blocks",
            "keys_parabola_blocks",
            "keys_sign_tuples",
            "keys_sign_tuples_exist",
            "keys_sign_tuples_dimension",
            "keys_sign_rows_exist",
        ),
        "sign-keys": (
            "sign_keys",
            "sign_keys_dimension",
            "sign_keys_margin",
        ),
        "four-cache": (
            "four_cache",
            "four_cache_given_keys",
            "four_cache_given_keys_randomized",
            "four_cache_sign_keys",
            "four_cache_randomized",
            "four_cache_tenth",
            "four_cache_met",
            "four_cache_randomized_met",
            "four_cache_exactly",
            "four_cache_order",
            "four_cache_order_randomized",
            "four_cache_up_to",
            "four_cache_self",
            "four_cache_self_randomized",
            "four_cache_stream",
            "four_cache_margin",
            "four_cache_order_tenth",
            "four_cache_self_margin",
            "four_cache_order_randomized_met",
            "four_cache_self_randomized_met",
            "four_cache_orthonormal",
            "four_cache_binary",
            "four_cache_parabola",
            "four_cache_signed_axes",
            "four_cache_roots_d",
            "four_cache_e8",
            "four_cache_polygon",
            "four_cache_spherical",
            "four_cache_random_signs",
            "four_cache_self_orthonormal",
            "four_cache_self_binary",
            "four_cache_self_parabola",
            "four_cache_self_signed_axes",
            "four_cache_self_roots_d",
            "four_cache_self_e8",
        ),
        "low-dimension": (
            "low_dimension",
            "low_dimension_exponential",
        ),
        "two-cache": (
            "two_cache",
            "two_cache_split",
            "two_cache_randomized",
            "two_cache_met",
            "two_cache_structured",
            "two_cache_structured_bits",
            "two_cache_structured_refuted",
            "two_cache_structured_below",
        ),
        "time-memory": (
            "time_memory_two",
            "time_memory_formed",
            "time_memory_factored",
            "time_memory_append",
            "time_memory_domination",
            "time_memory_domination_strict",
            "time_memory_saves",
            "time_memory_two_right",
            "time_memory_formed_right",
            "time_memory_factored_right",
            "time_memory_products_not_enough",
        ),
        "collision": (
            "collision",
            "collision_order",
            "collision_among",
            "collision_random",
        ),
        "random-instance-fails": (
            "random_instance_fails",
            "random_instance_fails_states",
            "random_instance_fails_up_to",
            "random_instance_fails_mean",
            "random_instance_fails_mean_up_to",
            "random_instance_fails_met",
            "random_instance_fails_four_cache",
        ),
        "sliding-window": (
            "sliding_window",
            "sliding_window_randomized",
            "sliding_window_unrestricted",
        ),
        "heads-and-layers": (
            "heads_and_layers",
            "heads_and_layers_windows",
            "heads_and_layers_randomized",
            "heads_and_layers_met",
            "heads_and_layers_parts",
            "heads_and_layers_parts_randomized",
        ),
        "positions": (
            "positions",
            "positions_rotary_inverse",
            "positions_rotary_norm",
            "positions_rotary",
            "positions_bias_margin",
            "positions_bias_worst",
            "positions_bias",
            "positions_sink",
            "positions_sink_margin",
            "positions_sink_exactly",
        ),
        "soft-cap": ("soft_cap", "soft_cap_tokens", "soft_cap_counts"),
        "norm-dimension": (
            "norm_dimension_logarithmic",
            "norm_dimension_parabola",
            "norm_dimension_polygon",
            "norm_dimension_line",
            "norm_dimension_line_met",
        ),
        "value-floor": (
            "value_floor",
            "value_floor_states",
            "value_floor_up_to",
            "value_floor_margin",
            "value_floor_randomized",
            "value_floor_met",
        ),
        "value-levels": (
            "value_levels",
            "value_levels_room",
            "value_levels_no_more",
            "value_levels_most",
            "value_levels_relative",
            "value_levels_closed",
            "value_levels_absolute",
            "value_levels_margin",
            "value_levels_met",
            "value_levels_states",
            "value_levels_randomized",
            "value_levels_up_to",
        ),
        "latent-heads": (
            "latent_heads",
            "latent_heads_named",
            "latent_heads_met",
        ),
        "given-keys": (
            "given_keys",
            "given_keys_states",
            "given_keys_up_to",
            "given_keys_never_worse",
            "given_keys_randomized",
            "given_keys_met",
            "given_keys_margin",
        ),
        "sharp-floor": (
            "sharp_floor",
            "sharp_floor_states",
            "sharp_floor_up_to",
            "sharp_floor_randomized",
            "sharp_floor_met",
            "sharp_floor_sign_margins",
            "sharp_floor_strength",
        ),
        "quantised-upper-bound": (
            "quantised_upper_bound",
            "quantised_upper_bound_logits",
            "quantised_upper_bound_cache",
        ),
        "identifiability": (
            "identifiability",
            "identifiability_scaling",
            "identifiability_shift",
            "identifiability_order_1",
        ),
        "covering-number": (
            "covering_number",
            "covering_number_apart",
            "covering_number_product",
            "covering_number_clusterable",
        ),
        "subgen": (
            "subgen_normaliser_unbiased",
            "subgen_normaliser_variance",
            "subgen_values_unbiased",
            "subgen_values_variance",
        ),
        "subgen-four-cache": (
            "subgen_four_cache_unbiased",
            "subgen_four_cache_variance",
        ),
        "exponentials-independent": (
            "exponentials_independent",
            "exponentials_independent_roots",
            "exponentials_independent_e",
        ),
        "exact-equality": (
            "exact_equality",
            "exact_equality_sum",
            "exact_equality_outputs",
            "exact_equality_logsumexp",
            "exact_equality_independent",
            "exact_equality_logits",
            "exact_equality_values",
            "exact_equality_scale",
            "exact_equality_tensor",
        ),
        "correct-rounding-terminates": (
            "correct_rounding_terminates",
            "correct_rounding_terminates_output",
            "correct_rounding_terminates_side",
        ),
        "forward-error": (
            "forward_error",
            "forward_error_formed",
            "forward_error_gamma",
        ),
        "centred-error": (
            "centred_error",
            "centred_error_weights",
            "centred_error_deviation",
        ),
        "gradients": (
            "gradients",
            "gradients_rows",
            "gradients_linear",
            "gradients_moments",
            "gradients_cap",
            "gradients_tensor",
        ),
    }
)
#: Of an implementation, not of a claim; docs/fast.md says what each is about.
FAST_PATH = (
    "fast_path",
    "fast_path_finite",
    "fast_path_scaling",
    "fast_path_sums",
    "fast_path_lost",
    "fast_path_gamma",
    "fast_path_products",
    "fast_path_dot",
    "fast_path_sums_unrounded",
    "fast_path_extract",
    "fast_path_split",
    "fast_path_slices",
    "fast_path_two_sum",
    "fast_path_fast_two_sum",
    "fast_path_two_product",
    "fast_path_pair_sum",
    "fast_path_add_to",
    "fast_path_multiply",
    "fast_path_divide",
    "fast_path_exp2",
    "fast_path_norms",
    "fast_path_rows_columns",
    "fast_path_centred",
    "fast_path_key_rest",
    "fast_path_value_rest",
    "fast_path_order_one",
)
NO_THEOREM: Mapping[str, str] = MappingProxyType(
    {
        "entropy-dimension": (
            "the upper side and the general step of the lower one could be stated, and are not; "
            "the constants of the lower side are certified in balls at given sizes"
        ),
        "key-levels": "not stated yet; for order 2 and payloads on a grid it is `sharp-floor`",
        "best-floor": "it is the largest of others",
        "gradient-rounding": (
            "not stated yet; that sums of exponentials vanish with their coefficients alone is "
            "`exponentials-independent`"
        ),
        "gradient-error": "not stated yet; errors of weights are `centred-error`",
        "subgen-two-cache": "it is `subgen`, whose keys are then the product rows",
    }
)
NOT_IN_KERNEL: Mapping[str, str] = MappingProxyType(
    {
        "gradients": "how far first differences of a given step are from the derivative",
        "retrievable-information": (
            "what is counted of k random instances, and certified with probability 1 - ε"
        ),
        "latent-heads": "the other floors of one head, of keys that hold symbols too",
        "positions": "randomised caches; more slots than one",
        "value-levels": (
            "symbols in more slots than one, m(n-1)·d_v of them at order m (on a grid, order 2 is "
            "`value-floor`)"
        ),
        "heads-and-layers": (
            "that floors of k parts, each rounded up to whole bits, add up to less than k too many"
        ),
        "time-memory": (
            "numbers kept and read, orders other than 2; of decoding, the theorem is that the "
            "products so far do not determine the next ones"
        ),
        "identifiability": (
            "the lower side, that answers tell so many numbers (it is certified at given sizes), "
            "and the rank of a single token"
        ),
        "subgen": (
            "the promise with explicit t and s, which follows by Chebyshev's inequality; the bits "
            "of the state; what is said of the operator norm"
        ),
        "subgen-four-cache": (
            "the 4 in the denominator: the theorem has (ϱ-1)²/(ϱt), the derivation (ϱ-1)²/(4ϱt); "
            "all about z'; the promise; orders other than 2"
        ),
        "exact-equality": (
            "two outputs with biases and two different irrational roots, whose exponents have "
            "three parts; the log-sum-exp in base 2"
        ),
        "forward-error": (
            "the largest logit, which is not subtracted there; rescalings; other orders of sums "
            "than from first to last; underflow; the factored evaluation; the log-sum-exp; "
            "narrower formats for weights and results"
        ),
        "centred-error": (
            "what each logit, difference and exp is off by, which gives E; that a light term is "
            "lost twice at most, and a sum of weights never falls; underflow; the last quotient; "
            "the log-sum-exp"
        ),
    }
)


def statements(slug: str) -> str:
    """Return the file of ``proofs/coq`` that states the theorems of a claim."""
    return f"statements/{slug.title().replace('-', '')}.v"
