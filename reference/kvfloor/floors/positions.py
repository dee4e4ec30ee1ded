"""What biases, sinks and soft caps change of margins and of floors (H3 `positions`).

Rotary embeddings change nothing: keys and queries may be turned back beforehand.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from kvfloor.errors import InputError
from kvfloor.floors.bisection import last
from kvfloor.floors.decoding import EtaAlpha, Guarantee, exceeds_log, margin_ratio
from kvfloor.floors.retrieval import symbol_bits
from kvfloor.numbers import as_count, as_positive, shown

__all__ = ["biased_margin", "capped_tokens", "mean_bits", "sink_ratio"]


def biased_margin(margin: Any, beta: Any) -> Any:
    """What biases within ±β leave of a margin, at least (H3): g - 2β."""
    return margin - 2 * beta


def sink_ratio(guarantee: EtaAlpha, competitors: Any, weight: Any) -> Any:
    """The r in the condition ``margin > ln r`` beside a sink of value 0 (H3).

    ``M(1+η+2α)/(1-η-2α(1+σ))``, with σ = exp(s₀ - S) the weight of the sink over that of the top.
    For α = 0 it costs nothing, and no margin is enough from 2α(1+σ) = 1 - η on.
    """
    slack = 1 + guarantee.eta + 2 * guarantee.alpha
    return competitors * slack / (1 - guarantee.eta - 2 * guarantee.alpha * (1 + weight))


def capped_tokens(n: int, cap: Any, guarantee: Guarantee) -> int:
    """Return how many of n tokens a weight can single out if logits lie within ±c (H3).

    The most k with ``k - 1 < e^(2c)·(1-η-2α)/(1+η+2α)``: a soft cap ``c·tanh(s/c)`` leaves margins
    below 2c, and as near to it as one likes.

    Parameters
    ----------
    n : int
        At least 1.
    cap : number > 0
        c, in nats.
    guarantee : Guarantee
        With η + 2α < 1.

    Raises
    ------
    InputError
        If a number is out of range.
    """
    margin = 2 * as_positive(cap, "cap")
    return last(
        as_count(n, "n", 1),
        lambda k: exceeds_log(margin, Fraction(margin_ratio(guarantee, Fraction(k - 1)))),
    )


def mean_bits(n: int, d_v: int, cap: Any, alpha: Any) -> int:
    """Return the bits of a (0, α)-accurate cache for 0/1 values under a small soft cap (H3).

    Where ``tanh(c) <= 2α`` all outputs of a column lie within 2α, and where is known from how many
    of its values are 1: ``⌈d_v·log₂(n+1)⌉`` bits.

    Parameters
    ----------
    n, d_v : int
        At least 1.
    cap, alpha : number > 0
        c in nats; 2α < 1.

    Raises
    ------
    InputError
        If a number is out of range, or the cap is not that small.
    """
    margin, alpha = 2 * as_positive(cap, "cap"), as_positive(alpha, "alpha")
    guarantee = Guarantee(Fraction(0), alpha).separates_bits()
    if exceeds_log(margin, Fraction(margin_ratio(guarantee, Fraction(1)))):
        raise InputError("cap", "a number with tanh(cap) <= 2*alpha", shown(margin / 2))
    return symbol_bits(as_count(d_v, "d_v", 1), as_count(n, "n", 1) + 1)
