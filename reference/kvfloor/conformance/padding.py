"""Builders of cases whose keys are padded: each row of a batch has a length of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from kvfloor.attention import Mask
from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import Draft, NoCase, Tensors
from kvfloor.conformance.sentinels import levels, reach_of
from kvfloor.conformance.target import Target
from kvfloor.numbers import Array

__all__ = [
    "key_padding",
    "never_all_padding",
    "not_padded",
    "padded_low_logits",
    "padded_poison",
    "padding_read",
    "several",
    "whole_padding",
]

TOKENS = {1: 37, 2: 19}  # by the order: more than a block of 16
HEAVY = 30.0  # logits of padding above others: it has all the weight if it is seen
LARGE = 0.25  # values of padding: the largest number to this power
OTHER_SLOTS = 0.125  # what padding of other slots multiplies a logit by


def not_padded(target: Target) -> str:
    """Why nothing is padding; empty if something may be."""
    return "" if target.padded else "no padding is declared"


def padding_read(target: Target) -> str:
    """Why padding is finite; empty if it need not be."""
    if target.quantised is not None:
        return "what is quantised is finite"
    reason = "" if target.skips else "what no query sees may be read, as nothing else is declared"
    return not_padded(target) or reason


def never_all_padding(target: Target) -> str:
    """Why no sequence is all padding; empty if one may be."""
    reason = "no sequence is all padding, as nothing else is declared"
    return not_padded(target) or ("" if "empty" in (target.padded or ()) else reason)


def several(target: Target) -> dict[str, Any]:
    """A row for each length; where the mask is a window, as many queries as tokens."""
    n = TOKENS.get(target.order, 5)
    lengths = tuple(n - r for r in range(target.order))
    queries = 3 if target.window is None else n
    return {"batch": 4, "kv_heads": 2, "group": 1, "queries": queries, "lengths": lengths}


def key_padding(draft: Draft) -> list[Case]:
    """Rows of lengths of their own, padded on each side; padding would outweigh all else."""
    return _cases(draft, [(HEAVY, -1.0)])


def padded_low_logits(draft: Draft) -> list[Case]:
    """Visible logits below each sentinel that the formats reach, those of padding far above."""
    return _cases(draft, [(2 * level, -2 * level) for level in levels(reach_of(draft))])


def padded_poison(draft: Draft) -> list[Case]:
    """NaN, then infinities, in all that is padding."""
    return [_spoilt(case, x) for case in key_padding(draft) for x in (np.nan, np.inf)]


def whole_padding(draft: Draft) -> list[Case]:
    """Sequences that are padding as a whole, in one slot: the first of the batch, one, the last."""
    cases = []
    for r, place in enumerate((0, draft.size.batch // 2, -1)):
        shown = next(_sides(draft))
        shown[r % len(shown)][place] = False
        cases.append(_case(draft, shown, HEAVY, -1.0))
    return cases


def _sides(draft: Draft) -> Iterator[tuple[Mask, ...]]:
    """Key masks for each side and two orders: half, all but one, one token, all of them."""
    if max(draft.size.lengths) < 2:
        raise NoCase("there is one token, and no room for padding")
    for side in draft.target.padded or ():
        for turn in (0, 2) if side != "empty" else ():
            found = []
            for r, n in enumerate(draft.size.lengths):
                counts = ((n + 1) // 2, max(1, n - 1), 1, n)
                each = [counts[(i + r + turn) % 4] for i in range(draft.size.batch)]
                right = np.arange(n) < np.array(each)[:, None]
                found.append(right if side == "right" else right[:, ::-1])
            yield tuple(found)


def _cases(draft: Draft, logits: list[tuple[float, float]]) -> list[Case]:
    """Cases with each logits of padding and of the rest; those of which any row is compared."""
    every = (_case(draft, shown, *each) for shown in _sides(draft) for each in logits)
    cases = [case for case in every if case.rows != ()]
    if not cases:
        raise NoCase("the mask and padding together leave queries nothing")
    return cases


def _case(draft: Draft, shown: tuple[Mask, ...], hidden: float, seen: float) -> Case:
    """A case with those logits by slot 1, and large values where there is padding.

    Queries that see nothing, by a mask besides, are compared where that is declared.
    """
    tensors = draft.tensors()
    _set(tensors, draft, shown, hidden, seen)
    case = draft.case(tensors, draft.everything(), key_masks=shown, sink=min(seen, 0.0))
    kept = case.kept
    if kept is None or "empty" in (draft.target.padded or ()):
        return case
    seen_by: Mask = np.asarray(kept.any(axis=(1, *range(3, kept.ndim))))
    answered: Mask = np.asarray(seen_by.all(axis=0))
    rows = range(draft.size.queries) if case.rows is None else case.rows
    return replace(case, rows=tuple(i for i in rows if answered[i]))


def _set(
    tensors: Tensors, draft: Draft, shown: tuple[Mask, ...], hidden: float, seen: float
) -> None:
    ramp = np.linspace(1.0, 0.75, draft.size.lengths[0])
    logits: Array = np.where(shown[0], seen, hidden)[:, None] * ramp
    tensors.set_logits(logits, draft.sigma)
    for K, some in zip(tensors.keys[1:], shown[1:], strict=True):
        K[..., 0] *= np.where(some, 1.0, OTHER_SLOTS)[:, None]
    large = float(draft.target.inputs.max_finite) ** LARGE
    tensors.values[0] *= np.where(shown[0], 1.0, large)[:, None, :, None]


def _spoilt(case: Case, x: float) -> Case:
    shown = case.key_masks or ()

    def spoilt(slots: tuple[Array, ...]) -> tuple[Array, ...]:
        return tuple(
            np.where(some[:, None, :, None], A, np.array(x).astype(A.dtype))
            for A, some in zip(slots, shown, strict=True)
        )

    return replace(case, keys=spoilt(case.keys), values=spoilt(case.values))
