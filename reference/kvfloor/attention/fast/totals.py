"""Sums over tiles, and the enclosures that come out of them.

A tile gives each of its rows a power of two, that of the largest weight in the row, so that
weights lie in (0, 2). The sums of a query carry the largest of these powers so far. Changing it
multiplies by a power of two, which is exact, so that no tuple has to be seen twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kvfloor.attention.fast.arithmetic import (
    UNIT,
    Float,
    Integer,
    Pair,
    add_to,
    halved,
    power_of_two,
)
from kvfloor.attention.fast.exponential import SMALLEST, exp2_narrow, exp2_single
from kvfloor.attention.fast.tiling import Tiling
from kvfloor.attention.inputs import Mask

__all__ = [
    "INFLATION",
    "NARROW",
    "TINY",
    "Balls",
    "Evaluation",
    "Sums",
    "Totals",
    "enclose",
    "row_weights",
    "scaled_back",
    "spread",
    "sum_of_balls",
    "weigh_rows",
]

#: Larger than every second-order term and every rounding in a bound itself, as a factor.
INFLATION = 1 + 2.0**-10
#: Larger than what underflow, or a weight below 2**-899, changes in an output of values up to 1.
TINY = 2.0**-400

_EMPTY = -(2**40)  # the power of two of a row without tuples
#: Logits within ± this, in bits, need no common power of two.
NARROW = 128
_NARROW = 300  # logits within ± this, in bits or in nats, span less than 2**900
_BIAS = 1023
_FACTORS = 1000  # powers of two below this are factors that float64 holds


@dataclass(frozen=True, eq=False)
class Balls:
    """Enclosures: the true value lies within ``radius`` of hi + lo, an unevaluated sum.

    Attributes
    ----------
    hi, lo, radius : ndarray of float64, all of one shape
        ``lo`` is zero at level (a). ``radius`` is inf where nothing is claimed, and never nan.
    """

    hi: Float
    lo: Float
    radius: Float

    def where(self, mine: Mask, other: Balls) -> Balls:
        """Return these where ``mine``, the other ones elsewhere."""
        return Balls(
            np.where(mine, self.hi, other.hi),
            np.where(mine, self.lo, other.lo),
            np.where(mine, self.radius, other.radius),
        )


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Enclosures of tensor attention for b queries.

    Attributes
    ----------
    output : Balls, shape (b, d_v)
        0 ± inf for a query whose mask leaves no tuple.
    logsumexp : Balls, shape (b,)
        In nats; −inf ± 0 for such a query.
    """

    output: Balls
    logsumexp: Balls


def row_weights(
    k: Integer, dropped: Mask | None, reach: Float, *, above: int
) -> tuple[Integer, Float]:
    """Return the powers ``top + above`` of the rows, and 2**(k − top − above) of the tuples.

    ``top`` is the largest k in the row that is not dropped; dropped tuples get 0, and those below
    2**-900 get 2**-900.

    Parameters
    ----------
    k : ndarray of int64, shape (queries, rows, columns)
        Destroyed.
    reach : ndarray, shape (queries,)
        Bounds of the logits, in bits or in nats: if they are small, nothing is below 2**-900.
    """
    if dropped is not None:
        np.copyto(k, _EMPTY, where=dropped)
    top = k.max(axis=-1)
    top += above
    k -= (top - _BIAS)[..., None]
    if not (reach <= _NARROW).all():
        np.maximum(k, _BIAS + SMALLEST, out=k)
    k <<= 52
    weights = k.view(np.float64)
    if dropped is not None:
        np.copyto(weights, 0.0, where=dropped)
    return top, weights


def weigh_rows(x: Float, y: Float, work: Float, dropped: Mask | None, reach: Float) -> Integer:
    """Set y to the weights 2**x of the tuples, each row's over a power of two; return the powers.

    Parameters
    ----------
    x : ndarray, shape (queries, rows, columns)
        Logits in bits; destroyed.
    y, work : ndarray, same shape
        ``work`` is scratch.
    dropped : boolean array, shape (1 or queries, rows, columns), optional
        Tuples that get 0.
    reach : ndarray, shape (queries,)
        Bounds of the logits; if they are small, the powers are all 0.

    Returns
    -------
    ndarray of int64, shape (queries, rows)
    """
    if not (reach <= NARROW).all():
        k = work.view(np.int64)
        exp2_single(x, y, k)
        top, weights = row_weights(k, dropped, reach, above=0)
        y *= weights
        return top
    exp2_narrow(x, y, work)
    if dropped is not None:
        np.copyto(y, 0.0, where=dropped)
    return np.zeros(y.shape[:2], dtype=np.int64)


class Sums:
    """Running sums of b queries, in units of 2**exponent.

    Attributes
    ----------
    exponent : ndarray of int64, shape (b,)
    sums : ndarray, shape (b, ...)
    """

    def __init__(self, b: int, shape: tuple[int, ...]) -> None:
        self.exponent = np.full(b, _EMPTY, dtype=np.int64)
        self.sums = np.zeros((b, *shape))

    def admit(self, queries: slice, top: Integer) -> Float:
        """Make room for rows with powers ``top``, shape (queries, rows).

        Returns
        -------
        ndarray, shape (queries, rows)
            What each row counts, in units of the sums; at most 1.
        """
        old = self.exponent[queries]
        new = np.maximum(old, top.max(axis=1))
        if (new != old).any():
            self._shrink(queries, power_of_two(old - new))
            self.exponent[queries] = new
        return power_of_two(top - new[:, None])

    def admit_sinks(self, k: Integer, *, above: int) -> Float:
        """Make room for one more weight 2**k·w a query; return 2**k in units of the sums.

        It is 2**-above where that weight is the largest, as it is for rows of `row_weights`.
        """
        everything = slice(0, len(k))
        return np.ldexp(self.admit(everything, k[:, None] + above)[:, 0], -above)

    def _shrink(self, queries: slice, factors: Float) -> None:
        sums = self.sums[queries]
        sums *= factors.reshape(-1, *[1] * (sums.ndim - 1))


class Totals(Sums):
    """Sums of order m, kind by kind, beside those of each token of the last slot.

    Attributes
    ----------
    sums : ndarray, shape (b, kinds, d_v + 1)
        Sums over tuples.
    columns : ndarray, shape (b, n_m)
        Weights summed over the rows.
    sinks : ndarray, shape (b, 1)
        Weights of the sinks, once all else is summed.
    """

    def __init__(self, tiling: Tiling, kinds: int, width: int) -> None:
        super().__init__(tiling.queries, (kinds, width))
        self.columns = np.zeros((tiling.queries, tiling.columns))
        self.sinks = np.zeros((tiling.queries, 1))

    def count(self, queries: slice, columns: slice, scale: Float, weights: Float) -> None:
        """Add weights of shape (queries, rows, columns), times ``scale``, to ``columns``."""
        self.columns[queries, columns] += np.matmul(scale[:, None, :], weights)[:, 0]

    def count_sinks(self, hi: Float, lo: Float | None = None) -> None:
        """Add weights of shape (b,) to the sums of all weights; with lo, to a pair of kinds."""
        self.sinks[:, 0] = hi
        if lo is None:
            self.sums[:, 0, -1] += hi
        else:
            for part in (hi, lo):
                add_to(self.sums[:, 0, -1], self.sums[:, 1, -1], part)

    def _shrink(self, queries: slice, factors: Float) -> None:
        super()._shrink(queries, factors)
        self.columns[queries] *= factors[:, None]

    @property
    def empty(self) -> Mask:
        """Queries without a tuple, shape (b,)."""
        empty: Mask = self.exponent < _EMPTY // 2
        return empty


def spread(centre: Float, error: Float, total: Float, precision: float) -> Float:
    """Bound the error of ``centre``, the quotients of sums whose errors are at most ``error``.

    Parameters
    ----------
    centre, error : ndarray, shape (b, d_v + 1)
    total : ndarray, shape (b, 1)
        The sum of all weights, which is the last of the sums.
    precision : float
        Relative error of the division.

    Returns
    -------
    ndarray, shape (b, d_v + 1)
        The last column bounds the error of the logarithm of the total instead.
    """
    size = np.abs(centre)
    size[:, -1] = 0.0
    return (error + size * error[:, -1:]) / (total - error[:, -1:]) + precision * size


def enclose(
    empty: Mask, centre: Pair, radius: Float, log: Pair, log_error: Float, exponents: Integer
) -> Evaluation:
    """Return the enclosures, claiming nothing where the radius is not a finite number.

    Parameters
    ----------
    empty : ndarray of bool, shape (b,)
        Queries without a tuple.
    centre : pair of arrays, shape (b, d_v + 1)
        The output, to be multiplied by ``2**exponents``, in all columns but the last.
    radius : ndarray, shape (b, d_v + 1)
        From `spread`; inf or nan where nothing is known.
    log, log_error : shape (b,)
        Logarithm of the sum of all weights, and a bound of its own error.
    """
    radius = radius * INFLATION
    hi, lo = np.where(empty, -np.inf, log[0]), np.where(empty, 0.0, log[1])
    log_radius = np.where(empty, 0.0, radius[:, -1] + log_error * INFLATION)
    return Evaluation(
        scaled_back((centre[0][:, :-1], centre[1][:, :-1]), radius[:, :-1], exponents),
        _claimed(hi, lo, log_radius, np.isfinite(log_radius)),
    )


def sum_of_balls(balls: Balls) -> Balls:
    """Sum over the last axis; a sum of zeros that are exact is one.

    By halves, 4u² of what is added for each addition.
    """
    with np.errstate(all="ignore"):
        hi, lo = halved((balls.hi, balls.lo))
        sizes = np.abs(balls.hi).sum(axis=-1)
        additions = (balls.hi.shape[-1] - 1).bit_length()
        error = balls.radius.sum(axis=-1) + 4 * additions * UNIT**2 * sizes
        radius = np.where(error == 0, 0.0, error * INFLATION + 2.0**-1070)
        return _claimed(hi, lo, radius, np.isfinite(radius) & np.isfinite(hi))


def scaled_back(centre: Pair, radius: Float, exponents: Integer) -> Balls:
    """Return balls times 2**exponents, with what underflow takes from the centre."""
    hi, lo = (_shifted(part, exponents) for part in centre)
    exact = (_shifted(hi, -exponents) == centre[0]) & (_shifted(lo, -exponents) == centre[1])
    radius = _shifted(radius, exponents) + np.where(exact, 2.0**-1074, 2.0**-1072)
    return _claimed(hi, lo, radius, np.isfinite(hi) & np.isfinite(radius))


def _shifted(x: Float, exponents: Integer) -> Float:
    """Return x·2**exponents, through factors where float64 holds them, as that is quicker."""
    if np.abs(exponents).max(initial=0) < _FACTORS:
        return np.asarray(x * np.ldexp(1.0, exponents))
    return np.ldexp(x, exponents)


def _claimed(hi: Float, lo: Float, radius: Float, claimed: Mask) -> Balls:
    return Balls(
        np.where(claimed, hi, 0.0), np.where(claimed, lo, 0.0), np.where(claimed, radius, np.inf)
    )
