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

from kvfloor.attention.fast.arithmetic import Float, Pair, extract, gamma, rounder, two_sum
from kvfloor.attention.fast.loops import flat, loops_for

__all__ = [
    "KeySlices",
    "ValueSlices",
    "coarse_rest",
    "fine_products",
    "fine_rest",
    "key_rest",
    "slice_bits",
    "split",
    "value_error",
]

Room = tuple[Float, Float]


def slice_bits(length: int) -> int:
    """Return the largest β with length·2**2β <= 2**53, at most 26."""
    return (53 - (length - 1).bit_length()) // 2


def coarse_rest(sums: Float, unit: Float, longest: float, d: int) -> Float:
    """Bound Σ_c |product with a rest| where the leading slices alone are added exactly.

    Parameters as for `key_rest`.
    """
    small = 2.0 ** (-slice_bits(d) - 1)
    bound: Float = small * (sums + unit * (longest + d * small))
    return bound


def key_rest(sums: Float, unit: Float, longest: float, d: int) -> Float:
    """Bound Σ_c |product with a rest| in `KeySlices`.

    For rows with Σ_c |a_c| <= sums and |a_c| <= unit, ``unit >= 1``, and keys with Σ_c |K_c| <=
    longest. |a_2| is up to twice 2**(-2β-1)·unit, as a has a low part.
    """
    bound: Float = (sums + unit * (2 * longest + d)) * 2.0 ** (-2 * slice_bits(d) - 1)
    return bound


def fine_rest(sums: Float, unit: Float, longest: float, d: int) -> Float:
    """Bound the same in `fine_products`."""
    bound: Float = (sums + unit * (longest + 1.25 * d)) * 2.0 ** (-3 * (slice_bits(d) - 1) - 1)
    return bound


def value_error(block: int) -> float:
    """Bound of the error of a sum over a block in `ValueSlices`, next to u² of it.

    Σ_j |product with a rest| is below 3.5·block·2**(-2β-1), and rounded block + 5 times.
    """
    return gamma(block + 5) * block * 2.0 ** (1 - 2 * slice_bits(block))


def split(x: Float, rest: Float, bits: int, unit: float | Float = 1) -> tuple[Float, Float, Float]:
    """Return x_0, x_1 and x_2 + rest, for ``|x| <= unit``. The sum is x + rest, x is destroyed.

    Exact but for the one addition of the rest.
    """
    loops = loops_for(x, rest) if isinstance(unit, int) else None
    if loops is not None:
        head, middle = np.empty_like(x), np.empty_like(x)
        loops.split(*flat((x, rest, head, middle)), *_constants(bits))
        return head, middle, x
    head = extract(x, unit * 2.0**-bits)
    middle = extract(x, unit * 2.0 ** (-2 * bits))
    x += rest
    return head, middle, x


def fine_products(K: Float, left: Pair, unit: float | Float) -> Pair:
    """Products of rows, at most ``unit``, with the rows of a table, in four slices.

    Three orders are exact; products with a rest are rounded d times, and at most 7 times more.
    """
    d = K.shape[1]
    bits = slice_bits(d) - 1
    x, low = left[0].copy(), left[1]
    parts = [extract(x, unit * 2.0 ** (-i * bits)) for i in (1, 2)]
    x, lost = two_sum(x, low)
    parts.append(extract(x, unit * 2.0 ** (-3 * bits)))
    parts.append(x + lost)
    A = np.stack([part.reshape(-1, d) for part in parts])
    tail, head = K.copy(), np.empty_like(K)
    orders, rest = np.zeros((3, A.shape[1], len(K))), np.matmul(A[3], tail.T)
    for i in range(3):
        extract(tail, 2.0 ** (-(i + 1) * bits), out=head)
        exact = np.matmul(A[: 3 - i].reshape(-1, d), head.T)
        orders[i:] += exact.reshape(3 - i, -1, len(K))
        rest += np.matmul(A[2 - i], tail.T)
    hi, lo = two_sum(orders[0], orders[1])
    lo, lost = two_sum(lo, orders[2])
    hi, lo = two_sum(hi, lo)
    return hi, lo + (lost + rest)


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
    def of(cls, K: Float, room: Room | None = None) -> KeySlices:
        """Split keys of shape (n, d), in memory of shapes (n, 2, d) and (n, 3, d) if given."""
        (n, d), bits = K.shape, slice_bits(K.shape[1])
        second, third = room or (np.empty((n, 2, d)), np.empty((n, 3, d)))
        if (loops := loops_for(K, second, third)) is not None:
            loops.cut_keys(K, second, third, *_constants(bits))
        else:
            (head, middle), (whole, tail, rest) = second.swapaxes(0, 1), third.swapaxes(0, 1)
            np.copyto(whole, K)
            _cut(whole, bits, (head, middle, rest, tail))
        return cls(bits, (second[:, 0], _flat(second, 2), _flat(third, 3)))

    def at(self, columns: slice) -> KeySlices:
        """Return the slices of some of the keys."""
        first, second, third = self.factors
        return KeySlices(self.bits, (first[columns], second[columns], third[columns]))

    def products(self, left: Float, out: Sequence[Float]) -> None:
        """Write the sums of each order for rows (a_2 | a_1 | a_0); the first two are exact."""
        d = self.factors[0].shape[1]
        for i, (factor, result) in enumerate(zip(self.factors, out, strict=True)):
            start = (2 - i) * d
            np.matmul(left[:, start : start + factor.shape[1]], factor.T, out=result)


def _constants(bits: int) -> tuple[float, float]:
    """What rounds to the grids of the first two slices."""
    return rounder(2.0**-bits), rounder(2.0 ** (-2 * bits))


def _cut(x: Float, bits: int, parts: tuple[Float, Float, Float, Float]) -> None:
    """Write x_0, x_1, x_2 and x_1 + x_2."""
    head, middle, rest, tail = parts
    constant, _ = _constants(bits)
    np.add(x, constant, out=head)
    head -= constant
    np.subtract(x, head, out=rest)  # exact
    extract(rest, 2.0 ** (-2 * bits), out=middle)
    np.add(middle, rest, out=tail)


def _flat(parts: Float, count: int) -> Float:
    """Put matrices of shape (n, count, width) side by side, but for those at the end that are 0."""
    while count > 1 and not (parts[0, count - 1].any() or parts[:, count - 1].any()):
        count -= 1
    return parts.reshape(len(parts), -1)[:, : count * parts.shape[2]]


@dataclass(frozen=True, eq=False)
class ValueSlices:
    """Values V of one slot, for sums over blocks of rows.

    Attributes
    ----------
    bits : int
        β, for sums of so many terms as a block has.
    factors : tuple of 3 arrays, the i-th of shape (n, at most (3 − i)·width)
        What the i-th slice of the weights is multiplied with: (V_0 | V_1 | V_2);
        (V_0 | V_1 + V_2); V. Trailing parts that are zero are left out.
    """

    bits: int
    factors: tuple[Float, Float, Float]

    @classmethod
    def of(cls, V: Float, block: int, room: Room | None = None) -> ValueSlices:
        """Split values of shape (n, w), in memory of shapes (n, 3, w) and (n, 2, w) if given."""
        (n, width), bits = V.shape, slice_bits(block)
        first, second = room or (np.empty((n, 3, width)), np.empty((n, 2, width)))
        if (loops := loops_for(V, first, second)) is not None:
            loops.cut_values(V, first, second, *_constants(bits))
        else:
            (head, middle, rest), (again, tail) = first.swapaxes(0, 1), second.swapaxes(0, 1)
            _cut(V, bits, (head, middle, rest, tail))
            np.copyto(again, head)
        return cls(bits, (_flat(first, 3), _flat(second, 2), V))

    def at(self, columns: slice) -> ValueSlices:
        """Return the slices of some of the values."""
        first, second, whole = self.factors
        return ValueSlices(self.bits, (first[columns], second[columns], whole[columns]))

    def products(self, weights: Sequence[Float]) -> Pair:
        """Return Σ_j P_ij·V_jc as a double-double, for 0 <= P <= 1 given in three slices."""
        width = self.factors[2].shape[1]
        orders = np.zeros((3, len(weights[0]), width))
        for i, (P_i, factor) in enumerate(zip(weights, self.factors, strict=True)):
            product = np.matmul(P_i, factor)
            for j in range(product.shape[1] // width):
                orders[i + j] += product[:, j * width : (j + 1) * width]
        hi, lo = two_sum(orders[0], orders[1])
        return two_sum(hi, lo + orders[2])
