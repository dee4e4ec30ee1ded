"""How rows may have been put together, or in another order: tokens merged, columns exchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from kvfloor.audit.accuracy.losses import Change, Slots
from kvfloor.audit.accuracy.views import View
from kvfloor.numbers import Array

__all__ = ["merged", "reordered"]

BLOCKS = (2, 3, 4, 8, 16)  # tokens that are merged
ALIKE = (0.8, 0.9, 0.95, 0.99, 0.999)  # cosines of keys whose tokens are merged
MOST_ALIKE = 1024  # tokens of which all pairs are looked at


def reordered() -> Iterator[tuple[str, Change]]:
    """Yield ways to exchange tokens, or columns, with their words."""
    for axis, name in ((0, "tokens"), (1, "columns")):
        for shift in (1, -1):
            yield f"with {name} {shift:+d} place", _each(partial(np.roll, shift=shift, axis=axis))
        yield f"with {name} backwards", _each(partial(np.flip, axis=axis))
    yield "with columns exchanged in pairs", _each(_pairs)
    yield "with halves of columns exchanged", _each(lambda x: np.roll(x, x.shape[1] // 2, 1))
    yield "with every second column first", _each(lambda x: np.hstack([x[:, ::2], x[:, 1::2]]))


def _each(change: Callable[[Array], Array]) -> Change:
    return lambda slots: [np.asarray(change(x)) for x in slots]


def _pairs(rows: Array) -> Array:
    places = np.arange(rows.shape[1])
    return rows[:, np.minimum(places ^ 1, len(places) - 1)]


def merged() -> Iterator[tuple[str, Callable[[View], Change]]]:
    """Yield ways to put tokens of a view into one, all of them answered by their mean."""
    for size in BLOCKS:
        yield f"{size} tokens each", lambda v, s=size: _mean(np.arange(v.count) // s)  # type: ignore[misc]
    for least in ALIKE:
        detail = f"tokens of keys with a cosine above {least}"
        yield detail, lambda v, c=least: _mean(_alike(v.keys[0], c))  # type: ignore[misc]


def _mean(places: Array) -> Change:
    """Replace every row by the mean of those with its place."""
    by = np.bincount(places)[:, np.newaxis]

    def mean(slots: Slots) -> Slots:
        sums = [np.zeros((len(by), slot.shape[1])) for slot in slots]
        for total, slot in zip(sums, slots, strict=True):
            np.add.at(total, places, slot)
        return [(total / by)[places] for total in sums]

    return mean


def _alike(keys: Array, least: float) -> Array:
    """For each token the first one that has a key alike; each by itself where they are many."""
    if len(keys) > MOST_ALIKE:
        return np.arange(len(keys))
    sizes = np.sqrt((keys * keys).sum(axis=1))
    sizes = np.where(sizes, sizes, 1)
    near = (keys @ keys.T / np.outer(sizes, sizes) >= least) | np.eye(len(keys), dtype=bool)
    _, places = np.unique(near.argmax(axis=1), return_inverse=True)  # zeros are like nothing
    return np.asarray(places)
