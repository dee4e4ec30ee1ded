"""Where an error came from: the call repeated with all stages but one made trivial.

Values of ones leave the normalisation alone: whatever the weights, the output is 1. Values that
single out tuples return the weights. If these are wrong, logits as far apart as those of the case
are made of one product each, the same for every head and query and in every slot: weights that are
right then were spoilt by the logits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any, Literal

import numpy as np

from kvfloor.conformance.case import Case
from kvfloor.conformance.comparison import Judgement
from kvfloor.conformance.judge import judge
from kvfloor.conformance.merging import Merging
from kvfloor.conformance.returned_stages import judge_stages
from kvfloor.conformance.size import Size
from kvfloor.conformance.target import CallError, Target
from kvfloor.numbers import Array

__all__ = ["Stage", "find_stage"]

Stage = Literal[
    "mask", "soft cap", "softmax", "logits", "exponentials", "exponentials or scale",
    "normalisation", "values", "log-sum-exp", "logits or log-sum-exp",
]  # fmt: skip
OF_RETURNED: dict[str, Stage] = {
    "logits": "logits", "capped": "soft cap", "masked": "mask", "weights": "softmax",
}  # fmt: skip
MOST_ALONE = 2**14  # logits that are each rounded by itself
MOST_PROBED = 2**21  # logits of all probes: beyond, they would take longer than the run itself
GAPS = 5  # distances of logits that are tried


def find_stage(target: Target, case: Case) -> Stage | None:
    """Return the stage that spoils a case, by probing the target; None if that cannot be said.

    Parameters
    ----------
    target : Target
    case : Case
        One whose numbers are wrong. Merging has no stages, and terms and
        codes are not probed. Stages that the target returns are compared first.
    """
    if target.stages is not None and Size.of(case).logits <= MOST_ALONE:
        return _of_returned(target, case)
    return _probe(target, case)


def _of_returned(target: Target, case: Case) -> Stage | None:
    """The first of the stages that are returned that is wrong; what is left are the values."""
    try:
        worst = judge_stages(target, case).worst
    except CallError:
        return None
    if worst is not None and worst.ratio > 1:
        return OF_RETURNED[worst.part]
    return "values" if judge(_without_logsumexp(target), case).problem else "log-sum-exp"


def _probe(target: Target, case: Case) -> Stage | None:
    found = judge(target, case)
    right = found.worst is None or found.worst.ratio <= 1
    unprobed = target.terms or target.quantised or case.sequences or isinstance(target, Merging)
    if right or unprobed or _probed(Size.of(case)) > MOST_PROBED:
        return None
    silent = _without_logsumexp(target)
    ones = replace(case, values=tuple(np.ones_like(V) for V in case.values))
    normal = judge(silent, ones)
    if normal.problem is not None:
        finite = normal.worst is None or np.isfinite(normal.worst.found)
        return "normalisation" if finite else "exponentials"
    wrong = list(_wrong(silent, _indicators(case)))
    if not wrong:
        if judge(silent, case).problem is not None:
            return "values"
        return "log-sum-exp" if np.prod(case.lengths) > 1 else "logits or log-sum-exp"
    weights = [found.worst for found in wrong if found.worst is not None]
    if case.kept is not None and any((w.found == 0) != (w.expected == 0) for w in weights):
        return "mask"
    return _stage_of_weights(silent, case)


def _probed(size: Size) -> float:
    """Logits of the probes that single out each tuple."""
    return size.logits * size.tuples / size.d_v


def _stage_of_weights(target: Target, case: Case) -> Stage | None:
    far = _far_apart(target, case)
    if far is None:
        return None
    return "exponentials or scale" if any(_wrong(target, _indicators(far))) else "logits"


def _without_logsumexp(target: Target) -> Target:
    """Return the same target with its outputs alone looked at."""
    if target.returns == ("output",):
        return target
    function = target.function

    def output(*arguments: Any, **options: Any) -> Any:
        return function(*arguments, **options)[0]

    return replace(target, function=output, returns=("output",))


def _wrong(target: Target, probes: Iterator[Case]) -> Iterator[Judgement]:
    judged = (judge(target, probe) for probe in probes)
    return (found for found in judged if found.problem is not None)


def _indicators(case: Case) -> Iterator[Case]:
    """Values that are 1 at one tuple in each column and 0 elsewhere: outputs are weights."""
    d_v = case.values[0].shape[3]
    tuples = list(product(*map(range, case.lengths)))
    for first in range(0, len(tuples), d_v):
        values = tuple(np.zeros_like(V) for V in case.values)
        for column, t in enumerate(tuples[first : first + d_v]):
            for V, j in zip(values, t, strict=True):
                V[:, :, j, column] = 1
        yield replace(case, values=values)


def _far_apart(target: Target, case: Case) -> Case | None:
    """Logits as far below the top as those of the first query, by one column and equal slots.

    None if what is served is too large for that.

    Tokens and queries are repeated, and columns are zero, if more of them are served than needed.
    """
    m, form = len(case.keys), target.inputs
    gaps = _gaps(case)
    roots = form.round_array(gaps ** (1 / m)).astype(form.dtype)
    shared, old = case.keys[0].shape[:2], Size.of(case)
    n_q = 1 if target.window is None else len(roots)
    size = target.fit(replace(old, queries=n_q, lengths=(len(roots),) * m, d=1))
    if _probed(size) > MOST_PROBED or (size.batch, size.kv_heads) != shared:
        return None
    query = np.zeros((*case.query.shape[:2], size.queries, size.d), dtype=form.dtype)
    query[..., 0] = -1
    keys = [np.zeros((*shared, n, size.d), dtype=form.dtype) for n in size.lengths]
    for K in keys:
        K[..., 0] = np.resize(roots, K.shape[2])
    return Case(
        query,
        tuple(keys),
        tuple(np.zeros((*shared, n, size.d_v), dtype=form.dtype) for n in size.lengths),
        1.0,
        np.ones((size.queries, *size.lengths), dtype=np.bool_)
        if isinstance(case.mask, np.ndarray)
        else case.mask,
        key_masks=case.key_masks
        and tuple(np.ones((shared[0], n), dtype=np.bool_) for n in size.lengths),
    )


def _gaps(case: Case) -> Array:
    """0, and how far logits of the last query lie below its top, from near to far."""
    query, *keys = (A[0, 0].astype(np.float64) for A in (case.query, *case.keys))
    products = query[-1:] * float(case.sigma.factor) * float(case.sigma.root) ** 0.5
    for K in keys:
        products = (products[:, None, :] * K).reshape(-1, K.shape[1])
    logits = products.sum(axis=1)
    if case.kept is not None:
        logits = logits[case.kept[0, 0, -1].reshape(-1)]
    if not len(logits):
        return np.zeros(1)
    below = np.sort(logits.max() - logits)
    chosen: Array = below[np.unique(np.linspace(0, len(below) - 1, GAPS).astype(int))]
    return chosen
