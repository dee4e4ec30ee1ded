"""What kind of loss it looks like: which single change of the model gives the wrong answers.

A guess, in float64, beside a verdict that is exact: each model of a loss predicts what a cache
with that loss would answer to all queries of an instance and some more. The one that is next to
the answers is named, if it explains nearly all of what is wrong; of equals the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from kvfloor.audit.accuracy.draft import stretched
from kvfloor.audit.accuracy.instance import Instance, Row
from kvfloor.audit.accuracy.losses import stored
from kvfloor.audit.meanings import UNTOLD
from kvfloor.numbers import Array

__all__ = ["Diagnosis", "diagnosed", "probes"]

EXPLAINED = 0.2  # what a model may leave of the largest error
MOST_PROBES = 6  # tokens that are asked for beside the instance's own queries
MOST_TUPLES = 2**14  # more are not diagnosed
CUTS = np.append(2.0 ** np.arange(-20, -8), np.linspace(1 / 256, 255 / 256, 128))  # shares
MANY = 8  # tokens of which no more than one, or a run, are tried as missing or doubled
FEW, LENGTHS = 64, 64  # tokens of which all are tried; lengths of runs of more, beside small ones
BLOCKS = (2, 3, 4, 8, 16)  # tokens that are merged
ALIKE = (0.8, 0.9, 0.95, 0.99, 0.999)  # cosines of keys whose tokens are merged


class Diagnosis(NamedTuple):
    """A kind of loss, in words; and the token it is about, if it is about one.

    Attributes
    ----------
    loss : str
        One of `kvfloor.audit.meanings.LOSSES`, or `UNTOLD`.
    detail : str
    token : int or None
    """

    loss: str
    detail: str = ""
    token: int | None = None


class _Model(NamedTuple):
    loss: str
    detail: str
    token: int | None
    answers: Array


def probes(instance: Instance) -> tuple[Row, ...]:
    """Return the queries of an instance, and more: twice, half and none of them, single tokens."""
    own = instance.queries[:4]
    d = len(own[0])
    keys, _ = instance.slots
    count = len(instance.tokens)
    some = range(0, count, max(1, -(-count // MOST_PROBES)))
    aimed = [stretched(row, keys, 8) for rows in keys for row in (rows[j] for j in some)]
    others = [tuple(f * x for x in q) for q in own[:2] for f in (2.0, 0.5)]
    return tuple(dict.fromkeys((*instance.queries, *others, (0.0,) * d, *aimed)))


def diagnosed(
    instance: Instance, queries: Sequence[Row], answers: Sequence[Sequence[Fraction]]
) -> Diagnosis:
    """Return what the answers to the queries look like."""
    keys, values = ([np.array(rows) for rows in slots] for slots in instance.slots)
    if len(keys[0]) ** instance.order > MOST_TUPLES:
        return Diagnosis(UNTOLD, "too many tuples to tell")
    asked = np.array(queries, dtype=float)
    came = np.array([[float(x) for x in row] for row in answers])
    right = _attention(keys, values, asked)
    wrong = np.abs(came - right).max()
    best, least = None, EXPLAINED * wrong
    for model in _models(keys, values, asked, came, right):
        left = np.abs(came - model.answers).max()
        if left < least * (1 if best is None else 0.999):
            best, least = model, left
    return Diagnosis(UNTOLD) if best is None else Diagnosis(*best[:3])


def _attention(
    keys: Sequence[Array], values: Sequence[Array], queries: Array, *, cap: float = np.inf
) -> Array:
    """Attention in float64, shape (queries, d_v), with logits cut to [-cap, cap]."""
    return _mean(_weights(keys, queries, cap), _products(values))


def _weights(keys: Sequence[Array], queries: Array, cap: float = np.inf) -> Array:
    """The weights of all tuples, up to a factor, shape (queries, tuples)."""
    logits = np.clip(queries @ _products(keys).T, -cap, cap)
    return np.asarray(np.exp(logits - logits.max(axis=1, keepdims=True)))


def _mean(weights: Array, values: Array) -> Array:
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(weights @ values / np.where(total, total, 1))


def _products(slots: Sequence[Array]) -> Array:
    rows = slots[0]
    for slot in slots[1:]:
        rows = (rows[:, np.newaxis, :] * slot[np.newaxis]).reshape(-1, rows.shape[1])
    return rows


def _models(
    keys: list[Array], values: list[Array], queries: Array, came: Array, right: Array
) -> Iterator[_Model]:
    def of(k: list[Array], v: list[Array]) -> Array:
        return _attention(k, v, queries)

    yield from _recounted(keys, values, queries)
    nothing = _attention(keys, values, 0 * queries)
    yield _Model("precision of keys", "keys told apart by nothing", None, nothing)
    yield from _temperatures(keys, values, queries, came)
    yield from _clipped(keys, values, of, came)
    caps = 2.0 ** np.linspace(-4, 6, 81)
    cap, answers = _fitted(lambda c: _attention(keys, values, queries, cap=c), came, caps)
    yield _Model("clipping", f"logits cut at ±{cap:.4g}", None, answers)
    for loss, detail, answers in _rescaled(came, right):
        yield _Model(loss, detail, None, answers)
    for loss, detail, change in stored():
        answers = of(keys, change(values))
        yield _Model(loss or "precision of values", f"values {detail}", None, answers)
    for loss, detail, change in stored():
        answers = of(change(keys), values)
        yield _Model(loss or "precision of keys", f"keys {detail}", None, answers)
    for detail, change in _merged(keys):
        yield _Model("merged tokens", detail, None, of(change(keys), change(values)))


def _recounted(keys: list[Array], values: list[Array], queries: Array) -> Iterator[_Model]:
    """Tokens that are missing or counted twice."""
    weights, products, count = _weights(keys, queries), _products(values), len(keys[0])
    if count == 1:
        return  # its weight is all there is
    for places, detail in _places(count, _heaviest(weights, count)):
        for factor, loss in ((0.0, "missing token"), (2.0, "token counted twice")):
            counts = np.ones((count, 1))
            counts[places] = factor
            answers = _mean(weights * _products([counts] * len(keys))[:, 0], products)
            yield _Model(loss, detail, places[0], answers)


def _heaviest(weights: Array, count: int) -> list[int]:
    """The few tokens with the largest shares of a query's weights; all, if there are few."""
    shares = (weights / weights.sum(axis=1, keepdims=True)).reshape(len(weights), count, -1)
    largest = shares.sum(axis=2).max(axis=0)
    return sorted(np.argsort(-largest, kind="stable")[:FEW].tolist())


def _places(count: int, single: Sequence[int]) -> Iterator[tuple[list[int], str]]:
    """Single tokens, runs, every so many, some of the first; never all."""
    yield from (([j], f"token {j}") for j in single)
    for first, end in _runs(count):
        yield list(range(first, end)), f"tokens {first} to {end - 1}"
    for period in range(2, count if count <= FEW else 2 * MANY):
        for first in range(min(period, count - period)):
            yield list(range(first, count, period)), f"token {first} and every {period} later"
    yield from (some for some in _some(count) if len(some[0]) < count)


def _runs(count: int) -> list[tuple[int, int]]:
    """First tokens and ends of runs of two and more: of many tokens, from the first, or the last.

    They are of few tokens, or all but few, or of about so many; a fifth of an error may be left.
    """
    if count <= FEW:
        runs = [(i, end) for i in range(count) for end in range(i + 2, count + 1)]
    else:
        lengths = {*range(2, FEW), *np.linspace(FEW, count - 2, LENGTHS, dtype=int).tolist()}
        ends = sorted({*lengths, *(count - length for length in lengths), count})
        runs = [(i, end) for i in range(MANY) for end in ends if end > i + 1]
        runs += [(count - length, count) for length in sorted(lengths)]
    return [run for run in runs if run != (0, count)]


def _some(count: int) -> Iterator[tuple[list[int], str]]:
    """All choices among the first tokens."""
    for chosen in range(1, 2 ** min(count, MANY)):
        places = [j for j in range(count) if chosen >> j & 1]
        yield places, "tokens " + ", ".join(map(str, places))


def _fitted(predict: Callable[[float], Array], came: Array, grid: Array) -> tuple[float, Array]:
    """The number of a grid, refined, whose prediction is next to what came."""

    def left(x: float) -> float:
        return float(np.abs(came - predict(x)).max())

    place = int(np.argmin([left(x) for x in grid]))
    low, high = grid[max(0, place - 1)], grid[min(len(grid) - 1, place + 1)]
    for _ in range(50):
        third = (high - low) / 3
        low, high = (low, high - third) if left(low + third) < left(high - third) else (
            low + third, high)  # fmt: skip
    best = min((float(grid[place]), (low + high) / 2), key=left)
    return best, predict(best)


def _temperatures(
    keys: list[Array], values: list[Array], queries: Array, came: Array
) -> Iterator[_Model]:
    factors = 2.0 ** np.linspace(-6, 6, 97)
    factor, answers = _fitted(lambda t: _attention(keys, values, t * queries), came, factors)
    yield _Model("temperature", f"logits times {factor:.4g}", None, answers)


def _clipped(
    keys: list[Array], values: list[Array], of: Callable[..., Array], came: Array
) -> Iterator[_Model]:
    """Values or keys cut to [-c, c], or at zero; in all slots, or in those where tokens differ."""
    differ = tuple(
        bool((k != k[0]).any() or (v != v[0]).any()) for k, v in zip(keys, values, strict=True)
    )
    for some in dict.fromkeys(((True,) * len(keys), differ)):
        yield from _cut("values", values, some, lambda v: of(keys, v), came)
        yield from _cut("keys", keys, some, lambda k: of(k, values), came)


def _cut(
    name: str, slots: list[Array], some: Sequence[bool], of: Callable[..., Array], came: Array
) -> Iterator[_Model]:
    def within(low: float, high: float) -> Array:
        pairs = zip(slots, some, strict=True)
        return of([np.clip(x, low, high) if one else x for x, one in pairs])

    largest = max(np.abs(x).max() for x in slots)
    if largest:
        c, answers = _fitted(lambda c: within(-c, c), came, largest * CUTS)
        yield _Model("clipping", f"{name} cut at ±{c:.4g}", None, answers)
        yield _Model("clipping", f"{name} cut at 0", None, within(0, np.inf))


def _rescaled(came: Array, right: Array) -> Iterator[tuple[str, str, Array]]:
    """All answers, or those of each column, times a number."""
    total = float((right * right).sum())
    if total:
        factor = float((came * right).sum()) / total
        loss = "wrong signs" if factor < 0 else "scale of values"
        yield loss, f"values times {factor:.4g}", factor * right
    sizes = (right * right).sum(axis=0)
    factors = (came * right).sum(axis=0) / np.where(sizes, sizes, 1)
    yield "scale of values", "values of each column times another number", factors * right


def _merged(keys: list[Array]) -> Iterator[tuple[str, Callable[[list[Array]], list[Array]]]]:
    """Ways to put tokens into one, all of them answered by their mean."""
    for detail, places in _partitions(keys[0]):
        counts = np.bincount(places)[:, np.newaxis]
        if len(counts) == len(places):
            continue

        def mean(slots: list[Array], at: Array = places, by: Array = counts) -> list[Array]:
            sums = [np.zeros((len(by), slot.shape[1])) for slot in slots]
            for total, slot in zip(sums, slots, strict=True):
                np.add.at(total, at, slot)
            return [(total / by)[at] for total in sums]

        yield detail, mean


def _partitions(keys: Array) -> Iterator[tuple[str, Array]]:
    """Blocks of so many tokens; and tokens with the first one that has a key alike."""
    count = len(keys)
    for size in BLOCKS:
        if size <= count:
            yield f"{size} tokens each", np.arange(count) // size
    sizes = np.sqrt((keys * keys).sum(axis=1))
    sizes = np.where(sizes, sizes, 1)
    cosines = keys @ keys.T / np.outer(sizes, sizes)
    for least in ALIKE:
        near = (cosines >= least) | np.eye(count, dtype=bool)  # zeros are like nothing
        _, places = np.unique(near.argmax(axis=1), return_inverse=True)
        yield f"tokens of keys with a cosine above {least}", places
