"""E3: order-2 attention in NumPy as people write it, and its error over its bound."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from flint import arb

from kvfloor.attention import enclose
from kvfloor.floors import (
    forward_error,
    gamma,
    logit_roundings,
    logsumexp_error,
    rescaling_growth,
    sum_error,
    value_roundings,
    weight_drift,
    weight_underflow,
)
from kvfloor.numbers import arb_precision, ball_ends, to_fmpq

__all__ = ["FORMATS", "Found", "error_ratio", "evaluate", "evaluate_blocks"]

Array = npt.NDArray[Any]

# Those with NumPy arithmetic of their own.
FORMATS = ("float64", "float32")
# What exp and log may be off by: NumPy states this for float32; float64's is taken to be as good.
EXP_ULPS = 4


class Found(NamedTuple):
    """What an evaluation returned."""

    output: Array
    logsumexp: Any


def evaluate(q: Array, K: list[Array], V: list[Array], *, factored: bool) -> Found:
    """Order-2 attention as people write it, in the format of its inputs."""
    logits = pair_logits(q, K, factored=factored)
    output: Array
    top = logits.max()
    weights = np.exp(logits - top)
    total = weights.sum()
    if factored:
        output = (V[0] * (weights @ V[1])).sum(axis=0) / total
    else:
        products = (V[0][:, None, :] * V[1][None, :, :]).reshape(weights.size, -1)
        output = weights.reshape(-1) @ products / total
    return Found(output, top + np.log(total))


def evaluate_blocks(q: Array, K: list[Array], V: list[Array], *, block: int) -> Found:
    """The same in one pass over blocks of slot 2, rescaled whenever the maximum moves."""
    top, total, output = q.dtype.type(-np.inf), q.dtype.type(0), np.zeros_like(V[0][0])
    for first in range(0, len(K[1]), block):
        some = slice(first, first + block)
        logits = pair_logits(q, [K[0], K[1][some]], factored=True)
        higher = max(top, logits.max())
        rescaling, weights = np.exp(top - higher), np.exp(logits - higher)
        total = total * rescaling + weights.sum()
        output = output * rescaling + (V[0] * (weights @ V[1][some])).sum(axis=0)
        top = higher
    return Found(output / total, top + np.log(total))


def pair_logits(q: Array, K: list[Array], *, factored: bool) -> Array:
    """Logits of all pairs."""
    if factored:
        return (q * K[0]) @ K[1].T
    products = (K[0][:, None, :] * K[1][None, :, :]).reshape(-1, len(q))
    return (products @ q).reshape(len(K[0]), len(K[1]))


def error_ratio(
    found: Found, q: Array, K: list[Array], V: list[Array], *, factored: bool, rescalings: int = 0
) -> Fraction:
    """The largest error of an output or a log-sum-exp over its bound, bounded from above."""
    info, count = np.finfo(q.dtype), prod(len(A) for A in K)
    unit = Fraction(1, 2 ** (info.nmant + 1))
    truth, sizes = (enclose(q, K, W, bits=200) for W in (V, [abs(A) for A in V]))
    largest = max(
        sum(abs(Fraction(float(q[i])) * Fraction(float(x[i])) * Fraction(float(z[i])))
            for i in range(len(q)))
        for x in K[0] for z in K[1]
    )  # fmt: skip
    epsilon, roundings = 2 * EXP_ULPS * unit, logit_roundings(len(q), 2)
    drift = weight_drift(largest, unit, epsilon, roundings, rescalings=rescalings)
    growth = rescaling_growth(unit, epsilon, Fraction(float(info.smallest_normal)))
    lost = count * weight_underflow(
        rescalings, growth, unit, Fraction(float(info.smallest_normal)), Fraction(0)
    )
    with arb_precision(128):
        spread = arb(to_fmpq(2 * drift)).exp()
        kappa = sum_error(count - 1 + rescalings, to_fmpq(unit), spread, to_fmpq(lost))
        k = value_roundings([len(A) for A in K], factored=factored, rescalings=rescalings)
        bound = forward_error(spread, to_fmpq(1 + gamma(k, unit)), kappa)
        ratios = [
            abs(arb(float(o)) - z) / (bound * size)
            for o, z, size in zip(found.output.tolist(), truth.output, sizes.output, strict=True)
        ]
        lse_bound = logsumexp_error(
            arb(to_fmpq(drift)),
            kappa,
            arb(count).log(),
            abs(truth.logsumexp),
            u=to_fmpq(unit),
            epsilon=to_fmpq(epsilon),
        )
        ratios.append(abs(arb(float(found.logsumexp)) - truth.logsumexp) / lse_bound)
        return max(ball_ends(ratio)[1] for ratio in ratios)
