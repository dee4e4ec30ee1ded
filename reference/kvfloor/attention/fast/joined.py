"""Soft cap, bias and sinks of some queries, in the units of a level, and what they cost in error.

Proofs in docs/fast.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from kvfloor.attention.fast.arithmetic import (
    UNIT,
    Float,
    Integer,
    Pair,
    divide,
    full_pair,
    multiply,
    two_sum,
)
from kvfloor.attention.fast.exponential import LN2, LOG2_E, exp2_narrow, exp2_single, exp_double
from kvfloor.attention.fast.joining import SATURATED, Joining
from kvfloor.attention.fast.operands import Prepared
from kvfloor.attention.terms import Terms

__all__ = ["CAPS", "Joined"]

#: Soft caps for which nothing here leaves the range of float64.
CAPS = (2.0**-20, 2.0**20)

_LOWEST = 2048.0  # biases below minus this, in units of a level, are taken as that
_NEGLIGIBLE = 910  # bits by which such tuples must then lie below the largest
_HIGHEST = 2.0**20  # biases and sinks above are not evaluated


@dataclass(frozen=True, eq=False)
class Joined:
    """What joins the inner products of b queries.

    Attributes
    ----------
    terms : Terms
        In nats; the bias has shape (b or 1, rows, columns).
    bits : bool
        Whether the level's logits are in bits, else in nats.
    """

    terms: Terms
    bits: bool

    @classmethod
    def by(cls, terms: Terms, prepared: Prepared, *, bits: bool) -> Joined:
        """Return those of a level."""
        if terms.bias is not None:
            bias = terms.bias.reshape(len(terms.bias), *prepared.shape)
            terms = terms._replace(bias=bias)
        return cls(terms, bits)

    def of(self, queries: slice | npt.NDArray[np.intp]) -> Joined:
        """Return those of some queries."""
        return replace(self, terms=self.terms.taken(queries))

    def reach(self, products: Float) -> Float:
        """Bound every ``|logit|``, the sink's too, where the inner products are so bounded."""
        low, high = self._extremes
        total = np.maximum(self._capped(products) + np.maximum(-low, high), self._sink_size)
        inside = np.isfinite(products) & (high <= _HIGHEST) & (self._sink_size <= _HIGHEST)
        return np.where(inside, total, np.inf)

    def error(self, products: Float) -> Float:
        """Bound the absolute error of logits that is made here; a cap passes on what there was."""
        low, high = self._extremes
        bias, error = np.maximum(-low, high), np.zeros_like(products)
        if self.bits:
            error += 2 * UNIT * self._sink_size
            error += 0 if self.terms.bias is None else UNIT * (self._capped(products) + 3 * bias)
            return error if self.terms.softcap is None else error + 13 * UNIT * self._cap
        error += 0 if self.terms.bias is None else 12 * UNIT**2 * (self._capped(products) + bias)
        return error if self.terms.softcap is None else error + 2.0**-81 * self._cap

    @property
    def uncapped(self) -> Joined:
        """The same without the cap."""
        return replace(self, terms=self.terms._replace(softcap=None))

    @property
    def additions(self) -> int:
        """By how much the sinks lengthen a sum of weights."""
        return 0 if self.terms.sink is None else 1

    def covers(self, products: Float, exponent: Integer) -> npt.NDArray[np.bool_]:
        """Whether what is raised to the lowest bias is negligible beside a sum of 2**exponent."""
        bit = 1.0 if self.bits else float(LN2)
        enough = (exponent - _NEGLIGIBLE) * bit > self._capped(products) - _LOWEST
        return np.asarray(~self._raised | enough)

    def add(self, x: Float, q: slice, rows: slice, columns: slice) -> None:
        """Turn inner products, in bits, into logits, in place; shape (queries, rows, columns)."""
        joining = self.joining(q, rows, columns)
        if joining.cap is not None:
            _cap_single(x, *joining.cap)
        if joining.bias is not None:
            x += joining.bias

    def joining(self, q: slice, rows: slice, columns: slice) -> Joining:
        """What `add` joins to a tile."""
        softcap, bias = self.terms.softcap, self.terms.bias
        return Joining(
            None if softcap is None else (float(2 / softcap), float(softcap) * LOG2_E),
            None if bias is None else self._tile(bias, q, rows, columns),
        )

    def add_pair(self, x: Pair, q: slice, rows: slice, columns: slice) -> None:
        """The same for inner products in double-double, in nats."""
        hi, lo = x
        if self.terms.softcap is not None:
            hi[...], lo[...] = _cap_double(x, self.terms.softcap)
        if self.terms.bias is not None:
            total, rest = two_sum(hi, self._tile(self.terms.bias, q, rows, columns))
            hi[...] = total
            lo += rest

    def sinks(self) -> tuple[Integer, Float, Float] | None:
        """Return k, hi, lo: the weights of the sinks, if any, are 2**k·(hi + lo), shape (b,)."""
        if self.terms.sink is None:
            return None
        logits = self._clipped(self.terms.sink)
        if self.bits:
            y, k = np.empty_like(logits), np.empty(logits.shape, dtype=np.int64)
            exp2_single(logits, y, k)
            return k, y, np.zeros_like(y)
        return exp_double(logits, np.zeros_like(logits), list(np.empty((5, len(logits)))))

    def _tile(self, bias: Float, q: slice, rows: slice, columns: slice) -> Float:
        return self._clipped(bias[q if len(bias) > 1 else slice(1), rows, columns])

    def _clipped(self, nats: Float) -> Float:
        """Biases or sinks in the units of the level."""
        return np.clip(nats * self._units, -_LOWEST, _HIGHEST)

    @property
    def _units(self) -> float:
        return LOG2_E if self.bits else 1.0

    @property
    def _cap(self) -> float:
        return np.inf if self.terms.softcap is None else float(self.terms.softcap) * self._units

    def _capped(self, products: Float) -> Float:
        return np.minimum(products, self._cap)

    @cached_property
    def _range(self) -> tuple[Float, Float]:
        """The least and the largest bias of each query, in the units of the level."""
        bias = self.terms.bias
        if bias is None:
            return np.zeros(1), np.zeros(1)
        return bias.min(axis=(1, 2)) * self._units, bias.max(axis=(1, 2)) * self._units

    @property
    def _extremes(self) -> tuple[Float, Float]:
        """Of the biases of each query: the least that is kept, and the largest."""
        low, high = self._range
        return np.clip(low, -_LOWEST, _HIGHEST), np.maximum(high, -_LOWEST)

    @property
    def _sink_size(self) -> Float:
        if self.terms.sink is None:
            return np.zeros(1)
        size: Float = np.abs(np.maximum(self.terms.sink * self._units, -_LOWEST))
        return size

    @property
    def _raised(self) -> npt.NDArray[np.bool_]:
        """Queries with a bias or a sink that is raised to the lowest."""
        raised: npt.NDArray[np.bool_] = self._range[0] < -_LOWEST
        if self.terms.sink is not None:
            raised = raised | (self.terms.sink * self._units < -_LOWEST)
        return raised


def _cap_single(x: Float, twice: float, cap: float) -> None:
    """Set x, in bits, to C·tanh(x/C): with E = 2**(2x/c), c in nats, tanh = 1 - 2/(E + 1)."""
    w = np.clip(x * twice, -SATURATED, SATURATED)
    y = np.empty_like(w)
    exp2_narrow(w, y, np.empty_like(w))
    y += 1
    np.divide(2, y, out=y)
    np.subtract(1, y, out=y)
    np.multiply(y, cap, out=x)


def _cap_double(x: Pair, softcap: Fraction) -> Pair:
    """Return c·tanh(x/c): with E = e**(2x/c), tanh = (E - 1)/(E + 1)."""
    hi, lo = multiply(x, full_pair(2 / softcap, x[0]))
    outside = ~(np.abs(hi) <= SATURATED)
    hi = np.where(outside, np.copysign(float(SATURATED), hi), hi)
    lo = np.where(outside, 0.0, lo)
    k, hi, lo = exp_double(hi, lo, list(np.empty((5, *hi.shape))))
    hi, lo = np.ldexp(hi, k), np.ldexp(lo, k)
    (above, up), (below, down) = two_sum(hi, -np.ones_like(hi)), two_sum(hi, np.ones_like(hi))
    ratio = divide((above, up + lo), (below, down + lo))
    return multiply(ratio, full_pair(softcap, x[0]))
