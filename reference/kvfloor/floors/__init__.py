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
from kvfloor.floors.dimensions import identifiable
from kvfloor.floors.quantised import (
    answer_bits,
    cells_for,
    logit_error,
    output_error,
    product_error,
    quantised_bits,
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

__all__ = [
    "Guarantee",
    "answer_bits",
    "cells_for",
    "competitors_per_tie",
    "exceeds_log",
    "four_cache",
    "greatest_leak",
    "grid_room",
    "identifiable",
    "leak",
    "least_answer",
    "least_multiplier",
    "logit_error",
    "margin_ratio",
    "output_error",
    "paired_symbols",
    "product_error",
    "quantised_bits",
    "room",
    "sharp_symbols",
    "strength_ratio",
    "symbol_ratio",
    "threshold",
    "whole_bits",
]
