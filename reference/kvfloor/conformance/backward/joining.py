"""Builders of cases of the backward pass with sinks, caps, biases, cotangents of log-sum-exps."""

from __future__ import annotations

from math import log

import numpy as np

from kvfloor.conformance import joining
from kvfloor.conformance.backward.builders import full_cotangent, with_cotangents
from kvfloor.conformance.backward.target import Backward
from kvfloor.conformance.builders import drawn
from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import Draft
from kvfloor.conformance.target import Target

__all__ = [
    "bias_of_one_tuple",
    "logsumexp_alone",
    "logsumexp_of_one_row",
    "no_logsumexp_cotangent",
    "sink_sums",
    "sinks",
    "slope_steps",
]

STEPS = 4.0  # times the cap: logits up to that, where a slope is 0.0013


def no_logsumexp_cotangent(target: Target) -> str:
    """Why there is no cotangent of the log-sum-exp; empty if there is."""
    declared = isinstance(target, Backward) and target.logsumexp_cotangent
    return "" if declared else "no cotangent of the log-sum-exp is declared"


def sinks(draft: Draft) -> list[Case]:
    """Sinks above and below all logits: by a little, by 40, beyond exp."""
    cases = (*joining.sink_above(draft), *joining.sink_below(draft)[:3])
    return [with_cotangents(draft, case, full_cotangent(draft, case)) for case in cases]


def sink_sums(draft: Draft) -> list[Case]:
    """One large gradient of a sink, then many of one sign that a narrow sum would lose."""
    count = 48 * max(3, draft.size.lengths[0])
    sized = draft.with_size(batch=1, kv_heads=1, group=1, queries=count)
    tensors = sized.tensors()
    tensors.query /= 8
    for V in tensors.values:
        V[:] = np.abs(V) + 0.25
    case = sized.case(tensors, mask=sized.everything(), sink=log(sized.size.tuples))
    G = np.abs(full_cotangent(sized, case)) + 0.5
    G[:, :, 1:] *= 2.0 ** -(min(draft.target.inputs.precision, 12) + 0.5)
    return [with_cotangents(sized, case, G)]


def slope_steps(draft: Draft) -> list[Case]:
    """Logits of both signs up to and beyond a cap, so that slopes are from 1 to nearly 0."""
    tensors, n = draft.tensors(), draft.size.lengths[0]
    largest = STEPS * float(draft.target.softcap or 1)
    tensors.set_logits(np.linspace(-largest, largest, n), draft.sigma, noise=1 / 16)
    cases = [draft.case(tensors, mask=draft.everything())]
    tensors.query /= 4
    cases.append(draft.case(tensors, mask=draft.everything()))
    return [with_cotangents(draft, case, full_cotangent(draft, case)) for case in cases]


def bias_of_one_tuple(draft: Draft) -> list[Case]:
    """Biases by which one tuple of a query weighs most, another for each query and head."""
    tensors, size = draft.tensors(), draft.size
    tensors.query /= 4
    bias = np.zeros((size.heads, size.queries, size.tuples))
    places = draft.generator(3).integers(size.tuples, size=bias.shape[:2])
    np.put_along_axis(bias, places[..., None], log(size.tuples), axis=2)
    shaped = bias.reshape(size.heads, size.queries, *size.lengths)
    cases = [draft.case(tensors, bias=some) for some in (shaped, shaped[:1])]
    return [with_cotangents(draft, case, full_cotangent(draft, case)) for case in cases]


def logsumexp_alone(draft: Draft) -> list[Case]:
    """Cotangents of the log-sum-exp alone, then such as outweigh those of the output."""
    (case,) = drawn(draft)
    G = full_cotangent(draft, case)
    g = draft.numbers(draft.generator(6), G.shape[:3]) + 0.5
    each = ((0 * G, g), (G / 16, 8 * g))
    return [with_cotangents(draft, case, *both) for both in each]


def logsumexp_of_one_row(draft: Draft) -> list[Case]:
    """The log-sum-exp of one query of one head has a cotangent, of the first and of the last."""
    (case,) = drawn(draft)
    G, cases = full_cotangent(draft, case), []
    for place in (0, -1):
        g = np.zeros(G.shape[:3])
        g[place, place, place] = 2
        cases.append(with_cotangents(draft, case, G, g))
    return cases
