"""A problem made ready for the fast levels, where float64 holds it."""

from __future__ import annotations

import numpy as np

from kvfloor.attention.fast.device import Device
from kvfloor.attention.fast.joined import CAPS
from kvfloor.attention.fast.operands import Prepared, prepare
from kvfloor.attention.inputs import Problem

__all__ = ["prepare_problem"]


def prepare_problem(problem: Problem, device: Device | None = None) -> Prepared | None:
    """Return keys and values of a problem scaled; None if float64 does not hold what is given.

    Level (a) runs on the device, if one is given.
    """
    bias, sink, softcap = problem.terms
    given = (problem.queries, *problem.keys, *problem.values, bias, sink)
    in_float64 = all(A.dtype == np.float64 for A in given if A is not None)
    in_range = softcap is None or CAPS[0] <= softcap <= CAPS[1]
    return prepare(problem.keys, problem.values, device) if in_float64 and in_range else None
