"""What joins the inner products of one tile at level (a), here or on a device."""

from __future__ import annotations

from typing import NamedTuple

from kvfloor.attention.fast.arithmetic import Float

__all__ = ["SATURATED", "Joining"]

#: 2x/c is clipped at this, in bits and in nats: tanh is 1 up to 2**-150.
SATURATED = 160


class Joining(NamedTuple):
    """A soft cap and a bias, in bits.

    Attributes
    ----------
    cap : tuple of two floats, optional
        2/c for inner products in bits, c in nats, and c in bits.
    bias : ndarray, shape (b or 1, rows, columns), optional
    """

    cap: tuple[float, float] | None
    bias: Float | None
