"""The sums of level (a) on a device: `+ - × ÷`, products of matrices, and a table.

No exponential of the device is used. Tiles are wide: a device is quick where it has much to do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kvfloor.attention.fast.arithmetic import Float, Integer
from kvfloor.attention.fast.device import Device
from kvfloor.attention.fast.exponential import EXP2, SMALLEST
from kvfloor.attention.fast.joining import SATURATED, Joining
from kvfloor.attention.inputs import Mask
from kvfloor.numbers import to_numpy

__all__ = ["BLOCK", "Tokens", "Tuples"]

#: Weights that are added at a time.
BLOCK = 256
_HIDDEN = -(2.0**40)


class _There:
    """Keys of the last slot, and what weights are multiplied with, on a device."""

    def __init__(self, device: Device, keys: Float, moments: Float) -> None:
        self._device = device
        self._keys, self._moments = device.array(keys), device.array(moments)
        self._powers = device.array(np.ldexp(1.0, np.arange(SMALLEST, SATURATED + 1)))

    @property
    def width(self) -> int:
        """Columns of what weights are multiplied with."""
        return int(self._moments.shape[1])

    def _weigh(
        self, A: Any, columns: slice, missing: Mask | None, joining: Joining
    ) -> tuple[Any, Any]:
        """Return the power of two of each query, and its weights in that unit.

        For rows A of shape (b, rows, d), in bits; the weights have shape (b, rows, columns).
        """
        xp, (b, rows, d) = self._device.xp, A.shape
        x = xp.matmul(xp.reshape(A, (-1, d)), xp.matrix_transpose(self._keys[columns, :]))
        x = self._join(xp.reshape(x, (b, rows, -1)), joining)
        k = xp.round(x)
        y = _polynomial(x - k)
        hidden = None if missing is None else self._device.array(missing)
        if hidden is not None:
            k = xp.where(hidden, xp.full_like(k, _HIDDEN), k)
        top = xp.max(k, axis=(1, 2))
        y = y * self._power(xp.clip(k - top[:, None, None], SMALLEST, 0))
        return top, y if hidden is None else xp.where(hidden, xp.zeros_like(y), y)

    def _join(self, x: Any, joining: Joining) -> Any:
        """Turn inner products into logits, as `Joined.add` does."""
        xp = self._device.xp
        if joining.cap is not None:
            twice, bits = joining.cap
            w = xp.clip(x * twice, -float(SATURATED), float(SATURATED))
            k = xp.round(w)
            y = _polynomial(w - k) * self._power(k)
            x = (1 - 2 / (y + 1)) * bits
        return x if joining.bias is None else x + self._device.array(joining.bias)

    def _power(self, k: Any) -> Any:
        """2**k for whole numbers from `SMALLEST` to `SATURATED`."""
        xp = self._device.xp
        places = xp.reshape(xp.astype(k - SMALLEST, xp.int64), (-1,))
        return xp.reshape(xp.take(self._powers, places, axis=0), k.shape)

    def _products(self, y: Any, columns: slice) -> Any:
        """Weights, a row each, times the moments: `BLOCK` at a time, and then the blocks."""
        xp, (b, width), moments = self._device.xp, y.shape, self._moments[columns, :]
        full = width // BLOCK * BLOCK
        found = xp.matmul(y[:, full:], moments[full:, :])
        if full:
            blocks = xp.permute_dims(xp.reshape(y[:, :full], (b, -1, BLOCK)), (1, 0, 2))
            parts = xp.matmul(blocks, xp.reshape(moments[:full, :], (-1, BLOCK, moments.shape[1])))
            found = found + xp.sum(parts, axis=0)
        return found


class Tokens(_There):
    """Order 1: tokens, and the moments of their values.

    Parameters
    ----------
    device : Device
    keys, moments : ndarray, shapes (n, d) and (n, w)
    """

    def sums(
        self, g: Float, columns: slice, missing: Mask | None, joining: Joining
    ) -> tuple[Integer, Float]:
        """Return the power of two of each query, and its weights times the moments in that unit.

        Parameters
        ----------
        g : ndarray, shape (b, d)
            Queries, so that inner products are in bits.
        columns : slice
            Which tokens.
        missing : ndarray of bool, shape (b or 1, 1, columns), or None
            Those that are dropped.
        joining : Joining
            What else joins the inner products of the tile.
        """
        top, y = self._weigh(self._device.array(g)[:, None, :], columns, missing, joining)
        found = self._products(y[:, 0, :], columns)
        return to_numpy(top).astype(np.int64), to_numpy(found)


class Tuples(_There):
    """Higher orders: the last slot's keys, and its values with a column of ones.

    Parameters
    ----------
    device : Device
    keys, moments : ndarray, shapes (n, d) and (n, d_v + 1)
    """

    def sums(
        self,
        g: Float,
        rows: tuple[Float, Float],
        columns: slice,
        missing: Mask | None,
        joining: Joining,
    ) -> tuple[Integer, Float, Float]:
        """Return a power of two for each query, and in that unit what `Totals` sums.

        Parameters
        ----------
        g, columns, joining
            As for `Tokens`.
        rows : U and W, shapes (rows, d) and (rows, d_v + 1)
            Products of the keys and the values of the first slots.
        missing : ndarray of bool, shape (b or 1, rows, columns), or None

        Returns
        -------
        top : ndarray of int64, shape (b,)
        sums : ndarray, shape (b, 3, d_v + 1)
            Σ E·v, Σ E·W² and Σ E·α²·W².
        weights : ndarray, shape (b, columns)
            Summed over the rows.
        """
        device, xp = self._device, self._device.xp
        U, W = (device.array(part) for part in rows)
        A = device.array(g)[:, None, :] * U[None, ...]
        top, y = self._weigh(A, columns, missing, joining)
        b, R, J = y.shape
        found = xp.reshape(self._products(xp.reshape(y, (-1, J)), columns), (b, R, -1))
        marginal, squares = found[..., -1], xp.square(W)
        long = marginal * xp.sum(xp.square(A), axis=2)
        sums = [xp.sum(found * W[None, ...], axis=1)]
        sums += [xp.matmul(kind, squares) for kind in (marginal, long)]
        weights = to_numpy(xp.sum(y, axis=1))
        return to_numpy(top).astype(np.int64), to_numpy(xp.stack(sums, axis=1)), weights


def _polynomial(f: Any) -> Any:
    """2**f as `exp2_single` has it, for ``|f| <= 1/2``."""
    y = f * EXP2[0]
    for c in EXP2[1:-1]:
        y = (y + c) * f
    return y + EXP2[-1]
