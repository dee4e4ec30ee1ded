"""What the two levels compute with: keys, values and queries in units that cannot overflow.

Every column of every slot is divided by a power of two that brings its largest entry into
[1/2, 1). For keys the query takes these powers over, for values the output: D1 is unchanged.
Powers of two are exact unless a quotient underflows, and then off by 2**-1075 at most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, reduce
from math import isqrt, ldexp, prod, sqrt

import numpy as np
import numpy.typing as npt

from kvfloor.attention.fast.arithmetic import (
    Float,
    Integer,
    Pair,
    fast_two_sum,
    multiply,
    two_product,
)
from kvfloor.attention.fast.device import Device
from kvfloor.attention.fast.elsewhere import Tokens, Tuples
from kvfloor.attention.fast.exponential import LN2
from kvfloor.attention.fast.loops import loops_for
from kvfloor.attention.fast.slices import KeySlices, ValueSlices
from kvfloor.attention.inputs import Scale

__all__ = [
    "BLOCK",
    "Prepared",
    "Queries",
    "mantissa",
    "prepare",
    "rounded_queries",
    "scaled_queries",
]

#: Columns of a tile at level (b): few, as slices have (53 − log2 columns) / 2 bits.
BLOCK = 256
_FACTORS = 1000  # powers of two below this are factors that float64 holds
_ROWS = 1024  # scaled at a time where the whole is not needed


@dataclass(frozen=True, eq=False)
class Slot:
    """Keys or values of a slot, and how its columns are scaled.

    Attributes
    ----------
    entries : ndarray, shape (n, width)
        As they came.
    exponents : ndarray of int64, shape (width,)
        The powers of two that every column is divided by.
    """

    entries: Float
    exponents: Integer

    @classmethod
    def of(cls, entries: Float) -> Slot:
        """Return a slot in which every column's largest entry is scaled into [1/2, 1)."""
        return cls(entries, np.frexp(_largest(entries))[1])

    @cached_property
    def scaled(self) -> Float:
        """All of it, scaled."""
        scaled = np.empty(self.entries.shape)
        self.write(slice(None), scaled)
        return scaled

    @cached_property
    def _factors(self) -> Float | None:
        """The powers as factors, if float64 holds them."""
        moderate = (np.abs(self.exponents) < _FACTORS).all()
        return np.ldexp(1.0, -self.exponents) if moderate else None

    def write(self, rows: slice, out: Float) -> None:
        """Write some rows, scaled, to the first columns of ``out``."""
        entries, first = self.entries[rows], out[:, : len(self.exponents)]
        if self._factors is None:
            np.ldexp(entries, -self.exponents, out=first)
        elif (loops := loops_for(out, entries)) is not None:
            loops.scale(entries, self._factors, out)
        else:
            np.multiply(entries, self._factors, out=first)

    def write_squares(self, rows: slice, out: Float) -> None:
        """Write some rows, scaled, to the first columns of ``out``; squares to those after a gap.

        The gap is one column wide.
        """
        width = len(self.exponents)
        loops = loops_for(out, self.entries[rows])
        if loops is not None and self._factors is not None:
            loops.scale_and_square(self.entries[rows], self._factors, out)
            return
        self.write(rows, out)
        np.square(out[:, :width], out=out[:, width + 1 : 2 * width + 1])

    def columns(self, columns: npt.NDArray[np.intp]) -> Float:
        """Return some columns, scaled, one in each row."""
        scaled: Float = np.ldexp(self.entries.T[columns], -self.exponents[columns, None])
        return scaled

    def blocks(self) -> Iterator[tuple[slice, Float]]:
        """Yield all rows, scaled, some at a time in the same memory, after which they are."""
        room = np.empty((min(_ROWS, len(self.entries)), self.entries.shape[1]))
        for start in range(0, len(self.entries), _ROWS):
            part = room[: len(self.entries) - start]
            rows = slice(start, start + len(part))
            self.write(rows, part)
            yield rows, part


def _largest(entries: Float) -> Float:
    """The largest absolute value of each column."""
    if (loops := loops_for(entries)) is not None:
        largest = np.zeros(entries.shape[1])
        loops.largest(entries, largest)
    else:
        largest = np.maximum(entries.max(axis=0), -entries.min(axis=0))
    return largest


@dataclass(frozen=True, eq=False)
class Prepared:
    """Keys and values that any number of queries share. Made by `prepare`.

    The tuples are seen as a matrix: its *rows* are the tuples of the first m − 1 slots in C order
    (one row for m = 1), its columns the tokens of the last slot.

    Attributes
    ----------
    key_slots, value_slots : tuple of m of Slot
        Widths d and d_v.
    key_exponents, value_exponents : ndarray of int64, shapes (d,) and (d_v,)
        The powers of two taken out, all slots together.
    device : Device, optional
        Where level (a) runs, if not here.
    """

    key_slots: tuple[Slot, ...]
    value_slots: tuple[Slot, ...]
    key_exponents: Integer
    value_exponents: Integer
    device: Device | None = None

    def only(self, columns: npt.NDArray[np.intp]) -> Prepared:
        """Return the same with some of the columns of the values."""
        slots = [
            Slot(slot.entries[:, columns], slot.exponents[columns]) for slot in self.value_slots
        ]
        return replace(
            self, value_slots=tuple(slots), value_exponents=self.value_exponents[columns]
        )

    @cached_property
    def keys(self) -> tuple[Float, ...]:
        """Keys of each slot, shape (n_r, d), ``|entry| < 1``."""
        return tuple(slot.scaled for slot in self.key_slots)

    @cached_property
    def values(self) -> tuple[Float, ...]:
        """Values of each slot, shape (n_r, d_v + 1); the last column is all ones."""
        found = []
        for slot in self.value_slots:
            n, d_v = slot.entries.shape
            values = np.ones((n, d_v + 1))
            slot.write(slice(None), values)
            found.append(values)
        return tuple(found)

    @property
    def lengths(self) -> tuple[int, ...]:
        """The tokens n_r of each slot."""
        return tuple(len(slot.entries) for slot in self.key_slots)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix of tuples."""
        *first, last = self.lengths
        return prod(first), last

    @cached_property
    def column_norms(self) -> Float:
        """Euclidean norms of the last slot's keys, shape (n_m,)."""
        squares = [np.einsum("jc,jc->j", K, K) for _, K in self.key_slots[-1].blocks()]
        norms: Float = np.sqrt(np.concatenate(squares))
        return norms

    def moments(self, rows: slice, out: Float) -> None:
        """Write what weights are multiplied with at order 1: values, a gap, squares, ‖key‖²."""
        self.value_slots[0].write_squares(rows, out)
        np.square(self.column_norms[rows], out=out[:, -1])

    @cached_property
    def tokens_there(self) -> Tokens | None:
        """Keys and moments, at order 1, on the device."""
        if self.device is None:
            return None
        moments = np.ones((self.shape[1], 2 * len(self.value_exponents) + 2))
        self.moments(slice(None), moments)
        return Tokens(self.device, self.keys[0], moments)

    @cached_property
    def tuples_there(self) -> Tuples | None:
        """Keys and values of the last slot, at higher orders, on the device."""
        device = self.device
        return None if device is None else Tuples(device, self.keys[-1], self.values[-1])

    @property
    def longest(self) -> float:
        """A bound of the sum of absolute values of a key of the last slot (Cauchy and Schwarz)."""
        return float(self.column_norms.max()) * sqrt(len(self.key_exponents))

    @property
    def block(self) -> int:
        """Columns of a tile at level (b)."""
        return min(BLOCK, self.shape[1])

    @cached_property
    def key_slices(self) -> KeySlices:
        """The last slot's keys in slices."""
        return KeySlices.of(self.keys[-1])

    @cached_property
    def value_slices(self) -> ValueSlices:
        """The last slot's values in slices."""
        return ValueSlices.of(self.values[-1], self.block)

    def times_squares(self, weights: Float) -> Float:
        """Return Σ_j w_j·V_jc² over the last slot, for weights of shape (b, n_m)."""
        sums = np.zeros((len(weights), len(self.value_exponents) + 1))
        sums[:, -1] = weights.sum(axis=1)
        for rows, V in self.value_slots[-1].blocks():
            sums[:, :-1] += weights[:, rows] @ np.square(V)
        return sums

    def rows(self, rows: slice) -> Pair:
        """Rows of ``K_1 ⊘ … ⊘ K_{m−1}`` and ``V_1 ⊘ … ⊘ V_{m−1}``, each product rounded."""
        keys, values = (reduce(np.multiply, factors) for factors in self._factors(rows))
        return keys, values

    def exact_rows(self, rows: slice) -> tuple[Pair, Pair]:
        """The same in double-double, exact up to m = 3."""
        keys, values = (
            reduce(multiply, [(factor, np.zeros_like(factor)) for factor in factors])
            for factors in self._factors(rows)
        )
        return keys, values

    def _factors(self, rows: slice) -> tuple[list[Float], list[Float]]:
        """The rows' keys and values in each slot but the last; ones where there is no other."""
        if len(self.key_slots) == 1:
            return [np.ones((1, len(self.key_exponents)))], [
                np.ones((1, len(self.value_exponents) + 1))
            ]
        places: Sequence[slice | Integer] = [rows]
        if len(self.key_slots) > 2:
            places = np.unravel_index(np.arange(rows.start, rows.stop), self.lengths[:-1])
        keys, values = (
            [slot[place] for slot, place in zip(slots[:-1], places, strict=True)]
            for slots in (self.keys, self.values)
        )
        return keys, values


def prepare(
    keys: Sequence[Float], values: Sequence[Float], device: Device | None = None
) -> Prepared:
    """Scale keys and values for `evaluate_single` and `evaluate_double`.

    Parameters
    ----------
    keys, values : sequence of m arrays of float64
        Shapes (n_r, d) and (n_r, d_v), not empty, every entry finite, as they are read.
    device : Device, optional
        As in `Prepared`.
    """
    key_slots, value_slots = tuple(map(Slot.of, keys)), tuple(map(Slot.of, values))
    return Prepared(key_slots, value_slots, _taken_out(key_slots), _taken_out(value_slots), device)


def _taken_out(slots: tuple[Slot, ...]) -> Integer:
    return np.asarray(sum(slot.exponents for slot in slots), dtype=np.int64)


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

    @cached_property
    def unit(self) -> Float:
        """Powers of two >= 1, shape (b,): no entry of the query is larger."""
        largest = np.abs(self.hi).max(axis=1)
        return np.asarray(np.ldexp(1.0, np.maximum(np.frexp(largest)[1], 0)))


def scaled_queries(
    prepared: Prepared, queries: Float, scale: Scale, *, unit: Fraction, limit: float
) -> Queries:
    """Return σ·q in the units of the prepared keys, for logits in units of ``unit`` nats.

    A query that may reach logits beyond ``limit`` becomes zero.

    ``|logit| <= ‖σq‖·max_j ‖K_m[j]‖`` (Cauchy and Schwarz, all other keys being below 1).
    """
    sigma_hi, sigma_lo, exponent = mantissa(scale, unit)
    fractions, exponents = np.frexp(queries)
    p, e = two_product(fractions, np.full(1, sigma_hi))
    hi, lo = fast_two_sum(p, e + fractions * sigma_lo)
    shift = np.clip(exponents + (prepared.key_exponents + exponent), -5000, 5000)
    hi, lo = np.ldexp(hi, shift), np.ldexp(lo, shift)
    return _within(prepared, (hi, lo), limit)


def _within(prepared: Prepared, queries: Pair, limit: float) -> Queries:
    hi, lo = queries
    reach = np.sqrt(np.einsum("qc,qc->q", hi, hi)) * max(prepared.column_norms.max(), 0.5)
    inside = reach <= limit  # false for inf and for nan
    return Queries(
        np.where(inside[:, None], hi, 0.0),
        np.where(inside[:, None], lo, 0.0),
        np.where(inside, reach, np.inf),
    )


def rounded_queries(prepared: Prepared, queries: Float, scale: Scale, limit: float) -> Queries:
    """Return what `scaled_queries` does for logits in bits, but in float64, rounded twice."""
    sigma, _, exponent = mantissa(scale, LN2)
    powers = prepared.key_exponents + exponent
    if np.abs(powers).max() >= _FACTORS:
        return scaled_queries(prepared, queries, scale, unit=LN2, limit=limit)
    g = queries * np.ldexp(sigma, powers)
    return _within(prepared, (g, np.zeros_like(g)), limit)


def mantissa(scale: Scale, unit: Fraction) -> tuple[float, float, int]:
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
