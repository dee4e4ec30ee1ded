"""Many audits at a time, on any executor, resumed where they were interrupted."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from kvfloor.audit.auditor import DEFAULT_ALPHA, audit, hard_family, label
from kvfloor.audit.resuming import resumed, taken_up
from kvfloor.floors import Guarantee
from kvfloor.isolation import Factory

__all__ = ["Row", "TakenUp", "Task", "sweep", "take_up"]


@dataclass(frozen=True)
class Task:
    """One audit of a sweep.

    Parameters
    ----------
    factory : CacheFactory or "MODULE:FACTORY"
    n, d, order : int
        The shape.
    terms : mapping
        Other arguments of `audit`.
    """

    factory: Factory
    n: int
    d: int
    order: int = 2
    terms: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> dict[str, Any]:
        """What tells this task from others, as a JSON object."""
        shape = {"cache": label(self.factory), "order": self.order, "n": self.n, "d": self.d}
        return shape | {name: str(value) for name, value in self.terms.items()}

    def check_shape(self) -> None:
        """Refuse, by `InputError`, a shape that an audit would refuse."""
        terms: dict[str, Any] = {"family": "auto", "eta": 0, "alpha": DEFAULT_ALPHA} | self.terms
        guarantee = Guarantee(terms["eta"], terms["alpha"])
        hard_family(terms["family"], n=self.n, d=self.d, order=self.order, guarantee=guarantee)


@dataclass(frozen=True)
class Row:
    """What came of one task: a line of a sweep's output.

    Attributes
    ----------
    task : dict
        The `Task.key`.
    audit : dict
        As `Audit.to_json` gives it.
    recovered, worst_error : Fraction or None
        As in `Audit`.
    """

    task: dict[str, Any]
    audit: dict[str, Any]
    recovered: Fraction | None
    worst_error: Fraction | None

    @property
    def failed(self) -> bool:
        """Whether the audit itself failed."""
        return bool(self.audit.get("verdict") == "error")

    @classmethod
    def of(cls, line: bytes) -> Row | None:
        """Return the row of a line, None if it is no whole one."""
        try:
            content = json.loads(line)
            numbers = (content[name] for name in ("recovered", "worst_error"))
            fractions = (None if text is None else Fraction(text) for text in numbers)
            return cls(dict(content["task"]), dict(content["audit"]), *fractions)
        except (ValueError, TypeError, KeyError):
            return None

    def line(self) -> bytes:
        """Return the row as a line of JSON."""
        numbers = {"recovered": self.recovered, "worst_error": self.worst_error}
        texts = {name: None if x is None else str(x) for name, x in numbers.items()}
        return json.dumps({"task": self.task, "audit": self.audit} | texts).encode() + b"\n"


def sweep(
    tasks: Sequence[Task],
    *,
    output: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    workers: int | None = None,
) -> Iterator[Row]:
    """Run audits and yield a row for each as it ends; rows that the output has are not run again.

    But for those with the verdict "error", which say nothing of the cache.

    Parameters
    ----------
    tasks : sequence of Task
        Caches × shapes × budgets.
    output : path, optional
        A file of JSON lines, to which every row is appended whole as soon as it is there. The end
        of an interrupted sweep may be half a line; it is cut off.
    executor : Executor, optional
        Runs the audits; by default processes.
    workers : int, optional
        How many processes, by default one a core.

    Raises
    ------
    InputError
        If an audit's arguments are wrong; for a shape before any of them starts.
    OSError
        If the output cannot be read or written.
    """
    for task in tasks:
        task.check_shape()
    yield from resumed(tasks, _run, Row.of, output=output, executor=executor, workers=workers)


def _run(task: Task) -> Row:
    result = audit(task.factory, n=task.n, d=task.d, order=task.order, **task.terms)
    return Row(task.key, result.to_json(), result.recovered, result.worst_error)


class TakenUp(NamedTuple):
    """What an earlier sweep left: its rows, and the bytes of a torn line that were cut off."""

    rows: list[Row]
    torn: int


def take_up(output: str | os.PathLike[str]) -> TakenUp:
    """Read the output of an earlier sweep, if there is one, and cut off what is torn at its end.

    Raises
    ------
    InputError
        If it is anything else.
    OSError
        If it cannot be read or cut.
    """
    return TakenUp(*taken_up(output, Row.of))
