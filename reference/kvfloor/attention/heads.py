"""Heads: queries, keys and values with more axes, read into a problem for each set of keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np

from kvfloor.attention.inputs import (
    Mask,
    Problem,
    Slots,
    as_problem,
    as_scale,
    as_window,
    axes_of,
    hidden_by,
    listed,
)
from kvfloor.attention.terms import Terms, as_bias, as_sink, as_softcap, rows_of, without_lowest
from kvfloor.attention.windows import Intervals
from kvfloor.errors import InputError
from kvfloor.numbers import Array, as_booleans, floats, read_rows

__all__ = ["as_problems", "require_answers"]


def as_problems(
    query: Any, keys: Any, values: Any, scale: Any, mask: Any, given: Terms
) -> tuple[list[Problem], tuple[int, ...]]:
    """Read queries, keys, values, a scale, masks and terms; return a problem for each set of keys.

    Keys and values of two axes are one set for all queries, of shape (..., d). With more axes they
    have heads: queries (..., h, n_q, d), keys (..., h_kv, n_r, d), values (..., h_kv, n_r, d_v),
    and head i of the queries uses head i // (h / h_kv) of the keys.

    Returns
    -------
    problems : list of Problem
        Their rows, one problem after the other, are the queries in C order.
    leading : tuple of int
        The axes of the queries before the last.

    Raises
    ------
    InputError
        For a wrong shape, an entry that is not finite, order 0 or no tokens.
    """
    keys, values = (list(x) if isinstance(x, Iterator) else x for x in (keys, values))
    key_axes, value_axes = (axes_of(x) - 1 for x in (keys, values))
    if key_axes <= 2:
        if value_axes > 2:
            raise InputError("values[0]", "two axes, as keys[0] has", f"{value_axes}")
        problem, leading = as_problem(query, keys, values, scale, mask, given)
        return [problem], leading
    rows, leading = read_rows(query, "query")
    d = rows.shape[1]
    if len(leading) < 2:
        raise InputError("query", "shape (..., h, n_q, d), as keys have heads", _shape(leading, d))
    K, V = _slots(keys, values, leading, d)
    outer, h_kv = K[0].shape[:2]
    group, n_q = leading[-2] // h_kv, leading[-1]
    sigma, lengths = as_scale(scale, d), tuple(K_r.shape[2] for K_r in K)
    each = (outer, h_kv, group, n_q)
    kept, softcap = _masks(mask, leading, lengths, each), as_softcap(given.softcap)
    biases, sinks = as_bias(given.bias, leading, lengths), as_sink(given.sink, leading[:-1])
    biases = None if biases is None else biases.reshape(*each, *lengths)
    queries = floats(rows).reshape(outer, h_kv, group * n_q, d)
    problems = []
    for i, j in np.ndindex(outer, h_kv):
        part = rows_of(kept[i, j], 2) if isinstance(kept, np.ndarray) else kept
        bias = None if biases is None else rows_of(biases[i, j], 2)
        bias, part = without_lowest(bias, part)
        sink = None if sinks is None else np.repeat(sinks.reshape(each[:-1])[i, j], n_q)
        slots = tuple(K_r[i, j] for K_r in K), tuple(V_r[i, j] for V_r in V)
        problems.append(Problem(queries[i, j], *slots, sigma, part, Terms(bias, sink, softcap)))
    return problems, leading


def require_answers(problems: Sequence[Problem], leading: tuple[int, ...], mask: Any) -> None:
    """Raise an `InputError` if mask or bias leave a row without a tuple, and there is no sink."""
    if sum(len(problem.answered()) for problem in problems) < prod(leading):
        raise InputError(hidden_by(mask), "at least one tuple in each row", "a row without any")


def _shape(leading: tuple[int, ...], width: int) -> str:
    return f"shape {(*leading, width)}"


def _slots(keys: Any, values: Any, leading: tuple[int, ...], d: int) -> tuple[Slots, Slots]:
    """Keys and values as arrays (outer, h_kv, n_r, d) and (outer, h_kv, n_r, d_v)."""
    K, V = listed(keys, "keys"), listed(values, "values")
    if len(V) != len(K):
        raise InputError("values", f"{len(K)} arrays, one for each in keys", f"{len(V)}")
    *outer, h, _ = leading
    found: list[Slots] = []
    h_kv, d_v = 0, 0
    for r, (K_r, V_r) in enumerate(zip(K, V, strict=True)):
        (key_rows, key_axes), (value_rows, value_axes) = (
            read_rows(array, f"{name}[{r}]") for name, array in (("keys", K_r), ("values", V_r))
        )
        if not found:
            h_kv, d_v = key_axes[-2] if len(key_axes) > 1 else 0, value_rows.shape[1]
        n = key_axes[-1]
        _require(f"keys[{r}]", (key_axes, key_rows.shape[1]), ((*outer, h_kv, n), d))
        _require(f"values[{r}]", (value_axes, value_rows.shape[1]), ((*outer, h_kv, n), d_v))
        parts = ((key_rows, d), (value_rows, d_v))
        found.append(
            tuple(floats(part).reshape(prod(outer), h_kv, n, width) for part, width in parts)
        )
    if h % h_kv:
        raise InputError("query", f"a multiple of {h_kv} heads, as keys[0] has", f"{h}")
    return tuple(slot[0] for slot in found), tuple(slot[1] for slot in found)


def _require(
    argument: str, shape: tuple[tuple[int, ...], int], wanted: tuple[tuple[int, ...], int]
) -> None:
    if shape != wanted:
        raise InputError(argument, _shape(*wanted), _shape(*shape))


def _masks(
    mask: Any, leading: tuple[int, ...], lengths: tuple[int, ...], each: tuple[int, ...]
) -> Array | Intervals | None:
    """Booleans of shape (outer, h_kv, group, n_q, n_1, ..., n_m), or the intervals of each set."""
    if mask is None:
        return None
    window = as_window(mask)
    if window is not None:
        return Intervals.of(window, each[-1], each[-2] * each[-1], lengths)
    full = (*leading, *lengths)
    expected = f"booleans that broadcast to shape {full}"
    array: Mask = as_booleans(mask, "mask", expected)
    try:
        whole = np.broadcast_to(array, full)
    except ValueError:
        raise InputError("mask", expected, f"shape {array.shape}") from None
    return whole.reshape(*each, *lengths)
