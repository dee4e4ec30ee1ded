"""Every bound as a plain function, with the constants of its derivation."""

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

__all__ = [
    "Guarantee",
    "competitors_per_tie",
    "exceeds_log",
    "four_cache",
    "leak",
    "least_multiplier",
    "margin_ratio",
    "threshold",
]
