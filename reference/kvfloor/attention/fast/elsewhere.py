"""The sums of level (a) at order 1 on a device: `+ - × ÷`, products of matrices, and a table.

No exponential of the device is used. Tiles are wide: a device is quick where it has much to do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kvfloor.attention.fast.arithmetic import Float, Integer
from kvfloor.attention.fast.device import Device
from kvfloor.attention.fast.exponential import EXP2, SMALLEST
from kvfloor.numbers import to_numpy

__all__ = ["BLOCK", "Tokens"]

#: Weights that are added at a time.
BLOCK = 256
_HIDDEN = -(2.0**40)


class Tokens:
    """Keys, what weights are multiplied with, and a table of powers of two, on a device.

    Parameters
    ----------
    device : Device
    keys, moments : ndarray, shapes (n, d) and (n, w)
    """

    def __init__(self, device: Device, keys: Float, moments: Float) -> None:
        self._device = device
        self._keys, self._moments = device.array(keys), device.array(moments)
        self._powers = device.array(np.ldexp(1.0, np.arange(SMALLEST, 1)))

    @property
    def width(self) -> int:
        """Columns of the moments."""
        return int(self._moments.shape[1])

    def sums(self, g: Float, columns: slice, missing: Any) -> tuple[Integer, Float]:
        """Return the power of two of each row, and its weights times the moments in that unit.

        Parameters
        ----------
        g : ndarray, shape (b, d)
            Queries, so that logits are in bits.
        columns : slice
            Which tokens.
        missing : ndarray of bool, shape (b or 1, columns), or None
            Those that are dropped.
        """
        device = self._device
        hidden = None if missing is None else device.array(missing)
        top, found = self._sums(device.array(g), columns, hidden)
        return to_numpy(top).astype(np.int64), to_numpy(found)

    def _sums(self, g: Any, columns: slice, hidden: Any) -> tuple[Any, Any]:
        xp = self._device.xp
        x = xp.matmul(g, xp.matrix_transpose(self._keys[columns, :]))
        k = xp.round(x)
        y = _polynomial(x - k)
        if hidden is not None:
            k = xp.where(hidden, xp.full_like(k, _HIDDEN), k)
        top = xp.max(k, axis=1)
        below = xp.clip(k - top[:, None], SMALLEST, 0) - SMALLEST
        places = xp.reshape(xp.astype(below, xp.int64), (-1,))
        y = y * xp.reshape(xp.take(self._powers, places, axis=0), y.shape)
        if hidden is not None:
            y = xp.where(hidden, xp.zeros_like(y), y)
        return top, self._products(y, self._moments[columns, :])

    def _products(self, y: Any, moments: Any) -> Any:
        """Weights times the moments, `BLOCK` of them at a time and then the blocks."""
        xp, (b, width) = self._device.xp, y.shape
        full = width // BLOCK * BLOCK
        found = xp.matmul(y[:, full:], moments[full:, :])
        if full:
            blocks = xp.permute_dims(xp.reshape(y[:, :full], (b, -1, BLOCK)), (1, 0, 2))
            parts = xp.matmul(blocks, xp.reshape(moments[:full, :], (-1, BLOCK, moments.shape[1])))
            found = found + xp.sum(parts, axis=0)
        return found


def _polynomial(f: Any) -> Any:
    """2**f as `exp2_single` has it, for ``|f| <= 1/2``."""
    y = f * EXP2[0]
    for c in EXP2[1:-1]:
        y = (y + c) * f
    return y + EXP2[-1]
