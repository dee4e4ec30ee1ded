"""The comparison of gradients with what is right."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kvfloor.conformance.answers import CallError
from kvfloor.conformance.backward.bounds import find_bounds
from kvfloor.conformance.backward.case import BackwardCase
from kvfloor.conformance.backward.target import Backward, Pulled
from kvfloor.conformance.backward.truth import find_gradients
from kvfloor.conformance.comparison import Judgement, Right, judge_array
from kvfloor.numbers import Array, as_format

__all__ = ["Compared", "compare", "judge_gradients"]


class Compared(NamedTuple):
    """Gradients beside what is right, by name.

    Attributes
    ----------
    found, right, bounds : dict of ndarray
        What was returned; what is right, rounded to float64; bounds on the difference.
    judged : dict of Judgement
    """

    found: dict[str, Array]
    right: dict[str, Array]
    bounds: dict[str, Array]
    judged: dict[str, Judgement]


def judge_gradients(target: Backward, case: BackwardCase) -> Judgement:
    """Call a backward pass and compare; every number must be within its bound."""
    try:
        answer = target.pull_back(case)
    except CallError as error:
        return Judgement(None, np.inf, 0, 0, str(error))
    each = list(compare(target, case, answer).judged.values())
    worst = max((j.worst for j in each if j.worst is not None), key=lambda w: w.ratio, default=None)
    problem = None if worst is None or worst.ratio <= 1 else str(worst)
    if problem is None and case.relation == "inputs" and answer.changed:
        problem = "the call changed its input " + ", ".join(answer.changed)
    return Judgement(
        worst,
        max(j.ulps for j in each),
        sum(j.elements for j in each),
        sum(j.unbounded for j in each),
        problem,
    )


def compare(target: Backward, case: BackwardCase, answer: Pulled) -> Compared:
    """Return what a backward pass returned beside what is right."""
    parts = answer.parts()
    formats = {name: as_format(A.dtype) for name, A in parts.items()}
    enclosed = find_gradients(case)
    bounds = find_bounds(target, case, enclosed, formats)
    found = {name: A.astype(np.float64) for name, A in parts.items()}
    judged = {}
    for name, form in formats.items():
        middle = enclosed.middle[name]
        exact = np.zeros(middle.shape[:3], np.bool_)
        right = Right(form.round_array(middle), middle, bounds[name], exact)
        judged[name] = judge_array(name, found[name], right, form)
    return Compared(found, enclosed.middle, bounds, judged)
