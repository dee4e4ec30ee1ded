"""Builders of cases for masks: logits below any number that stands for -inf, and poison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from kvfloor.attention import Mask
from kvfloor.conformance.case import Case
from kvfloor.conformance.draft import Draft, NoCase, Tensors
from kvfloor.conformance.target import Target
from kvfloor.conformance.tiles import FEW, beyond_windows
from kvfloor.numbers import Array

__all__ = ["LOW", "levels", "low_logits", "poison", "reach_of", "unseen"]

#: What stands for minus infinity in kernels.
SENTINELS = (1e4, 5e4, 65504.0, 1e9, 3e38)
BEYOND = 1.25
BEYOND_CAP = 1024.0  # times a soft cap: beyond, tanh is 1 up to thousands of bits
LOW = (2.0, 1.4)  # times the level: visible logits, the furthest first
OTHER_SLOTS = (1.0, 0.75)  # what tokens of other slots multiply that by


def low_logits(draft: Draft) -> list[Case]:
    """Visible logits below each sentinel that the formats reach, hidden ones as far above.

    Values of the hidden tokens are large.
    """
    n, m = max(2, draft.size.lengths[0]), len(draft.size.lengths)
    queries = draft.size.queries if draft.target.window is None else n  # none sees all else
    sized = draft.with_size(queries=queries, lengths=(n,) * m)
    cases = []
    for level in levels(reach_of(sized)):
        sink = -LOW[0] * BEYOND * level  # below what is visible
        if draft.target.kind == "none":
            tensors = _tensors(sized, -level * _ramp(sized.size.lengths[0]), 0)
            cases.append(sized.case(tensors, sink=sink))
            continue
        low = sized.size.lengths[0] - sized.size.lengths[0] // 2
        logits = -level * _ramp(low)
        high = level * _ramp(sized.size.lengths[0] - low)
        tensors = _tensors(sized, np.concatenate([logits, high]), len(high))
        cases.append(sized.case(tensors, sink=sink))
        tensors = _tensors(sized, np.concatenate([logits, high])[::-1], -len(high))
        hidden = sized.everything()
        hidden[:, : len(high)] = False
        cases.append(sized.case(tensors, mask=hidden, sink=sink))
    return cases


def reach_of(draft: Draft) -> float:
    """How far the formats allow bounds."""
    target, size = draft.target, draft.size
    m = len(size.lengths)
    room = float(target.arithmetic.max_finite) / (4 * size.d * (m + 1))
    factor = min(room ** (1 / (m + 1)), float(target.inputs.max_finite))
    reach = float(factor ** (m + 1) * min(draft.sigma, 0.5) / (BEYOND * LOW[0]))
    return reach if target.softcap is None else min(reach, BEYOND_CAP * target.softcap)


def levels(reach: float) -> Iterator[float]:
    """Beyond each sentinel within reach, and the last as far as that goes."""
    for sentinel in SENTINELS:
        if BEYOND * sentinel >= reach:
            yield reach
            return
        yield BEYOND * sentinel


def _ramp(n: int) -> Array:
    return np.linspace(*LOW, n)


def _tensors(draft: Draft, logits: Array, high: int) -> Tensors:
    """Those logits by slot 1, with large values at the last ``high`` tokens, or the first."""
    tensors = draft.tensors()
    tensors.set_logits(logits, draft.sigma)
    for K in tensors.keys[1:]:
        factors = np.linspace(*OTHER_SLOTS, K.shape[2])
        K[..., 0] *= factors if high >= 0 else factors[::-1]
    large = float(draft.target.inputs.max_finite) ** 0.25
    if high:
        tensors.values[0][:, :, slice(-high, None) if high > 0 else slice(-high)] *= large
    return tensors


def unseen(target: Target) -> dict[str, Any]:
    """More tokens than two queries see, if it is by windows that they do not."""
    if target.window is None:
        return {}
    return FEW | {"lengths": beyond_windows(target)["lengths"]}


def poison(draft: Draft) -> list[Case]:
    """NaN, then infinities, for the keys and values that no query sees."""
    mask = None
    if draft.target.kind == "boolean":
        mask = draft.everything()
        for r, n in enumerate(draft.size.lengths):
            if n > 1:
                np.moveaxis(mask, 1 + r, 0)[0 if r == 0 else -1] = False
    case = draft.case(draft.tensors(), mask=mask)
    hidden = _hidden(case.kept, len(case.keys))
    if not any(some.any() for some in hidden):
        raise NoCase("every token is seen by some query")
    return [
        replace(case, keys=_spoilt(case.keys, hidden, x), values=_spoilt(case.values, hidden, x))
        for x in (np.nan, np.inf)
    ]


def _hidden(kept: Mask | None, m: int) -> list[Mask]:
    """The tokens of each slot that are in no tuple kept."""
    if kept is None:
        return []
    axes = set(range(kept.ndim))
    slots = sorted(axes)[-m:]
    return [np.logical_not(kept.any(axis=tuple(axes - {slot}))) for slot in slots]


def _spoilt(arrays: tuple[Array, ...], hidden: list[Mask], x: float) -> tuple[Array, ...]:
    copies = tuple(A.copy() for A in arrays)
    for A, some in zip(copies, hidden, strict=True):
        A[:, :, some] = np.array(x).astype(A.dtype)
    return copies
