"""The way in and out of the backward pass: cotangents read, gradients in the shapes of inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kvfloor.attention.heads import as_problems
from kvfloor.attention.inputs import Problem, listed
from kvfloor.attention.terms import Terms, as_finite
from kvfloor.errors import InputError
from kvfloor.numbers import Array, floats, read_rows

__all__ = ["Gradients", "Parts", "Pullback", "Shapes", "as_pullbacks"]


class Gradients(NamedTuple):
    """Gradients of what attention is given, each in the shape of what was given.

    Attributes
    ----------
    query : ndarray, shape (..., d)
    keys, values : tuple of m ndarrays
    bias, sink : ndarray, or None where none was given
    """

    query: Any
    keys: tuple[Any, ...]
    values: tuple[Any, ...]
    bias: Any = None
    sink: Any = None


class Pullback(NamedTuple):
    """A problem and the cotangents of its answers, checked, as exact arrays.

    Attributes
    ----------
    problem : Problem
    output : ndarray, shape (b, d_v)
        G, of the outputs.
    logsumexp : ndarray, shape (b,)
        g, of the log-sum-exps.
    """

    problem: Problem
    output: Array
    logsumexp: Array

    def part(self, rows: npt.NDArray[np.intp]) -> Pullback:
        """Return some of the queries, with the same keys and values."""
        return Pullback(self.problem.part(rows), self.output[rows], self.logsumexp[rows])


class Parts(NamedTuple):
    """The gradients of one problem.

    Attributes
    ----------
    query : ndarray, shape (b, d)
    keys, values : list of m ndarrays, shapes (n_r, d) and (n_r, d_v)
    logits : ndarray, shape (b, n_1, ..., n_m)
        What a bias gets, before it is summed over the axes it was broadcast along.
    sink : ndarray, shape (b,), or None
    """

    query: Array
    keys: list[Array]
    values: list[Array]
    logits: Array
    sink: Array | None


class Shapes(NamedTuple):
    """The shapes of what was given, None for what was not, and of what it was broadcast to.

    Attributes
    ----------
    query : tuple of int
    keys, values : list of m tuples of int
    bias, sink : tuple of int, or None
    logits, sinks : tuple of int
        The axes of all logits, and those that a sink has been broadcast to.
    """

    query: tuple[int, ...]
    keys: list[tuple[int, ...]]
    values: list[tuple[int, ...]]
    bias: tuple[int, ...] | None
    sink: tuple[int, ...] | None
    logits: tuple[int, ...]
    sinks: tuple[int, ...]

    def joined(self, parts: Sequence[Parts]) -> Gradients:
        """Return the gradients of all problems in these shapes."""
        bias, sink = self.terms(parts)
        return Gradients(
            np.stack([part.query for part in parts]).reshape(self.query),
            tuple(
                np.stack([part.keys[r] for part in parts]).reshape(shape)
                for r, shape in enumerate(self.keys)
            ),
            tuple(
                np.stack([part.values[r] for part in parts]).reshape(shape)
                for r, shape in enumerate(self.values)
            ),
            bias,
            sink,
        )

    def terms(self, parts: Sequence[Parts]) -> tuple[Array | None, Array | None]:
        """Return the gradients of bias and sink, summed over the axes they were broadcast along."""
        bias = sink = None
        if self.bias is not None:
            logits = np.concatenate([part.logits for part in parts])
            bias = _summed(logits.reshape(self.logits), self.bias)
        if self.sink is not None:
            rows = [part.sink for part in parts if part.sink is not None]
            each = np.concatenate(rows).reshape(*self.sinks, -1).sum(axis=-1)
            sink = _summed(np.asarray(each, dtype=object).reshape(self.sinks), self.sink)
        return bias, sink


def as_pullbacks(
    query: Any,
    keys: Any,
    values: Any,
    cotangent: Any,
    logsumexp_cotangent: Any,
    scale: Any,
    mask: Any,
    given: Terms,
) -> tuple[list[Pullback], Shapes]:
    """Read what `as_problems` reads, and cotangents; return a pullback for each set of keys.

    Raises
    ------
    InputError
        As `as_problems` does; if cotangents are not finite or not of the shapes of the answers.
    """
    keys, values = (list(x) if isinstance(x, Iterator) else x for x in (keys, values))
    problems, leading = as_problems(query, keys, values, scale, mask, given)
    d, d_v = problems[0].keys[0].shape[1], problems[0].values[0].shape[1]
    lengths = tuple(len(K_r) for K_r in problems[0].keys)
    G, g = _cotangents(cotangent, logsumexp_cotangent, leading, d_v)
    pullbacks, first = [], 0
    for problem in problems:
        rows = slice(first, first + len(problem.queries))
        pullbacks.append(Pullback(problem, G[rows], g[rows]))
        first = rows.stop
    K, V = (
        [tuple(np.shape(A)) for A in listed(arrays, name)]
        for arrays, name in ((keys, "keys"), (values, "values"))
    )
    shapes = Shapes(
        (*leading, d),
        K,
        V,
        None if given.bias is None else tuple(np.shape(given.bias)),
        None if given.sink is None else tuple(np.shape(given.sink)),
        (*leading, *lengths),
        leading if len(K[0]) == 2 else leading[:-1],
    )
    return pullbacks, shapes


def _cotangents(
    cotangent: Any, logsumexp_cotangent: Any, leading: tuple[int, ...], d_v: int
) -> tuple[Array, Array]:
    """Cotangents of all queries as rows: (b, d_v) and (b,)."""
    rows, axes = read_rows(cotangent, "cotangent")
    if (*axes, rows.shape[1]) != (*leading, d_v):
        came = f"shape {(*axes, rows.shape[1])}"
        raise InputError("cotangent", f"shape {(*leading, d_v)}, as the output has", came)
    if logsumexp_cotangent is None:
        return floats(rows), np.zeros(prod(leading))
    array = as_finite(logsumexp_cotangent, "logsumexp_cotangent")
    if array.shape != leading:
        expected = f"shape {leading}, as the log-sum-exp has"
        raise InputError("logsumexp_cotangent", expected, f"shape {array.shape}")
    return floats(rows), array.reshape(-1)


def _summed(array: Array, shape: tuple[int, ...]) -> Array:
    """Sum over the axes along which ``shape`` has been broadcast."""
    more = array.ndim - len(shape)
    axes = [
        axis for axis, n in enumerate(array.shape) if axis < more or shape[axis - more] == 1 != n
    ]
    return np.asarray(array.sum(axis=tuple(axes)), dtype=object).reshape(shape)
