"""The comparison: each number a target returned beside the right one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from kvfloor.conformance.answers import Answer, CallError
from kvfloor.conformance.case import Case
from kvfloor.conformance.comparison import Judgement, Right, judge_array, together
from kvfloor.conformance.power import find_power
from kvfloor.conformance.repeating import other_calls
from kvfloor.conformance.returned_stages import judge_stages
from kvfloor.conformance.target import Target
from kvfloor.conformance.tolerances import find_tolerances
from kvfloor.conformance.truth import find_truth
from kvfloor.errors import InputError
from kvfloor.numbers import as_format

__all__ = ["judge"]

Progress: TypeAlias = Callable[[int, int], None]


def judge(
    target: Target, case: Case, *, power: bool = False, progress: Progress | None = None
) -> Judgement:
    """Call the target and compare; find the power of the case if that is asked for.

    ``progress(settled, numbers)`` is called while the oracle works.

    Every element must be within its bound, in every call. Minus infinity matches only itself, NaN
    only NaN. Calls that are declared to agree do so bit for bit.
    """
    try:
        answer = target.call(case)
        others = [(other, target.call(other.case)) for other in other_calls(target, case)]
    except CallError as error:
        return Judgement(None, np.inf, 0, 0, str(error))
    found = _compare(target, case, answer, power=power, progress=progress)
    if case.relation == "stages":
        try:
            staged = judge_stages(target, case)
        except CallError as error:
            return found._replace(problem=str(error))
        found = together([staged, found])._replace(problem=staged.problem or found.problem)
    if found.problem is None and case.relation == "inputs" and answer.changed:
        return found._replace(problem="the call changed its input " + ", ".join(answer.changed))
    unlike = [(other, again) for other, again in others if not other.agrees(answer, again)]
    judged = [_compare(target, other.case, again) for other, again in unlike]
    found = together([found, *judged])._replace(same=not unlike if others else None)
    if found.problem is None and unlike and case.relation in target.bitwise:
        return found._replace(problem=f"{unlike[0][0].what} returned other numbers")
    return found


def _compare(
    target: Target, case: Case, answer: Answer, *, power: bool = False,
    progress: Progress | None = None,
) -> Judgement:  # fmt: skip
    """Compare all that was returned, a sequence at a time where they differ in length."""
    if case.sequences is None:
        return _compare_rows(target, case, answer, power=power, progress=progress)
    judged = []
    for i, (n_q, *_) in enumerate(case.sequences):
        if n_q:
            lse = None if answer.logsumexp is None else answer.logsumexp[i : i + 1, :, :n_q]
            part = answer._replace(output=answer.output[i : i + 1, :, :n_q], logsumexp=lse)
            judged.append(_compare_rows(target, case.sequence(i), part, i, power=power))
    return together(judged or [Judgement(None, 0.0, 0, 0, None)])


def _compare_rows(
    target: Target, case: Case, answer: Answer, first: int = 0, *, power: bool,
    progress: Progress | None = None,
) -> Judgement:  # fmt: skip
    if case.rows is not None:
        lse_rows = None if answer.logsumexp is None else answer.logsumexp[:, :, case.rows]
        answer = answer._replace(output=answer.output[:, :, case.rows], logsumexp=lse_rows)
    case = case.compared()
    output = as_format(answer.output.dtype)
    lse = target.arithmetic if answer.logsumexp is None else as_format(answer.logsumexp.dtype)
    try:
        truth = find_truth(
            case, output=output, logsumexp=lse, empty=target.empty, base=target.logsumexp_base,
            progress=progress,
        )  # fmt: skip
    except InputError as error:
        if error.argument != "softcap":
            raise
        # logits so far beyond a cap that what is right cannot be told from what is beside it
        count = answer.output.size + (0 if answer.logsumexp is None else answer.logsumexp.size)
        return Judgement(None, 0.0, count, count, None)
    tolerances = find_tolerances(target, case, truth, output=output, logsumexp=lse)
    judged = [
        judge_array(
            "output",
            answer.output.astype(np.float64),
            Right(truth.output, truth.fine_output, tolerances.output, truth.empty),
            output,
        )
    ]
    if answer.logsumexp is not None:
        right = Right(truth.logsumexp, truth.fine_logsumexp, tolerances.logsumexp, truth.empty)
        judged.append(judge_array("logsumexp", answer.logsumexp.astype(np.float64), right, lse))
    found = together(judged)
    if power:
        found = found._replace(power=find_power(target, case, truth, tolerances.output))
    if found.worst is None:
        return found
    i, *place = found.worst.place
    worst = found.worst._replace(place=target.place((first + i, *place)))
    return found._replace(worst=worst, problem=None if worst.ratio <= 1 else str(worst))
