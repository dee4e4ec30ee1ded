"""E4: the error of order-2 attention in NumPy over the bound that follows each tuple's logit."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb, fmpq

from kvfloor.attention import enclose
from kvfloor.floors import (
    centred_error,
    gamma,
    least_sum,
    light_error,
    logit_roundings,
    logsumexp_error,
    moved_sum,
    quotient_error,
    tuple_drift,
    weight_error,
)
from kvfloor.numbers import arb_precision, ball_ends, to_fmpq
from kvfloor_proofs.foundations.plain_floats import EXP_ULPS, Found

__all__ = ["centred_ratio"]

Array = npt.NDArray[Any]
BITS = 200


def centred_ratio(
    found: Found, q: Array, K: list[Array], V: list[Array], *, rescalings: int = 0
) -> Fraction:
    """The largest error of an output or a log-sum-exp over its bound, bounded from above."""
    unit = fmpq(1, 2 ** (np.finfo(q.dtype).nmant + 1))
    epsilon = 2 * EXP_ULPS * unit
    exps = (rescalings + 1) * epsilon / (1 - epsilon)
    logits, sizes = _logits(q, K)
    own = [gamma(logit_roundings(len(q), 2), unit) * size for size in sizes]
    top = max(s + off for s, off in zip(logits, own, strict=True))
    gaps = [top - s + off for s, off in zip(logits, own, strict=True)]
    truth = enclose(q, K, V, bits=BITS)
    with arb_precision(BITS):
        drifts = [
            arb(tuple_drift(off, gamma(1, unit), gap, exps))
            for off, gap in zip(own, gaps, strict=True)
        ]
        p = [(arb(s) - truth.logsumexp).exp() for s in logits]
        errors = [w * weight_error(drift) for w, drift in zip(p, drifts, strict=True)]
        error = _sum(errors)
        heavy = [bool(w > unit / 4) for w in p]
        k = 2 + sum(heavy) + rescalings
        sums, products = gamma(k - 3, unit), gamma(k, unit)
        above = [products if each else light_error(products) for each in heavy]
        below = [sums if each else light_error(sums) for each in heavy]
        light = _sum(w for w, each in zip(p, heavy, strict=True) if not each)
        least = least_sum(error, light, 0, sums)
        P = [w + off for w, off in zip(p, errors, strict=True)]
        ratios = []
        for c, out in enumerate(truth.output):
            values = [arb(_exact(x)) * arb(_exact(y)) for x in V[0][:, c] for y in V[1][:, c]]
            deviation = _sum(w * abs(v - out) for w, v in zip(errors, values, strict=True))
            roundings = _sum(
                w * (g * abs(v) + h * abs(out))
                for w, g, h, v in zip(P, above, below, values, strict=True)
            )
            bound = centred_error(deviation, roundings, least)
            bound = quotient_error(bound, epsilon, abs(out))
            ratios.append(abs(arb(float(found.output[c])) - out) / bound)
        kappa = sums + light_error(sums) * light / (1 - error)
        lse_bound = logsumexp_error(
            moved_sum(error),
            kappa,
            arb(len(p)).log(),
            abs(truth.logsumexp),
            u=unit,
            epsilon=epsilon,
        )
        ratios.append(abs(arb(float(found.logsumexp)) - truth.logsumexp) / lse_bound)
        return max(ball_ends(ratio)[1] for ratio in ratios)


def _logits(q: Array, K: list[Array]) -> tuple[list[fmpq], list[fmpq]]:
    """The logits of all pairs, exactly, and the sums of the sizes of their terms."""
    query = [_exact(x) for x in q]
    keys = [[[_exact(x) for x in row] for row in A] for A in K]
    terms = [
        [a * x * y for a, x, y in zip(query, one, two, strict=True)]
        for one in keys[0]
        for two in keys[1]
    ]
    return [_sum(each) for each in terms], [_sum(map(abs, each)) for each in terms]


def _exact(x: Any) -> fmpq:
    return to_fmpq(Fraction(float(x)))


def _sum(numbers: Any) -> Any:
    return sum(numbers, fmpq(0))
