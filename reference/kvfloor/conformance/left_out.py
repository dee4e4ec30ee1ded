"""Tokens and queries that a function leaves out, as weights and gradients of zero show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from kvfloor.attention import Mask

__all__ = ["told_left_out"]

PLURALS = {"token": "tokens", "query": "queries"}


def told_left_out(
    counts: Sequence[tuple[Mask, Mask]], what: Literal["token", "query"] = "token"
) -> str | None:
    """Say which are left out by all that should count them; None if that explains nothing.

    Parameters
    ----------
    counts : sequence of pairs of ndarray of bool, each of shape (..., n_r)
        For each slot the tokens that count, and those of them that do not.
    what : str

    Returns
    -------
    str or None
        ``tokens, as if token 16 to 36 of 37 were left out``; the slot is said if there are several.
    """
    told = []
    for r, (present, missing) in enumerate(counts, start=1):
        axes = tuple(range(present.ndim - 1))
        kept: Mask = np.asarray((present & ~missing).any(axis=axes))
        gone: Mask = np.asarray(present.any(axis=axes) & ~kept)
        if (missing.any(axis=axes) & kept).any() or gone.all():
            return None
        if gone.any():
            slot = f" in slot {r}" if len(counts) > 1 else ""
            told.append(f"{_ranges(gone)} of {len(gone)}{slot}")
    if not told:
        return None
    return f"{PLURALS[what]}, as if {what} {' and '.join(told)} were left out"


def _ranges(some: Mask) -> str:
    """Indices that are True, runs of them by their ends."""
    indices = np.flatnonzero(some)
    runs = np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
