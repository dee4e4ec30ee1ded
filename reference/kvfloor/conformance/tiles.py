"""Builders of cases that are larger than a block, a tile or a window, and small otherwise."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np

from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import BEYOND_EXP, Draft
from kvfloor.conformance.target import Target
from kvfloor.errors import InputError

__all__ = [
    "FEW",
    "beyond_blocks",
    "beyond_windows",
    "columns",
    "long_slot",
    "many_queries",
    "query_tiles",
    "wide_window",
]

EDGES = (15, 16, 17, 33, 65)  # on both sides of multiples of 16, 32 and 64
BLOCK = 128  # a common block, for targets that declare none
LONGEST = 2 * 1024 + 1
MOST_LOGITS = 2**22  # where positions are shared, n tokens make n^(m+1) of them
FEW: dict[str, Any] = {"batch": 1, "kv_heads": 1, "group": 1, "queries": 2, "d": 2, "d_v": 2}


def beyond_blocks(target: Target) -> dict[str, Any]:
    """Two blocks and a token in each slot, or as many as a case may have.

    Raises
    ------
    InputError
        If a block is longer than that: no case would have two.
    """
    most, declared = _longest(target), target.block or ()
    if max(declared, default=0) >= most:
        raise InputError(
            "block", f"at most {most - 1} tokens, as no case has more", str(max(declared))
        )
    lengths = tuple(min(2 * B + 1, most) for B in declared or (BLOCK,) * target.order)
    if target.positional:
        lengths = (max(lengths),) * target.order
    return FEW | {"lengths": lengths}


def beyond_windows(target: Target) -> dict[str, Any]:
    """Two tokens more than the widest window has.

    Raises
    ------
    InputError
        If that is more than a case may have: the window would cut nothing.
    """
    most, widest = _longest(target), max(target.mask[1:])
    if widest + 2 > most:
        expected = f"windows of at most {most - 2} tokens, so that a case is cut by each"
        raise InputError("mask", expected, str(widest))
    return FEW | {"lengths": (widest + 2,) * target.order}


def many_queries(target: Target) -> dict[str, Any]:
    """As many queries as the last edge, or as a case may have."""
    queries = min(EDGES[-1], _longest(target))
    lengths = {"lengths": (queries,) * target.order} if target.positional else {}
    return FEW | {"queries": queries} | lengths


def _longest(target: Target) -> int:
    if not target.positional:
        return LONGEST
    return int(MOST_LOGITS ** (1 / (target.order + 1)))


def long_slot(draft: Draft) -> list[Case]:
    """One slot of lengths on both sides of a block and of two; the maximum moves, or comes first.

    A block is about half the longest slot.
    """
    early = BEYOND_EXP * log(float(draft.target.arithmetic.max_finite))
    positional = draft.target.positional
    cases = []
    for r, most in enumerate(draft.size.lengths[: 1 if positional else None]):
        block = most // 2
        beside = {block - 1, block, block + 1, most - 2, most - 1, most}
        for n in sorted(n for n in beside if n >= 1):
            lengths = tuple(n if s == r or positional else 2 for s in range(draft.target.order))
            sized = draft.with_size(lengths=lengths)
            rising, falling = np.linspace(-12, 12, n), np.full(n, -early)
            rising[-1] += 6
            falling[0] = 0
            for logits in (rising, falling):
                tensors = sized.tensors()
                tensors.set_logits(logits, sized.sigma, slot=r)
                cases.append(sized.case(tensors, mask=sized.everything(), rows=_last(sized)))
    return cases


def wide_window(draft: Draft) -> list[Case]:
    """Tokens outside the windows of the last query outweigh those inside, the further the more."""
    n = draft.size.lengths[0]
    tensors = draft.tensors()
    tensors.set_logits(-np.arange(n) / 2, draft.sigma)
    for K in tensors.keys[1:]:
        K[..., 0] *= np.linspace(0.5, 1, n)
    return [draft.case(tensors, rows=_last(draft))]


def query_tiles(draft: Draft) -> list[Case]:
    """Queries on both sides of multiples of 16, 32 and 64."""
    cases = []
    for edge in EDGES:
        n = min(edge, draft.size.queries)
        lengths = (n,) * draft.target.order if draft.target.positional else draft.size.lengths
        sized = draft.with_size(queries=n, lengths=lengths)
        cases.append(sized.case(sized.tensors(), rows=_last(sized)))
    return cases


def columns(draft: Draft) -> list[Case]:
    """Columns of keys and of values on both sides of multiples of 16, 32 and 64."""
    cases = []
    for d, d_v in zip(EDGES, EDGES[::-1], strict=True):
        sized = draft.with_size(d=min(d, draft.size.d), d_v=min(d_v, draft.size.d_v))
        cases.append(sized.case(sized.tensors()))
    return cases


def _last(draft: Draft) -> tuple[int, ...] | None:
    """The last query, which sees every position, where there is one for each token."""
    return (draft.size.queries - 1,) if draft.target.positional else None
