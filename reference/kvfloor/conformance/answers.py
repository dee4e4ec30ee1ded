"""What came of a call of a target."""

from __future__ import annotations

from typing import NamedTuple

from kvfloor.numbers import Array

__all__ = ["Answer", "CallError"]


class CallError(Exception):
    """The function raised, or what it returned is not an answer; the text says which."""


class Answer(NamedTuple):
    """What a function returned, in the canonical layout.

    Attributes
    ----------
    output : ndarray, shape (b, h, n_q, d_v)
    logsumexp : ndarray, shape (b, h, n_q), or None
        If the target returns it.
    changed : tuple of str
        The inputs that were not the same after the call.
    """

    output: Array
    logsumexp: Array | None
    changed: tuple[str, ...]
