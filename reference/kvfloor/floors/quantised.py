"""What rounding keys and values costs, in error and in bits (`quantised-upper-bound`).

Entries of keys lie in [-B_k, B_k] and those of values in [-B_v, B_v]; queries have ‖q‖₁ <= Q.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

from kvfloor.numbers import as_count, as_positive

__all__ = [
    "answer_bits",
    "cells_for",
    "errors_of_one_cell",
    "logit_error",
    "output_error",
    "product_error",
    "quantised_bits",
]


def product_error(order: Any, bound: Any, error: Any) -> Any:
    """What a product of m numbers within ±bound moves by if each moves by ``error``: m·B^(m-1)·ε.

    Numbers stay within ±bound when they move: rounding to points of the box keeps them there.
    """
    return order * bound ** (order - 1) * error


def logit_error(order: Any, key_bound: Any, key_error: Any, query_norm: Any, scale: Any = 1) -> Any:
    """What a logit moves by: ε_s = σ·Q·m·B_k^(m-1)·ε_k."""
    return scale * query_norm * product_error(order, key_bound, key_error)


def output_error(order: Any, value_bound: Any, value_error: Any, logit_moves: Any) -> Any:
    """What an output moves by, at most: B_v^m·ε_s + m·B_v^(m-1)·ε_v."""
    return value_bound**order * logit_moves + product_error(order, value_bound, value_error)


def cells_for(
    alpha: Fraction,
    query_norm: Fraction,
    *,
    order: int = 2,
    key_bound: Fraction = Fraction(1),
    value_bound: Fraction = Fraction(1),
    scale: Fraction = Fraction(1),
) -> tuple[int, int]:
    """Cells for an entry of a key, and of a value, with which every answer is (0, α)-accurate.

    An entry rounds to the middle of its cell, so ε = B/cells. Half of α goes to each of the two
    terms of `output_error`; one cell more than that needs leaves room for rounding the answers,
    if the errors of one cell add up to 2**-128 or more (`entropy-dimension`).

    Raises
    ------
    InputError
        If ``order`` is no whole number >= 1, or another argument no number > 0.
    """
    alpha = as_positive(alpha, "alpha")
    by_key, by_value = errors_of_one_cell(
        as_positive(query_norm, "query_norm"),
        order=as_count(order, "order", 1),
        key_bound=as_positive(key_bound, "key_bound"),
        value_bound=as_positive(value_bound, "value_bound"),
        scale=as_positive(scale, "scale"),
    )
    return ceil(2 * by_key / alpha) + 1, ceil(2 * by_value / alpha) + 1


def errors_of_one_cell(
    query_norm: Fraction,
    *,
    order: int = 2,
    key_bound: Fraction = Fraction(1),
    value_bound: Fraction = Fraction(1),
    scale: Fraction = Fraction(1),
) -> tuple[Fraction, Fraction]:
    """The two terms of `output_error` with a single cell for an entry of a key, and of a value.

    With N cells each is an N-th of that.
    """
    by_key = output_error(
        order, value_bound, 0, logit_error(order, key_bound, key_bound, query_norm, scale)
    )
    return by_key, output_error(order, value_bound, value_bound, 0)


def answer_bits(cells: tuple[int, int]) -> int:
    """The quantised cache rounds its answers by less than ``2**-answer_bits``.

    That is at most ``2**-128/(N_k·N_v)``: far below what rounding an entry moves.
    """
    return 128 + sum(number.bit_length() for number in cells)


def quantised_bits(n: int, d: int, d_v: int, cells: tuple[int, int], *, order: int = 2) -> int:
    """Bits of the state of n tokens: of the numbers below 2·(N_k^d·N_v^d_v)^(mn).

    The factor 2 makes the number of tokens part of the state.
    """
    key_cells, value_cells = cells
    return int((2 * (key_cells**d * value_cells**d_v) ** (order * n) - 1).bit_length())
