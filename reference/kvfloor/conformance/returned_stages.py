"""The stages of logits that a target can return, beside what is right; and the cases for that.

A logit is the log-sum-exp of its tuple alone, so that the oracle rounds it; its bound is what
`centred-error` has for it. A weight is an output whose values single out a token.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from kvfloor.conformance.builders import drawn, empty_rows
from kvfloor.conformance.case import Case
from kvfloor.conformance.comparison import Judgement, Right, judge_array, together
from kvfloor.conformance.draft import Draft
from kvfloor.conformance.joining import capped
from kvfloor.conformance.padding import key_padding
from kvfloor.conformance.sets import read_set
from kvfloor.conformance.target import Target
from kvfloor.conformance.terms import Joined
from kvfloor.conformance.tolerances import Model, find_tolerances, returned_bounds
from kvfloor.conformance.truth import find_truth
from kvfloor.numbers import Array, BinaryFormat, as_format

__all__ = ["judge_stages", "no_stages", "returned", "several"]


def no_stages(target: Target) -> str:
    """Why no stage is compared; empty if one is."""
    return "" if target.stages else "no stages are returned"


def several(_: Target) -> dict[str, Any]:
    """Few tokens: a call for each stage, and every logit is rounded by itself."""
    return {"group": 2, "queries": 5}


def returned(draft: Draft) -> list[Case]:
    """Anything at all; then what the mask, padding and a cap may do."""
    cases = drawn(draft)
    if draft.target.kind == "boolean":
        cases += empty_rows(draft)
    if draft.target.padded:
        cases += key_padding(draft)[:1]
    if draft.target.softcap is not None:
        cases += capped(draft)
    return [replace(case, relation="stages") for case in cases]


def judge_stages(target: Target, case: Case) -> Judgement:
    """Compare every stage; the worst is that of the first which is out of its bound.

    Raises
    ------
    CallError
        If one is not returned.
    """
    judged = [_judge(target, case, stage) for stage in _stages(case)]
    wrong = [found for found in judged if found.problem is not None]
    found = together(judged)
    return found._replace(worst=wrong[0].worst, problem=wrong[0].problem) if wrong else found


def _stages(case: Case) -> Iterator[str]:
    """Those that change a number: one that does not is that before it."""
    yield "logits"
    if case.terms.softcap is not None:
        yield "capped"
    if case.kept is not None or case.terms.bias is not None:
        yield "masked"
    yield "weights"


def _judge(target: Target, case: Case, stage: str) -> Judgement:
    found = target.call_stage(case, stage)
    form = as_format(found.dtype)
    case = case.compared()
    right = (_weights if stage == "weights" else _logits)(target, case, form, stage)
    return judge_array(stage, found.astype(np.float64), right, form)


def _logits(target: Target, case: Case, form: BinaryFormat, stage: str) -> Right:
    """Logits, those under the cap, or those with all but minus infinity for what is hidden."""
    terms = case.terms
    bias = terms.bias if stage == "masked" else None
    bias = None if bias is None else np.where(np.isneginf(bias), np.zeros_like(bias), bias)
    plain = replace(
        case,
        values=tuple(np.zeros_like(V[..., :1]) for V in case.values),
        terms=Joined(softcap=None if stage == "logits" else terms.softcap, bias=bias),
    )
    rounded, fine = _alone(plain, form)
    bounds = returned_bounds(_errors(target, plain), fine, form, target.arithmetic)
    hidden = np.zeros(fine.shape, dtype=np.bool_)
    if stage == "masked" and case.kept is not None:
        hidden[:] = ~case.kept
    never = -np.inf
    return Right(
        np.where(hidden, never, rounded), np.where(hidden, never, fine),
        np.where(hidden, 0.0, bounds), hidden,
    )  # fmt: skip


def _alone(case: Case, form: BinaryFormat) -> tuple[Array, Array]:
    """Each logit, rounded to a format and to float64: the log-sum-exp of one tuple."""
    n_q, (n,) = case.query.shape[2], case.lengths
    rows = np.repeat(np.arange(n_q), n)
    bias = case.terms.bias
    single = replace(
        case,
        query=case.query[:, :, rows],
        mask=np.tile(np.eye(n, dtype=np.bool_), (n_q, 1)),
        terms=case.terms._replace(bias=None if bias is None else bias[:, rows]),
        key_masks=None,
    )
    truth = find_truth(single, output=form, logsumexp=form)
    shape = (*case.query.shape[:3], n)
    return truth.logsumexp.reshape(shape), truth.fine_logsumexp.reshape(shape)


def _errors(target: Target, case: Case) -> Array:
    """What each logit may be off by; inf if no bound is derived."""
    model = Model(target, case)
    found = np.full((*case.query.shape[:3], *case.lengths), np.inf)
    if model.bounded:
        a = model.arithmetic
        for i, j in np.ndindex(*found.shape[:2]):
            part = read_set(target, case, i, j)
            off = a.logit * part.reach + a.logit_lost + a.epsilon * (1 + a.logit) * part.capped
            fits = not model.overflows(float(part.reach.max()), 1.0)
            found[i, j] = off if fits else np.inf
    return found


def _weights(target: Target, case: Case, form: BinaryFormat, _: str) -> Right:
    """The outputs whose values are 1 at one token in each column."""
    (n,), (V,) = case.lengths, case.values
    one = np.broadcast_to(np.eye(n), (*V.shape[:2], n, n)).astype(V.dtype)
    single = replace(case, values=(one,))
    truth = find_truth(single, output=form, logsumexp=target.arithmetic, empty=target.empty)
    bounds = find_tolerances(target, single, truth, output=form, logsumexp=target.arithmetic)
    return Right(truth.output, truth.fine_output, bounds.output, truth.empty)
