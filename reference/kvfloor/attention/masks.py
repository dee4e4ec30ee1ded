"""The usual masks over tuples (D1): causal and sliding window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kvfloor.attention.inputs import Mask
from kvfloor.errors import InputError
from kvfloor.numbers import as_count

__all__ = ["causal_mask", "window_mask"]


def causal_mask(position: int, lengths: Sequence[int]) -> Mask:
    """Keep the tuples with ``j_r <= position`` in every slot.

    Parameters
    ----------
    position : int
        The position i of the query, from 0.
    lengths : sequence of m ints
        The tokens n_r in each slot.

    Returns
    -------
    ndarray of bool, shape (n_1, ..., n_m)

    Raises
    ------
    InputError
        If the position is negative or a length is not positive.
    """
    if not isinstance(lengths, Sequence):
        raise InputError("lengths", "one length a slot", repr(lengths))
    return window_mask(position, [as_count(position, "position") + 1] * len(lengths), lengths)


def window_mask(position: int, widths: Sequence[int], lengths: Sequence[int]) -> Mask:
    """Keep the tuples with ``position - w_r < j_r <= position`` in every slot.

    Parameters
    ----------
    position : int
        The position i of the query, from 0.
    widths : sequence of m ints
        The window w_r >= 1 of each slot.
    lengths : sequence of m ints
        The tokens n_r in each slot.

    Returns
    -------
    ndarray of bool, shape (n_1, ..., n_m)

    Raises
    ------
    InputError
        If a number is out of range, or widths and lengths differ in number.
    """
    i = as_count(position, "position")
    if not isinstance(lengths, Sequence):
        raise InputError("lengths", "one length a slot", repr(lengths))
    if len(lengths) == 0:
        raise InputError("lengths", "one length a slot", "an empty sequence")
    if not isinstance(widths, Sequence):
        raise InputError("widths", "one width a slot", repr(widths))
    if len(widths) != len(lengths):
        raise InputError("widths", f"{len(lengths)} widths, one a slot", str(len(widths)))
    mask = np.ones((), dtype=np.bool_)
    for r, (width, length) in enumerate(zip(widths, lengths, strict=True)):
        j = np.arange(as_count(length, f"lengths[{r}]", 1))
        w = as_count(width, f"widths[{r}]", 1)
        mask = np.logical_and.outer(mask, (i - w < j) & (j <= i))
    return mask
