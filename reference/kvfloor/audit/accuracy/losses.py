"""How numbers may have been stored: roundings that caches in use make, as float64."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from kvfloor.numbers import Array

__all__ = ["stored"]

Slots = list[Array]
Change = Callable[[Slots], Slots]
GRIDS = [2.0**-k for k in range(-4, 11)]
TO_WHOLE: dict[str, Callable[[Array], Array]] = {
    "rounded": np.rint, "cut down": np.trunc, "rounded down": np.floor,
}  # fmt: skip


def stored() -> Iterator[tuple[str, str, Change]]:
    """Yield ways to store the rows of all slots, each with its words; first the loss if it has one.

    Other than of precision, which is of keys or of values as these are stored.
    """
    for name, whole in TO_WHOLE.items():
        for step in GRIDS:
            yield (
                "",
                f"{name} to multiples of {step:g}",
                _each(lambda x, s=step, w=whole: w(x / s) * s),
            )  # type: ignore[misc]
    for bits in range(1, 9):
        detail = f"rounded to {bits} significant bits"
        yield "", detail, _each(lambda x, b=bits: _significant(x, b))  # type: ignore[misc]
    for bits in range(2, 9):
        for name, axes in (("tensor", None), ("token", 1), ("column", 0)):
            yield (
                "",
                f"in {bits} bits by a {name}'s largest",
                _each(
                    lambda x, b=bits, a=axes: _symmetric(x, b, a)  # type: ignore[misc]
                ),
            )
            yield (
                "",
                f"in {bits} bits between a {name}'s ends",
                _each(
                    lambda x, b=bits, a=axes: _between(x, b, a)  # type: ignore[misc]
                ),
            )
    yield "", "by their signs", _each(np.sign)
    yield "wrong signs", "without their signs", _each(np.abs)


def _each(change: Callable[[Array], Array]) -> Change:
    return lambda slots: [np.asarray(change(x)) for x in slots]


def _significant(x: Array, bits: int) -> Array:
    fractions, exponents = np.frexp(x)
    return np.asarray(np.ldexp(np.rint(fractions * 2**bits) / 2**bits, exponents))


def _symmetric(x: Array, bits: int, axis: int | None) -> Array:
    step = np.abs(x).max(axis=axis, keepdims=True) / (2 ** (bits - 1) - 1)
    step = np.where(step, step, 1)
    return np.asarray(np.rint(x / step) * step)


def _between(x: Array, bits: int, axis: int | None) -> Array:
    low = x.min(axis=axis, keepdims=True)
    step = (x.max(axis=axis, keepdims=True) - low) / (2**bits - 1)
    step = np.where(step, step, 1)
    return np.asarray(low + np.rint((x - low) / step) * step)
