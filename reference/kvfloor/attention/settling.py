"""Settling numbers, level by level: each rounds what it can and leaves the rest to the next.

A float64 evaluation with a proven bound, a double-double one, balls of growing precision, and E1.
Many queries are cut into tasks, which run on threads: NumPy and compiled loops release the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np

from kvfloor.attention.balls import round_balls
from kvfloor.attention.fast import (
    Balls,
    Device,
    Evaluation,
    Prepared,
    evaluate_careful,
    evaluate_double,
    evaluate_refined,
    evaluate_single,
    in_base_2,
    prepare_problem,
)
from kvfloor.attention.inputs import Mask, Problem, Scale
from kvfloor.attention.terms import Terms
from kvfloor.attention.windows import Intervals
from kvfloor.attention.ziv import Base, round_row
from kvfloor.numbers import Array, BinaryFormat, Rounding

__all__ = ["Form", "Layers", "Progress", "settle_all"]

_Evaluate = Callable[[Prepared, Array, Scale, Mask | Intervals | None, Terms], Evaluation]
Progress = Callable[[int, int], None]
FEW = 8  # numbers left in a row, up to which they go on alone
_LEAST, _MOST, _TUPLES = 128, 1024, 2**20  # queries of a task, as few and many; or so many weights
_TASKS = 4  # that a call has at least, if its queries are enough for them
_QUERIES_THERE = 2**13  # on a device
_COARSE = 11  # bits of a format that a wider bound almost always decides
_IN_MEMORY = 2**22  # tuples whose weights may all be kept


@dataclass
class Layers:
    """How many numbers each layer settled, outputs and log-sum-exps alike.

    Pass one to `tensor_attention_rounded`, which adds to it.

    Attributes
    ----------
    single, refined, double, balls, exact : int
        Float64 with a bound; few numbers, from better logits, before and after double-double;
        double-double with a bound; Arb; E1.
    """

    single: int = 0
    refined: int = 0
    double: int = 0
    balls: int = 0
    exact: int = 0

    def add(self, other: Layers) -> None:
        """Add what another one has counted."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


class Form(NamedTuple):
    """What is asked for: a format, a rounding, the base of log-sum-exps, and whether there are any.

    ``empty`` is the output of a query without a tuple.
    """

    target: BinaryFormat
    rounding: Rounding
    base: Base
    logsumexp: bool
    empty: float


def settle_all(
    problems: Sequence[Problem],
    form: Form,
    layers: Layers | None,
    progress: Progress | None,
    threads: int,
    device: Device | None = None,
) -> Array:
    """Round every number asked for, on threads if there are many queries.

    How the queries are cut does not depend on the number of threads, nor does any result.

    Returns
    -------
    ndarray of float64, shape (queries of all problems, d_v + 1)
        Outputs, and log-sum-exps in the last column.
    """
    step = -(-sum(len(problem.queries) for problem in problems) // _TASKS)
    step = min(max(step, _LEAST), _MOST) if device is None else _QUERIES_THERE
    tasks = [task for problem in problems for task in _tasks(problem, form, device, step)]
    total = sum(task.left for task in tasks)

    def report() -> None:
        if progress is not None:
            progress(total - sum(task.left for task in tasks), total)

    if min(threads, len(tasks)) == 1:
        found = [_settled(task, report) for task in tasks]
    else:
        found = _on_threads(tasks, report, threads)
    if layers is not None:
        for counted in found:
            layers.add(counted)
    return np.concatenate([task.numbers for task in tasks])


def _on_threads(tasks: list[_Task], report: Callable[[], None], threads: int) -> list[Layers]:
    """Settle tasks on threads, and report, from this one, whenever the next is settled.

    Later queries come first: under a causal mask they see the most.
    """
    found = []
    with ThreadPoolExecutor(threads) as pool:
        pending = [pool.submit(_settled, task, lambda: None) for task in reversed(tasks)]
        try:
            for future in pending:
                found.append(future.result())
                report()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return found


def _settled(task: _Task, report: Callable[[], None]) -> Layers:
    """Settle every number of a task; return how many each level settled."""
    layers = Layers()
    for settle in (_plain, _single, _refined, _double, _finest):
        settle(task, layers)
        report()
    for row in np.flatnonzero(task.wanted.any(axis=1)).tolist():
        _balls(task, row, layers)
        report()
    return layers


def _tasks(problem: Problem, form: Form, device: Device | None, most: int) -> list[_Task]:
    """Cut a problem into tasks of so many queries at most, which share what is prepared."""
    problem = problem if form.logsumexp else problem.folded().levelled()
    prepared = prepare_problem(problem, device)
    tuples = prod(map(len, problem.keys))
    step = most if len(problem.keys) == 1 else min(_LEAST, max(1, _TUPLES // tuples))
    starts = range(0, len(problem.queries), step)
    return [_task(problem.part(slice(i, i + step)), prepared, form) for i in starts]


def _task(problem: Problem, prepared: Prepared | None, form: Form) -> _Task:
    d_v = problem.values[0].shape[1]
    numbers = np.full((len(problem.queries), d_v + 1), form.empty)
    numbers[:, d_v] = -np.inf
    wanted = np.zeros(numbers.shape, dtype=np.bool_)
    wanted[problem.answered()] = True
    wanted[:, d_v] &= form.logsumexp
    return _Task(problem, form, prepared, numbers, wanted)


class _Task(NamedTuple):
    """What is to be rounded, and how; the numbers so far, and which are still wanted."""

    problem: Problem
    form: Form
    prepared: Prepared | None  # None if float64 does not hold the inputs
    numbers: Array
    wanted: Mask

    @property
    def left(self) -> int:
        """How many numbers are still wanted."""
        return int(np.count_nonzero(self.wanted))


def _plain(task: _Task, layers: Layers) -> None:
    """Settle what needs no attention: rows of a sink alone, columns of one value for all tuples."""
    problem, form, wanted = task.problem, task.form, task.wanted
    sink, constants = problem.terms.sink, _constants(problem.values)
    if sink is None and not constants:
        return
    before = task.left
    seeing = np.zeros(len(wanted), dtype=np.bool_)
    seeing[problem.seeing()] = True
    if sink is not None and not seeing.all():
        task.numbers[~seeing, :-1] = 0.0
        wanted[~seeing, :-1] = False
        if form.logsumexp and form.base == "e":
            for row in np.flatnonzero(~seeing).tolist():
                task.numbers[row, -1] = form.target.round(Fraction(sink[row]), form.rounding)
            wanted[~seeing, -1] = False
    for column, value in constants.items():
        if sink is None or value == 0:
            task.numbers[seeing, column] = form.target.round(value, form.rounding)
            wanted[seeing, column] = False
    layers.exact += before - task.left


def _constants(values: Sequence[Array]) -> dict[int, Fraction]:
    """The columns whose products of values are the same for all tuples, and these products."""
    alike = np.ones(values[0].shape[1], dtype=np.bool_)
    zero = ~alike
    for V_r in values:
        same = np.asarray(V_r[-1] == V_r[0])  # the last one tells of most that are not
        same[same] = (V_r[:, same] == V_r[0, same]).all(axis=0)
        alike &= same
        zero |= same & (V_r[0] == 0)
    return {
        c: prod((Fraction(V_r[0, c]) for V_r in values), start=Fraction(1))
        for c in np.flatnonzero(alike | zero).tolist()
    }


def _single(task: _Task, layers: Layers) -> None:
    """Settle what float64 with its bound settles; only formats narrower than float64."""
    precision = task.form.target.precision
    if task.prepared is not None and precision < 53:
        evaluate = partial(evaluate_single, squares=precision > _COARSE)
        layers.single += _fast(task, task.prepared, evaluate)


def _refined(task: _Task, layers: Layers) -> None:
    """Settle what better logits settle, where a few numbers are left."""
    if task.form.target.precision == 53 or not _few_left(task):
        return
    if len(task.problem.keys) == 1:
        layers.refined += _few(task, fine=False)
    elif task.prepared is not None:
        layers.refined += _fast(task, task.prepared, evaluate_careful)


def _finest(task: _Task, layers: Layers) -> None:
    """Settle the few that double-double leaves with logits that round still less."""
    if _few_left(task) and prod(map(len, task.problem.keys)) <= _IN_MEMORY:
        layers.refined += _few(task, fine=True)


def _double(task: _Task, layers: Layers) -> None:
    """Settle what double-double with its bound settles."""
    if task.prepared is not None:
        layers.double += _fast(task, task.prepared, evaluate_double)


def _balls(task: _Task, b: int, layers: Layers) -> None:
    """Settle the rest of a row."""
    columns = np.flatnonzero(task.wanted[b]).tolist()
    row = task.problem.row(b)
    settled = round_row(row, columns, task.form.target, task.form.rounding, task.form.base)
    for column, (number, exactly) in settled.items():
        task.numbers[b, column] = number
        layers.exact += exactly
        layers.balls += not exactly
    task.wanted[b] = False


def _few_left(task: _Task) -> bool:
    return 0 < task.left <= FEW * int(task.wanted.any(axis=1).sum())


def _few(task: _Task, *, fine: bool) -> int:
    """Settle single numbers, each from its row, and count them."""
    problem = task.problem
    rows, columns = np.nonzero(task.wanted)
    places = rows, columns
    if task.prepared is None:
        return 0
    given = problem.queries, problem.scale, problem.mask, places, problem.terms
    balls = evaluate_refined(task.prepared, *given, fine=fine)
    last = columns == problem.values[0].shape[1]
    if task.form.base == 2 and last.any():
        balls = in_base_2(balls).where(last, balls)
    return _settle(task, balls, places)


def _fast(task: _Task, prepared: Prepared, evaluate: _Evaluate) -> int:
    """Evaluate the rows and columns still wanted, settle what the bounds allow, and count it."""
    wanted = task.wanted
    rows = np.flatnonzero(wanted.any(axis=1))
    if not len(rows):
        return 0
    columns = np.flatnonzero(wanted[:, :-1].any(axis=0))
    if len(columns) < wanted.shape[1] - 1:
        columns = columns if len(columns) else np.zeros(1, dtype=np.intp)
        prepared = prepared.only(columns)
    problem = task.problem
    masks, terms = problem.masks(rows), problem.terms.taken(rows)
    found = evaluate(prepared, problem.queries[rows], problem.scale, masks, terms)
    whole = len(rows) == len(wanted) and len(columns) == wanted.shape[1] - 1
    places = np.s_[:, :-1] if whole else (rows[:, None], columns)
    settled = _settle(task, found.output, places)
    if wanted[:, -1].any():
        lse = found.logsumexp if task.form.base == "e" else in_base_2(found.logsumexp)
        last = Balls(lse.hi[:, None], lse.lo[:, None], lse.radius[:, None])
        settled += _settle(task, last, (rows[:, None], np.array([-1])))
    return settled


def _settle(task: _Task, balls: Balls, places: tuple[Any, Any]) -> int:
    """Round balls, write what is decided and still wanted to its places, and count it."""
    rounded, decided = round_balls(balls, task.form.target, task.form.rounding)
    decided &= task.wanted[places]
    task.numbers[places] = np.where(decided, rounded, task.numbers[places])
    task.wanted[places] &= ~decided
    return int(decided.sum())
