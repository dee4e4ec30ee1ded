"""The one place where the working precision of mpmath and of Arb is set, and put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import mpmath
from flint import ctx

__all__ = ["arb_precision", "mpmath_precision"]

# Both libraries keep one working precision for the whole process, so threads take turns.
_LOCK = RLock()


@contextmanager
def arb_precision(bits: int) -> Iterator[None]:
    """Set Arb's working precision to ``bits`` inside the block."""
    with _LOCK:
        before = ctx.prec
        ctx.prec = bits
        try:
            yield
        finally:
            ctx.prec = before


@contextmanager
def mpmath_precision(bits: int) -> Iterator[None]:
    """Set mpmath's working precision to ``bits`` inside the block."""
    with _LOCK, mpmath.workprec(bits):
        yield
