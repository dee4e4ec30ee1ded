"""The way in: queries, keys, values, scale and mask of every function of this room, read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, prod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from kvfloor.attention.terms import (
    Terms,
    as_bias,
    as_sink,
    as_softcap,
    rows_of,
    without_lowest,
)
from kvfloor.attention.windows import WINDOWS, Intervals, Window
from kvfloor.errors import InputError
from kvfloor.numbers import (
    Array,
    as_booleans,
    as_fraction,
    floats,
    is_array,
    read,
    read_rows,
    shown,
)

__all__ = [
    "INVERSE_SQRT_D",
    "Mask",
    "Problem",
    "Row",
    "Scale",
    "as_kept",
    "as_problem",
    "as_row",
    "as_scale",
    "as_slots",
    "as_window",
    "folded",
    "hidden_by",
    "listed",
]

Mask = npt.NDArray[np.bool_]
Slots = tuple[Array, ...]
INVERSE_SQRT_D = "1/sqrt(d)"
SLOTS = "a sequence of m >= 1 two-dimensional arrays, one a slot"


@dataclass(frozen=True)
class Scale:
    """The scale ``σ = factor·√root`` of the logits, exactly; ``root`` is 1 or not a square."""

    factor: Fraction
    root: int


class Row(NamedTuple):
    """One query over keys and values, checked, every number exact.

    Attributes
    ----------
    query : shape (d,)
    keys, values : tuple of m, shapes (n_r, d) and (n_r, d_v)
    scale : Scale
    mask : ndarray of bool, shape (n_1, ..., n_m), or None
    terms : Terms
    """

    query: Any
    keys: tuple[Any, ...]
    values: tuple[Any, ...]
    scale: Scale
    mask: Mask | None
    terms: Terms


LARGE_BIAS = 1024  # nats; what all biases of a row share is left out above it


class Problem(NamedTuple):
    """Queries over one set of keys and values, checked, as exact arrays.

    Attributes
    ----------
    queries : ndarray, shape (b, d)
    keys, values : tuple of m, shapes (n_r, d) and (n_r, d_v)
    scale : Scale
    mask : ndarray of bool, shape (b or 1, n_1, ..., n_m), or Intervals, or None
    terms : Terms
    """

    queries: Array
    keys: tuple[Array, ...]
    values: tuple[Array, ...]
    scale: Scale
    mask: Mask | Intervals | None
    terms: Terms

    def row(self, b: int) -> Row:
        """One of the queries."""
        if isinstance(self.mask, Intervals):
            mask: Mask | None = self.mask.mask(b)
        else:
            mask = None if self.mask is None else self.mask[b % len(self.mask)]
        terms = self.terms.row(b)
        return Row(self.queries[b], self.keys, self.values, self.scale, mask, terms)

    def part(self, rows: slice | npt.NDArray[np.intp]) -> Problem:
        """Return some of the queries, with the same keys and values."""
        terms = self.terms.taken(rows)
        return self._replace(queries=self.queries[rows], mask=self.masks(rows), terms=terms)

    def folded(self) -> Problem:
        """Return the problem with one token for all of a slot that are alike, where none is told.

        Outputs are the same; a log-sum-exp is not.
        """
        if self.mask is not None or self.terms.bias is not None or self.terms.sink is not None:
            return self
        keys, values = folded(self.keys, self.values)
        return self._replace(keys=keys, values=values)

    def levelled(self) -> Problem:
        """Return the problem without what all biases of a row share, if it is large.

        So a row whose biases are all the least number of a format has none. Outputs are the same; a
        log-sum-exp is not.
        """
        bias = self.terms.bias
        if bias is None or bias.dtype == object or self.terms.sink is not None:
            return self
        axes = tuple(range(1, bias.ndim))
        top, low = bias.max(axis=axes, keepdims=True), bias.min(axis=axes, keepdims=True)
        shared = np.where((top == low) & (np.abs(top) > LARGE_BIAS), top, 0)
        if not shared.any():
            return self
        return self._replace(terms=self.terms._replace(bias=bias - shared))

    def masks(self, rows: slice | npt.NDArray[np.intp]) -> Mask | Intervals | None:
        """Return the masks of some of the queries."""
        if isinstance(self.mask, Intervals):
            return self.mask.taken(rows)
        return self.mask if self.mask is None or len(self.mask) == 1 else self.mask[rows]

    def answered(self) -> list[int]:
        """The queries that have an answer: a tuple, or a sink."""
        return self.seeing() if self.terms.sink is None else list(range(len(self.queries)))

    def seeing(self) -> list[int]:
        """The queries that see a tuple."""
        rows = range(len(self.queries))
        if self.mask is None:
            return list(rows)
        if isinstance(self.mask, Intervals):
            return np.flatnonzero(self.mask.any).tolist()
        kept: Mask = np.any(self.mask.reshape(len(self.mask), -1), axis=1)
        return [b for b in rows if kept[b % len(kept)]]


def as_row(
    query: Any,
    keys: Any,
    values: Any,
    scale: Any,
    mask: Any,
    given: Terms,
    view: Callable[[Array], Any],
) -> Row:
    """Read one query, keys and values as ``view`` shows them, a scale, a mask, and terms as given.

    Raises
    ------
    InputError
        For a wrong shape, an entry that is not finite, order 0, no tokens, or a mask that leaves
        no tuple, where there is no sink.
    """
    q = read(query, "query", 1)
    K, V = as_slots(keys, values, len(q))
    sigma = as_scale(scale, len(q))
    kept, terms = as_kept(mask, given, tuple(map(len, K)))
    return Row(view(q), tuple(map(view, K)), tuple(map(view, V)), sigma, kept, terms)


def as_problem(
    query: Any, keys: Any, values: Any, scale: Any, mask: Any, given: Terms
) -> tuple[Problem, tuple[int, ...]]:
    """Read queries of shape (..., d), keys, values, a scale, masks and terms for all or for each.

    Returns
    -------
    problem : Problem
    leading : tuple of int
        The axes of the queries before the last.

    Raises
    ------
    InputError
        As `as_row`, but a mask may leave rows without a tuple.
    """
    rows, leading = read_rows(query, "query")
    K, V = as_slots(keys, values, rows.shape[1])
    sigma, lengths = as_scale(scale, rows.shape[1]), tuple(map(len, K))
    kept, terms = _kept(_masks(mask, leading, lengths), given, leading, lengths)
    arrays = (floats(rows), tuple(map(floats, K)), tuple(map(floats, V)))
    return Problem(*arrays, sigma, kept, terms), leading


def as_slots(
    keys: Any, values: Any, d: int | None = None
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Return the keys and values of all m slots as they are read, shapes checked.

    Parameters
    ----------
    keys, values : sequence of m arrays
        ``keys[r]`` has shape (n_r, d), ``values[r]`` shape (n_r, d_v); m >= 1.
    d : int, optional
        Length of the query; without it, the columns of ``keys[0]``.

    Raises
    ------
    InputError
        For order 0, different numbers of slots, or any shape that does not fit.
    """
    K, V = _slots(keys, "keys"), _slots(values, "values")
    if len(V) != len(K):
        raise InputError("values", f"{len(K)} arrays, one for each in keys", f"{len(V)}")
    columns, where = (K[0].shape[1], "keys[0]") if d is None else (d, "query")
    for r, (K_r, V_r) in enumerate(zip(K, V, strict=True)):
        (n, width), (rows, d_v) = K_r.shape, V_r.shape
        if width != columns:
            raise InputError(f"keys[{r}]", f"{columns} columns as in {where}", str(width))
        if rows != n:
            raise InputError(f"values[{r}]", f"{n} rows as in keys[{r}]", str(rows))
        if d_v != V[0].shape[1]:
            expected = f"{V[0].shape[1]} columns as in values[0]"
            raise InputError(f"values[{r}]", expected, str(d_v))
    return K, V


def folded(keys: Slots, values: Slots) -> tuple[Slots, Slots]:
    """Return the slots with one token for all where the tokens of a slot are alike.

    Without a mask the output is the same: all weights are divided by the same number. A log-sum-exp
    is not.

    Parameters
    ----------
    keys, values : tuple of m arrays
        Shapes (n_r, d) and (n_r, d_v).
    """
    alike = [_alike(K_r) and _alike(V_r) for K_r, V_r in zip(keys, values, strict=True)]
    one_k, one_v = (
        tuple(A[:1] if one else A for A, one in zip(arrays, alike, strict=True))
        for arrays in (keys, values)
    )
    return one_k, one_v


def _alike(rows: Array) -> bool:
    """Whether all rows are the same: the last one tells of most that are not."""
    return bool((rows[-1] == rows[0]).all() and (rows == rows[:1]).all())


def as_scale(scale: Any, d: int) -> Scale:
    """Return the scale σ > 0: a rational number, or the text ``"1/sqrt(d)"``.

    Raises
    ------
    InputError
        If it is neither, or not positive.
    """
    if isinstance(scale, Scale):
        return scale
    if isinstance(scale, str) and scale == INVERSE_SQRT_D:
        root = isqrt(d)
        return Scale(Fraction(1, root), 1) if root * root == d else Scale(Fraction(1, d), d)
    expected = f"a positive rational or {INVERSE_SQRT_D!r}"
    try:
        factor = as_fraction(scale, "scale")
    except InputError as error:
        raise InputError("scale", expected, error.got) from None
    if factor <= 0:
        raise InputError("scale", expected, str(factor))
    return Scale(factor, 1)


def as_kept(mask: Any, given: Terms, lengths: tuple[int, ...]) -> tuple[Mask | None, Terms]:
    """Return mask and terms of one query, arrays of shape ``lengths``.

    Raises
    ------
    InputError
        If the mask is not boolean, of another shape, or leaves no tuple where there is no sink:
        then the output is undefined.
    """
    kept, terms = _kept(_masks(mask, (), lengths), given, (), lengths)
    if kept is None:
        return None, terms.row(0)
    only: Mask = kept.mask(0) if isinstance(kept, Intervals) else kept[0]
    if terms.sink is None and not only.any():
        expected = "at least one tuple, as an empty row has no output"
        raise InputError(hidden_by(mask), expected, "none")
    return only, terms.row(0)


def hidden_by(mask: Any) -> str:
    """Return the argument that left a row without a tuple: biases of -inf do, where no mask is."""
    return "bias" if mask is None else "mask"


def _kept(
    kept: Mask | Intervals | None, given: Terms, leading: tuple[int, ...], lengths: tuple[int, ...]
) -> tuple[Mask | Intervals | None, Terms]:
    """Read terms of queries with some axes; join biases of -inf to the masks."""
    bias, sink = as_bias(given.bias, leading, lengths), as_sink(given.sink, leading)
    if bias is not None:
        bias, kept = without_lowest(rows_of(bias, len(leading)), kept)
    sinks = None if sink is None else sink.reshape(-1)
    return kept, Terms(bias, sinks, as_softcap(given.softcap))


def listed(arrays: Any, argument: str) -> list[Any]:
    """Return the m arrays of a sequence, one a slot; `InputError` if there is none."""
    try:
        found = list(arrays)
    except TypeError:
        raise InputError(argument, SLOTS, shown(arrays)) from None
    if isinstance(arrays, str | bytes | Mapping):
        raise InputError(argument, SLOTS, shown(arrays))
    if not found:
        raise InputError(argument, SLOTS, "an empty one (order 0)")
    if axes_of(found[0]) == 1:
        raise InputError(argument, SLOTS, "a single array; of order 1, put it in a list")
    return found


def axes_of(array: Any) -> int:
    """Return how many axes an array or nested sequences have; 0 if that cannot be said."""
    axes = 0
    try:
        while isinstance(array, Sequence) and not isinstance(array, str | bytes):
            array, axes = array[0], axes + 1
        return axes + (int(array.ndim) if is_array(array) else 0)
    except Exception:  # a framework may raise anything; what is wrong is said where it is read
        return 0


def _slots(arrays: Any, argument: str) -> tuple[Array, ...]:
    slots = listed(arrays, argument)
    return tuple(read(array, f"{argument}[{r}]", 2) for r, array in enumerate(slots))


def as_window(mask: Any) -> Window | None:
    """Return the window that a mask is, None if it is none.

    Raises
    ------
    InputError
        For a text that names none.
    """
    if isinstance(mask, str):
        if mask not in WINDOWS:
            raise InputError.among("mask", WINDOWS, shown(mask))
        return WINDOWS[mask]
    return mask if isinstance(mask, Window) else None


def _masks(
    mask: Any, leading: tuple[int, ...], lengths: tuple[int, ...]
) -> Mask | Intervals | None:
    """Masks as an array (b, n_1, ..., n_m), or (1, ...) for one for all queries, or intervals."""
    if mask is None:
        return None
    window = as_window(mask)
    if window is not None:
        return Intervals.of(window, leading[-1] if leading else 1, prod(leading), lengths)
    expected = f"booleans of shape {lengths}" + (f" or {leading + lengths}" if leading else "")
    array = as_booleans(mask, "mask", expected)
    if array.shape not in (lengths, leading + lengths):
        raise InputError("mask", expected, f"{array.dtype} of shape {array.shape}")
    return array.reshape(-1, *lengths)
