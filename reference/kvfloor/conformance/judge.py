"""The comparison: each number a target returned beside the correctly rounded one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kvfloor.conformance.case import Case
from kvfloor.conformance.target import Answer, CallError, Target
from kvfloor.conformance.tolerances import find_tolerances
from kvfloor.conformance.truth import find_truth
from kvfloor.formats import BinaryFormat, as_format
from kvfloor.inputs import Array, Mask

__all__ = ["Judgement", "Worst", "judge", "judge_array"]


class Worst(NamedTuple):
    """The element with the largest error for its bound.

    Attributes
    ----------
    ratio : float
        Its error over its bound; above 1 it is wrong; inf if it is not even a number of the kind.
    ulps : float
        Its error in ulps of the format that it was returned in.
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
    """

    worst: Worst | None
    ulps: float
    elements: int
    unbounded: int
    problem: str | None


def judge(target: Target, case: Case) -> Judgement:
    """Call the target and compare.

    Every element must be within its bound. Minus infinity matches only itself, NaN only NaN.
    """
    try:
        answer = target.call(case)
        again = target.call(case) if case.relation == "repeat" else answer
    except CallError as error:
        return Judgement(None, np.inf, 0, 0, str(error))
    found = _compare(target, case, answer)
    if found.problem is None and case.relation == "repeat" and not _same(answer, again):
        return found._replace(problem="a second call with the same inputs returned other numbers")
    if found.problem is None and case.relation == "inputs" and answer.changed:
        return found._replace(problem="the call changed its input " + ", ".join(answer.changed))
    return found


def _same(answer: Answer, again: Answer) -> bool:
    return all(
        one is None or two is None or one.tobytes() == two.tobytes()
        for one, two in ((answer.output, again.output), (answer.logsumexp, again.logsumexp))
    )


def _compare(target: Target, case: Case, answer: Answer) -> Judgement:
    output = as_format(answer.output.dtype)
    lse = target.arithmetic if answer.logsumexp is None else as_format(answer.logsumexp.dtype)
    truth = find_truth(
        case, output=output, logsumexp=lse, arithmetic=target.arithmetic, empty=target.empty
    )
    tolerances = find_tolerances(target, case, truth, output=output, logsumexp=lse)
    parts = [("output", answer.output, truth.output, tolerances.output, output)]
    if answer.logsumexp is not None:
        parts.append(("logsumexp", answer.logsumexp, truth.logsumexp, tolerances.logsumexp, lse))
    exact = truth.empty
    judged = [
        judge_array(part, found.astype(np.float64), right, bounds, form, exact)
        for part, found, right, bounds, form in parts
    ]
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
    )


def judge_array(
    part: str, found: Array, right: Array, bounds: Array, form: BinaryFormat, exact: Mask
) -> Judgement:
    """Compare one array.

    Parameters
    ----------
    part : str
        Its name.
    found, right, bounds : ndarray of float64, shape (b, h, n_q) or (b, h, n_q, d_v)
        What was returned, the correctly rounded numbers, and how far the one may be from the other.
    form : BinaryFormat
        The format that ``found`` was returned in.
    exact : ndarray of bool, shape (n_q,)
        Rows in which nothing is rounded: those without a tuple.

    Notes
    -----
    A difference is rounded to nearest, which is monotone, and bounds are floats: none above its
    bound comes out below it.
    """
    rows = exact.reshape(exact.shape + (1,) * (found.ndim - 3))
    identical = (found == right) | (np.isnan(found) & np.isnan(right))
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.where(identical, 0.0, np.abs(found - right))
        finite = np.isfinite(right)
        ulps = off / form.ulps(np.where(finite, right, 0.0))
        ratio = np.where(identical, 0.0, off / bounds)
    strict = np.broadcast_to(rows, found.shape)
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
        *(float(found[place]), float(right[place])),
    )
    return Judgement(
        worst,
        float(np.where(open_ended, 0.0, ulps).max()),
        found.size,
        int(open_ended.sum()),
        None if worst.ratio <= 1 else str(worst),
    )
