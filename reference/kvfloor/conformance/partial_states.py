"""Builders of partial states to be merged."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np

from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import BEYOND_EXP, Draft, Float, NoCase
from kvfloor.conformance.merging import Merging
from kvfloor.conformance.sentinels import LOW, levels

AROUND = (15, 16, 17, 31, 32, 33, 65)  # parts, on both sides of powers of two
WIDTHS = (1, 15, 16, 17, 33, 64, 65, 80, 96, 128, 192, 256)
NEVER = -np.inf


def drawn_parts(draft: Draft) -> list[Case]:
    """Nothing special."""
    return [_case(draft, *_states(draft))]


def one_part(draft: Draft) -> list[Case]:
    """One part alone: it comes back as it is."""
    return drawn_parts(_parts(draft, 1))


def two_parts(draft: Draft) -> list[Case]:
    """Two parts, either heavier."""
    sized = _parts(draft, 2)
    outputs, lse = _states(sized)
    lse[1] = lse[0] + np.where(np.arange(lse[0].size) % 2, 2, -2).reshape(lse[0].shape)
    return [_case(sized, outputs, lse)]


def many_parts(draft: Draft) -> list[Case]:
    """Numbers of parts around powers of two; the last weighs half of all, then the first."""
    cases = []
    for sized in draft.with_sizes(*({"lengths": (n,)} for n in _upto(AROUND, draft))):
        outputs, lse = _states(sized)
        n = len(lse)
        for heavy in (-1, 0):
            weighed = lse / 4
            weighed[heavy] = log(max(2, n))
            cases.append(_case(sized, outputs, weighed))
    return cases


def part_columns(draft: Draft) -> list[Case]:
    """Columns on both sides of multiples of 16, and as models have them."""
    widths = [width for width in WIDTHS if width <= draft.size.d_v] or [draft.size.d_v]
    sizes = draft.with_sizes(*({"d_v": width} for width in widths))
    return [case for sized in sizes for case in drawn_parts(sized)]


def rows_and_heads(draft: Draft) -> list[Case]:
    """Each row and head with other weights: in each another part outweighs all others."""
    outputs, lse = _states(draft)
    n, rows, heads = lse.shape
    heavy = (np.arange(rows)[:, None] + 3 * np.arange(heads)) % n
    lse /= 4
    np.put_along_axis(lse, heavy[None], 6.0, axis=0)
    return [_case(draft, outputs, lse)]


def empty_parts(draft: Draft) -> list[Case]:
    """Empty parts: the first, the last, all but one, some."""
    _require(draft, 2)
    outputs, lse = _states(draft)
    n = len(lse)
    chosen = draft.generator(2).random(lse.shape) < 0.5
    chosen[0] &= ~chosen.all(axis=0)
    each = np.arange(n)[:, None, None]
    patterns = (each == 0, each == n - 1, each != n // 2, chosen)
    return [_without(draft, outputs, lse, np.broadcast_to(empty, lse.shape)) for empty in patterns]


def all_empty(draft: Draft) -> list[Case]:
    """Rows all of whose parts are empty, among others; then all."""
    outputs, lse = _states(draft)
    _, rows, heads = lse.shape
    some = (np.arange(rows)[:, None] + np.arange(heads)) % 2 == 0
    patterns = (np.broadcast_to(some, lse.shape), np.ones(lse.shape, dtype=np.bool_))
    return [_without(draft, outputs, lse, empty) for empty in patterns]


def unread_parts(draft: Draft) -> list[Case]:
    """NaN, then infinities, for the outputs of empty parts."""
    _require(draft, 2)
    outputs, lse = _states(draft)
    empty = draft.generator(2).random(lse.shape) < 0.5
    empty[0] = True
    empty[-1] = False
    lse[empty] = NEVER
    return [_case(draft, np.where(empty[..., None], x, outputs), lse) for x in (np.nan, np.inf)]


def dominant_part(draft: Draft) -> list[Case]:
    """One part weighs all but 10^-17: the first, the last, one between."""
    outputs, lse = _states(draft)
    cases = []
    for heavy in sorted({0, len(lse) // 2, len(lse) - 1}):
        weighed = lse / 4
        weighed[heavy] += 40
        cases.append(_case(draft, outputs, weighed))
    return cases


def equal_parts(draft: Draft) -> list[Case]:
    """All weigh the same: outputs are means, log-sum-exps grow by the logarithm of a number."""
    outputs, lse = _states(draft)
    return [_case(draft, outputs, np.broadcast_to(lse[:1], lse.shape))]


def low_parts(draft: Draft) -> list[Case]:
    """Log-sum-exps below every number that stands for -inf, with empty parts between.

    Halves: the heaviest part first, then last.
    """
    outputs, _ = _states(draft)
    n = len(outputs)
    empty = np.zeros(outputs.shape[:-1], dtype=np.bool_)
    empty[1:-1:2] = True
    cases = []
    for level in levels(_reach(draft) * LOW[1] / LOW[0]):
        lse = -level * np.linspace(1, LOW[0] / LOW[1], n)
        for ordered in (lse, lse[::-1]):
            cases.append(_without(draft, outputs, _each(ordered, empty.shape), empty))
    return cases


def high_parts(draft: Draft) -> list[Case]:
    """Log-sum-exps beyond the logarithm of the largest number, and of the least; and of 10^4."""
    outputs, lse = _states(draft)
    beyond = BEYOND_EXP * log(float(draft.target.arithmetic.max_finite))
    return [_case(draft, outputs, lse + x) for x in (beyond, -beyond, min(1e4, _reach(draft)))]


def steep_parts(draft: Draft) -> list[Case]:
    """Weights from one to thousands: another base is seen."""
    outputs, _ = _states(draft)
    return [_case(draft, outputs, _each(np.linspace(-9, 9, len(outputs)), outputs.shape[:-1]))]


def fine_parts(draft: Draft) -> list[Case]:
    """Log-sum-exps of about 50 that differ in what a narrow format would round away."""
    outputs, lse = _states(draft)
    return [_case(draft, outputs, 50 + lse / 8)]


def cancelling_parts(draft: Draft) -> list[Case]:
    """Outputs come in pairs that cancel, of nearly the same weight."""
    outputs, lse = _states(draft)
    outputs *= 8
    even = len(outputs) // 2 * 2
    outputs[1:even:2] = -outputs[0:even:2]
    outputs[even:] = 0
    return [_case(draft, outputs, lse / 64)]


def light_parts(draft: Draft) -> list[Case]:
    """One heavy part, then many that a narrow running sum would lose one by one."""
    outputs, lse = _states(draft)
    gap = (draft.target.inputs.precision + 0.5) * log(2)
    lse /= 64
    lse[1:] -= min(gap, 8.0)
    return [_case(draft, np.abs(outputs) + 0.25, lse)]


def late_part(draft: Draft) -> list[Case]:
    """The heaviest part moves with each that comes, most at the end; then it comes first."""
    outputs, _ = _states(draft)
    n = len(outputs)
    rising, falling = np.linspace(-12, 12, n), np.full(n, -20.0)
    rising[-1] += 6
    falling[0] = 0
    return [_case(draft, outputs, _each(x, outputs.shape[:-1])) for x in (rising, falling)]


def permuted_parts(draft: Draft) -> list[Case]:
    """The same parts in another order."""
    outputs, lse = _states(draft)
    order = draft.generator(1).permutation(len(lse))
    return [_case(draft, outputs, lse), _case(draft, outputs[order], lse[order])]


def repeated_merge(draft: Draft) -> list[Case]:
    """The same call twice."""
    return [_merging(draft).case(*_states(draft), relation="repeat")]


def merged_inputs(draft: Draft) -> list[Case]:
    """The arrays before and after."""
    return [_merging(draft).case(*_states(draft), relation="inputs")]


def _merging(draft: Draft) -> Merging:
    target = draft.target
    assert isinstance(target, Merging)  # noqa: S101 (its entries are for nothing else)
    return target


def _states(draft: Draft) -> tuple[Float, Float]:
    """Draw outputs (parts, rows, heads, d_v) and log-sum-exps (parts, rows, heads) of size 1."""
    rng, size = draft.generator(), draft.size
    shape = size.lengths[0], size.batch, size.kv_heads
    return draft.numbers(rng, (*shape, size.d_v)), draft.numbers(rng, shape)


def _case(draft: Draft, outputs: Any, lse: Any) -> Case:
    return _merging(draft).case(outputs, lse)


def _without(draft: Draft, outputs: Float, lse: Float, empty: Any) -> Case:
    """The case with empty parts, whose outputs are zero."""
    return _case(draft, np.where(empty[..., None], 0.0, outputs), np.where(empty, NEVER, lse))


def _each(lse: Float, shape: tuple[int, ...]) -> Float:
    """The same log-sum-exps in each row and head."""
    return np.broadcast_to(lse[:, None, None], shape)


def _parts(draft: Draft, n: int) -> Draft:
    sized = draft.with_size(lengths=(n,))
    if sized.size.lengths != (n,):
        raise NoCase(f"{n} parts are not served")
    return sized


def _require(draft: Draft, least: int) -> None:
    if draft.size.lengths[0] < least:
        raise NoCase(f"there are at most {draft.size.lengths[0]} parts")


def _upto(counts: tuple[int, ...], draft: Draft) -> list[int]:
    most = draft.size.lengths[0]
    return [n for n in counts if n < most] + [most]


def _reach(draft: Draft) -> float:
    """How large log-sum-exps may be, which are multiplied by log₂ e at most."""
    target = _merging(draft)
    return float(target.given.max_finite) / (2 if target.changes_base else 1)
