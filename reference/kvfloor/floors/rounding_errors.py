"""How far a plain evaluation in floating point may be off (E3 `forward-error`).

The model: every ``+ - × ÷`` rounds with relative error at most u, sums in any order; exp and log
are within a relative error ε; nothing overflows. What underflows is off by τ at most, an exp by λ.
Rescalings are those of an online softmax, whose maximum moves as blocks of tuples come.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

__all__ = [
    "BASE_CHANGES",
    "forward_error",
    "gamma",
    "logit_roundings",
    "logsumexp_error",
    "rescaling_growth",
    "sum_error",
    "underflow_error",
    "underflows",
    "value_roundings",
    "weight_drift",
    "weight_underflow",
]

BASE_CHANGES = 3  # roundings of a log-sum-exp: a sum, ln 2 and the product by it


def gamma(k: Any, u: Any) -> Any:
    """γ_k = ku / (1 - ku), what k roundings can do relatively; needs ``ku < 1``."""
    return k * u / (1 - k * u)


def logit_roundings(d: Any, order: Any) -> Any:
    """Roundings on the way of one term of a logit.

    There are m products, d - 1 sums, a product by the factor, and four in the factor σ·log₂ e of
    those who raise 2 to a power: a root, a quotient, log₂ e and the product.
    """
    return d + order + 4


def value_roundings(lengths: Sequence[Any], *, factored: bool, rescalings: Any = 0) -> Any:
    """Roundings on the way of one term of an output, its division by the sum included.

    Materialised: m - 1 products of values, one by the weight, ``n_1···n_m - 1`` sums, a division.
    Factored: m products by values, ``Σ (n_r - 1)`` sums, a division. A product for each rescaling.
    """
    order = len(lengths)
    sums = sum(lengths) - order if factored else prod(lengths) - 1
    return order + sums + 1 + rescalings


def weight_drift(
    S: Any, u: Any, epsilon: Any, k: Any, *, rescalings: Any = 0, lost: Any = 0
) -> Any:
    """Δ: a weight's numerator is off by a factor within e^±Δ.

    Parameters
    ----------
    S : number
        S̄ = max_t σ Σ_c abs(q_c Π_r K_r[j_r, c]), in nats.
    u : number
        Unit roundoff of the arithmetic.
    epsilon : number
        Relative error of exp, below 1.
    k : int
        `logit_roundings`.
    rescalings : int
        How often the maximum may have moved; each is one more exp.
    lost : number
        What underflow may change a logit by, see `underflows`.
    """
    logit = gamma(k, u) * S + lost
    subtraction = u * 2 * (S + logit)
    return logit + subtraction + (rescalings + 1) * epsilon / (1 - epsilon)


def underflows(products: Any, growth: Any, largest: Any, tiny: Any) -> Any:
    """What products that underflow change a sum of products by.

    Parameters
    ----------
    products : int
        How many there are.
    growth : number
        What rounding may multiply each by, later.
    largest : number
        A bound, at least 1, of what later factors multiply each by.
    tiny : number
        τ, the error of one that underflows.
    """
    return products * growth * largest * tiny


def rescaling_growth(u: Any, epsilon: Any, least: Any) -> Any:
    """The most that one rescaling, by an exp of something not positive, multiplies by."""
    return (1 + u) * (1 + epsilon + least)


def weight_underflow(rescalings: Any, growth: Any, u: Any, least: Any, tiny: Any) -> Any:
    """T: what underflow may change a weight by, beside the top weight's 1.

    Parameters
    ----------
    rescalings : int
    growth : number
        `rescaling_growth`.
    u : number
        Unit roundoff.
    least : number
        λ, what an exp that underflows is off by: the least normal number, if that is flushed.
    tiny : number
        τ, what a product that underflows is off by.
    """
    return (rescalings + 1) * growth**rescalings * (least * (1 + u) + tiny)


def sum_error(total: Any, u: Any, spread: Any, lost: Any) -> Any:
    """κ: the sum of weights is off by a factor within 1 ± κ, beyond the drift of the weights.

    Parameters
    ----------
    total : int
        Roundings in the sum: ``n_1···n_m - 1`` and one a rescaling.
    u : number
        Unit roundoff.
    spread : number
        X = e^{2Δ}.
    lost : number
        What underflow may change the sum by: N·T.
    """
    return gamma(total, u) + lost * (1 + gamma(total, u)) * spread


def forward_error(spread: Any, growth: Any, kappa: Any) -> Any:
    """F in ``|fl(out_c) - out_c| <= F · Σ_t p_t·|Π_r V_r[j_r, c]|``, but for underflow.

    ``F = X·(1 + γ)/(1 - κ) - 1``.

    Parameters
    ----------
    spread : number
        X = e^{2Δ}, see `weight_drift`.
    growth : number
        1 + γ: that of `value_roundings`; times 1 + u for each narrower format on the way.
    kappa : number
        `sum_error`, below 1.
    """
    return spread * growth / (1 - kappa) - 1


def underflow_error(spread: Any, kappa: Any, lost: Any) -> Any:
    """What underflow adds to that: what the numerator loses, over the least that divides it."""
    return lost * spread / (1 - kappa)


def logsumexp_error(
    drift: Any, kappa: Any, log_count: Any, size: Any, *, u: Any, epsilon: Any
) -> Any:
    """How far a log-sum-exp may be off.

    Parameters
    ----------
    drift : number
        Δ, see `weight_drift`.
    kappa : number
        `sum_error`, below 1.
    log_count : number
        ln N for N tuples.
    size : number
        abs(log-sum-exp), or a bound.
    u : number
        Unit roundoff.
    epsilon : number
        Relative error of log.
    """
    moved = drift + kappa / (1 - kappa)
    log = log_count + drift
    growth = (1 + epsilon) * (1 + gamma(BASE_CHANGES, u))
    return gamma(BASE_CHANGES, u) * (size + log) + (growth - 1) * log + growth * moved
