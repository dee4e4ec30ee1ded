"""KIVI with two faults that people reported: answers are no worse, and bits give them away."""

from __future__ import annotations

from typing import Any

import numpy as np

from kvfloor.caches import KiviCache
from kvfloor.caches.groups import Grouping

__all__ = ["NeverAges", "OneTokenGroups"]

FOR_EVER = 2**40


class NeverAges(KiviCache):
    """The residual is held against what came last, one token, so nothing ever leaves it.

    After https://github.com/rajveer43/VeloxQuant-MLX/issues/86.
    """

    def __init__(self, *, residual: int, group: int, **arguments: Any) -> None:
        super().__init__(residual=group * FOR_EVER, group=group, **arguments)


class OneTokenGroups(KiviCache):
    """Keys are rounded one by one as they come of age, so each number has a scale of its own.

    After https://github.com/rajveer43/VeloxQuant-MLX/issues/162.
    """

    def __init__(self, *, residual: int, group: int, order: int, d: int, **arguments: Any) -> None:
        super().__init__(residual=residual, group=group, order=order, d=d, **arguments)
        (_, values) = self._groupings
        keys = Grouping([*np.arange(order * d)[:, np.newaxis]], self._bits, self._format)
        self._groupings, self._group = (keys, values), 1
