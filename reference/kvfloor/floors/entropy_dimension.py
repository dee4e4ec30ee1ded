"""Bits that one more bit of accuracy takes, and the constants beside them (`entropy-dimension`).

Inputs are in the gauge: for order m >= 2 the first token has ones in all slots but the first, as
keys and as values; for order 1 its key is zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, prod

from flint import arb

from kvfloor.floors.quantised import errors_of_one_cell
from kvfloor.numbers import arb_precision, as_positive, to_fmpq

__all__ = [
    "gauged_bits",
    "gauged_constant",
    "gauged_numbers",
    "grid_sizes",
    "separated_constant",
    "separated_states",
]

_PRECISION = 128


def grid_sizes(reach: Sequence[Fraction], alpha: Fraction) -> tuple[int, ...]:
    """``⌈reach_k/α⌉``: points of a coordinate of which α serves no two by one answer.

    With k of them on an interval of half-length R, the spacing 2R/(k-1) moves an output by more
    than 2α exactly if k - 1 < reach/α.

    Raises
    ------
    InputError
        If α or a reach is no number > 0.
    """
    alpha = as_positive(alpha, "alpha")
    return tuple(ceil(x / alpha) for x in _positive(reach))


def separated_states(reach: Sequence[Fraction], alpha: Fraction) -> int:
    """States of a (0, α)-accurate cache on a separated set, at least: ``Π_k ⌈reach_k/α⌉``.

    Errors are those of `grid_sizes`.
    """
    return prod(grid_sizes(reach, alpha))


def separated_constant(reach: Sequence[Fraction]) -> arb:
    """c₀ in ``log₂ Π_k ⌈reach_k/α⌉ >= r·log₂(1/α) - c₀``: minus the logarithms of the reach.

    Raises
    ------
    InputError
        If a reach is no number > 0.
    """
    with arb_precision(_PRECISION):
        return -sum((_log2(x) for x in _positive(reach)), arb(0))


def _positive(reach: Sequence[Fraction]) -> list[Fraction]:
    return [as_positive(x, f"reach[{k}]") for k, x in enumerate(reach)]


def gauged_numbers(order: int, n: int, d: int, d_v: int) -> tuple[int, int]:
    """Entries of keys, and of values, of n tokens that the gauge does not fix.

    Together they are `identifiable` for n >= 2.
    """
    if n == 0:
        return 0, 0
    if order == 1:
        return (n - 1) * d, n * d_v
    entries = order * n - (order - 1)
    return entries * d, entries * d_v


def gauged_bits(n: int, d: int, d_v: int, cells: tuple[int, int], *, order: int = 2) -> int:
    """Bits of the quantised cache in the gauge, for n tokens: of the numbers below 2·N_k^k·N_v^v.

    The factor 2 makes the number of tokens part of the state.
    """
    keys, values = gauged_numbers(order, n, d, d_v)
    return int((2 * cells[0] ** keys * cells[1] ** values - 1).bit_length())


def gauged_constant(
    shape: tuple[int, int, int, int],
    *,
    query_norm: Fraction,
    key_bound: Fraction,
    value_bound: Fraction,
) -> arb:
    """c₁ in ``gauged_bits <= r·log₂(1/α) + c₁`` for the cells of `cells_for` and every α <= 1.

    That is ``k·log₂(2E_k + 2) + v·log₂(2E_v + 2) + 2``, with `errors_of_one_cell`.

    Parameters
    ----------
    shape : (int, int, int, int)
        Order, n, d, d_v.
    query_norm, key_bound, value_bound : Fraction
        Q, B_k, B_v.
    """
    errors = errors_of_one_cell(
        query_norm, order=shape[0], key_bound=key_bound, value_bound=value_bound
    )
    with arb_precision(_PRECISION):
        terms = (
            number * _log2(2 * error + 2)
            for number, error in zip(gauged_numbers(*shape), errors, strict=True)
        )
        return sum(terms, arb(2))


def _log2(x: Fraction) -> arb:
    return arb(to_fmpq(x)).log() / arb.const_log2()
