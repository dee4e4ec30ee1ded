"""The binary entropy function, as a ball (L4 `index-randomized`)."""

from __future__ import annotations

from typing import Any

from flint import arb

from kvfloor.errors import InputError
from kvfloor.numbers import arb_precision, as_fraction, to_fmpq

__all__ = ["binary_entropy"]


def binary_entropy(delta: Any, bits: int = 128) -> arb:
    """Return a ball around H₂(δ) = -δ·log₂ δ - (1-δ)·log₂(1-δ), exact at 0, 1/2 and 1.

    Parameters
    ----------
    delta : number
        ``0 <= delta <= 1``.
    bits : int
        Working precision.

    Raises
    ------
    InputError
        If ``delta`` is out of range.
    """
    delta = as_fraction(delta, "delta")
    if not 0 <= delta <= 1:
        raise InputError("delta", "a number with 0 <= delta <= 1", str(delta))
    if delta.denominator <= 2:
        return arb(delta.denominator - 1)
    with arb_precision(bits):
        p, q = arb(to_fmpq(delta)), arb(to_fmpq(1 - delta))
        return -(p * p.log() + q * q.log()) / arb.const_log2()
