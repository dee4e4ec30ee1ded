"""Many queries, some at a time, so that memory does not grow with their number."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from kvfloor.attention.fast.arithmetic import Float
from kvfloor.attention.fast.joined import Joined
from kvfloor.attention.fast.operands import Prepared
from kvfloor.attention.fast.tiling import Dropped
from kvfloor.attention.fast.totals import Balls, Evaluation
from kvfloor.attention.inputs import Mask
from kvfloor.attention.windows import Intervals

__all__ = ["in_batches"]

_WEIGHTS = 2**22  # sums over columns kept at a time, 8 bytes each


def in_batches(
    evaluate: Callable[[Float, Dropped, Joined], Evaluation],
    prepared: Prepared,
    queries: Float,
    mask: Mask | Intervals | None,
    joined: Joined,
) -> Evaluation:
    """Evaluate the queries of shape (b, d), in parts if there are many, and join the results."""
    dropped = Dropped.by(mask, prepared)
    step = max(1, _WEIGHTS // prepared.shape[1])
    with np.errstate(all="ignore"):
        if len(queries) <= step:
            return evaluate(queries, dropped, joined)
        parts = [slice(i, i + step) for i in range(0, len(queries), step)]
        found = [evaluate(queries[part], dropped.of(part), joined.of(part)) for part in parts]
    return Evaluation(
        _joined(part.output for part in found), _joined(part.logsumexp for part in found)
    )


def _joined(parts: Iterable[Balls]) -> Balls:
    columns = zip(*((ball.hi, ball.lo, ball.radius) for ball in parts), strict=True)
    return Balls(*(np.concatenate(column) for column in columns))
