"""How far a window reaches in the only slot there is, as a function of a package is told it."""

from __future__ import annotations

from typing import Any

from kvfloor.attention import WINDOWS

__all__ = ["reaches"]


def reaches(mask: Any, everything: int) -> tuple[int, int]:
    """Return how many tokens to the left and to the right a query sees.

    Parameters
    ----------
    mask : str or Window
        Causal in either way, or a window.
    everything : int
        What to return where all are seen.
    """
    window = WINDOWS[mask] if isinstance(mask, str) else mask
    left, right = (
        everything if side is None else side for side in map(_only, (window.left, window.right))
    )
    return left, right


def _only(side: Any) -> Any:
    (only,) = side if isinstance(side, tuple | list) else (side,)
    return only
