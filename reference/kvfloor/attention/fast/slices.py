"""Ozaki's splitting: products that BLAS adds without a rounding error, in any order.

A factor x with ``|x| <= 1`` becomes x_0 + x_1 + x_2: x_0 a multiple of 2**-β, x_1 a multiple of
2**-2β up to 2**(-β-1), and x_2 whatever is left, up to 2**(-2β-1). For N·2**2β <= 2**53 a sum of N
products of the first two is an integer up to 2**53 times a power of two, and so is every partial
sum: nothing is rounded, with or without fused multiply-add. Products with a rest are small, and
may be rounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kvfloor.attention.fast.arithmetic import Float, Pair, extract, gamma, two_sum

__all__ = ["KeySlices", "ValueSlices", "slice_bits", "split"]


def slice_bits(length: int) -> int:
    """Return the largest β with length·2**2β <= 2**53, at most 26."""
    return (53 - (length - 1).bit_length()) // 2


def split(x: Float, rest: Float, bits: int, unit: float | Float = 1) -> tuple[Float, Float, Float]:
    """Return x_0, x_1 and x_2 + rest, for ``|x| <= unit``. The sum is x + rest, x is destroyed.

    Exact but for the one addition of the rest.
    """
    head = extract(x, unit * 2.0**-bits)
    middle = extract(x, unit * 2.0 ** (-2 * bits))
    x += rest
    return head, middle, x


@dataclass(frozen=True, eq=False)
class KeySlices:
    """Keys K of one slot, for sums over the d columns.

    With left-hand rows (a_2 | a_1 | a_0), the products of order 2**-iβ are a_0·K_0, then
    (a_1 | a_0)·(K_0 | K_1), then (a_2 | a_1 | a_0)·(K | K_1 + K_2 | K_2). Parts at the end that are
    zero, as with inputs of few bits, are left out.

    Attributes
    ----------
    bits : int
        β.
    factors : tuple of 3 arrays, the i-th of shape (n, at most (i + 1)·d)
        The right-hand factors.
    """

    bits: int
    factors: tuple[Float, Float, Float]

    @classmethod
    def of(cls, K: Float) -> KeySlices:
        """Split keys of shape (n, d)."""
        bits = slice_bits(K.shape[1])
        head, middle, rest = split(K.copy(), np.zeros_like(K), bits)
        tail = middle + rest
        return cls(bits, (head, _stack(head, middle), _stack(K, tail, rest)))

    def rest(self, sums: Float, unit: Float) -> Float:
        """Bound Σ_c |product with a rest|, for rows with Σ_c |a_c| <= sums and |a_c| <= unit.

        ``unit >= 1``, and |a_2| is up to twice 2**(-2β-1)·unit, as a has a low part.
        """
        K = self.factors[2][:, : self.factors[0].shape[1]]
        longest = np.abs(K).sum(axis=1).max()
        bound: Float = (sums + unit * (2 * longest + K.shape[1])) * 2.0 ** (-2 * self.bits - 1)
        return bound

    def products(self, left: Float, columns: slice, out: Sequence[Float]) -> None:
        """Write the sums of each order for rows (a_2 | a_1 | a_0); the first two are exact."""
        d = self.factors[0].shape[1]
        for i, (factor, result) in enumerate(zip(self.factors, out, strict=True)):
            start = (2 - i) * d
            np.matmul(left[:, start : start + factor.shape[1]], factor[columns].T, out=result)


def _stack(*parts: Float) -> Float:
    """Put matrices side by side, without those at the end that are zero."""
    while len(parts) > 1 and not parts[-1].any():
        parts = parts[:-1]
    return np.hstack(parts)


@dataclass(frozen=True, eq=False)
class ValueSlices:
    """Values V of one slot, for sums over blocks of ``block`` rows.

    Attributes
    ----------
    block, bits : int
        Sums have at most ``block`` terms; β for that.
    factors : tuple of 3 arrays, the i-th of shape (n, at most (3 − i)·width)
        What the i-th slice of the weights is multiplied with: (V_0 | V_1 | V_2);
        (V_0 | V_1 + V_2); V. Trailing parts that are zero are left out.
    """

    block: int
    bits: int
    factors: tuple[Float, Float, Float]

    @classmethod
    def of(cls, V: Float, block: int) -> ValueSlices:
        """Split values of shape (n, width)."""
        bits = slice_bits(block)
        head, middle, rest = split(V.copy(), np.zeros_like(V), bits)
        tail = middle + rest
        return cls(block, bits, (_stack(head, middle, rest), _stack(head, tail), V))

    @property
    def error(self) -> float:
        """Bound of the error of a sum in `products`, next to u² of it.

        Σ_j |product with a rest| is below 3.5·block·2**(-2β-1), and rounded block + 5 times.
        """
        return gamma(self.block + 5) * self.block * 2.0 ** (1 - 2 * self.bits)

    def products(self, weights: Sequence[Float], columns: slice) -> Pair:
        """Return Σ_j P_ij·V_jc as a double-double, for 0 <= P <= 1 given in three slices."""
        width = self.factors[2].shape[1]
        orders = np.zeros((3, len(weights[0]), width))
        for i, (P_i, factor) in enumerate(zip(weights, self.factors, strict=True)):
            product = np.matmul(P_i, factor[columns])
            for j in range(product.shape[1] // width):
                orders[i + j] += product[:, j * width : (j + 1) * width]
        hi, lo = two_sum(orders[0], orders[1])
        return two_sum(hi, lo + orders[2])
