"""Every bound as a plain function, with the constants of its derivation."""

from kvfloor.floors.caps import cap_fraction, greedy_size
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
from kvfloor.floors.entropy import binary_entropy
from kvfloor.floors.randomised import randomised_four_cache
from kvfloor.floors.signs import hoeffding_exponent, least_sign_dimension, pairs_of, sign_tail

__all__ = [
    "BestFloor",
    "Guarantee",
    "Regime",
    "best",
    "binary_entropy",
    "cap_fraction",
    "competitors_per_tie",
    "crossover",
    "exceeds_log",
    "four_cache",
    "greedy_size",
    "hoeffding_exponent",
    "leak",
    "least_multiplier",
    "least_sign_dimension",
    "margin_ratio",
    "pairs_of",
    "randomised_four_cache",
    "sign_tail",
    "threshold",
]
