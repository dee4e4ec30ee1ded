"""Changes of the model that may have led to wrong answers, and what a cache would answer then.

A hypothesis is made for one view, its numbers fitted to it, and predicts the answers of any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from kvfloor.audit.accuracy.losses import Change, Slots, aged, grouped, stored, without_zero
from kvfloor.audit.accuracy.orders import merged, reordered
from kvfloor.audit.accuracy.views import View, exponentials, mean_of
from kvfloor.numbers import Array

__all__ = ["OF_TOKENS", "Hypothesis", "hypotheses"]

CUTS = np.append(2.0 ** np.arange(-20, -8), np.linspace(1 / 256, 255 / 256, 128))  # shares
CAPS = 2.0 ** np.linspace(-4, 7, 89)  # of logits
FACTORS = 2.0 ** np.linspace(-6, 6, 97)  # of logits
SAME = 1e-9  # what is left by numbers that explain alike
REFINED = 40  # steps of a search between neighbours in a grid
PADDINGS = (1, 2, 3, 4, 5, 6, 7, 8, 12, 15, 16, 24, 31, 32, 63, 64)  # tokens of zeros
TOPS = (2, 3, 4, 8, 16)  # tokens that are attended to
BLOCKS = (1, 2, 4, 8, 16)  # tokens that share a scale


OF_TOKENS = ("token too many", "merged tokens", "missing token")  # which may depend on what came


class Hypothesis(NamedTuple):
    """A kind of loss, how it is said, and what would be answered.

    Attributes
    ----------
    loss : str
        One of `kvfloor.audit.meanings.LOSSES`.
    detail : str
    predict : callable
        From a view to answers.
    """

    loss: str
    detail: str
    predict: Callable[[View], Array]


def hypotheses(view: View) -> Iterator[Hypothesis]:
    """Yield all that are no matter of single tokens: of equals what is said first is named."""
    zero = lambda v: mean_of(np.ones_like(v.weights), v.products)  # noqa: E731
    yield Hypothesis("precision of keys", "keys told apart by nothing", zero)
    yield from _added(view)
    yield from _attended(view)
    yield from _clipped(view)
    yield from _rescaled(view)
    yield from _shifted(view)
    for loss, detail, change in stored():
        yield _on_values(loss or "precision of values", f"values {detail}", change)
        yield _on_keys(loss or "precision of keys", f"keys {detail}", change)
    for detail, keys_change, values_change in grouped(view.count, view.keys[0].shape[1]):
        yield _on_values("precision of values", f"values {detail}", values_change)
        yield _on_keys("precision of keys", f"keys {detail}", keys_change)
        both = f"keys and values {detail}"
        yield _on_both("precision of keys and values", both, keys_change, values_change)
    for detail, change in reordered():
        yield _on_values("wrong order", f"values {detail}", change)
        yield _on_keys("wrong order", f"keys {detail}", change)
    for detail, change_of in merged():
        yield Hypothesis("merged tokens", detail, _merging(change_of))


Changed = Callable[[str, str, Change], Hypothesis]


def _on_values(loss: str, detail: str, change: Change) -> Hypothesis:
    return Hypothesis(loss, detail, lambda v: v.output(values=change(v.values)))


def _on_keys(loss: str, detail: str, change: Change) -> Hypothesis:
    return Hypothesis(loss, detail, lambda v: v.output(keys=change(v.keys)))


def _on_both(loss: str, detail: str, of_keys: Change, of_values: Change) -> Hypothesis:
    return Hypothesis(loss, detail, lambda v: v.output(of_keys(v.keys), of_values(v.values)))


def _merging(change_of: Callable[[View], Change]) -> Callable[[View], Array]:
    def predict(view: View) -> Array:
        change = change_of(view)
        return view.output(change(view.keys), change(view.values))

    return predict


def _fitted(predict: Callable[[float], Array], view: View, grid: Array) -> list[float]:
    """The numbers of a grid that predict what came best: the first, refined, and the last.

    A bound that only the largest logits are beyond may be anywhere between two of them.
    """

    def left(x: float) -> float:
        return view.left(predict(x))

    found = np.array([left(x) for x in grid])
    place = int(found.argmin())
    low, high = grid[max(0, place - 1)], grid[min(len(grid) - 1, place + 1)]
    for _ in range(REFINED):
        third = (high - low) / 3
        low, high = (low, high - third) if left(low + third) < left(high - third) else (
            low + third, high)  # fmt: skip
    best = min((float(grid[place]), float(low + high) / 2), key=left)
    last = int(np.flatnonzero(found <= found[place] + SAME)[-1])
    return [best, float(grid[last])] if last > place else [best]


def _told(numbers: Sequence[float]) -> str:
    """A number, or between which it is."""
    return " to ".join(f"{x:.4g}" for x in numbers)


# --- which tokens count, and how much -------------------------------------------------------------


def _added(view: View) -> Iterator[Hypothesis]:
    """Tokens of zeros that are attended to beside the others."""
    if len(view.keys) > 1:
        return
    for multiple in BLOCKS[1:]:
        detail = f"zeros up to a multiple of {multiple}"
        yield Hypothesis("token too many", detail, _padded(lambda n, m=multiple: -n % m))  # type: ignore[misc]
    for more in PADDINGS:
        detail = f"{more} token{'s' * (more > 1)} of zeros"
        yield Hypothesis("token too many", detail, _padded(lambda _, m=more: m))  # type: ignore[misc]


def _padded(how_many: Callable[[int], int]) -> Callable[[View], Array]:
    def predict(view: View) -> Array:
        more = how_many(view.count)
        logits = np.hstack([view.logits, np.zeros((len(view.logits), more))])
        values = np.vstack([view.products, np.zeros((more, view.products.shape[1]))])
        return mean_of(exponentials(logits), values)

    return predict


def _attended(view: View) -> Iterator[Hypothesis]:
    """Logits times a number, cut, or those of few tokens alone."""
    ways = (
        ("temperature", "logits times {}", _heated, FACTORS),
        ("clipping", "logits cut at ±{}", _cut_logits, CAPS),
        ("clipping", "logits of a query scaled to ±{}", _tamed, CAPS),
    )
    for loss, detail, way, grid in ways:
        numbers = _fitted(partial(way, view), view, grid)
        said = detail.format(_told(numbers))
        for number in numbers:
            yield Hypothesis(loss, said, lambda v, x=number, of=way: of(v, x))  # type: ignore[misc]
    for few in TOPS:
        said = f"all but the {few} of the largest logits"
        yield Hypothesis("missing token", said, lambda v, k=few: _topped(v, k))  # type: ignore[misc]
    for said, last in (("the first token", 1), ("the last but one", -1)):
        detail = f"the query that was asked before is answered as after {said}"
        yield Hypothesis("missing token", detail, lambda v, end=last: _stale(v, end))  # type: ignore[misc]


def _heated(view: View, factor: float | Array) -> Array:
    return mean_of(exponentials(factor * view.logits), view.products)


def _cut_logits(view: View, cap: float) -> Array:
    return mean_of(exponentials(np.clip(view.logits, -cap, cap)), view.products)


def _tamed(view: View, cap: float) -> Array:
    largest = np.abs(view.logits).max(axis=1, keepdims=True)
    return _heated(view, np.minimum(1, cap / np.where(largest, largest, 1)))


def _topped(view: View, few: int) -> Array:
    weights = np.zeros_like(view.weights)
    best = np.argsort(-view.logits, axis=1, kind="stable")[:, :few]
    np.put_along_axis(weights, best, np.take_along_axis(view.weights, best, axis=1), axis=1)
    return mean_of(weights, view.products)


def _stale(view: View, end: int) -> Array:
    """As it should be, but for the first query, answered from the tokens up to an end."""
    if len(view.keys) > 1 or view.count == 1:
        return view.right
    first = mean_of(exponentials(view.logits[:1, :end]), view.products[:end])
    return np.vstack([first, view.right[1:]])


# --- numbers cut, scaled, shifted -----------------------------------------------------------------


def _clipped(view: View) -> Iterator[Hypothesis]:
    """Values or keys cut to [-c, c], or at zero; in all slots, or in those where tokens differ."""
    for name, on, slots in (
        ("values", _on_values, view.values),
        ("keys", _on_keys, view.keys),
    ):
        yield on("clipping", f"{name} cut at 0", _each(lambda rows: rows.clip(0, None)))
        if largest := max(np.abs(rows).max() for rows in slots):
            for alone in (False, True)[: len(slots)]:
                yield from _cut(view, name, on, largest, alone=alone)
    yield _on_values("clipping", "values cut at the first token's largest", _each(_by_first))
    for size in BLOCKS:
        detail = f"values cut at the largest of the {size} tokens before"
        yield _on_values("clipping", detail, _each(partial(_by_blocks, size, size)))
        detail = f"every {size}th token's values cut at the largest of the {size} before"
        yield _on_values("clipping", detail, _each(partial(_by_blocks, size, 1)))


def _cut(view: View, name: str, on: Changed, largest: float, *, alone: bool) -> list[Hypothesis]:
    def within(c: float, said: str = "") -> Hypothesis:
        change = _each(lambda rows: rows.clip(-c, c), where_tokens_differ=alone)
        return on("clipping", said, change)

    bounds = _fitted(lambda c: within(c).predict(view), view, largest * CUTS)
    return [within(c, f"{name} cut at ±{_told(bounds)}") for c in bounds]


def _each(change: Callable[[Array], Array], *, where_tokens_differ: bool = False) -> Change:
    def changed(slots: Slots) -> Slots:
        return [x if where_tokens_differ and (x == x[0]).all() else change(x) for x in slots]

    return changed


def _by_first(rows: Array) -> Array:
    largest = np.abs(rows[0]).max() or 1
    return rows.clip(-largest, largest)


def _by_blocks(size: int, cut: int, rows: Array) -> Array:
    """The first tokens of every block cut at the largest of the block before."""
    found = rows.copy()
    for start in range(size, len(rows), size):
        largest = np.abs(rows[start - size : start]).max() or 1
        found[start : start + cut] = rows[start : start + cut].clip(-largest, largest)
    return found


def _rescaled(view: View) -> Iterator[Hypothesis]:
    """All answers, or those of each column, times a number."""
    total = float((view.right * view.right).sum())
    if not total:
        return
    factor = float((view.came * view.right).sum()) / total
    loss = "wrong signs" if factor < 0 else "scale of values"
    yield Hypothesis(loss, f"values times {factor:.4g}", lambda v: factor * v.right)
    sizes = (view.right * view.right).sum(axis=0)
    factors = (view.came * view.right).sum(axis=0) / np.where(sizes, sizes, 1)
    detail = "values of each column times another number"
    yield Hypothesis("scale of values", detail, lambda v: factors * v.right)


def _shifted(view: View) -> Iterator[Hypothesis]:
    """Values plus a number; or plus a share of where they begin, or of how far they reach."""
    if len(view.values) > 1:
        return
    shift = float((view.came - view.right).mean())
    yield Hypothesis("zero point", f"values plus {shift:.4g}", lambda v: v.right + shift)
    shifts = (view.came - view.right).mean(axis=0)
    detail = "values of each column plus another number"
    yield Hypothesis("zero point", detail, lambda v: v.right + shifts)
    for axis, name in ((1, "token"), (0, "column")):
        for detail, of in (
            (f"of the least of a {name}", _least),
            (f"of the span of a {name}", _span),
        ):
            for whole, left in aged(view.count):

                def moved(v: View, axis: int = axis, of: Any = of, left: Any = left) -> Array:
                    return v.output(values=[left(lambda rows: of(rows, axis), v.values[0])])

                along = moved(view)
                total = float((along * along).sum())
                share = float(((view.came - view.right) * along).sum()) / total if total else 0.0
                yield Hypothesis(
                    "zero point",
                    f"values plus {share:.4g} {detail}{whole}",
                    lambda v, s=share, m=moved: v.right + s * m(v),  # type: ignore[misc]
                )
    for detail, change in without_zero(view.count):
        yield _on_keys("zero point", f"keys less {detail}", change)


def _least(rows: Array, axis: int) -> Array:
    return np.asarray(rows.min(axis=axis, keepdims=True))


def _span(rows: Array, axis: int) -> Array:
    return np.asarray(rows.max(axis=axis, keepdims=True) - _least(rows, axis))
