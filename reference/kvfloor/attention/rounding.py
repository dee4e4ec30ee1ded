"""Correctly rounded tensor attention (E2 `correct-rounding-terminates`).

Layers: a float64 evaluation with a proven bound, a double-double one, balls of growing precision,
and E1. Each settles what it can and leaves to the next what lies too near a rounding boundary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from kvfloor.attention.balls import round_balls
from kvfloor.attention.fast import (
    CAPS,
    Balls,
    Evaluation,
    Prepared,
    evaluate_double,
    evaluate_refined,
    evaluate_single,
    in_base_2,
    prepare,
)
from kvfloor.attention.heads import as_problems, require_answers
from kvfloor.attention.inputs import Mask, Problem, Scale
from kvfloor.attention.terms import Terms
from kvfloor.attention.windows import Intervals
from kvfloor.attention.ziv import Base, round_row
from kvfloor.errors import InputError
from kvfloor.numbers import (
    Array,
    BinaryFormat,
    Rounding,
    as_format,
    as_rounding,
    shown,
    to_framework_of,
)

__all__ = ["Layers", "Rounded", "tensor_attention_rounded"]

_Evaluate = Callable[[Prepared, Array, Scale, Mask | Intervals | None, Terms], Evaluation]
Progress = Callable[[int, int], None]
Empty = Literal["raise", "zero", "nan"]
FEW = 8  # numbers left in a row, up to which they go on alone
EMPTY_OUTPUT = {"raise": np.nan, "zero": 0.0, "nan": np.nan}


@dataclass
class Layers:
    """How many numbers each layer settled, outputs and log-sum-exps alike.

    Pass one to `tensor_attention_rounded`, which adds to it.

    Attributes
    ----------
    single, refined, double, balls, exact : int
        Float64 with a bound; again with better logits; double-double with a bound; Arb; E1.
    """

    single: int = 0
    refined: int = 0
    double: int = 0
    balls: int = 0
    exact: int = 0


class Rounded(NamedTuple):
    """Rounded outputs and log-sum-exps.

    Attributes
    ----------
    output : ndarray, shape (..., d_v)
    logsumexp : ndarray, shape (...)
        In nats.
    """

    output: npt.NDArray[Any]
    logsumexp: npt.NDArray[Any]


@overload
def tensor_attention_rounded(
    query: Any,
    keys: Any,
    values: Any,
    *,
    dtype: Any,
    scale: Any = ...,
    mask: Any = ...,
    bias: Any = ...,
    sink: Any = ...,
    softcap: Any = ...,
    rounding: Rounding = ...,
    empty: Empty = ...,
    return_logsumexp: Literal[False] = ...,
    logsumexp_base: Base = ...,
    like: Any = ...,
    layers: Layers | None = ...,
    progress: Progress | None = ...,
) -> npt.NDArray[Any]: ...
@overload
def tensor_attention_rounded(
    query: Any,
    keys: Any,
    values: Any,
    *,
    dtype: Any,
    scale: Any = ...,
    mask: Any = ...,
    bias: Any = ...,
    sink: Any = ...,
    softcap: Any = ...,
    rounding: Rounding = ...,
    empty: Empty = ...,
    return_logsumexp: Literal[True],
    logsumexp_base: Base = ...,
    like: Any = ...,
    layers: Layers | None = ...,
    progress: Progress | None = ...,
) -> Rounded: ...
def tensor_attention_rounded(
    query: Any,
    keys: Any,
    values: Any,
    *,
    dtype: Any,
    scale: Any = 1,
    mask: Any = None,
    bias: Any = None,
    sink: Any = None,
    softcap: Any = None,
    rounding: Rounding = "nearest",
    empty: Empty = "raise",
    return_logsumexp: bool = False,
    logsumexp_base: Base = "e",
    like: Any = None,
    layers: Layers | None = None,
    progress: Progress | None = None,
) -> npt.NDArray[Any] | Rounded:
    """Tensor attention of any order m, every number the correctly rounded one.

    Parameters
    ----------
    query : array, shape (..., d), or with heads (..., h, n_q, d)
    keys : sequence of m arrays, ``keys[r]`` of shape (n_r, d), or (..., h_kv, n_r, d)
        Head i of the queries uses head i // (h / h_kv).
    values : sequence of m arrays, ``values[r]`` of shape (n_r, d_v), or (..., h_kv, n_r, d_v)
    dtype : dtype or str
        The format of the result: one of `FORMATS`.
    scale : positive rational or "1/sqrt(d)"
    mask : boolean array, "causal", "causal-top-left" or `Window`, optional
        An array has shape (n_1, ..., n_m) or (..., n_1, ..., n_m), for all queries or for each,
        with heads any that broadcasts to (..., h, n_q, n_1, ..., n_m); True keeps the tuple. The
        others look at the place of a query on the last of its axes before d.
    bias : array, optional
        Added to the logits; -inf drops a tuple. It broadcasts as such a mask does.
    sink : number or array, optional
        One more logit in each row, with value zero; the log-sum-exp counts it. With heads it
        broadcasts to (..., h), else to the axes of the queries before d.
    softcap : positive rational, optional
        c: a logit s becomes c·tanh(s/c), before the bias is added.
    rounding : "nearest", "up", "down" or "zero"
        Ties to even; toward +∞, -∞, 0.
    empty : "raise", "zero" or "nan"
        What the output of a row without a tuple is; its log-sum-exp is -∞ (NaN in a format
        without infinities).
    return_logsumexp : bool
        Also return the log-sum-exp, as a `Rounded`.
    logsumexp_base : "e" or 2
        2 is for kernels that raise 2 to a power.
    like : array of NumPy, PyTorch or JAX, optional
        The result is an array of its framework, on its device.
    layers : Layers, optional
        Counts which layer settled how many numbers.
    progress : function, optional
        Called as ``progress(settled, numbers)`` whenever some more are settled, in the end with two
        equal numbers.

    Returns
    -------
    array, shape (..., d_v), or Rounded
        Of NumPy without ``like``. An output that is exactly zero is +0; one that rounds to zero
        keeps its sign.

    Raises
    ------
    InputError
        As `tensor_attention` does; for an unknown dtype, rounding, ``empty``, base or ``like``; for
        a row without a tuple and without a sink if ``empty`` is "raise"; under a soft cap, for a
        number that 2**16 bits do not part from a rounding boundary.

    Notes
    -----
    E2 `correct-rounding-terminates`. Inputs that float64 does not hold go to the balls at once.
    Under a soft cap logits are no algebraic numbers: a number is exact where that is plain, but
    that the others are never on a boundary is not proved.
    """
    given = Terms(bias, sink, softcap)
    problems, leading = as_problems(query, keys, values, scale, mask, given)
    target, direction = as_format(dtype), as_rounding(rounding)
    if not isinstance(empty, str) or empty not in EMPTY_OUTPUT:
        raise InputError.among("empty", EMPTY_OUTPUT, repr(empty))
    if not isinstance(return_logsumexp, bool | np.bool_):
        raise InputError("return_logsumexp", "True or False", shown(return_logsumexp))
    if logsumexp_base not in ("e", 2):
        raise InputError("logsumexp_base", '"e" or 2', shown(logsumexp_base))
    if layers is not None and not isinstance(layers, Layers):
        raise InputError("layers", "a Layers or None", shown(layers))
    if empty == "raise":
        require_answers(problems, leading)

    convert = to_framework_of(like)
    form = target, direction, logsumexp_base
    tasks = [_task(problem, form, empty, return_logsumexp) for problem in problems]
    _settle_all(tasks, layers if layers is not None else Layers(), progress)
    result = np.concatenate([task.numbers.astype(target.dtype) for task in tasks])
    result = result.reshape(*leading, -1)
    output = convert(result[..., :-1])
    return Rounded(output, convert(result[..., -1])) if return_logsumexp else output


def _settle_all(tasks: list[_Task], layers: Layers, progress: Progress | None) -> None:
    """Settle every number, layer by layer."""
    total = sum(task.left for task in tasks)

    def report() -> None:
        if progress is not None:
            progress(total - sum(task.left for task in tasks), total)

    for task in tasks:
        for settle in (_single, _refined, _double):
            settle(task, layers)
            report()
        for row in np.flatnonzero(task.wanted.any(axis=1)).tolist():
            _balls(task, row, layers)
            report()


def _task(
    problem: Problem,
    form: tuple[BinaryFormat, Rounding, Base],
    empty: Empty,
    return_logsumexp: bool,
) -> _Task:
    d_v = problem.values[0].shape[1]
    numbers = np.full((len(problem.queries), d_v + 1), EMPTY_OUTPUT[empty])
    numbers[:, d_v] = -np.inf
    wanted = np.zeros(numbers.shape, dtype=np.bool_)
    wanted[problem.answered()] = True
    wanted[:, d_v] &= return_logsumexp
    return _Task(problem, *form, _prepared(problem), numbers, wanted)


def _prepared(problem: Problem) -> Prepared | None:
    """Keys and values for the fast levels; None if float64 does not hold what they need."""
    bias, sink, softcap = problem.terms
    given = (problem.queries, *problem.keys, *problem.values, bias, sink)
    in_float64 = all(A.dtype == np.float64 for A in given if A is not None)
    in_range = softcap is None or CAPS[0] <= softcap <= CAPS[1]
    return prepare(problem.keys, problem.values) if in_float64 and in_range else None


class _Task(NamedTuple):
    """What is to be rounded, and how; the numbers so far, and which are still wanted."""

    problem: Problem
    target: BinaryFormat
    rounding: Rounding
    base: Base
    prepared: Prepared | None  # None if float64 does not hold the inputs
    numbers: Array
    wanted: Mask

    @property
    def left(self) -> int:
        """How many numbers are still wanted."""
        return int(np.count_nonzero(self.wanted))


def _single(task: _Task, layers: Layers) -> None:
    """Settle what float64 with its bound settles; only formats narrower than float64."""
    if task.prepared is not None and task.target.precision < 53:
        layers.single += _fast(task, task.prepared, evaluate_single)


def _refined(task: _Task, layers: Layers) -> None:
    """Settle what float64 settles with logits that hardly round, where a few numbers are left."""
    problem, wanted = task.problem, task.wanted
    open_rows = int(wanted.any(axis=1).sum())
    few = 0 < task.left <= FEW * open_rows
    if task.prepared is None or len(problem.keys) > 1 or task.target.precision == 53 or not few:
        return
    rows, columns = np.nonzero(wanted)
    places = rows, columns
    balls = evaluate_refined(
        task.prepared, problem.queries, problem.scale, problem.mask, places, problem.terms
    )
    if task.base == 2:
        last = columns == problem.values[0].shape[1]
        balls = in_base_2(balls).where(last, balls)
    layers.refined += _settle(task, balls, places)


def _double(task: _Task, layers: Layers) -> None:
    """Settle what double-double with its bound settles."""
    if task.prepared is not None:
        layers.double += _fast(task, task.prepared, evaluate_double)


def _balls(task: _Task, b: int, layers: Layers) -> None:
    """Settle the rest of a row."""
    columns = np.flatnonzero(task.wanted[b]).tolist()
    row = task.problem.row(b)
    settled = round_row(row, columns, task.target, task.rounding, task.base)
    for column, (number, exactly) in settled.items():
        task.numbers[b, column] = number
        layers.exact += exactly
        layers.balls += not exactly
    task.wanted[b] = False


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
    lse = found.logsumexp if task.base == "e" else in_base_2(found.logsumexp)
    last = Balls(lse.hi[:, None], lse.lo[:, None], lse.radius[:, None])
    settled = 0
    for among, balls in ((columns, found.output), (np.array([-1]), last)):
        settled += _settle(task, balls, (rows[:, None], among))
    return settled


def _settle(task: _Task, balls: Balls, places: tuple[Any, Any]) -> int:
    """Round balls, write what is decided and still wanted to its places, and count it."""
    rounded, decided = round_balls(balls, task.target, task.rounding)
    decided &= task.wanted[places]
    task.numbers[places] = np.where(decided, rounded, task.numbers[places])
    task.wanted[places] &= ~decided
    return int(decided.sum())
