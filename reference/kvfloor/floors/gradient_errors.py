"""How far what a backward pass computes on its way may be off (E5 `gradient-error`).

The model is that of `forward-error`: every operation rounds with relative error at most u.
"""

from __future__ import annotations

from typing import Any

from kvfloor.floors.rounding_errors import gamma

__all__ = [
    "delta_error",
    "difference_error",
    "exponent_drift",
    "product_off",
    "slope_error",
    "slope_factor",
]


def exponent_drift(logit: Any, logsumexp: Any, difference: Any, size: Any, exp: Any) -> Any:
    """Δ of p̂ = p·e^±Δ from a log-sum-exp: what ŝ and l̂ are off by, their difference, and exp.

    ``difference`` is its relative error, ``size`` is at least abs(s - l), and ``exp`` is what exp
    changes a logarithm by.
    """
    off = logit + logsumexp
    return off + difference * (size + off) + exp


def product_off(a: Any, a_off: Any, b: Any, b_off: Any, u: Any) -> Any:
    """What the rounded product of two numbers of sizes a and b, both off, is off by."""
    return a_off * (b + b_off) + a * b_off + u * (a + a_off) * (b + b_off)


def delta_error(spread: Any, moved: Any, delta: Any, products: Any) -> Any:
    """What Σ p̂·dP̂ is off from D.

    By the sums of abs(p̂ - p) times abs(dP - D), of abs(p̂ - p) times abs(D), and of p̂ times
    abs(dP̂ - dP).
    """
    return spread + delta * moved + products


def difference_error(size: Any, off: Any, parts: Any, u: Any, *, joins: Any) -> Any:
    """What x = dP - D + g is off by, where its parts are off by ``off`` together.

    ``size`` is at least abs(x), ``parts`` at least the sum of the parts' sizes as they are
    computed. There are two parts, or ``joins`` more than one: each sum but the last rounds what is
    no larger than the parts, and so does each of the products by p, where these come first.
    """
    off = off + gamma(joins, u) * parts
    return off + u * (size + off)


def slope_factor(logit: Any, cap: Any) -> Any:
    """Δ: the slope 1 - tanh²(s/c) changes by a factor within e^±Δ where s moves by ``logit``."""
    return 2 * logit / cap


def slope_error(slope: Any, moved: Any, square: Any, tanh: Any, u: Any, epsilon: Any) -> Any:
    """What a computed 1 - tanh² is off by.

    ``moved`` is what it changes by as its logit is off, ``square`` at least tanh² there, ``tanh``
    the relative error of the tanh that is squared. As 1 - t², as (1 - t)·(1 + t), or of
    exponentials within ``epsilon <= 1/8``.
    """
    there = slope + moved
    squared = square * ((1 + tanh) ** 2 * (1 + u) - 1)
    return moved + squared + gamma(4, u) * (there + squared) + 3 * epsilon * there
