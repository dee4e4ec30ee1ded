"""Power: the smallest faults that a case shows, from what is right and the bounds.

A kernel that has one fault and no other error is off by what the fault does to the truth. So a
fault is seen if that exceeds the bound of some output. A kernel that is otherwise right may be off
by its bound towards the other side, so twice that is needed there.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import NamedTuple

import numpy as np

from kvfloor.attention import exp_above
from kvfloor.conformance.case import Case
from kvfloor.conformance.sets import UNIT, Chunk, Weights, chunks, read_weights
from kvfloor.conformance.target import Target
from kvfloor.conformance.truth import Truth, nats
from kvfloor.numbers import Array

__all__ = ["Power", "find_power", "least_power"]

EXP_ABOVE = 2.0**-39  # twice what `exp_above` is above


class Power(NamedTuple):
    """The smallest faults of outputs that are seen; inf if none is.

    Attributes
    ----------
    scale : float
        x, where outputs are multiplied by 1 ± x.
    bias : float
        A number that is added to all outputs, or taken away.
    denominator : float
        A number that is added to the sum of weights that divides, where the largest weight is 1.
    dropped : float
        The weight of the lightest token that is missed if it is left out.
    """

    scale: float = inf
    bias: float = inf
    denominator: float = inf
    dropped: float = inf


def least_power(found: Iterable[Power]) -> Power:
    """Return the least of each."""
    return Power(*map(min, zip(Power(), *found, strict=True)))


def find_power(target: Target, case: Case, truth: Truth, bounds: Array) -> Power:
    """Return what a case shows.

    Parameters
    ----------
    target : Target
    case : Case
    truth : Truth
    bounds : ndarray, shape (b, h, n_q, d_v)
        Those of the outputs; inf where there is none.

    Notes
    -----
    With an output o and its bound B: ``o·(1 ± x)`` is beyond it if ``x > B/|o|``; ``o·l/(l + δ)``,
    of a sum l, if ``δ > l·B/(|o| - B)``. Without the tokens of a set of weight P, whose values
    have the mean v, an output is ``o + P·(o - v)/(1 - P)``.
    """
    bounds = np.where(truth.empty[..., None], inf, bounds)
    size = np.abs(truth.fine_output)
    with np.errstate(divide="ignore", invalid="ignore"):
        scales = np.where(np.isfinite(bounds) & (size > 0), bounds / size, inf)
        shares = np.where(bounds < size, bounds / (size - bounds), inf).min(axis=3)
    denominator = dropped = inf
    for chunk in chunks(target, case, truth.empty):
        here = (*chunk.head, chunk.rows)
        lse = nats(truth.fine_logsumexp[here], target.logsumexp_base)
        weights = read_weights(chunk.part, chunk.rows, chunk.of(chunk.rows), lse)
        with np.errstate(over="ignore", invalid="ignore"):
            sums = _sums(chunk, weights, lse) * shares[here]
            lightest = _lightest(chunk, weights, truth.fine_output[here], bounds[here], case)
        denominator = min(denominator, float(np.where(np.isnan(sums), inf, sums).min()))
        dropped = min(dropped, lightest)
    return Power(float(scales.min()), float(bounds.min()), denominator, dropped)


def _sums(chunk: Chunk, weights: Weights, lse: Array) -> Array:
    """Bounds on the sums of weights, shape (R,), where the largest logit is subtracted."""
    lowest = chunk.part.logits[chunk.rows] - weights.slack
    top = np.where(weights.seen, lowest, -inf).max(axis=1)
    sums = exp_above(lse + 4 * UNIT * np.abs(lse) - top)
    return np.asarray(np.fmin(sums, weights.seen.sum(axis=1)))


def _lightest(chunk: Chunk, weights: Weights, output: Array, bounds: Array, case: Case) -> float:
    """The least weight of a token, of any slot, without which an output is beyond its bound."""
    lengths, rows, d_v = case.lengths, len(output), output.shape[1]
    values = chunk.part.values[: np.prod(lengths)]  # a sink is no token
    p, slack = (A[:, : len(values)] for A in (weights.p, weights.slack))
    unsure = p * np.minimum(1, 2 * slack + EXP_ABOVE + (len(values) + 64) * UNIT)
    apart = p[:, :, None] * (values - output[:, None])
    wrong = unsure[:, :, None] * (np.abs(values) + np.abs(output)[:, None])
    least = inf
    for r in range(len(lengths)):
        others = tuple(s + 1 for s in range(len(lengths)) if s != r)
        weight, less = (A.reshape(rows, *lengths).sum(axis=others) for A in (p, unsure))
        shift, off = (A.reshape(rows, *lengths, d_v).sum(axis=others) for A in (apart, wrong))
        left = np.maximum(1 - weight + less, UNIT)
        missed = ((np.abs(shift) - off) / left[:, :, None] > bounds[:, None]).any(axis=2)
        least = min(least, float(np.where(missed, weight, inf).min()))
    return least
