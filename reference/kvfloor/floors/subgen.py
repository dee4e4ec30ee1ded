"""How many samples SubGen needs for what it promises (U2 `subgen`, U4 `subgen-four-cache`).

It promises ``‖z/τ - out‖₂ <= ε·‖p‖₂·‖V‖_F`` with probability at least 1 - δ, p the weights.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

from flint import arb

from kvfloor.errors import InputError
from kvfloor.numbers import arb_precision, as_fraction, ball_ends, to_fmpq

__all__ = [
    "log_ratio",
    "relative_variance",
    "samples",
    "slack",
    "subgen_samples",
]


def log_ratio(scale: Any, query_norm: Any, radius: Any) -> Any:
    """Logits of two keys within ``radius`` of one centre differ by at most 2·σ·‖q‖₂·radius (U2)."""
    return 2 * scale * query_norm * radius


def relative_variance(ratio: Any) -> Any:
    """(ϱ-1)²/(4ϱ): the most that Var(T)/E(T)² can be if T is within a factor ϱ of itself (U2)."""
    return (ratio - 1) ** 2 / (4 * ratio)


def slack(epsilon: Any) -> Any:
    """ε/(2+ε): if τ and z are this far off, relatively, their quotient is off by ε (U2)."""
    return epsilon / (2 + epsilon)


def samples(epsilon: Any, failure: Any, variance: Any = 1) -> Any:
    """2·variance/(δ·(ε/(2+ε))²) samples leave an error above the slack a probability of δ/2 (U2).

    For z the variance is 1, for τ it is `relative_variance`.
    """
    return 2 * variance / (failure * slack(epsilon) ** 2)


def subgen_samples(epsilon: Any, failure: Any, spread: Any) -> tuple[int, int]:
    """Return (t, s) with which SubGen keeps its promise (U2; for U3 and U4 the same).

    Parameters
    ----------
    epsilon : number > 0
        ε.
    failure : number in (0, 1]
        δ, the probability with which it may fail.
    spread : number >= 0
        ln ϱ, a bound on how far logits in one cluster differ, such as `log_ratio`.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    eps, delta = as_fraction(epsilon, "epsilon"), as_fraction(failure, "failure")
    log = as_fraction(spread, "spread")
    if eps <= 0:
        raise InputError("epsilon", "a number > 0", str(eps))
    if not 0 < delta <= 1:
        raise InputError("failure", "a number > 0 and <= 1", str(delta))
    if log < 0:
        raise InputError("spread", "a number >= 0", str(log))
    with arb_precision(128):
        _, variance = ball_ends(relative_variance(arb(to_fmpq(log)).exp()))
    t = ceil(samples(eps, delta, max(variance, Fraction(0))))
    return max(t, 1), ceil(samples(eps, delta))
