"""How numbers may have been stored: roundings that caches in use make, as float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from kvfloor.numbers import Array, as_format

__all__ = ["Change", "Slots", "aged", "grouped", "stored", "without_zero"]

Slots = list[Array]
Change = Callable[[Slots], Slots]
Way = Callable[[Array], Array]
GRIDS = [2.0**-k for k in range(-4, 11)]
TO_WHOLE: dict[str, Way] = {"rounded": np.rint, "cut down": np.trunc, "rounded down": np.floor}
AXES = {"tensor": None, "token": 1, "column": 0}
FLOATS = ("float8_e4m3fn", "float8_e5m2", "bfloat16", "float16")
GROUPS = (2, 4, 8, 16, 32, 64, 128)
MOST_GROUPED = 2**6  # tokens of which groups are tried


def stored() -> Iterator[tuple[str, str, Change]]:
    """Yield ways to store the rows of all slots, each with its words.

    First the kind of loss; empty, where it is of precision: of keys or of values.
    """
    for words, way in _roundings():
        yield "", words, _each(way)
    yield "wrong signs", "without their signs", _each(np.abs)
    for name, axis in AXES.items():
        words = f"of a {name} whose ends are one times 0"
        yield "scale of values", words, _each(partial(_where_wide, axis))


def grouped(count: int, d: int) -> Iterator[tuple[str, Change, Change]]:
    """Yield ways to round in groups, keys and values, of the tokens that are no longer new.

    As KIVI does: keys in groups of tokens of a column, values in groups of columns of a token; the
    last tokens are whole. Or both as values.
    """
    if count > MOST_GROUPED:
        return
    for whole in (0, *(size for size in GROUPS if size < count)):
        for group in (size for size in GROUPS if size <= max(count, d)):
            for bits in range(1, 5):
                words = f"in {bits} bits between the ends of {group}" + (
                    f", all but the last {whole} tokens" * bool(whole)
                )
                parts = [
                    _each(partial(_old, whole, partial(_in_groups, bits, group, axis)))
                    for axis in (0, 1)
                ]
                yield words, parts[0], parts[1]


def aged(count: int) -> Iterator[tuple[str, Callable[[Way, Array], Array]]]:
    """Yield the tokens that a shift may be of, in words, and what makes it, zero for the others.

    All, those of full blocks, or those that are no longer among the last.
    """
    yield "", lambda of, x: of(x) + 0 * x
    for size in _block_sizes(count):
        yield f" in full blocks of {size} tokens", partial(_shifted_old, size, True)
        yield f", all but the last {size} tokens", partial(_shifted_old, size, False)


def without_zero(count: int) -> Iterator[tuple[str, Change]]:
    """Yield ways to read keys from zero that were written from their least, each with its words."""
    for name, axis in (("token", 1), ("column", 0)):
        for whole, left in aged(count):

            def lowered(x: Array, axis: int = axis, left: Any = left) -> Array:
                return np.asarray(x - left(lambda rows: rows.min(axis=axis, keepdims=True), x))

            yield f"the least of a {name}{whole}", _each(lowered)
    for size in _block_sizes(count):
        words = f"the least of a column in each full block of {size} tokens"
        yield words, _each(partial(_blocks_lowered, size))


def _block_sizes(count: int) -> list[int]:
    """Numbers of tokens that blocks are tried of; none where there are too many tokens."""
    return [size for size in GROUPS if size < count] if count <= MOST_GROUPED else []


def _shifted_old(size: int, blocks: bool, of: Way, x: Array) -> Array:
    """A shift of the tokens in full blocks, or of all but the last."""
    old = len(x) - (len(x) % size if blocks else min(size, len(x)))
    shift = np.zeros_like(x)
    if old:
        shift[:old] = of(x[:old])
    return shift


def _blocks_lowered(size: int, x: Array) -> Array:
    """Columns less their least, block by block; what comes behind the last full one stays."""
    found = x.copy()
    for first in range(0, len(x) - size + 1, size):
        found[first : first + size] -= x[first : first + size].min(axis=0, keepdims=True)
    return found


def _roundings() -> Iterator[tuple[str, Way]]:
    for name, whole in TO_WHOLE.items():
        for step in GRIDS:
            yield f"{name} to multiples of {step:g}", partial(_to_grid, whole, step)
    for bits in range(1, 9):
        yield f"rounded to {bits} significant bits", partial(_significant, bits)
    for bits in range(2, 9):
        for name, axis in AXES.items():
            yield f"in {bits} bits by a {name}'s largest", partial(_symmetric, bits, axis)
            yield f"in {bits} bits between a {name}'s ends", partial(_between, bits, axis)
    yield "by their signs", np.sign
    for name in FLOATS:
        yield f"as {name}", partial(_as_float, name)


def _each(change: Way) -> Change:
    return lambda slots: [np.asarray(change(x)) for x in slots]


def _to_grid(whole: Way, step: float, x: Array) -> Array:
    return np.asarray(whole(x / step) * step)


def _significant(bits: int, x: Array) -> Array:
    fractions, exponents = np.frexp(x)
    return np.asarray(np.ldexp(np.rint(fractions * 2**bits) / 2**bits, exponents))


def _symmetric(bits: int, axis: int | None, x: Array) -> Array:
    step = np.abs(x).max(axis=axis, keepdims=True) / (2 ** (bits - 1) - 1)
    step = np.where(step, step, 1)
    return np.asarray(np.rint(x / step) * step)


def _between(bits: int, axis: int | None, x: Array) -> Array:
    low = x.min(axis=axis, keepdims=True)
    step = (x.max(axis=axis, keepdims=True) - low) / (2**bits - 1)
    step = np.where(step, step, 1)
    return np.asarray(low + np.rint((x - low) / step) * step)


def _as_float(name: str, x: Array) -> Array:
    target = as_format(name)
    most = float(target.max_finite)
    return target.round_array(np.clip(x, -most, most))


def _where_wide(axis: int | None, x: Array) -> Array:
    wide = x.max(axis=axis, keepdims=True) > x.min(axis=axis, keepdims=True)
    return np.where(wide, x, 0)


def _old(whole: int, change: Way, x: Array) -> Array:
    """All but the last rows changed."""
    old = len(x) - whole
    return np.vstack([change(x[:old]), x[old:]]) if old > 0 else x


def _in_groups(bits: int, group: int, axis: int, x: Array) -> Array:
    """Rounded between the ends of so many rows of a column, or columns of a row."""
    rows = x if axis else x.T
    parts = [
        _between(bits, 1, rows[:, first : first + group])
        for first in range(0, rows.shape[1], group)
    ]
    found = np.hstack(parts)
    return found if axis else found.T
