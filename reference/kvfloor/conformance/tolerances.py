"""How far each number may be off: E3's and E4's bounds for what a target declares.

All bounds here are rounded up, so an element beyond its bound is proved to be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from math import inf, log, nextafter, prod
from typing import NamedTuple

import numpy as np
from flint import arb, fmpq

from kvfloor.conformance.case import Case
from kvfloor.conformance.centred import Arithmetic, Bounds, bound_rows
from kvfloor.conformance.sets import Chunk, Rows, chunks
from kvfloor.conformance.target import Target
from kvfloor.conformance.truth import FINE, Truth, nats
from kvfloor.floors import (
    BASE_CHANGES,
    forward_error,
    gamma,
    logsumexp_error,
    rescaling_growth,
    sum_error,
    underflow_error,
    underflows,
    value_roundings,
    weight_drift,
    weight_underflow,
)
from kvfloor.numbers import Array, BinaryFormat, arb_precision, as_format, to_fmpq

__all__ = ["INFLATION", "LEAST", "Model", "Tolerances", "find_tolerances", "returned_bounds"]

# Bounds are sums and products of at most 2**10 floats that are not negative: each operation is off
# by 2**-53, or by the least number where it underflows.
INFLATION = 1 + 2.0**-40
LEAST = 2.0**-1070
# s/c, by a reciprocal; c·tanh; log₂ e and the product by it. A bias is itself a product, by log₂ e,
# which are fewer roundings than a logit has, and is added.
CAP_ROUNDINGS = 5
BIAS_ROUNDINGS = 1
# Parts of the tokens may be merged by their log-sum-exps l: l itself, its difference from the
# largest, and two roundings of each where the base is changed. A part with a tuple t, of reach S_t
# and g_t below the top, has |l| <= S_t + g_t + ln N, and so has the largest.
SPLIT_ROUNDINGS = 6
DEQUANTISING = 2  # a zero point is subtracted; a product by the scale
TERM_PRODUCTS = 4  # of these that may underflow
LOG2_E = fmpq(3, 2)  # a bound on log₂ e = 1.4427
LOG2_E_ABOVE = nextafter(1 / log(2), inf)


class Tolerances(NamedTuple):
    """Bounds on errors beside the results rounded to `FINE`; inf where none is derived.

    Attributes
    ----------
    output : ndarray, shape (b, h, n_q, d_v)
    logsumexp : ndarray, shape (b, h, n_q)
    """

    output: Array
    logsumexp: Array


class _Row(NamedTuple):
    """Bounds for one query: shares of Σ p·|v|, of Σ |v|, of B; then the log-sum-exp's."""

    sizes: float
    weights: float
    products: float
    logsumexp: float


def find_tolerances(
    target: Target,
    case: Case,
    truth: Truth,
    *,
    output: BinaryFormat,
    logsumexp: BinaryFormat,
) -> Tolerances:
    """Return the bounds for results in the given formats.

    Notes
    -----
    E3 `forward-error`, E4 `centred-error`: the lesser of the two.
    """
    model = Model(target, case)
    found = Tolerances(np.full(truth.output.shape, inf), np.full(truth.logsumexp.shape, inf))
    if model.bounded:
        for chunk in chunks(target, case, truth.empty):
            rows, reach = _fitting(model, chunk)
            if len(rows):
                here = (*chunk.head, rows)
                found.output[here], found.logsumexp[here] = _rows(model, chunk, rows, reach, truth)
    lse = found.logsumexp * (1 if target.logsumexp_base == "e" else LOG2_E_ABOVE)
    return Tolerances(
        returned_bounds(found.output, truth.fine_output, output, target.arithmetic),
        returned_bounds(lse, truth.fine_logsumexp, logsumexp, target.arithmetic),
    )


def _fitting(model: Model, chunk: Chunk) -> tuple[Rows, Array]:
    """Return the queries on whose way nothing overflows, and S̄ of each."""
    rows, part = chunk.rows, chunk.part
    seen, reach = chunk.of(rows), part.reach[rows]
    reach = (reach if seen is None else np.where(seen, reach, 0)).max(axis=1)
    fits = np.array([not model.overflows(each, part.largest) for each in reach])
    return rows[fits], reach[fits]


def _rows(model: Model, chunk: Chunk, rows: Rows, reach: Array, truth: Truth) -> Bounds:
    """Return the lesser of E3's and of E4's bounds of some queries."""
    part = chunk.part
    output, p_v = (A[chunk.head][rows] for A in (truth.fine_output, truth.sizes))
    lse = nats(truth.fine_logsumexp[chunk.head][rows], model.base)
    largest = np.abs(lse) + 4 * FINE.ulps(lse)
    each = zip(reach, largest, strict=True)
    plain = np.array([model.row(*one, part.largest) for one in each])
    e4 = bound_rows(model.arithmetic, part, rows, chunk.of(rows), output, lse)
    with np.errstate(invalid="ignore"):
        # Σ p·|v| is known rounded to nearest
        e3 = plain[:, :1] * (p_v + FINE.ulps(p_v)) + plain[:, 1:2] * part.sums + plain[:, 2:3]
        return Bounds(np.fmin(e3, e4.output), np.minimum(plain[:, 3], e4.logsumexp))


def returned_bounds(
    bound: Array, truth: Array, returned: BinaryFormat, arithmetic: BinaryFormat
) -> Array:
    """Add the truth's own rounding, and the last one if a narrower format is returned.

    That is off by half an ulp, and an ulp is the larger the further from zero.
    """
    total = bound + FINE.ulps(truth) / 2
    if returned != arithmetic:
        largest = (np.abs(truth) + total) * INFLATION + LEAST
        last = returned.ulps(np.where(np.isfinite(largest), largest, 0)) / 2
        total = np.where(np.isfinite(largest), total + last, inf)
    total = total * INFLATION + LEAST
    within = np.abs(truth) + total <= float(min(returned.max_finite, arithmetic.max_finite))
    return np.where(within, total, inf)


class Model:
    """E3 with the numbers of a target and a case put in; what is left are those of a row."""

    def __init__(self, target: Target, case: Case) -> None:
        form, stored = target.arithmetic, target.stored
        self.form, self.stored, self.order = form, stored, target.order
        self.base = target.logsumexp_base
        m, lengths = target.order, case.lengths
        sinks = int(case.terms.sink is not None)
        self.count, self.splits = prod(lengths) + sinks, case.splits or 0
        self.alone = not case.terms.any and not self.splits
        self._count_roundings(target, case)
        self.unit = to_fmpq(form.unit_roundoff)
        self.half_least = fmpq(2) ** (form.min_exponent - form.precision)
        self.least = fmpq(2) ** form.min_exponent
        self.epsilon = 2 * to_fmpq(Fraction(target.exp_ulps)) * self.unit
        self.largest = to_fmpq(form.max_finite)
        self.growth = rescaling_growth(self.unit, self.epsilon, self.least)
        T = weight_underflow(self.rescalings, self.growth, self.unit, self.least, self.half_least)
        self.lost = self.count * T
        self.total = self.count - 1 + self.rescalings
        self.k = value_roundings(lengths, factored=False, rescalings=self.rescalings)
        self.k += sinks
        # whether the roundings are few enough for a bound
        self.bounded = bool(max(self.k, self.logit) * self.unit <= fmpq(1, 2))
        self.value_growth = fmpq(1)
        if self.bounded:
            self.value_growth += gamma(self.k, self.unit)
        self.rescaled = self.growth**self.rescalings
        self.stored_unit, self.stored_lost = fmpq(0), fmpq(0)
        if stored != form:
            self.stored_unit = to_fmpq(stored.unit_roundoff)
            self.stored_lost = fmpq(2) ** (stored.min_exponent - stored.precision) * self.rescaled
        if self.splits:  # the quotient of a part, and what that is multiplied by
            self.stored_unit += 2 * (self.epsilon + self.unit)
        if target.quantised is not None:  # values, before they meet weights
            each = (1 + gamma(DEQUANTISING, self.unit)) * (1 + _rounded_unit(target))
            self.stored_unit = (1 + self.stored_unit) * each**m - 1
        self.value_growth *= 1 + self.stored_unit
        self.weight_lost = (T * (1 + self.stored_unit) + self.stored_lost) * self.value_growth
        self.products = self.count * (m + 2) + self.rescalings + 2 * self.splits
        self.carried = self.rescaled * self.value_growth
        self._count_underflows(target, case)

    def _count_underflows(self, target: Target, case: Case) -> None:
        """Bound what products of a logit may be, and what their underflow does to it."""
        query, keys, values = case.given
        span = 1 if target.quantised is None else 2  # a zero point may be as large as a code

        def largest(numbers: Sequence[Array], codes: Sequence[Array]) -> Iterator[fmpq]:
            for number, code in zip(numbers, codes, strict=True):
                yield max(_exact(_largest(number)), span * _exact(_largest(code)))

        sigma = LOG2_E * to_fmpq(Fraction(case.sigma.factor * case.sigma.root))
        sizes = largest((case.query, *case.keys), (query, *keys))
        self.factors = prod(sizes, start=max(fmpq(1), sigma))
        self.codes = prod(largest(case.values, values), start=fmpq(1))
        d = case.query.shape[3]
        self.terms = d * (self.order + 1) if self.logit else 0
        if case.terms.any:
            self.terms += TERM_PRODUCTS
            self.factors *= max(fmpq(1), _exact(float(case.terms.softcap or 1)))
        parts = _dequantised_parts(target)
        self.terms += DEQUANTISING * d * parts
        self.products += DEQUANTISING * self.count * parts
        self.logit_lost, self.rounded_lost = fmpq(0), fmpq(0)
        if self.bounded:
            growth = 1 + gamma(self.logit, self.unit)
            self.logit_lost = underflows(self.terms, growth, self.factors, self.half_least)
            if target.quantised is not None and target.quantised.rounded is not None:
                form = as_format(target.quantised.rounded)
                half_least = fmpq(2) ** (form.min_exponent - form.precision)
                self.logit_lost += underflows(d * parts, growth, self.factors, half_least)
                self.rounded_lost = underflows(self.count * parts, self.carried, 1, half_least)

    def _count_roundings(self, target: Target, case: Case) -> None:
        """Count rescalings, and the roundings of a logit and of its difference from the top."""
        self.rescalings = 0
        if target.block is not None:
            blocks = zip(case.lengths, target.block, strict=True)
            self.rescalings = prod(-(-n // block) for n, block in blocks) - 1
        self.rescalings += int(case.terms.sink is not None)  # it may move the maximum last of all
        self.rescalings += self.splits  # parts may join one after another
        self.logit = target.logit_roundings(case.query.shape[3])
        self.logit += CAP_ROUNDINGS if case.terms.softcap is not None else 0
        self.logit += BIAS_ROUNDINGS if case.terms.bias is not None else 0
        self.differences = target.difference_roundings
        if self.splits:
            self.logit += SPLIT_ROUNDINGS
            self.differences += SPLIT_ROUNDINGS
        if target.quantised is not None:
            each = DEQUANTISING + _rounded_unit(target) / to_fmpq(self.form.unit_roundoff)
            self.logit += -(-int(each.p) // int(each.q)) * _dequantised_parts(target)

    def row(self, reach: float, size: float, values: float) -> _Row:
        """Return E3's bounds of a query with S̄, |lse| and a bound on products of values.

        It knows no terms.
        """
        if not self.alone:
            return _Row(inf, inf, inf, inf)
        u, drift = self.unit, self._drift(reach)
        with arb_precision(64):
            spread = arb(2 * drift).exp()
            kappa = sum_error(self.total, u, spread, self.lost)
            if not kappa < 1:
                return _Row(inf, inf, inf, inf)
            share = underflow_error(spread, kappa, arb(1))
            products = underflows(self.products, self.carried, _exact(values), self.half_least)
            products += self.rounded_lost * _exact(values)
            logsumexp = logsumexp_error(
                arb(drift), kappa, arb(self.count).log(), arb(size), u=u, epsilon=self.epsilon
            )
            return _Row(
                _upper(forward_error(spread, self.value_growth, kappa)),
                _upper(share * self.weight_lost),
                _upper(share * products + self.half_least),
                _upper(logsumexp + BASE_CHANGES * self.half_least),
            )

    def _drift(self, reach: float) -> fmpq:
        S, k, R = _exact(reach), self.logit, self.rescalings
        drift: fmpq = weight_drift(
            S, self.unit, self.epsilon, k, rescalings=R, lost=self.logit_lost
        )
        return drift

    @cached_property
    def arithmetic(self) -> Arithmetic:
        """What E4 takes, rounded up."""
        T = weight_underflow(self.rescalings, self.growth, self.unit, self.least, self.half_least)
        exp = (self.rescalings + 1) * self.epsilon / (1 - self.epsilon)
        if self.splits:
            with arb_precision(64):
                size = 1 + _exact(_upper(arb(self.count).log()))
            exp += (2 * self.epsilon + SPLIT_ROUNDINGS * self.unit) * size
        return Arithmetic(
            self.order,
            self.rescalings,
            self.count,
            float(self.form.unit_roundoff),
            _above(gamma(self.differences, self.unit)),
            _above(self.stored_unit) if self.stored_unit else 0.0,
            _above(gamma(self.logit, self.unit)),
            _above(self.logit_lost),
            _above(exp),
            _above(self.epsilon),
            _above(T),
            0.0 if self.stored == self.form else _above(self.stored_lost),
            _above(underflows(self.products, self.carried, 1, self.half_least) + self.rounded_lost),
            _above(self.half_least),
        )

    def overflows(self, reach: float, values: float) -> bool:
        """Whether a product, a logit or a sum on the way might exceed the format."""
        if not np.isfinite([reach, values]).all():
            return True
        parts = [2 * self.count * max(_exact(values), self.codes) * self.rescaled]
        if self.logit:  # a difference of numbers that are given may overflow: its exp is 0
            parts += [2 * self.terms * self.factors, 2 * (_exact(reach) + self._drift(reach))]
        return bool(max(parts) > self.largest)


def _dequantised_parts(target: Target) -> int:
    """Factors of a logit that are given as codes."""
    quantised = target.quantised
    return 0 if quantised is None else target.order + int(quantised.query)


def _rounded_unit(target: Target) -> fmpq:
    """Unit roundoff of the format that numbers are rounded to; 0 if that is the arithmetic."""
    quantised = target.quantised
    if quantised is None or quantised.rounded in (None, target.arithmetic.name):
        return fmpq(0)
    return to_fmpq(as_format(quantised.rounded).unit_roundoff)


def _largest(array: Array) -> float:
    """The largest size, at least 1."""
    return max(1.0, float(np.abs(array.astype(np.float64)).max()))


def _exact(x: float) -> fmpq:
    return fmpq(*float(x).as_integer_ratio())


def _above(x: fmpq) -> float:
    """A float that is not below."""
    return nextafter(int(x.p) / int(x.q), inf)


def _upper(ball: arb) -> float:
    return nextafter(float(ball.upper()), inf)
