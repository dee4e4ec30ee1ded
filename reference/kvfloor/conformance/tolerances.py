"""How far each number may be off: E3's bounds for what a target declares.

All bounds here are rounded up, so an element beyond its bound is proved to be wrong.
"""

from __future__ import annotations

from fractions import Fraction
from math import inf, nextafter, prod
from typing import NamedTuple

import numpy as np
from flint import arb

from kvfloor.conformance.case import Case
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
    E3 `forward-error`.
    """
    b, h = case.query.shape[:2]
    group = h // case.keys[0].shape[1]
    model = _Model(target, case)
    reach = _reach(case)
    lse = np.abs(truth.fine_logsumexp) + FINE.ulps(truth.fine_logsumexp)
    found = Tolerances(np.full(truth.output.shape, inf), np.full(truth.logsumexp.shape, inf))
    for i in range(b):
        for j in range(h):
            V = [np.abs(V_r[i, j // group].astype(np.float64)) for V_r in case.values]
            sums = np.prod([V_r.sum(axis=0) for V_r in V], axis=0)
            largest = float(np.prod([max(1.0, V_r.max()) for V_r in V]))
            for row in np.flatnonzero(~truth.empty):
                bound = model.row(float(reach[i, j, row]), float(lse[i, j, row]), largest)
                if not np.isfinite(bound).all():
                    continue
                # Σ p·|v| is known rounded to nearest
                sizes = truth.sizes[i, j, row] + FINE.ulps(truth.sizes[i, j, row])
                found.output[i, j, row] = (
                    bound.sizes * sizes + bound.weights * sums + bound.products
                )
                found.logsumexp[i, j, row] = bound.logsumexp
    return Tolerances(
        _rounded(found.output, truth.fine_output, output, target.arithmetic),
        _rounded(found.logsumexp, truth.fine_logsumexp, logsumexp, target.arithmetic),
    )


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


def _reach(case: Case) -> Array:
    """Bounds on S̄ = max_t σ Σ_c |q_c Π_r K_r[j_r, c]| over the tuples kept, shape (b, h, n_q)."""
    b, h, n_q, d = case.query.shape
    kv_heads = case.keys[0].shape[1]
    found = np.zeros((b, h, n_q))
    kept = case.kept
    sigma = float(case.sigma.factor) * float(case.sigma.root) ** 0.5
    for i in range(b):
        for j in range(h):
            K = [np.abs(K_r[i, j // (h // kv_heads)].astype(np.float64)) for K_r in case.keys]
            products = np.ones((1, d))
            for K_r in K[:-1]:
                products = (products[:, None, :] * K_r).reshape(-1, d)
            q = np.abs(case.query[i, j].astype(np.float64))
            rows = (q[:, None, :] * products) @ K[-1].T
            if kept is not None:
                rows = np.where(kept.reshape(rows.shape), rows, 0)
            found[i, j] = rows.reshape(n_q, -1).max(axis=1)
    found *= sigma * INFLATION
    return found


class _Model:
    """E3 with the numbers of a target and a case put in; what is left are those of a row."""

    def __init__(self, target: Target, case: Case) -> None:
        form, stored = target.arithmetic, target.stored
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
        self.value_growth = Fraction(1)
        if self._bounded():
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
        if self._bounded():
            growth = 1 + gamma(self.logit, self.unit)
            self.logit_lost = underflows(self.terms, growth, self.factors, self.half_least)

    def _bounded(self) -> bool:
        """Whether the roundings are few enough for a bound."""
        return bool(max(self.k, self.logit) * self.unit <= Fraction(1, 2))

    def row(self, reach: float, size: float, values: float) -> _Row:
        """Return the bounds of a query with S̄, |lse| and a bound on products of values."""
        if not self._bounded() or not np.isfinite([reach, size, values]).all():
            return _Row(inf, inf, inf, inf)
        u = self.unit
        drift = weight_drift(
            Fraction(reach),
            u,
            self.epsilon,
            self.logit,
            rescalings=self.rescalings,
            lost=self.logit_lost,
        )
        if self._overflows(drift, reach, values):
            return _Row(inf, inf, inf, inf)
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

    def _overflows(self, drift: Fraction, reach: float, values: float) -> bool:
        """Whether a product, a logit or a sum on the way might exceed the format."""
        parts = (
            2 * self.terms * self.factors,
            2 * (Fraction(reach) + drift),
            2 * self.count * Fraction(values) * self.rescaled,
        )
        return bool(max(parts) > self.largest)


def _upper(ball: arb) -> float:
    return nextafter(float(ball.upper()), inf)
