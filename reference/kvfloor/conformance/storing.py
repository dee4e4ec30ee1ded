"""Whether weights that are stored in the format of the inputs explain whatever failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from kvfloor.conformance.case import Case
from kvfloor.conformance.comparison import Judgement
from kvfloor.conformance.target import Target

__all__ = ["find_stored"]


def find_stored(
    target: Target, failed: Iterable[Case], judge: Callable[[Target, Case], Judgement]
) -> str | None:
    """Return the format of the inputs if all is within the bounds for weights stored in it.

    None if not, if that is how they are declared, or if nothing failed. One case proves little: an
    output that is cut off looks alike, but not where one token has all the weight.
    """
    narrow, cases = target.inputs.name, list(failed)
    if not cases or target.weights is not None or narrow == target.arithmetic.name:
        return None
    storing = replace(target, weights=narrow)
    return narrow if all(judge(storing, case).problem is None for case in cases) else None
