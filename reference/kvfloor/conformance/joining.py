"""Builders of cases with sinks, soft caps and biases."""

from __future__ import annotations

from collections.abc import Callable
from math import log

import numpy as np

from kvfloor.conformance.builders import drawn, heads, ladder
from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import BEYOND_EXP, Draft, NoCase
from kvfloor.conformance.sentinels import levels
from kvfloor.conformance.target import Target
from kvfloor.conformance.terms import slopes_of

__all__ = [
    "alibi_corners",
    "alibi_slopes",
    "bias_axes",
    "bias_sentinels",
    "cap_after_bias",
    "cap_after_mask",
    "capped",
    "hidden_by_bias",
    "sink_above",
    "sink_below",
    "sink_of_blocks",
    "small_under_cap",
    "without",
]

CAPS = 3.0  # times the cap: logits up to that


def without(*terms: str) -> Callable[[Target], str]:
    """Return why an entry means nothing for a target: it is not given these terms."""

    def unless(target: Target) -> str:
        missing = [term for term in terms if term not in target.terms]
        return f"no {missing[0]} is declared" if missing else ""

    return unless


def sink_above(draft: Draft) -> list[Case]:
    """Sinks above all logits: by a little, by 40, and beyond exp."""
    tensors = draft.tensors()
    top = draft.largest_logit(tensors)
    beyond = BEYOND_EXP * log(float(draft.target.arithmetic.max_finite))
    return [draft.case(tensors, sink=top + above) for above in (4.0, 40.0, beyond)]


def sink_below(draft: Draft) -> list[Case]:
    """Sinks below all logits: by a little, by 40, beyond exp, and below every sentinel."""
    tensors = draft.tensors()
    top = draft.largest_logit(tensors)
    beyond = BEYOND_EXP * log(float(draft.target.arithmetic.max_finite))
    far = levels(float(draft.target.arithmetic.max_finite) / 4)
    return [draft.case(tensors, sink=top - below) for below in (4.0, 40.0, beyond, *far)]


def sink_of_blocks(draft: Draft) -> list[Case]:
    """Several blocks of tokens: all logits and the sink alike, then logits that rise beyond it."""
    alike, rising = draft.tensors(), draft.tensors()
    alike.query[:] = 0
    rising.set_logits(np.linspace(-6, 6, draft.size.lengths[0]), draft.sigma)
    cases = [draft.case(alike, sink=sink) for sink in (0.0, log(draft.size.tuples))]
    return [*cases, draft.case(rising, sink=3.0)]


def capped(draft: Draft) -> list[Case]:
    """Logits up to three times the cap, of both signs."""
    return [_logits(draft, CAPS * _cap(draft))]


def small_under_cap(draft: Draft) -> list[Case]:
    """Logits that the cap hardly moves."""
    return [_logits(draft, _cap(draft) / 16)]


def cap_after_mask(draft: Draft) -> list[Case]:
    """Visible logits near minus the cap, so that what is hidden weighs as much if it is capped."""
    tensors = draft.tensors()
    logits = np.full(draft.size.lengths[0], -CAPS * _cap(draft))
    tensors.set_logits(logits, draft.sigma, noise=1 / 64)
    return [draft.case(tensors)]


def cap_after_bias(draft: Draft) -> list[Case]:
    """Biases beyond the cap, of both signs."""
    tensors, rng, size = draft.tensors(), draft.generator(3), draft.size
    tensors.query /= 4
    bias = rng.choice([-2.0, 2.0], (size.heads, size.queries, *size.lengths)) * _cap(draft)
    return [draft.case(tensors, bias=bias)]


def bias_axes(draft: Draft) -> list[Case]:
    """A bias of its own for each head, query and tuple; then one that all heads share."""
    tensors, size = draft.tensors(), draft.size
    shape = (size.heads, size.queries, *size.lengths)
    bias = draft.numbers(draft.generator(3), shape) * 3
    return [draft.case(tensors, bias=bias), draft.case(tensors, bias=bias[:1])]


def bias_sentinels(draft: Draft) -> list[Case]:
    """Biases that stand for -inf: at all but one tuple of a query, then at all alike."""
    tensors, size = draft.tensors(), draft.size
    rng = draft.generator(3)
    largest = float(draft.target.inputs.max_finite)
    cases = []
    for level in (min(1e4, largest), min(65504.0, largest)):
        bias = np.full((1, size.queries, size.tuples), -level)
        cases.append(bias)
        one = bias.copy()
        one[0, np.arange(size.queries), rng.integers(size.tuples, size=size.queries)] = 0
        cases.append(one)
    return [
        draft.case(tensors, bias=bias.reshape(1, size.queries, *size.lengths)) for bias in cases
    ]


def hidden_by_bias(draft: Draft) -> list[Case]:
    """Biases of -inf, on logits that outweigh all others."""
    tensors, size = draft.tensors(), draft.size
    n = size.lengths[0]
    if n < 2:
        raise NoCase("there is one token, which nothing hides")
    logits = np.zeros(n)
    logits[-1] = 30
    tensors.set_logits(logits, draft.sigma)
    bias = draft.numbers(draft.generator(3), (size.heads, size.queries, *size.lengths))
    bias[:, :, -1] = -np.inf
    return [draft.case(tensors, bias=bias, mask=draft.everything())]


def alibi_corners(draft: Draft) -> list[Case]:
    """As many queries as tokens, fewer, more."""
    n = max(4, draft.size.lengths[0])
    sizes = draft.with_sizes(
        *({"queries": n_q, "lengths": (n,)} for n_q in (n, (n + 1) // 2, n + 3))
    )
    return [case for sized in sizes for case in drawn(sized)]


def alibi_slopes(draft: Draft) -> list[Case]:
    """The usual slopes, then others."""
    tensors, size = draft.tensors(), draft.size
    others = slopes_of(size.heads)[::-1] * 0.75
    return [*heads(draft), draft.case(tensors, slopes=others)]


def _cap(draft: Draft) -> float:
    return float(draft.target.softcap)


def _logits(draft: Draft, largest: float) -> Case:
    """Logits from minus the largest to that, by slot 1."""
    tensors = ladder(draft, ascending=True)
    n = draft.size.lengths[0]
    tensors.set_logits(np.linspace(-largest, largest, n), draft.sigma, noise=1 / 16)
    return draft.case(tensors)
