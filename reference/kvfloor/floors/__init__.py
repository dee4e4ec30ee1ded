"""Every bound as a plain function, with the constants of its derivation."""

from kvfloor.floors.caps import cap_fraction, greedy_size
from kvfloor.floors.covering import covering_number, product_radius
from kvfloor.floors.decoding import (
    Guarantee,
    competitors_per_tie,
    exceeds_log,
    four_cache,
    leak,
    least_multiplier,
    margin_ratio,
    threshold,
)
from kvfloor.floors.dimension import BestFloor, Regime, best, crossover
from kvfloor.floors.dimensions import identifiable
from kvfloor.floors.entropy import binary_entropy
from kvfloor.floors.entropy_dimension import (
    gauged_bits,
    gauged_constant,
    gauged_numbers,
    grid_sizes,
    separated_constant,
    separated_states,
)
from kvfloor.floors.index_randomized import (
    entropy_at_most,
    index_randomized,
    least_error,
    one_bit_success,
    randomised_bits,
)
from kvfloor.floors.quantised import (
    answer_bits,
    cells_for,
    errors_of_one_cell,
    logit_error,
    output_error,
    product_error,
    quantised_bits,
)
from kvfloor.floors.random_instance import (
    all_correct_probability,
    expected_wrong,
    states_up_to,
)
from kvfloor.floors.randomised import randomised_four_cache
from kvfloor.floors.signs import hoeffding_exponent, least_sign_dimension, pairs_of, sign_tail
from kvfloor.floors.subgen import (
    log_ratio,
    relative_variance,
    samples,
    slack,
    subgen_samples,
)
from kvfloor.floors.symbols import (
    greatest_leak,
    grid_room,
    least_answer,
    paired_symbols,
    room,
    sharp_symbols,
    strength_ratio,
    symbol_ratio,
    whole_bits,
)
from kvfloor.floors.two_cache import packed_bits, packed_numbers, two_cache

__all__ = [
    "BestFloor",
    "Guarantee",
    "Regime",
    "all_correct_probability",
    "answer_bits",
    "best",
    "binary_entropy",
    "cap_fraction",
    "cells_for",
    "competitors_per_tie",
    "covering_number",
    "crossover",
    "entropy_at_most",
    "errors_of_one_cell",
    "exceeds_log",
    "expected_wrong",
    "four_cache",
    "gauged_bits",
    "gauged_constant",
    "gauged_numbers",
    "greatest_leak",
    "greedy_size",
    "grid_room",
    "grid_sizes",
    "hoeffding_exponent",
    "identifiable",
    "index_randomized",
    "leak",
    "least_answer",
    "least_error",
    "least_multiplier",
    "least_sign_dimension",
    "log_ratio",
    "logit_error",
    "margin_ratio",
    "one_bit_success",
    "output_error",
    "packed_bits",
    "packed_numbers",
    "paired_symbols",
    "pairs_of",
    "product_error",
    "product_radius",
    "quantised_bits",
    "randomised_bits",
    "randomised_four_cache",
    "relative_variance",
    "room",
    "samples",
    "separated_constant",
    "separated_states",
    "sharp_symbols",
    "sign_tail",
    "slack",
    "states_up_to",
    "strength_ratio",
    "subgen_samples",
    "symbol_ratio",
    "threshold",
    "two_cache",
    "whole_bits",
]
