"""The last whole number at which something holds, for what holds up to some and no further."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["last"]


def last(most: int, holds: Callable[[int], bool]) -> int:
    """Return the largest k <= most that holds, 0 if none from 1 on does."""
    if holds(most):
        return most
    least = 0  # holds, or is below the range
    while most - least > 1:
        middle = (least + most) // 2
        if holds(middle):
            least = middle
        else:
            most = middle
    return least
