"""Passes over many numbers as loops that Numba compiles: the same operations, the same bits.

To be imported where Numba is installed (``pip install kvfloor[compiled]``). Nothing is
reassociated (no fast-math). A product and a sum may be contracted: a product that a sum follows is
exact, or its rounding is one that the proofs in docs/fast.md count and nothing rests on.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import float64, int64, njit, types, uint64, void
from numba.extending import intrinsic

__all__ = [
    "cut_keys",
    "cut_values",
    "exp2_narrow",
    "exp2_single",
    "exp_double",
    "extract",
    "halve",
    "largest",
    "multiply",
    "scale",
    "scale_and_square",
    "split",
    "two_sum_into",
]

_BLOCK = 256  # elements that stay in the nearest cache from loop to loop

_FLOATS, _INTEGERS, _MATRIX, _PARTS = float64[::1], int64[::1], float64[:, ::1], float64[:, :, ::1]
_TABLE = types.Array(float64, 1, "C", readonly=True)
_ENTRIES = types.Array(float64, 2, "C", readonly=True)
_OPTIONS = {"nogil": True, "cache": True, "error_model": "numpy", "fastmath": False}


@intrinsic
def _bits(_context: Any, _x: Any) -> Any:
    """The bits of a number, as ``view`` gives those of an array."""

    def build(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return int64(float64), build


@intrinsic
def _number(_context: Any, _k: Any) -> Any:
    """The number that has these bits."""

    def build(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return float64(int64), build


@njit(void(_FLOATS, _FLOATS, _INTEGERS, types.UniTuple(float64, 11), float64), **_OPTIONS)
def exp2_single(x, y, k, polynomial, to_integer):  # type: ignore[no-untyped-def]
    """Set y and k as `exponential.exp2_single` does; x stays."""
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10 = polynomial
    integer_bits = _bits(to_integer)
    for j in range(x.size):
        shifted = x[j] + to_integer
        k[j] = _bits(shifted) - integer_bits
        f = x[j] - (shifted - to_integer)
        p = (((((f * c0 + c1) * f + c2) * f + c3) * f + c4) * f + c5) * f
        y[j] = ((((p + c6) * f + c7) * f + c8) * f + c9) * f + c10


@njit(void(_FLOATS, _FLOATS, types.UniTuple(float64, 11), float64), **_OPTIONS)
def exp2_narrow(x, y, polynomial, to_integer):  # type: ignore[no-untyped-def]
    """Set y as `exponential.exp2_narrow` does; x stays."""
    c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10 = polynomial
    integer_bits = _bits(to_integer)
    for j in range(x.size):
        shifted = x[j] + to_integer
        f = x[j] - (shifted - to_integer)
        p = (((((f * c0 + c1) * f + c2) * f + c3) * f + c4) * f + c5) * f
        p = ((((p + c6) * f + c7) * f + c8) * f + c9) * f + c10
        y[j] = _number(_bits(p) + ((_bits(shifted) - integer_bits) << 52))


@njit(void(_FLOATS, _FLOATS, _INTEGERS, float64, float64), **_OPTIONS)
def _nearest(hi, r, k, per_step, to_integer):  # type: ignore[no-untyped-def]
    """Set r and k to the number of steps of the table that is nearest to hi."""
    integer_bits = _bits(to_integer)
    for j in range(hi.size):
        shifted = hi[j] * per_step + to_integer
        k[j] = _bits(shifted) - integer_bits
        r[j] = shifted - to_integer


@njit(void(_INTEGERS, _FLOATS, _FLOATS, _TABLE, _TABLE, int64), **_OPTIONS)
def _look_up(k, a, b, table_hi, table_lo, table_bits):  # type: ignore[no-untyped-def]
    """Set a and b to the entries of the table, and keep of k what lies above them."""
    mask = uint64(table_hi.size - 1)
    for j in range(k.size):
        index = uint64(k[j]) & mask
        a[j], b[j] = table_hi[index], table_lo[index]
    for j in range(k.size):
        k[j] >>= table_bits


@njit(void(*[_FLOATS] * 5, *[types.UniTuple(float64, n) for n in (3, 4)], float64), **_OPTIONS)
def _raise(hi, lo, r, a, b, step, tail, grid):  # type: ignore[no-untyped-def]
    """Multiply a + b by e^(hi + lo - r·step)."""
    for j in range(hi.size):
        y = (hi[j] - r[j] * step[0]) - r[j] * step[1]  # exact
        head = (y + grid) - grid
        low = (lo[j] - r[j] * step[2]) + (y - head)
        square = head * head * 0.5
        rest = head + low
        low += (head + rest) * 0.5 * low
        low += (((rest * tail[0] + tail[1]) * rest + tail[2]) * rest + tail[3]) * rest * rest * rest
        first = (head + square + grid) - grid
        low += (head - first) + square
        big = a[j]
        small = b[j] + (first + low) * b[j]
        small += low * big
        product = first * big  # exact
        total = big + product
        small += (big - total) + product
        a[j] = total + small
        b[j] = small + (total - a[j])


@njit(
    void(
        *[_FLOATS] * 5,
        *(_INTEGERS, _TABLE, _TABLE, int64),
        *(float64, types.UniTuple(float64, 3), types.UniTuple(float64, 4)),
        *(float64, float64),
    ),
    **_OPTIONS,
)
def exp_double(  # type: ignore[no-untyped-def]
    hi, lo, y_hi, y_lo, r, k, table_hi, table_lo, table_bits, per_step, step, tail, to_integer, grid
):
    """Set y_hi, y_lo and k as `exponential.exp_double` does; hi and lo stay, r is scratch."""
    for start in range(0, hi.size, _BLOCK):
        part = slice(start, min(start + _BLOCK, hi.size))
        _nearest(hi[part], r[part], k[part], per_step, to_integer)
        _look_up(k[part], y_hi[part], y_lo[part], table_hi, table_lo, table_bits)
        _raise(hi[part], lo[part], r[part], y_hi[part], y_lo[part], step, tail, grid)


@njit(void(_FLOATS, _FLOATS, float64), **_OPTIONS)
def extract(x, head, constant):  # type: ignore[no-untyped-def]
    """Set head to x rounded to a multiple, and leave the remainder, as `arithmetic.extract`."""
    for j in range(x.size):
        head[j] = (x[j] + constant) - constant
        x[j] -= head[j]


@njit(void(_FLOATS, _FLOATS, _FLOATS), **_OPTIONS)
def two_sum_into(a, b, total):  # type: ignore[no-untyped-def]
    """Set total to the sum and a to its error, as `arithmetic.two_sum_into`; b stays."""
    for j in range(a.size):
        s = a[j] + b[j]
        t = s - a[j]
        a[j] = (a[j] - (s - t)) + (b[j] - t)
        total[j] = s


@njit(void(_MATRIX, _MATRIX), **_OPTIONS)
def halve(hi, lo):  # type: ignore[no-untyped-def]
    """Leave in the first column the sum of each row, added as `arithmetic.halved` adds them."""
    for i in range(hi.shape[0]):
        x, y = hi[i], lo[i]
        n = x.size
        while n > 1:
            half, pairs = (n + 1) // 2, n // 2
            for j in range(pairs):
                a, b = x[j], x[half + j]
                s = a + b
                t = s - a
                rest = ((a - (s - t)) + (b - t)) + (y[j] + y[half + j])
                total = s + rest
                t = total - s
                x[j] = total
                y[j] = (s - (total - t)) + (rest - t)
            n = half


@njit(void(*[_FLOATS] * 6, float64), **_OPTIONS)
def multiply(a, a_low, b, b_low, hi, lo, splitter):  # type: ignore[no-untyped-def]
    """Set hi and lo to the product of two double-doubles, as `arithmetic.multiply`."""
    for j in range(a.size):
        x, y = a[j], b[j]
        p = x * y
        t = splitter * x
        x1 = t - (t - x)
        x2 = x - x1
        t = splitter * y
        y1 = t - (t - y)
        y2 = y - y1
        e = x2 * y2 - (((p - x1 * y1) - x2 * y1) - x1 * y2)
        e += x * b_low[j] + a_low[j] * y
        s = p + e
        hi[j] = s
        lo[j] = e - (s - p)


@njit(void(*[_FLOATS] * 4, float64, float64), **_OPTIONS)
def split(x, rest, head, middle, first, second):  # type: ignore[no-untyped-def]
    """Set head and middle, and x to what is left of it and the rest, as `slices.split`."""
    for j in range(x.size):
        head[j] = (x[j] + first) - first
        left = x[j] - head[j]
        middle[j] = (left + second) - second
        x[j] = (left - middle[j]) + rest[j]


@njit(void(_MATRIX, _PARTS, _PARTS, float64, float64), **_OPTIONS)
def cut_keys(K, pair, triple, first, second):  # type: ignore[no-untyped-def]
    """Set pair to (K_0 | K_1) and triple to (K | K_1 + K_2 | K_2)."""
    for i in range(K.shape[0]):
        x, head, middle = K[i], pair[i, 0], pair[i, 1]
        whole, tail, rest = triple[i, 0], triple[i, 1], triple[i, 2]
        for c in range(x.size):
            h = (x[c] + first) - first
            left = x[c] - h
            m = (left + second) - second
            head[c], middle[c], whole[c] = h, m, x[c]
            rest[c] = left - m
            tail[c] = m + rest[c]


@njit(void(_MATRIX, _PARTS, _PARTS, float64, float64), **_OPTIONS)
def cut_values(V, triple, pair, first, second):  # type: ignore[no-untyped-def]
    """Set triple to (V_0 | V_1 | V_2) and pair to (V_0 | V_1 + V_2)."""
    for i in range(V.shape[0]):
        x, head, middle, rest = V[i], triple[i, 0], triple[i, 1], triple[i, 2]
        again, tail = pair[i, 0], pair[i, 1]
        for c in range(x.size):
            h = (x[c] + first) - first
            left = x[c] - h
            m = (left + second) - second
            head[c], middle[c], again[c] = h, m, h
            rest[c] = left - m
            tail[c] = m + rest[c]


@njit(void(_ENTRIES, _FLOATS), **_OPTIONS)
def largest(entries, sizes):  # type: ignore[no-untyped-def]
    """Raise sizes to the largest absolute value of each column."""
    for i in range(entries.shape[0]):
        x = entries[i]
        for c in range(x.size):
            sizes[c] = max(sizes[c], abs(x[c]))


@njit(void(_ENTRIES, _FLOATS, _MATRIX), **_OPTIONS)
def scale(entries, factors, scaled):  # type: ignore[no-untyped-def]
    """Set the first columns of scaled to the entries times the factor of each."""
    for i in range(entries.shape[0]):
        x, y = entries[i], scaled[i, : entries.shape[1]]
        for c in range(x.size):
            y[c] = x[c] * factors[c]


@njit(void(_ENTRIES, _FLOATS, _MATRIX), **_OPTIONS)
def scale_and_square(entries, factors, moments):  # type: ignore[no-untyped-def]
    """Set the first columns to the scaled entries, and those after a gap of one to squares."""
    width = entries.shape[1]
    for i in range(entries.shape[0]):
        x, y, squares = entries[i], moments[i, :width], moments[i, width + 1 : 2 * width + 1]
        for c in range(width):
            scaled = x[c] * factors[c]
            y[c], squares[c] = scaled, scaled * scaled
