"""Builders of cases that are larger than a block, a tile or a window, and small otherwise."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np

from kvfloor.attention import Window
from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import BEYOND_EXP, MOST_LOGITS, Draft
from kvfloor.conformance.target import Target

__all__ = [
    "EDGES",
    "FEW",
    "LONGEST",
    "beyond_blocks",
    "beyond_windows",
    "columns",
    "long_slot",
    "longest",
    "many_queries",
    "query_tiles",
    "too_long",
    "too_wide",
    "wide_window",
]

EDGES = (15, 16, 17, 33, 65)  # on both sides of multiples of 16, 32 and 64
BLOCK = 128  # a common block, for targets that declare none
LONGEST = 2**15
FEW: dict[str, Any] = {"batch": 1, "kv_heads": 1, "group": 1, "queries": 2, "d": 2, "d_v": 2}


def longest(target: Target) -> int:
    """The most tokens of a slot; fewer where there are as many queries and tokens of others."""
    if not target.domain.square:
        return LONGEST
    return int(MOST_LOGITS ** (1 / (target.order + 1)))


def beyond_blocks(target: Target) -> dict[str, Any]:
    """Two blocks and a token in each slot, or as many as a case may have."""
    declared = target.block or (BLOCK,) * target.order
    return FEW | {"lengths": tuple(min(2 * B + 1, longest(target)) for B in declared)}


def too_long(target: Target) -> str:
    """Why no case has two of the declared blocks; empty if one has."""
    largest = beyond_blocks(target)["lengths"]
    for B, n in zip(target.block or (), largest, strict=False):
        most = target.domain.tokens.nearest(n)
        if most <= B:
            return f"a case has at most {most} tokens, and no second block of {B}"
    return ""


def beyond_windows(target: Target) -> dict[str, Any]:
    """More tokens than the windows, on both sides; and a query that is cut on both."""
    window = target.window or Window()
    left, right = _widest(window.left), _widest(window.right)
    queries = (left if window.top_left else right) + 3
    return FEW | {"lengths": (left + right + 4,) * target.order, "queries": queries}


def too_wide(target: Target) -> str:
    """Why no case is cut by the windows; empty if one is."""
    wanted = beyond_windows(target)["lengths"][0]
    most = min(target.domain.tokens.nearest(wanted), longest(target))
    if most >= wanted:
        return ""
    return f"a case has at most {most} tokens, and the windows cut none of them"


def _widest(reach: Any) -> int:
    each = reach if isinstance(reach, list | tuple) else (reach,)
    return max(0 if one is None else int(one) for one in each)


def many_queries(target: Target) -> dict[str, Any]:
    """As many queries as the last edge, or as a case may have."""
    queries = min(EDGES[-1], longest(target))
    lengths = {"lengths": (queries,) * target.order} if target.domain.square else {}
    return FEW | {"queries": queries} | lengths


def long_slot(draft: Draft) -> list[Case]:
    """One slot of lengths on both sides of a block and of two; the maximum moves, or comes first.

    A block is about half the longest slot.
    """
    early = BEYOND_EXP * log(float(draft.target.arithmetic.max_finite))
    square = draft.target.domain.square
    cases = []
    for r, most in enumerate(draft.size.lengths[: 1 if square else None]):
        block = most // 2
        beside = {block - 1, block, block + 1, most - 2, most - 1, most}
        sizes = [
            {"lengths": tuple(n if s == r or square else 2 for s in range(draft.target.order))}
            for n in sorted(n for n in beside if n >= 1)
        ]
        for sized in draft.with_sizes(*sizes):
            n = sized.size.lengths[r]
            rising, falling = np.linspace(-12, 12, n), np.full(n, -early)
            rising[-1] += 6
            falling[0] = 0
            for logits in (rising, falling):
                tensors = sized.tensors()
                tensors.set_logits(logits, sized.sigma, slot=r)
                cases.append(sized.case(tensors, mask=sized.everything()))
    return cases


def wide_window(draft: Draft) -> list[Case]:
    """Tokens outside the windows outweigh those inside, the further the more."""
    n = draft.size.lengths[0]
    cases = []
    for ramp in (np.arange(n), np.arange(n)[::-1]):
        tensors = draft.tensors()
        tensors.set_logits(-ramp / 2, draft.sigma)
        for K in tensors.keys[1:]:
            K[..., 0] *= np.linspace(0.5, 1, K.shape[2])[:: 1 if ramp[0] == 0 else -1]
        cases.append(draft.case(tensors))
    return cases


def query_tiles(draft: Draft) -> list[Case]:
    """Queries on both sides of multiples of 16, 32 and 64."""
    changes = []
    for edge in EDGES:
        n = min(edge, draft.size.queries)
        lengths = (n,) * draft.target.order if draft.target.domain.square else draft.size.lengths
        changes.append({"queries": n, "lengths": lengths})
    return [sized.case(sized.tensors()) for sized in draft.with_sizes(*changes)]


def columns(draft: Draft) -> list[Case]:
    """Columns of keys and of values on both sides of multiples of 16, 32 and 64."""
    sizes = [
        {"d": min(d, draft.size.d), "d_v": min(d_v, draft.size.d_v)}
        for d, d_v in zip(EDGES, EDGES[::-1], strict=True)
    ]
    return [sized.case(sized.tensors()) for sized in draft.with_sizes(*sizes)]
