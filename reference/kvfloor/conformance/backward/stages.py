"""Where a wrong gradient comes from: which single fault explains it, else what probes say.

Each fault that is known is put into a plain backward pass in float64. If that then gives the
numbers that were returned, all of them and within their bounds, it explains them. Else p is read
off dV, by cotangents of one query and one column, and it is tried whether dq and dK vanish where
all values are alike, so that dP is D.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kvfloor.attention import Mask
from kvfloor.conformance.answers import CallError
from kvfloor.conformance.backward.case import BackwardCase
from kvfloor.conformance.backward.faults import NO_FAULT, Fault, faults_of, plain_gradients
from kvfloor.conformance.backward.judging import Compared, compare
from kvfloor.conformance.backward.target import Backward
from kvfloor.conformance.left_out import told_left_out
from kvfloor.numbers import Array

__all__ = ["find_gradient_stage"]

MOST_LOGITS = 2**18  # beyond that faults would take longer than the run that found the case
ROOM = 4  # times the bounds: those of what is wrong are not known
PROBED = 3  # queries
OF_TERMS = {"dbias", "dsink"}


def find_gradient_stage(target: Backward, cases: Sequence[BackwardCase]) -> str | None:
    """Return the stage that spoils some cases, and what it is as if; None if that cannot be said.

    Parameters
    ----------
    target : Backward
    cases : sequence of BackwardCase
        Cases of one entry whose numbers are wrong, the last the largest: a fault must explain all
        of them, as small cases are explained by many.

    Returns
    -------
    str or None
        "p", "D", "D or dP", "ds", "products", or "sums" if gradients of terms alone are wrong; with
        the fault that explains the numbers if one does: ``D, as if D were left out``; "tokens" with
        those whose gradients are all zero; "roundings" where a plain backward pass returns about
        the same.
    """
    wrong = [(case, compared) for case in cases if (compared := _compared(target, case))]
    wrong = [(case, compared) for case, compared in wrong if _wrong(compared)]
    if not wrong or len(wrong) < len(cases):
        return None
    case, compared = wrong[-1]
    unit = _unit(target)

    def explained(fault: Fault) -> bool:
        return all(_explains(plain_gradients(each, fault), found, unit) for each, found in wrong)

    with np.errstate(all="ignore"):
        if explained(NO_FAULT):
            return "roundings, of which there are more or larger ones than is declared"
        for fault in faults_of(case):
            if explained(fault):
                return f"{fault.stage}, as if {fault.told}"
    return _left_out(compared) or _probed(target, case, _wrong(compared))


def _left_out(compared: Compared) -> str | None:
    """Tokens, or queries, whose gradients are all zero, if that is all of them that are wrong."""

    def count(name: str) -> tuple[Mask, Mask]:
        right, found = (np.moveaxis(A[name], 2, -1) for A in (compared.right, compared.found))
        present = (right != 0).any(axis=(0, 1, 2))
        return present, present & (found == 0).all(axis=(0, 1, 2))

    tokens = [count(name) for name in compared.found if name.startswith("dV")]
    queries = count("dq")
    off = np.abs(compared.found["dq"] - compared.right["dq"]) > compared.bounds["dq"]
    others = off.any(axis=(0, 1, 3)) & ~queries[1]
    told = None if others.any() else told_left_out([queries], "query")
    return told_left_out(tokens) or told


def _compared(target: Backward, case: BackwardCase) -> Compared | None:
    if int(np.prod(case.lengths)) * case.query[..., 0].size > MOST_LOGITS:
        return None
    try:
        return compare(target, case, target.pull_back(case))
    except CallError:
        return None


def _wrong(compared: Compared) -> set[str]:
    return {name for name, judged in compared.judged.items() if judged.problem is not None}


def _explains(faulty: dict[str, Array], compared: Compared, unit: float) -> bool:
    """Whether a fault's gradients are those found, which are far from right.

    Bounds are those of right gradients; a fault may leave larger ones, whose roundings are larger.
    """
    for name, array in faulty.items():
        room = ROOM * (compared.bounds[name] + unit * np.abs(array).max())
        if not (np.abs(compared.found[name] - array) <= room).all():
            return False
    return True


def _unit(target: Backward) -> float:
    """What a few roundings do, relatively: in the arithmetic, and where numbers are stored."""
    formats = {target.inputs, target.stored, target.sums} - {target.arithmetic}
    units = [float(form.unit_roundoff) for form in formats]
    return 16 * float(target.arithmetic.unit_roundoff) + sum(units)


def _probed(target: Backward, case: BackwardCase, wrong: set[str]) -> str | None:
    """Return what probes say of p, and of D beside dP."""
    if wrong <= OF_TERMS:
        return "sums"
    for cotangent in _single(case):
        compared = _compared(target, replace(case, cotangent=cotangent))
        if compared is None:
            return None
        if any(name.startswith("dV") for name in _wrong(compared)):
            return "p"
    if any(name.startswith("dV") for name in wrong):
        return "products"
    alike = target.case(
        replace(
            case, values=tuple(np.repeat(V[:, :, :1], V.shape[2], axis=2) for V in case.values)
        ),
        case.cotangent.astype(np.float64),
        case.logsumexp_cotangent,
    )
    compared = _compared(target, alike)
    if compared is not None and _wrong(compared):
        return "D or dP"
    kinds = {name[:2] for name in wrong}
    return "ds" if {"dq", "dK"} <= kinds else "products"


def _single(case: BackwardCase) -> list[Array]:
    """Cotangents of 1 for one query and the first column: dV is then p, at order 1."""
    n_q, probes = case.query.shape[2], []
    for i in np.unique(np.linspace(0, n_q - 1, PROBED).astype(int)):
        probe = np.zeros_like(case.cotangent)
        probe[:, :, i, 0] = 1
        probes.append(probe)
    return probes
