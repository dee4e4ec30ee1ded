"""How far a plain evaluation in floating point may be off (E3 `forward-error`).

The model: every ``+ - × ÷`` rounds with relative error at most u, sums in any order; exp is within
a relative error ε of the exponential of its argument; nothing overflows or underflows.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

__all__ = ["forward_error", "gamma", "logit_roundings", "value_roundings", "weight_drift"]


def gamma(k: Any, u: Any) -> Any:
    """γ_k = ku / (1 - ku), what k roundings can do relatively; needs ``ku < 1``."""
    return k * u / (1 - k * u)


def logit_roundings(d: Any, order: Any) -> Any:
    """Roundings on the way of one term of a logit: m products, d - 1 sums, σ and its product."""
    return d + order + 1


def value_roundings(lengths: Sequence[Any], *, factored: bool) -> Any:
    """Roundings on the way of one term of an output, its division by the sum included.

    Materialised: m - 1 products of values, one by the weight, ``n_1···n_m - 1`` sums, a division.
    Factored: m products by values, ``Σ (n_r - 1)`` sums, a division.
    """
    order = len(lengths)
    sums = sum(lengths) - order if factored else prod(lengths) - 1
    return order + sums + 1


def weight_drift(S: Any, u: Any, epsilon: Any, k: Any) -> Any:
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
    """
    logit = gamma(k, u) * S
    subtraction = u * 2 * (S + logit)
    return logit + subtraction + epsilon / (1 - epsilon)


def forward_error(drift: Any, k: Any, total: Any, u: Any, exp: Any) -> Any:
    """F in ``|fl(out_c) - out_c| <= F · Σ_t p_t·|Π_r V_r[j_r, c]|``.

    ``F = e^{2Δ}·(1 + γ_k)/(1 - γ_total) - 1``.

    Parameters
    ----------
    drift : number
        Δ, see `weight_drift`.
    k : int
        `value_roundings`.
    total : int
        Sums in the denominator: ``n_1···n_m - 1``.
    u : number
        Unit roundoff.
    exp : callable
        The exponential for numbers like ``drift``.
    """
    return exp(2 * drift) * (1 + gamma(k, u)) / (1 - gamma(total, u)) - 1
