"""How far an evaluation may be off whose errors follow each tuple's own logit (E4 `centred-error`).

The model is that of `rounding_errors`, and sums round to nearest. Computed weights are
C·p_t·(1 + ε_t), with one C for all; numerators and the sum of weights share them, so that their
errors act on the deviation of a value from the output.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "centred_error",
    "least_sum",
    "light_error",
    "moved_sum",
    "quotient_error",
    "tuple_drift",
    "weight_error",
]


def tuple_drift(own: Any, difference: Any, gap: Any, exps: Any) -> Any:
    """Δ_t: what the logarithm of a weight may be off by, but for one number for all.

    Parameters
    ----------
    own : number
        What its logit is off by.
    difference : number
        γ of what is done to a logit and the maximum, which are subtracted.
    gap : number
        How far the computed logit is below the computed maximum, at most.
    exps : number
        ``(R + 1)·ε/(1 - ε)``: what the exps on its way may be off by.
    """
    return own + difference * gap + exps


def weight_error(drift: Any) -> Any:
    """E_t, a bound on ``e^Δ - 1``, and so on ``1 - e^-Δ``; for ``Δ <= 1``."""
    return drift + drift * drift


def light_error(growth: Any) -> Any:
    """What roundings do to a term that is too light to be counted, relatively.

    A sum rounds to nearest: to add a term, or a sum of such terms, is off by no more than what is
    added. So a term is lost twice at most: in the sum of a block, and where that is added.

    Parameters
    ----------
    growth : number
        γ of the roundings that count.
    """
    return growth + 2 * (1 + growth)


def least_sum(error: Any, light: Any, lost: Any, sums: Any) -> Any:
    """What divides, at least, over C: the sum of the weights that are not light.

    Parameters
    ----------
    error : number
        Σ p_t·E_t.
    light : number
        Σ p_t of the light ones, which may all be lost.
    lost : number
        What underflow may change the sum by.
    sums : number
        γ of the roundings of the sum.
    """
    return (1 - error - light - lost) * (1 - sums)


def centred_error(deviation: Any, roundings: Any, least: Any) -> Any:
    """How far a quotient may be from the output, before it is rounded itself.

    Parameters
    ----------
    deviation : number
        ``Σ p_t·E_t·|v_t - out|``.
    roundings : number
        ``Σ p_t·(1 + E_t)·(g_t·|v_t| + h_t·|out|)``: those of the two sums, that do not centre.
    least : number
        `least_sum`.
    """
    return (deviation + roundings) / least


def quotient_error(error: Any, epsilon: Any, size: Any) -> Any:
    """The same once the quotient is off by a relative ε; ``size`` is that of the output."""
    return error * (1 + epsilon) + epsilon * size


def moved_sum(error: Any) -> Any:
    """What the logarithm of the sum of weights moves by, of errors Σ p_t·E_t below 1."""
    return error / (1 - error)
