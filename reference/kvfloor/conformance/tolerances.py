"""How far each number may be off: E3's and E4's bounds for what a target declares.

All bounds here are rounded up, so an element beyond its bound is proved to be wrong.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from math import inf, nextafter, prod
from typing import NamedTuple

import numpy as np
from flint import arb

from kvfloor.attention import Mask
from kvfloor.conformance.case import Case
from kvfloor.conformance.centred import Arithmetic, Bounds, Set, above, bound_row, read_set
from kvfloor.conformance.target import Target
from kvfloor.conformance.truth import FINE, Truth
from kvfloor.floors import (
    BASE_CHANGES,
    forward_error,
    gamma,
    logit_roundings,
    logsumexp_error,
    rescaling_growth,
    sum_error,
    underflow_error,
    underflows,
    value_roundings,
    weight_drift,
    weight_underflow,
)
from kvfloor.numbers import Array, BinaryFormat, arb_precision, to_fmpq

__all__ = ["Tolerances", "find_tolerances"]

# Bounds are sums and products of at most 2**10 floats that are not negative: each operation is off
# by 2**-53, or by the least number where it underflows.
INFLATION = 1 + 2.0**-40
LEAST = 2.0**-1070
LOG2_E = Fraction(3, 2)  # a bound on log₂ e = 1.4427


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
    b, h = case.query.shape[:2]
    model, kept = _Model(target, case), case.kept
    found = Tolerances(np.full(truth.output.shape, inf), np.full(truth.logsumexp.shape, inf))
    if model.bounded:
        for i, j in np.ndindex(b, h):
            part = read_set(target, case, i, j)
            for row in np.flatnonzero(~truth.empty):
                seen = None if kept is None else kept[row].reshape(-1)
                bounds = _row(model, part, seen, truth, (i, j, int(row)))
                found.output[i, j, row], found.logsumexp[i, j, row] = bounds
    return Tolerances(
        _rounded(found.output, truth.fine_output, output, target.arithmetic),
        _rounded(found.logsumexp, truth.fine_logsumexp, logsumexp, target.arithmetic),
    )


def _row(
    model: _Model, part: Set, seen: Mask | None, truth: Truth, place: tuple[int, int, int]
) -> Bounds:
    """Return the lesser of E3's and of E4's bounds of one query."""
    output, lse = truth.fine_output[place], float(truth.fine_logsumexp[place])
    reach = part.reach[place[2]]
    reach = float(reach.max() if seen is None else reach[seen].max())
    if model.overflows(reach, part.largest):
        return Bounds(np.full(output.shape, inf), inf)
    plain = model.row(reach, abs(lse) + float(FINE.ulps(np.array(lse))), part.largest)
    # Σ p·|v| is known rounded to nearest
    sizes = truth.sizes[place] + FINE.ulps(truth.sizes[place])
    e3 = plain.sizes * sizes + plain.weights * part.sums + plain.products
    e4 = bound_row(model.arithmetic, part, place[2], seen, output, lse)
    with np.errstate(invalid="ignore"):
        return Bounds(np.fmin(e3, e4.output), min(plain.logsumexp, e4.logsumexp))


def _rounded(bound: Array, truth: Array, returned: BinaryFormat, arithmetic: BinaryFormat) -> Array:
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


def _tiny(form: BinaryFormat) -> float:
    """τ: what rounding is off by below the least normal number."""
    return 2.0 ** (form.min_exponent - form.precision)


class _Model:
    """E3 with the numbers of a target and a case put in; what is left are those of a row."""

    def __init__(self, target: Target, case: Case) -> None:
        form, stored = target.arithmetic, target.stored
        self.form, self.stored, self.order = form, stored, target.order
        m, d, lengths = target.order, case.query.shape[3], case.lengths
        self.count = prod(lengths)
        self.rescalings = 0
        if target.block is not None:
            blocks = zip(lengths, target.block, strict=True)
            self.rescalings = prod(-(-n // block) for n, block in blocks) - 1
        self.unit = form.unit_roundoff
        self.u, self.tiny = float(self.unit), _tiny(form)
        self.half_least = Fraction(2) ** (form.min_exponent - form.precision)
        self.least = Fraction(2) ** form.min_exponent
        self.epsilon = 2 * Fraction(target.exp_ulps) * self.unit
        self.largest: Fraction = form.max_finite
        self.logit = logit_roundings(d, m)
        self.growth = rescaling_growth(self.unit, self.epsilon, self.least)
        T = weight_underflow(self.rescalings, self.growth, self.unit, self.least, self.half_least)
        self.lost = self.count * T
        self.total = self.count - 1 + self.rescalings
        self.k = value_roundings(lengths, factored=False, rescalings=self.rescalings)
        # whether the roundings are few enough for a bound
        self.bounded = bool(max(self.k, self.logit) * self.unit <= Fraction(1, 2))
        self.value_growth = Fraction(1)
        if self.bounded:
            self.value_growth += gamma(self.k, self.unit)
        self.rescaled = self.growth**self.rescalings
        if stored != form:
            self.value_growth *= 1 + stored.unit_roundoff
            T = T * (1 + stored.unit_roundoff) + Fraction(_tiny(stored)) * self.rescaled
        self.weight_lost = T * self.value_growth
        self.products = self.count * (m + 2) + self.rescalings
        self.carried = self.rescaled * self.value_growth
        largest = [np.abs(A.astype(np.float64)).max() for A in (case.query, *case.keys)]
        sigma = LOG2_E * Fraction(case.sigma.factor * case.sigma.root)
        self.factors = prod((Fraction(max(1.0, x)) for x in largest), start=max(Fraction(1), sigma))
        self.terms = d * (m + 1)
        self.logit_lost = Fraction(0)
        if self.bounded:
            growth = 1 + gamma(self.logit, self.unit)
            self.logit_lost = underflows(self.terms, growth, self.factors, self.half_least)

    def row(self, reach: float, size: float, values: float) -> _Row:
        """Return E3's bounds of a query with S̄, |lse| and a bound on products of values."""
        u, drift = self.unit, self._drift(reach)
        with arb_precision(64):
            spread = arb(to_fmpq(2 * drift)).exp()
            kappa = sum_error(self.total, to_fmpq(u), spread, to_fmpq(self.lost))
            if not kappa < 1:
                return _Row(inf, inf, inf, inf)
            share = underflow_error(spread, kappa, arb(1))
            products = underflows(
                self.products,
                to_fmpq(self.carried),
                to_fmpq(Fraction(values)),
                to_fmpq(self.half_least),
            )
            logsumexp = logsumexp_error(
                arb(to_fmpq(drift)),
                kappa,
                arb(self.count).log(),
                arb(size),
                u=to_fmpq(u),
                epsilon=to_fmpq(self.epsilon),
            )
            return _Row(
                _upper(forward_error(spread, to_fmpq(self.value_growth), kappa)),
                _upper(share * to_fmpq(self.weight_lost)),
                _upper(share * products + to_fmpq(self.half_least)),
                _upper(logsumexp + BASE_CHANGES * to_fmpq(self.half_least)),
            )

    def _drift(self, reach: float) -> Fraction:
        drift: Fraction = weight_drift(
            Fraction(reach),
            self.unit,
            self.epsilon,
            self.logit,
            rescalings=self.rescalings,
            lost=self.logit_lost,
        )
        return drift

    @cached_property
    def arithmetic(self) -> Arithmetic:
        """What E4 takes, rounded up."""
        form, stored = self.form, self.stored
        T = weight_underflow(self.rescalings, self.growth, self.unit, self.least, self.half_least)
        return Arithmetic(
            self.order,
            self.rescalings,
            self.count,
            self.u,
            0.0 if stored == form else float(stored.unit_roundoff),
            above(gamma(self.logit, self.unit)),
            above(self.logit_lost),
            above((self.rescalings + 1) * self.epsilon / (1 - self.epsilon)),
            above(self.epsilon),
            above(T),
            0.0 if stored == form else above(Fraction(_tiny(stored)) * self.rescaled),
            above(underflows(self.products, self.carried, 1, self.half_least)),
            above(self.half_least),
        )

    def overflows(self, reach: float, values: float) -> bool:
        """Whether a product, a logit or a sum on the way might exceed the format."""
        if not np.isfinite([reach, values]).all():
            return True
        parts = (
            2 * self.terms * self.factors,
            2 * (Fraction(reach) + self._drift(reach)),
            2 * self.count * Fraction(values) * self.rescaled,
        )
        return bool(max(parts) > self.largest)


def _upper(ball: arb) -> float:
    return nextafter(float(ball.upper()), inf)
