"""How numbers may have been stored: roundings that caches in use make, as float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from kvfloor.numbers import Array

__all__ = ["stored"]

Slots = list[Array]
Change = Callable[[Slots], Slots]
Way = Callable[[Array], Array]
GRIDS = [2.0**-k for k in range(-4, 11)]
TO_WHOLE: dict[str, Way] = {"rounded": np.rint, "cut down": np.trunc, "rounded down": np.floor}
AXES = {"tensor": None, "token": 1, "column": 0}


def stored() -> Iterator[tuple[str, str, Change]]:
    """Yield ways to store the rows of all slots, each with its words.

    First the kind of loss; empty, where it is of precision: of keys or of values.
    """
    for words, way in _roundings():
        yield "", words, _each(way)
    yield "wrong signs", "without their signs", _each(np.abs)


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
