"""The one place where the working precision of mpmath and of Arb is set, and put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import mpmath
from flint import ctx

__all__ = ["arb_precision", "mpmath_precision"]


@contextmanager
def arb_precision(bits: int) -> Iterator[None]:
    """Set Arb's working precision to ``bits`` inside the block."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


@contextmanager
def mpmath_precision(bits: int) -> Iterator[None]:
    """Set mpmath's working precision to ``bits`` inside the block."""
    with mpmath.workprec(bits):
        yield
