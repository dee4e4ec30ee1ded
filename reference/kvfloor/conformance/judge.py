"""The comparison: each number a target returned beside the right one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kvfloor.attention import Mask
from kvfloor.conformance.case import Case
from kvfloor.conformance.power import Power, find_power, least_power
from kvfloor.conformance.repeating import other_calls
from kvfloor.conformance.target import Answer, CallError, Target
from kvfloor.conformance.tolerances import find_tolerances
from kvfloor.conformance.truth import find_truth
from kvfloor.errors import InputError
from kvfloor.numbers import Array, BinaryFormat, as_format

__all__ = ["Judgement", "Right", "Worst", "judge", "judge_array"]


class Worst(NamedTuple):
    """The element with the largest error for its bound.

    Attributes
    ----------
    ratio : float
        Its error over its bound; above 1 it is wrong; inf if it is not even a number of the kind.
    ulps : float
        What it is off the correctly rounded number, in ulps of the format it was returned in.
    part : str
        "output" or "logsumexp".
    place : tuple of int
        (b, h, n_q) and for an output the column.
    found, expected : float
    """

    ratio: float
    ulps: float
    part: str
    place: tuple[int, ...]
    found: float
    expected: float

    def __str__(self) -> str:
        place = ", ".join(map(str, self.place))
        return (
            f"{self.part}[{place}] is {self.found!r}, correctly rounded it is {self.expected!r}: "
            f"{self.ulps:.3g} ulps off, {self.ratio:.3g} times the bound"
        )


class Judgement(NamedTuple):
    """What came of one call.

    Attributes
    ----------
    worst : Worst or None
        None if nothing has a bound, or nothing was returned.
    ulps : float
        The largest error in ulps of any element that has a bound.
    elements : int
        Numbers compared.
    unbounded : int
        Of these, numbers for which no bound is derived.
    problem : str or None
        What is wrong, in one line; None if nothing is.
    same : bool or None
        Whether calls that were compared agreed bit for bit; None if none were.
    power : Power or None
        The smallest faults that the case shows, if they were asked for.
    """

    worst: Worst | None
    ulps: float
    elements: int
    unbounded: int
    problem: str | None
    same: bool | None = None
    power: Power | None = None


def judge(target: Target, case: Case, *, power: bool = False) -> Judgement:
    """Call the target and compare; find the power of the case if that is asked for.

    Every element must be within its bound, in every call. Minus infinity matches only itself, NaN
    only NaN. Calls that are declared to agree do so bit for bit.
    """
    try:
        answer = target.call(case)
        others = [(other, target.call(other.case)) for other in other_calls(target, case)]
    except CallError as error:
        return Judgement(None, np.inf, 0, 0, str(error))
    found = _compare(target, case, answer, power=power)
    if found.problem is None and case.relation == "inputs" and answer.changed:
        return found._replace(problem="the call changed its input " + ", ".join(answer.changed))
    unlike = [(other, again) for other, again in others if not other.agrees(answer, again)]
    judged = [_compare(target, other.case, again) for other, again in unlike]
    found = _together([found, *judged])._replace(same=not unlike if others else None)
    if found.problem is None and unlike and case.relation in target.bitwise:
        return found._replace(problem=f"{unlike[0][0].what} returned other numbers")
    return found


def _together(judged: list[Judgement]) -> Judgement:
    """What came of several arrays, or calls; the worst is that of all."""
    worst = max(
        (j.worst for j in judged if j.worst is not None), key=lambda w: w.ratio, default=None
    )
    return Judgement(
        worst,
        max(j.ulps for j in judged),
        sum(j.elements for j in judged),
        sum(j.unbounded for j in judged),
        next((j.problem for j in judged if j.problem is not None), None)
        if worst is None or worst.ratio <= 1
        else str(worst),
        power=least_power(known) if (known := [j.power for j in judged if j.power]) else None,
    )


def _compare(target: Target, case: Case, answer: Answer, *, power: bool = False) -> Judgement:
    """Compare all that was returned, a sequence at a time where they differ in length."""
    if case.sequences is None:
        return _compare_rows(target, case, answer, power=power)
    judged = []
    for i, (n_q, *_) in enumerate(case.sequences):
        if n_q:
            lse = None if answer.logsumexp is None else answer.logsumexp[i : i + 1, :, :n_q]
            part = answer._replace(output=answer.output[i : i + 1, :, :n_q], logsumexp=lse)
            judged.append(_compare_rows(target, case.sequence(i), part, i, power=power))
    return _together(judged or [Judgement(None, 0.0, 0, 0, None)])


def _compare_rows(
    target: Target, case: Case, answer: Answer, first: int = 0, *, power: bool
) -> Judgement:
    if case.rows is not None:
        lse_rows = None if answer.logsumexp is None else answer.logsumexp[:, :, case.rows]
        answer = answer._replace(output=answer.output[:, :, case.rows], logsumexp=lse_rows)
    case = case.compared()
    output = as_format(answer.output.dtype)
    lse = target.arithmetic if answer.logsumexp is None else as_format(answer.logsumexp.dtype)
    try:
        truth = find_truth(
            case, output=output, logsumexp=lse, empty=target.empty, base=target.logsumexp_base
        )
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
    found = _together(judged)
    if power:
        found = found._replace(power=find_power(target, case, truth, tolerances.output))
    if found.worst is None:
        return found
    i, *place = found.worst.place
    worst = found.worst._replace(place=target.place((first + i, *place)))
    return found._replace(worst=worst, problem=None if worst.ratio <= 1 else str(worst))


class Right(NamedTuple):
    """What one array should be.

    Attributes
    ----------
    rounded, fine : ndarray of float64, shape (b, h, n_q) or (b, h, n_q, d_v)
        The correctly rounded numbers, in the format that was returned and in float64.
    bounds : ndarray of float64, the same shape
        How far a number may be from the fine one.
    exact : ndarray of bool, shape (b, h, n_q)
        Rows in which nothing is rounded: those without a tuple.
    """

    rounded: Array
    fine: Array
    bounds: Array
    exact: Mask


def judge_array(part: str, found: Array, right: Right, form: BinaryFormat) -> Judgement:
    """Compare one array.

    Parameters
    ----------
    part : str
        Its name.
    found : ndarray of float64, shape (b, h, n_q) or (b, h, n_q, d_v)
        What was returned.
    right : Right
    form : BinaryFormat
        The format that ``found`` was returned in.

    Notes
    -----
    Errors are measured from the fine numbers: beside the rounded ones, an output cut off in place
    of rounded would be within an ulp. The correctly rounded number itself is never wrong.
    A difference is rounded to nearest, which is monotone, and bounds are floats: none above its
    bound comes out below it.
    """
    rounded, fine, bounds, exact = right
    identical = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    with np.errstate(invalid="ignore", over="ignore"):
        ulp = form.ulps(np.where(np.isfinite(rounded), rounded, 0.0))
        ulps = np.where(identical, 0.0, np.abs(found - rounded) / ulp)
        ratio = np.where(identical, 0.0, np.abs(found - fine) / bounds)
    strict = np.broadcast_to(exact.reshape(exact.shape + (1,) * (found.ndim - 3)), found.shape)
    ratio = np.where(strict & ~identical, np.inf, ratio)
    ratio = np.where(~strict & ~np.isfinite(found), np.inf, ratio)
    open_ended = ~strict & np.isinf(bounds)
    ratio = np.where(open_ended, -1.0, ratio)
    ulps = np.where(np.isnan(ulps) | ~np.isfinite(found) & ~identical, np.inf, ulps)
    place = tuple(map(int, np.unravel_index(np.argmax(ratio), ratio.shape)))
    if open_ended.all():
        return Judgement(None, 0.0, found.size, found.size, None)
    worst = Worst(
        *(float(ratio[place]), float(ulps[place]), part, place),
        *(float(found[place]), float(rounded[place])),
    )
    return Judgement(
        worst,
        float(np.where(open_ended, 0.0, ulps).max()),
        found.size,
        int(open_ended.sum()),
        None if worst.ratio <= 1 else str(worst),
    )
