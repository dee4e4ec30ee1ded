"""Builders of cases as large as models are, and at the edges of a domain."""

from __future__ import annotations

from math import log
from typing import Any

from kvfloor.conformance.case import Case
from kvfloor.conformance.counts import Counts
from kvfloor.conformance.draft import Draft
from kvfloor.conformance.target import Target
from kvfloor.conformance.tiles import FEW, longest

__all__ = [
    "HEAD_SIZES",
    "beyond_powers",
    "domain_edges",
    "head_sizes",
    "long_context",
    "many_heads",
    "widest",
]

HEAD_SIZES = ((64, 64), (80, 80), (96, 96), (128, 128), (192, 128), (192, 192), (256, 256))
SMALLEST_POWER, LARGEST_POWER = 4, 13  # of 2: lengths from 16 to 8192; the longest is beyond
CEILINGS = {"d": 256, "d_v": 256, "queries": 1024, "batch": 8, "heads": 32, "groups": 32}


def many_heads(target: Target) -> dict[str, Any]:
    """A batch of 8, 32 heads over 8 if they are grouped."""
    shared = {"kv_heads": 8, "group": 4} if target.grouped else {"kv_heads": 32, "group": 1}
    return {"batch": 8, "queries": 3} | shared


def widest(_: Target) -> dict[str, Any]:
    """The widest heads in use."""
    return FEW | {"d": HEAD_SIZES[-1][0], "d_v": HEAD_SIZES[-1][1]}


def head_sizes(draft: Draft) -> list[Case]:
    """Columns of keys and of values as models have them."""
    size = draft.size
    changes = ({"d": min(d, size.d), "d_v": min(d_v, size.d_v)} for d, d_v in HEAD_SIZES)
    return [sized.case(sized.tensors()) for sized in draft.with_sizes(*changes)]


def beyond_powers(target: Target) -> dict[str, Any]:
    """The longest slots."""
    return FEW | {"d": 8, "d_v": 8, "lengths": (longest(target),) * target.order}


def long_context(draft: Draft) -> list[Case]:
    """One slot of lengths around every power of two; the last token weighs half of all."""
    square, m = draft.target.domain.square, draft.target.order
    powers = range(SMALLEST_POWER, LARGEST_POWER + 1)
    cases = []
    for r, most in enumerate(draft.size.lengths[: 1 if square else None]):
        around = [2**power + beside for power in powers for beside in (-1, 0, 1)]
        sizes = [
            {"lengths": tuple(n if s == r or square else 2 for s in range(m))}
            for n in sorted({min(n, most) for n in (*around, most)})
        ]
        for sized in draft.with_sizes(*sizes):
            n = sized.size.lengths[r]
            logits = sized.numbers(sized.generator(1), (n,))
            logits[-1] = log(n)
            tensors = sized.tensors()
            tensors.set_logits(logits, sized.sigma, slot=r)
            cases.append(sized.case(tensors, mask=sized.everything()))
    return cases


def domain_edges(draft: Draft) -> list[Case]:
    """Each size at its ends and beside them, the others small."""
    domain = draft.target.domain
    ceilings = CEILINGS | {"tokens": longest(draft.target)}
    m = len(draft.size.lengths)
    changes: list[dict[str, Any]] = [{}]
    for name, ceiling in ceilings.items():
        served = getattr(domain, name)
        for count in served.edges(ceiling) if isinstance(served, Counts) else ():
            changes.append(_change(name, count, m))
    return [sized.case(sized.tensors()) for sized in draft.with_sizes(*changes)]


def _change(name: str, count: int, m: int) -> dict[str, Any]:
    if name == "tokens":
        return {"lengths": (count,) + (1,) * (m - 1)}
    words = {"heads": "kv_heads", "groups": "group"}
    return {words.get(name, name): count}
