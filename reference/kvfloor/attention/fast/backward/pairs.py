"""Weights and gradients of logits of some queries in double-double, with bounds of their errors.

Weights are not divided by their sum, but by a power of two: what each query gives is, once, where
it is few numbers.
"""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from typing import Literal

import numpy as np

from kvfloor.attention.fast.arithmetic import (
    UNIT,
    Float,
    Integer,
    Pair,
    divide,
    extract,
    fast_two_sum,
    gamma,
    multiply,
    pair_sum,
    power_of_two,
    two_sum,
)
from kvfloor.attention.fast.backward.operands import Booleans, Operands
from kvfloor.attention.fast.double import pair_logits
from kvfloor.attention.fast.exponential import (
    EXP_FINE_ERROR,
    EXPONENT_LIMIT,
    exp_double,
    exp_double_error,
    exp_fine,
)
from kvfloor.attention.fast.joined import Joined
from kvfloor.attention.fast.operands import scaled_queries
from kvfloor.attention.fast.slices import (
    KeySlices,
    coarse_rest,
    fine_products,
    fine_rest,
    key_rest,
    split,
)
from kvfloor.attention.fast.totals import row_weights

__all__ = ["Accuracy", "Pairs", "Part", "pair_total", "total_error"]

Accuracy = Literal["coarse", "plain", "fine"]
ELEMENTS = 2**16  # tuples of a part
_LARGEST = 2.0**-13  # of a relative error, so that `INFLATION` covers second orders


class Pairs:
    """What all parts share.

    Coarse pairs take products in two slices instead of three, fine ones finer exponentials.

    Attributes
    ----------
    U, W : pairs of arrays, shapes (R, d) and (R, d_v)
        Products of keys and of values of all slots but the last.
    factors : Factors
    """

    def __init__(self, operands: Operands, accuracy: Accuracy = "plain") -> None:
        prepared = operands.prepared
        self.operands, self.prepared, self.accuracy = operands, prepared, accuracy
        self.terms = 4 if accuracy == "fine" else 3  # rounded products for each of d
        limit = 0.99 * EXPONENT_LIMIT
        self.g = scaled_queries(
            prepared, operands.given, operands.scale, unit=Fraction(1), limit=limit
        )
        self.joined = Joined.by(operands.terms, prepared, bits=False)
        self.U, (W, W_lo) = prepared.exact_rows(operands.rows)
        self.W = W[:, :-1].copy(), W_lo[:, :-1].copy()
        self.key_slices, self.value_slices = prepared.key_slices, KeySlices.of(operands.values)
        self.factors = operands.factors((self.U[0], self.W[0]))
        self.largest_score = 2 ** (len(prepared.value_exponents) - 1).bit_length()
        self.blocks = list(operands.blocks(ELEMENTS))
        self.most: int = max(block.stop - block.start for block in self.blocks)


class Part:
    """Some queries, all rows, and the columns they see: arrays of shape (queries, rows, columns).

    Attributes
    ----------
    weights, gradients : pair of arrays
        Weights over a power of two; gradients of logits, times the sum of these weights.
    inner : pair of arrays
        Gradients of inner products, likewise: those of the logits times slopes of the cap.
    inverse : pair of arrays, shape (queries,)
        One over this sum, which is in [1/2, 1).
    """

    def __init__(self, pairs: Pairs, q: slice, columns: slice) -> None:
        operands, prepared = pairs.operands, pairs.prepared
        self.pairs, self.q, self.columns = pairs, q, columns
        self.count, self.lines = q.stop - q.start, (q.stop - q.start) * prepared.shape[0]
        self.shape = self.count, prepared.shape[0], columns.stop - columns.start
        self.joined, self.products = pairs.joined.of(q), pairs.g.reach[q]
        self.reach = np.broadcast_to(self.joined.reach(self.products), self.count)
        self.single = operands.single(q)
        missing = operands.dropped.of(q)(slice(0, self.count), operands.rows, columns)
        self.missing = None if missing is None else missing.reshape(len(missing), 1, -1)
        self.slopes: Pair | None = None  # known with the weights
        self.weights, self.sink, self.top = self._weigh()
        self._divide()
        output = operands.output[q, None]
        self.G = multiply((output, np.zeros_like(output)), pairs.W)
        self.gradients, self.mean = self._differentiate(operands.logsumexp[q])
        self.inner = self.gradients
        if self.slopes is not None:
            self.inner = multiply(self.gradients, self.slopes)

    @property
    def fine(self) -> bool:
        """Whether products and exponentials are finer than usual."""
        return self.pairs.accuracy == "fine"

    def _weigh(self) -> tuple[Pair, Pair, Integer]:
        """Weights of tuples and sinks in units of a power of two, and that power."""
        g, everyone = self.pairs.g, slice(0, self.count)
        A = multiply((g.hi[self.q, None], g.lo[self.q, None]), self.pairs.U)
        x = self._products(self.pairs.key_slices, A, g.unit[self.q, None, None])
        steepness, joined = self.pairs.operands.steepness, self.joined
        if steepness is not None:
            self.slopes = steepness.pair_slopes(x, fine=self.fine)
            if self.fine:
                x, joined = steepness.pair_caps(x), joined.uncapped
        joined.add_pair(x, everyone, self.pairs.operands.rows, self.columns)
        flat = x[0].reshape(self.lines, -1), x[1].reshape(self.lines, -1)
        if self.fine:
            k, hi, lo = exp_fine(*flat)
        else:
            k, hi, lo = exp_double(*flat, list(np.empty((5, *flat[0].shape))))
        in_rows = k.reshape(self.count, 1, -1)
        tops, powers = row_weights(in_rows, self.missing, self.reach, above=1)
        top, factors = tops[:, 0], powers.reshape(self.shape)
        sink = np.zeros(self.count), np.zeros(self.count)
        if (sinks := self.joined.sinks()) is not None:
            own = sinks[0]
            new = np.maximum(top, own + 1)
            factors *= power_of_two(top - new)[:, None, None]
            sink = sinks[1] * power_of_two(own - new), sinks[2] * power_of_two(own - new)
            top = new
        return (hi.reshape(self.shape) * factors, lo.reshape(self.shape) * factors), sink, top

    def _divide(self) -> None:
        """Bring the sum of the weights of each query into [1/2, 1), and invert it."""
        hi, lo = pair_sum(pair_total(self.weights, 1), self.sink)
        power = np.ldexp(1.0, -np.where(hi > 0, np.frexp(hi)[1], 0))
        for part in self.weights:
            np.multiply(part, power[:, None, None], out=part)
        self.sink = self.sink[0] * power, self.sink[1] * power
        total = np.where(hi > 0, hi * power, 1.0), lo * power
        self.inverse = divide((np.ones(self.count), np.zeros(self.count)), total)

    def _differentiate(self, g: Float) -> tuple[Pair, Pair]:
        """Gradients of logits, and the mean of G·v of each query."""
        x = self._products(self.pairs.value_slices, self.G, 1.0)
        terms = multiply(self.weights, x)
        mean = multiply(pair_total(terms, self.pairs.largest_score), self.inverse)
        less = pair_sum(mean, (-g, np.zeros_like(g)))
        hi, lost = two_sum(x[0], -less[0][:, None, None])
        hi, lo = fast_two_sum(hi, lost + (x[1] - less[1][:, None, None]))
        if self.single.any():  # the mean is of one number
            hi[self.single], lo[self.single] = g[self.single, None, None], 0.0
        return multiply(self.weights, (hi, lo)), mean

    def _products(self, right: KeySlices, left: Pair, unit: float | Float) -> Pair:
        """Products of rows with tokens of the last slot."""
        if self.pairs.accuracy == "coarse":
            return self._coarse_products(right, left, unit)
        if self.pairs.accuracy == "fine":
            table = right.at(self.columns).factors[2][:, : left[0].shape[-1]]
            hi, lo = fine_products(table, left, unit)
            return hi.reshape(self.shape), lo.reshape(self.shape)
        parts = split(left[0].copy(), left[1], right.bits, unit)[::-1]
        joined = np.concatenate(parts, axis=2).reshape(self.lines, -1)
        tile = np.empty((5, self.lines, self.shape[2]))
        hi, lo = pair_logits(right.at(self.columns), joined, tile)
        return hi.reshape(self.shape), lo.reshape(self.shape)

    def _coarse_products(self, right: KeySlices, left: Pair, unit: float | Float) -> Pair:
        """The same in two slices: the leading products are added exactly, all others rounded."""
        below = left[0].copy()
        above = extract(below, unit * 2.0**-right.bits)
        below += left[1]
        heads, _, wholes = right.at(self.columns).factors
        both = np.concatenate([below, above], axis=2).reshape(self.lines, -1)
        width = min(wholes.shape[1], both.shape[1])  # tails that are zero are left out
        first = np.matmul(above.reshape(self.lines, -1), heads.T)  # exact
        hi, lo = two_sum(first, np.matmul(both[:, :width], wholes[:, :width].T))
        return hi.reshape(self.shape), lo.reshape(self.shape)

    def errors(self, operations: int) -> tuple[Float, Float]:
        """Bound the errors of weights and of gradients of logits, over the sum of the weights.

        ``operations`` are those of what follows, relative to a term, in units of u².
        """
        pairs, N = self.pairs, self.shape[1] * self.shape[2]
        rounded = UNIT**2 * (2 * (N + 4) + 9 * (len(pairs.prepared.key_slots) + 8) + operations)
        own = self._logit_errors()
        relative = 2 * own + rounded + total_error(N, 1) * self.inverse[0]
        relative = np.where(self._usable(relative), relative, np.inf)
        relative = np.where(self.single, rounded, relative)
        inverse = self.inverse[0][:, None, None]
        p, dZ = self.weights[0] * inverse, np.abs(self.gradients[0]) * inverse
        g, D = np.abs(pairs.operands.logsumexp[self.q]), np.abs(self.mean[0])
        deviation = dZ.sum(axis=(1, 2)) + g + self.sink[0] * self.inverse[0] * D
        size, error = self._score_errors()
        absolute = own * deviation + 2 * error + rounded * (size + D + g)
        absolute += 2 * total_error(N, pairs.largest_score) * self.inverse[0]
        absolute = np.where(self.single | pairs.operands.inert[self.q], 0.0, absolute)
        self.relative, self.absolute = relative, absolute
        dZ *= relative[:, None, None]
        dZ += absolute[:, None, None] * p
        p *= relative[:, None, None]
        return p, dZ

    def errors_of_inner(self, errors: Float) -> Float:
        """The bounds of gradients of inner products, by those of the gradients of logits."""
        steepness = self.pairs.operands.steepness
        if self.slopes is None or steepness is None:
            return errors
        own = (
            steepness.pair_error(self.products, fine=self.fine)
            + steepness.factor * self._product_errors()
        )
        own = np.broadcast_to(np.where(own <= _LARGEST, own, np.inf), self.count)
        size = np.abs(self.inner[0]) * self.inverse[0][:, None, None]
        lost = np.where(size == 0, 0.0, size * own[:, None, None])
        return np.asarray(errors * self.slopes[0] + lost)

    def of_logits(self) -> tuple[Pair, Float, Pair, Float]:
        """Gradients of logits and of sinks, each with bounds of their errors."""
        errors = self.errors(9 * 4)[1]
        inverse = self.inverse[0][:, None, None], self.inverse[1][:, None, None]
        g = self.pairs.operands.logsumexp[self.q]
        less = pair_sum((g, np.zeros_like(g)), (-self.mean[0], -self.mean[1]))
        weights = multiply(self.sink, self.inverse)
        sink = multiply(weights, less)
        size = self.relative * np.abs(sink[0]) + self.absolute * weights[0]
        return multiply(self.gradients, inverse), errors, sink, size

    @property
    def _rest(self) -> Float:
        """Σ_c |product with a rest| in a logit."""
        g, prepared = self.pairs.g, self.pairs.prepared
        sums = np.abs(g.hi[self.q]).sum(axis=1)
        return self._rests(sums, g.unit[self.q], prepared.longest, g.hi.shape[1])

    def _rests(self, sums: Float, unit: Float, longest: float, d: int) -> Float:
        """The same for rows with such sums of absolute values, and such largest ones."""
        if self.pairs.accuracy == "coarse":
            return coarse_rest(sums, unit, longest, d)
        if self.pairs.accuracy == "fine":
            return fine_rest(sums, unit, longest, d)
        return key_rest(sums, unit, longest, d)

    def _logit_errors(self) -> Float:
        """Relative errors of weights before they are summed, shape (queries,)."""
        own = self._product_errors()
        steepness = self.pairs.operands.steepness
        if steepness is not None and self.fine:
            own = own + steepness.cap_error(self.products)
            own = own + self.joined.uncapped.error(self.products)
        else:
            own = own + self.joined.error(self.products)
        # sinks have no finer ones
        fine = self.fine and self.joined.terms.sink is None
        return own + (EXP_FINE_ERROR if fine else exp_double_error(self.reach))

    def _product_errors(self) -> Float:
        """Errors of inner products, shape (queries,)."""
        d, m = len(self.pairs.prepared.key_exponents), len(self.pairs.prepared.key_slots)
        rounded = 9 * UNIT**2 * (m + 3) * self.products
        return np.asarray(gamma(self.pairs.terms * d + 12) * self._rest + rounded)

    def _score_errors(self) -> tuple[Float, Float]:
        """Bounds of |G·v| and of its error, shape (queries,)."""
        operands = self.pairs.operands
        d_v, m = operands.output.shape[1], len(self.pairs.prepared.key_slots)
        longest = sqrt(d_v) * float(operands.value_norms.max())
        size = longest * np.abs(self.G[0]).max(axis=(1, 2))
        sums = np.abs(operands.output[self.q]).sum(axis=1)
        rest = self._rests(sums, np.ones(1), longest, d_v)
        return size, gamma(self.pairs.terms * d_v + 24) * rest + 10 * m * UNIT**2 * size

    def _usable(self, relative: Float) -> Booleans:
        short = self.pairs.accuracy == "coarse"  # then it is, beside the high part
        usable = (short | (self._rest <= 2.0**-13)) & (relative <= _LARGEST)
        return np.asarray(usable & self.joined.covers(self.products, self.top))


def pair_total(x: Pair, largest: int) -> Pair:
    """Sum over rows and columns, two parts of it exactly, for ``|x| <= largest``, a power of two.

    Off by at most (N + 4)·u² of the sum of absolute values, and `total_error`.
    """
    flat = x[0].reshape(len(x[0]), -1).copy(), x[1].reshape(len(x[1]), -1)
    first, second = _units(flat[0].shape[1], largest)
    heads = [extract(flat[0], unit).sum(axis=1) for unit in (first, second)]
    flat[0][...] += flat[1]
    hi, lo = two_sum(heads[0], heads[1])
    return fast_two_sum(hi, lo + flat[0].sum(axis=1))


def total_error(count: int, largest: int) -> float:
    """What `pair_total` loses of numbers that are below its grids."""
    return gamma(count + 1) * count * _units(count, largest)[1]


def _units(count: int, largest: int) -> tuple[float, float]:
    bits = max((count - 1).bit_length(), 1)
    unit = largest * 2.0 ** (bits - 52)
    return unit, unit * 2.0 ** (bits - 52)
