"""Repeatability: calls whose answers are compared bit for bit, and the cases for that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from kvfloor.conformance.answers import Answer
from kvfloor.conformance.builders import late_maximum
from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import Draft, NoCase
from kvfloor.conformance.target import Target
from kvfloor.numbers import Array

__all__ = [
    "Other",
    "no_batch",
    "no_splits",
    "other_calls",
    "row_alone",
    "row_moved",
    "rows",
    "splits",
]


class Other(NamedTuple):
    """Another call that computes some of the same rows.

    Attributes
    ----------
    case : Case
    rows : list of int, or None
        The elements of the batch that it computes, of those of the first call; None for all.
    what : str
        What it is, for the message if its numbers are others.
    """

    case: Case
    rows: list[int] | None
    what: str

    def agrees(self, answer: Answer, again: Answer) -> bool:
        """Whether it returned, bit for bit, what the first call did."""
        return all(
            one is None or two is None or self._of(one).tobytes() == two.tobytes()
            for one, two in ((answer.output, again.output), (answer.logsumexp, again.logsumexp))
        )

    def _of(self, array: Array) -> Array:
        return array if self.rows is None else array[self.rows]


def other_calls(target: Target, case: Case) -> Iterator[Other]:
    """The calls that a case is compared with, by its relation."""
    batch = len(case.query)
    if case.relation == "repeat":
        yield Other(case, None, "a second call with the same inputs")
    elif case.relation == "row-alone":
        for i in range(batch):
            yield Other(case.of_batch([i]), [i], f"row {i} of the batch, alone,")
    elif case.relation == "row-moved":
        moved = [*range(1, batch), 0]
        yield Other(case.of_batch(moved), moved, "a batch of the same rows in another order")
    elif case.relation == "splits":
        for count in (target.splits or ())[1:]:
            what = f"{count} splits in place of {case.splits}"
            yield Other(replace(case, splits=count), None, what)


def no_batch(target: Target) -> str:
    """Why there are no rows of a batch; empty if there are."""
    return "" if target.batched else "the layout has no batch"


def no_splits(target: Target) -> str:
    """Why nothing is split; empty if it is."""
    return "" if target.splits else "no splits are declared"


def rows(_: Target) -> dict[str, Any]:
    """Several rows of a batch."""
    return {"batch": 4, "queries": 3}


def row_alone(draft: Draft) -> list[Case]:
    """Each row of a batch alone."""
    _check_batch(draft)
    least = draft.with_size(batch=1).size.batch
    if least > 1:
        raise NoCase(f"there are at least {least} rows in a batch")
    return [draft.case(draft.tensors(), relation="row-alone")]


def row_moved(draft: Draft) -> list[Case]:
    """Each row at another place of the batch."""
    _check_batch(draft)
    return [draft.case(draft.tensors(), relation="row-moved")]


def _check_batch(draft: Draft) -> None:
    if draft.size.batch == 1:
        raise NoCase("there is one row in a batch")


def splits(draft: Draft) -> list[Case]:
    """Every count of splits: of many tokens, a maximum that moves, and fewer tokens than splits."""
    m = len(draft.size.lengths)
    least = draft.with_size(lengths=(1,) * m)
    cases = [draft.case(draft.tensors()), *late_maximum(draft), least.case(least.tensors())]
    return [replace(case, relation="splits") for case in cases]
