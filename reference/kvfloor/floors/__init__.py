"""Every bound as a plain function, with the constants of its derivation."""

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
from kvfloor.floors.entropy import binary_entropy
from kvfloor.floors.index_randomized import (
    entropy_at_most,
    index_randomized,
    least_error,
    one_bit_success,
    randomised_bits,
)
from kvfloor.floors.random_instance import (
    all_correct_probability,
    expected_wrong,
    states_up_to,
)
from kvfloor.floors.two_cache import packed_bits, packed_numbers, two_cache

__all__ = [
    "Guarantee",
    "all_correct_probability",
    "binary_entropy",
    "competitors_per_tie",
    "covering_number",
    "entropy_at_most",
    "exceeds_log",
    "expected_wrong",
    "four_cache",
    "index_randomized",
    "leak",
    "least_error",
    "least_multiplier",
    "margin_ratio",
    "one_bit_success",
    "packed_bits",
    "packed_numbers",
    "product_radius",
    "randomised_bits",
    "states_up_to",
    "threshold",
    "two_cache",
]
