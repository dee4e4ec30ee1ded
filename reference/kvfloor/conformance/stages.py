"""Where an error came from: the call repeated with all stages but one made trivial.

Values of ones leave the normalisation alone: whatever the weights, the output is 1. Values that
are the same for all tokens of a head, or of a row of the batch, tell whose they are. Values that
single out tuples return the weights. If these are wrong, logits as far apart as those of the case
are made of one product each, the same for every head and query and in every slot: weights that are
right then were spoilt by the logits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from kvfloor.attention import Mask
from kvfloor.conformance.answers import CallError
from kvfloor.conformance.case import Case
from kvfloor.conformance.comparison import Judgement, Worst
from kvfloor.conformance.judge import judge
from kvfloor.conformance.left_out import told_left_out
from kvfloor.conformance.merging import Merging
from kvfloor.conformance.returned_stages import judge_stages
from kvfloor.conformance.sets import read_set
from kvfloor.conformance.size import Size
from kvfloor.conformance.target import Target
from kvfloor.numbers import Array, as_format

__all__ = ["find_stage"]

OF_RETURNED = {
    "logits": "logits", "capped": "soft cap", "masked": "mask", "weights": "softmax",
}  # fmt: skip
MOST_ALONE = 2**14  # logits that are each rounded by itself
MOST_PROBED = 2**21  # logits of all probes: beyond, they would take longer than the run itself
NEAR = 2.0**-4  # of 1: then outputs are divided by the sum of their weights
SURE = 2.0**-20  # weights above that are no zeros in any format
SMALL = 8  # whole numbers up to that are in every format
GAPS = 5  # distances of logits that are tried
NARROW = ("bfloat16", "float16", "float32")  # what outputs may be cut to, the fewest numbers first


def find_stage(target: Target, case: Case, large: Case | None = None) -> str | None:
    """Return the stage that spoils a case, by probing the target; None if that cannot be said.

    Parameters
    ----------
    target : Target
    case : Case
        One whose numbers are wrong. Merging has no stages, and terms and
        codes are not probed. Stages that the target returns are compared first.
    large : Case, optional
        One of the same entry, in which what is left out is looked for first.

    Returns
    -------
    str or None
        "mask", "soft cap", "logits", "softmax", "exponentials", "exponentials or scale",
        "normalisation", "heads", "batch", "values", "log-sum-exp", "logits or log-sum-exp", "rows
        that see nothing", "tokens" or "queries" with those that are left out, or "outputs" with the
        format that they seem to be rounded to.
    """
    if target.stages is not None and Size.of(case).logits <= MOST_ALONE:
        return _of_returned(target, case)
    told = (_left_out(target, each) for each in (large, case) if each is not None)
    return next(filter(None, told), None) or _probe(target, case)


def _of_returned(target: Target, case: Case) -> str | None:
    """The first of the stages that are returned that is wrong; what is left are the values."""
    try:
        worst = judge_stages(target, case).worst
    except CallError:
        return None
    if worst is not None and worst.ratio > 1:
        return OF_RETURNED[worst.part]
    return "values" if judge(_without_logsumexp(target), case).problem else "log-sum-exp"


def _probe(target: Target, case: Case) -> str | None:
    found = judge(target, case)
    many = _probed(Size.of(case)) > MOST_PROBED
    if found.worst is None or found.worst.ratio <= 1 or many or _unprobed(target, case):
        return None
    silent = _without_logsumexp(target)
    normal = judge(silent, _ones(case))
    if normal.problem is not None:
        return _stage_of_ones(silent, case, normal.worst)
    return _mixed_up(silent, case) or _beyond_ones(silent, case)


def _beyond_ones(silent: Target, case: Case) -> str | None:
    """What is wrong, if neither the sums of weights are nor whose the values are."""
    found = judge(silent, case)
    narrow = None if found.problem is None else _narrowed(silent, case, found.worst)
    if narrow is not None:
        return f"outputs, as if rounded to {narrow}"
    wrong = list(_wrong(silent, _indicators(case)))
    if not wrong:
        if found.problem is not None:
            return "values"
        return "log-sum-exp" if np.prod(case.lengths) > 1 else "logits or log-sum-exp"
    weights = [found.worst for found in wrong if found.worst is not None]
    if case.kept is not None and any((w.found == 0) != (w.expected == 0) for w in weights):
        return "mask"
    return _stage_of_weights(silent, case)


def _narrowed(silent: Target, case: Case, worst: Worst | None) -> str | None:
    """The narrower format that all outputs are numbers of, the worst one near what is right."""
    if worst is None:
        return None
    try:
        output = silent.call(case).output
    except CallError:
        return None
    own, outputs = as_format(output.dtype), output.astype(np.float64)
    for form in map(as_format, NARROW):
        near = abs(worst.found - worst.expected) <= form.ulp(Fraction(worst.expected))
        cut = (form.round_array(outputs) == outputs).all()
        if near and cut and form != own and own.holds(form):
            return form.name
    return None


def _stage_of_ones(target: Target, case: Case, worst: Worst | None) -> str:
    """What is wrong of outputs that should all be 1, or empty."""
    if worst is None:
        return "normalisation"
    kept, (i, j, query, *_) = case.kept, worst.place
    if kept is not None and not kept[i % len(kept), j % kept.shape[1], query].any():
        return "rows that see nothing"
    if np.isfinite(worst.found):
        return "normalisation"
    equal = judge(target, replace(_ones(case), query=np.zeros_like(case.query)))
    if equal.problem is None:
        return "exponentials"
    return "normalisation" if kept is None else "mask"  # no logit is to blame


def _mixed_up(target: Target, case: Case) -> str | None:
    """Of which axis values are taken from another place: "batch", "heads" or None."""
    for axis, name in enumerate(("batch", "heads")):
        values = tuple(np.ones_like(V) for V in case.values)
        count = values[0].shape[axis]
        shape = [count if a == axis else 1 for a in range(4)]
        values[0][:] = (1 + np.arange(count) % SMALL).reshape(shape)
        if count > 1 and judge(target, replace(case, values=values)).problem is not None:
            return name
    return None


def _unprobed(target: Target, case: Case) -> bool:
    joined = bool(target.terms) or isinstance(target, Merging)
    return joined or target.quantised is not None or case.sequences is not None


def _ones(case: Case) -> Case:
    return replace(case, values=tuple(np.ones_like(V) for V in case.values))


def _left_out(target: Target, case: Case) -> str | None:
    """The queries or tokens that are left out, if that is what outputs of zero say."""
    size = Size.of(case)
    if _unprobed(target, case) or size.logits * sum(size.lengths) / size.d_v > MOST_PROBED:
        return None
    silent, right = _without_logsumexp(target), _weights(target, case)
    try:
        total = silent.call(_ones(case)).output.astype(np.float64)
        if not total.any():
            return "tokens, as if all were left out"
        answered: Mask = np.asarray((right > 0).any(axis=3))
        told = told_left_out([(answered, answered & (total == 0).all(axis=3))], "query")
        if told is not None or not (np.abs(total[answered] - 1) < NEAR).all():
            return told
        given = [_shares(silent, case, r) for r in range(len(case.lengths))]
        pairs = [*zip(_summed(right, case.lengths), given, strict=True)]
        if any(((shares == 0) & (found > SURE)).any() for shares, found in pairs):
            return None  # a mask lets in too much, which may leave nothing to the others
        return told_left_out([
            (present := shares > SURE, present & (found == 0)) for shares, found in pairs
        ])  # fmt: skip
    except CallError:
        return None


def _shares(target: Target, case: Case, r: int) -> Array:
    """The weights of the tokens of one slot that a target gives, shape (b, h, n_q, n_r)."""
    n, d_v = case.lengths[r], case.values[r].shape[3]
    found = []
    for first in range(0, n, d_v):
        values = [np.ones_like(V) for V in case.values]
        values[r][:] = np.eye(n, d_v, -first)
        found.append(target.call(replace(case, values=tuple(values))).output)
    return np.concatenate(found, axis=3)[..., :n].astype(np.float64)


def _summed(weights: Array, lengths: tuple[int, ...]) -> Iterator[Array]:
    """What tuples of weights (b, h, n_q, N) make for the tokens of each slot."""
    whole = weights.reshape(*weights.shape[:3], *lengths)
    for r in range(len(lengths)):
        yield whole.sum(axis=tuple(3 + s for s in range(len(lengths)) if s != r))


def _weights(target: Target, case: Case) -> Array:
    """The weights of all tuples, about, shape (b, h, n_q, N); exact where they are zero."""
    case = replace(case, rows=None)
    found = np.zeros((*case.query.shape[:3], int(np.prod(case.lengths))))
    kept = case.kept
    for i, j in np.ndindex(*found.shape[:2]):
        s = read_set(target, case, i, j).logits
        if kept is not None:
            seen = kept[i % len(kept), j % kept.shape[1]].reshape(s.shape)
            s = np.where(seen, s, -np.inf)
        top = s.max(axis=1, keepdims=True)
        weights = np.exp(s - np.where(np.isneginf(top), 0.0, top))
        total = weights.sum(axis=1, keepdims=True)
        found[i, j] = weights / np.where(total > 0, total, 1.0)
    return found


def _probed(size: Size) -> float:
    """Logits of the probes that single out each tuple."""
    return size.logits * size.tuples / size.d_v


def _stage_of_weights(target: Target, case: Case) -> str | None:
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
