"""What the two levels compute with: keys, values and queries in units that cannot overflow.

Every column of every slot is divided by a power of two that brings its largest entry into
[1/2, 1). For keys the query takes these powers over, for values the output: D1 is unchanged.
Powers of two are exact unless a quotient underflows, and then off by 2**-1075 at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import isqrt, ldexp, prod

import numpy as np

from kvfloor.attention.fast.arithmetic import (
    Float,
    Integer,
    Pair,
    fast_two_sum,
    multiply,
    two_product,
)
from kvfloor.attention.fast.slices import KeySlices, ValueSlices
from kvfloor.attention.inputs import Scale

__all__ = ["BLOCK", "Prepared", "Queries", "prepare", "scaled_queries"]

#: Columns of a tile at level (b): few, as slices have (53 − log2 columns) / 2 bits.
BLOCK = 256


@dataclass(frozen=True, eq=False)
class Prepared:
    """Keys and values that any number of queries share. Made by `prepare`.

    The tuples are seen as a matrix: its *rows* are the tuples of the first m − 1 slots in C order
    (one row for m = 1), its columns the tokens of the last slot.

    Attributes
    ----------
    keys : tuple of m arrays, shape (n_r, d)
        Scaled, ``|entry| < 1``.
    values : tuple of m arrays, shape (n_r, d_v + 1)
        Scaled, ``|entry| <= 1``. The last column is all ones: it sums the weights.
    key_exponents, value_exponents : ndarray of int64, shapes (d,) and (d_v,)
        The powers of two taken out, all slots together.
    """

    keys: tuple[Float, ...]
    values: tuple[Float, ...]
    key_exponents: Integer
    value_exponents: Integer

    @property
    def lengths(self) -> tuple[int, ...]:
        """The tokens n_r of each slot."""
        return tuple(len(K) for K in self.keys)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix of tuples."""
        *first, last = self.lengths
        return prod(first), last

    @cached_property
    def column_norms(self) -> Float:
        """Euclidean norms of the last slot's keys, shape (n_m,)."""
        norms: Float = np.sqrt(np.einsum("jc,jc->j", self.keys[-1], self.keys[-1]))
        return norms

    @cached_property
    def key_slices(self) -> KeySlices:
        """The last slot's keys in slices."""
        return KeySlices.of(self.keys[-1])

    @cached_property
    def value_slices(self) -> ValueSlices:
        """The last slot's values in slices."""
        return ValueSlices.of(self.values[-1], min(BLOCK, len(self.values[-1])))

    @cached_property
    def squares(self) -> Float:
        """Squares of the last slot's values, shape (n_m, d_v + 1)."""
        return np.square(self.values[-1])

    def rows(self, rows: slice) -> Pair:
        """Rows of ``K_1 ⊘ … ⊘ K_{m−1}`` and ``V_1 ⊘ … ⊘ V_{m−1}``, each product rounded."""
        return self._row(self.keys, rows), self._row(self.values, rows)

    def exact_rows(self, rows: slice) -> tuple[Pair, Pair]:
        """The same in double-double, exact up to m = 3."""
        return self._row_pair(self.keys, rows), self._row_pair(self.values, rows)

    def _row(self, slots: tuple[Float, ...], rows: slice) -> Float:
        factors = self._factors(slots, rows)
        result = next(factors)
        for factor in factors:
            result = result * factor
        return result

    def _row_pair(self, slots: tuple[Float, ...], rows: slice) -> Pair:
        factors = self._factors(slots, rows)
        hi = next(factors)
        result = hi, np.zeros_like(hi)
        for factor in factors:
            result = multiply(result, (factor, np.zeros_like(factor)))
        return result

    def _factors(self, slots: tuple[Float, ...], rows: slice) -> Iterator[Float]:
        *first, last = slots
        if not first:
            yield np.ones((1, last.shape[1]))
        elif len(first) == 1:
            yield first[0][rows]
        else:
            indices = np.unravel_index(np.arange(rows.start, rows.stop), self.lengths[:-1])
            yield from (slot[index] for slot, index in zip(first, indices, strict=True))


def prepare(keys: Sequence[Float], values: Sequence[Float]) -> Prepared:
    """Scale keys and values for `evaluate_single` and `evaluate_double`.

    Parameters
    ----------
    keys, values : sequence of m arrays of float64
        Shapes (n_r, d) and (n_r, d_v), not empty, every entry finite, as they are read.
    """
    with np.errstate(all="ignore"):
        scaled_keys, key_exponents = _scaled(keys)
        scaled_values, value_exponents = _scaled(values, ones=1)
    return Prepared(scaled_keys, scaled_values, key_exponents, value_exponents)


def _scaled(slots: Sequence[Float], ones: int = 0) -> tuple[tuple[Float, ...], Integer]:
    """Scale columns, append some of ones, and return the powers of two taken out."""
    width = slots[0].shape[1]
    results, total = [], np.zeros(width, dtype=np.int64)
    for slot in slots:
        exponents = np.frexp(np.abs(slot).max(axis=0))[1]
        result = np.ones((len(slot), width + ones))
        np.ldexp(slot, -exponents, out=result[:, :width])
        results.append(result)
        total += exponents
    return tuple(results), total


@dataclass(frozen=True, eq=False)
class Queries:
    """The rows σ·q·2**key_exponents as double-doubles, relative error at most 2**-102.

    Attributes
    ----------
    hi, lo : ndarray, shape (b, d)
    reach : ndarray, shape (b,)
        An upper bound of every ``|logit|``, up to a factor 1 + 2**-20; inf if out of range.
    """

    hi: Float
    lo: Float
    reach: Float


def scaled_queries(
    prepared: Prepared, queries: Float, scale: Scale, *, unit: Fraction, limit: float
) -> Queries:
    """Return σ·q in the units of the prepared keys, for logits in units of ``unit`` nats.

    A query that may reach logits beyond ``limit`` becomes zero.

    ``|logit| <= ‖σq‖·max_j ‖K_m[j]‖`` (Cauchy and Schwarz, all other keys being below 1).
    """
    sigma_hi, sigma_lo, exponent = _mantissa(scale, unit)
    mantissa, exponents = np.frexp(queries)
    p, e = two_product(mantissa, np.full(1, sigma_hi))
    hi, lo = fast_two_sum(p, e + mantissa * sigma_lo)
    shift = np.clip(exponents + (prepared.key_exponents + exponent), -5000, 5000)
    hi, lo = np.ldexp(hi, shift), np.ldexp(lo, shift)
    reach = np.sqrt(np.einsum("qc,qc->q", hi, hi)) * max(prepared.column_norms.max(), 0.5)
    inside = reach <= limit  # false for inf and for nan
    return Queries(
        np.where(inside[:, None], hi, 0.0),
        np.where(inside[:, None], lo, 0.0),
        np.where(inside, reach, np.inf),
    )


def _mantissa(scale: Scale, unit: Fraction) -> tuple[float, float, int]:
    """Return (hi, lo, e) with σ/unit = (hi + lo)·2**e up to 2**-105, 1/2 <= hi <= 1."""
    square = scale.factor**2 * scale.root
    size = square.numerator.bit_length() - square.denominator.bit_length()
    shift = 128 - size // 2
    numerator = square.numerator << max(2 * shift, 0)
    root = isqrt(numerator // (square.denominator << max(-2 * shift, 0)))
    root = root * unit.denominator // unit.numerator
    bits = root.bit_length()
    hi = float(root)
    return ldexp(hi, -bits), ldexp(float(root - int(hi)), -bits), bits - shift
