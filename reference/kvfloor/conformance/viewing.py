"""Builders of cases whose arrays are no contiguous ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import Draft, NoCase
from kvfloor.conformance.target import Target

__all__ = ["expanded", "viewed", "without_view"]

STRIDED = ("numpy", "torch")  # arrays that can be views with strides


def without_view(view: str) -> Callable[[Target], str]:
    """Return why an entry means nothing for a target: it is not given such views."""

    def unless(target: Target) -> str:
        if target.arrays not in STRIDED:
            return f"arrays of {target.arrays} have no strides"
        return "" if view in target.domain.views else f"{view} arrays are not served"

    return unless


def viewed(*ways: str) -> Callable[[Draft], list[Case]]:
    """Return a builder: the same arrays in several ways."""

    def build(draft: Draft) -> list[Case]:
        case = draft.case(draft.tensors())
        return [replace(case, view=way) for way in ways]

    return build


def expanded(draft: Draft) -> list[Case]:
    """Keys and values that all heads and rows share, and a query that all rows do."""
    size = draft.size
    if size.kv_heads * (1 if draft.target.packed is not None else size.batch) == 1:
        raise NoCase("there is one head, in a batch of one")
    tensors = draft.tensors()
    tensors.query[:] = tensors.query[:1]
    for A in (*tensors.keys, *tensors.values):
        A[:] = A[:1, :1]
    return [replace(draft.case(tensors), view="expanded")]
