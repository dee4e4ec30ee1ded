"""Builders of cases for sequences of unequal lengths, packed or in pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import Draft
from kvfloor.conformance.target import Target

__all__ = [
    "beyond_pages",
    "empty_sequences",
    "never_empty",
    "no_pages",
    "no_sequences",
    "nothing_unowned",
    "pages",
    "unequal_sequences",
    "unowned",
]

LENGTHS = ((3, 5), (1, 1), (7, 12), (4, 9), (2, 11))  # queries and tokens


def no_sequences(target: Target) -> str:
    """Why all sequences have one length; empty if they need not."""
    if target.packed is None and target.pages is None:
        return "sequences are neither packed nor in pages"
    if target.packed is None and target.domain.square:
        return "each sequence has as many tokens as there are queries"
    return ""


def never_empty(target: Target) -> str:
    """Why no sequence is empty; empty if one may be."""
    if target.packed is None:
        return "sequences are not packed"
    if "empty" not in target.packed or target.domain.square:
        return "no sequence is empty, as nothing else is declared"
    return ""


def nothing_unowned(target: Target) -> str:
    """Why all that is given belongs to a sequence; empty if some does not."""
    exact = target.pages is None and "slack" not in (target.packed or ())
    return no_sequences(target) or (exact and "buffers end where the last sequence ends") or ""


def no_pages(target: Target) -> str:
    """Why there are no pages; empty if there are."""
    return no_sequences(target) if target.pages else "there are no pages"


def beyond_pages(target: Target) -> dict[str, Any]:
    """Three pages and a token."""
    return {"batch": 6, "queries": 3, "lengths": (3 * (target.pages or 1) + 1,) * target.order}


def unequal_sequences(draft: Draft) -> list[Case]:
    """Sequences of unequal lengths, in two orders."""
    m = draft.target.order
    wanted = [(n_q, *(n + r for r in range(m))) for n_q, n in LENGTHS]
    return [_case(draft, wanted), _case(draft, wanted[::-1])]


def empty_sequences(draft: Draft) -> list[Case]:
    """Sequences without queries, without tokens, and without both: first, between, and last."""
    m = draft.target.order
    wanted = [(n_q, *(n + r for r in range(m))) for n_q, n in LENGTHS]
    none, no_queries, no_tokens = (0,) * (m + 1), (0, *wanted[0][1:]), (2, *(0,) * m)
    fewer = draft.target.domain.queries == "fewer"
    blank = [none, no_queries] if fewer else [none, no_queries, no_tokens]
    orders = ([*blank, *wanted[:2]], [wanted[0], *blank, wanted[1]], [*wanted[:2], *blank[::-1]])
    return [_case(draft, order) for order in orders]


def unowned(draft: Draft) -> list[Case]:
    """NaN in all that belongs to no sequence."""
    slack = "slack" in (draft.target.packed or ())
    return [
        replace(case, unowned=np.nan, slack=slack)
        for case in (*unequal_sequences(draft), draft.case(draft.tensors()))
    ]


def pages(draft: Draft) -> list[Case]:
    """Lengths on both sides of the ends of pages, in shuffled ones."""
    page, m, n_q = draft.target.pages or 1, draft.target.order, draft.size.queries
    around = (3 * page + 1, page, 1, max(1, page - 1), 2 * page + 1, 2 * page)
    return [_case(draft, [(n_q, *(n,) * m) for n in around])]


def _case(draft: Draft, wanted: Iterable[tuple[int, ...]]) -> Case:
    """A case with a row for each sequence, of the nearest lengths that are served.

    Without packing all have as many queries. Where there is a zero, it stays.
    """
    served = []
    for n_q, *lengths in wanted:
        common = n_q if draft.target.packed is not None else draft.size.queries
        found = draft.with_size(queries=max(1, common), lengths=tuple(max(1, n) for n in lengths))
        each = zip((common, *lengths), (found.size.queries, *found.size.lengths), strict=True)
        served.append(tuple(n and count for n, count in each))
    if draft.target.packed is None:
        least = min(n_q for n_q, *_ in served)
        served = [(least, *lengths) for _, *lengths in served]
    queries, *lengths = (max(1, *each) for each in zip(*served, strict=True))
    sized = draft.with_size(batch=len(served), queries=queries, lengths=tuple(lengths))
    return replace(sized.case(sized.tensors()), sequences=tuple(served[: sized.size.batch]))
