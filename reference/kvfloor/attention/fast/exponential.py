"""The exponential function in float64 and in double-double, from IEEE 754 arithmetic alone.

Both take out a power of two and return it apart, so that nothing can overflow: `exp2_single` then
uses a polynomial, `exp_double` a table of 2**(j/1024) and a short series. Their contracts are
proved in docs/fast.md, E3 `forward-error`. Where Numba is installed, many numbers take the same
operations in compiled loops.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import accumulate, repeat
from math import floor, isqrt

import numpy as np

from kvfloor.attention.fast.arithmetic import (
    UNIT,
    Float,
    Integer,
    Pair,
    fast_two_sum,
    multiply,
    rounder,
    two_product,
    two_sum,
)
from kvfloor.attention.fast.loops import flat, loops_for

__all__ = [
    "EXP2",
    "EXP2_SINGLE_ERROR",
    "EXPONENT_LIMIT",
    "EXP_FINE_ERROR",
    "LN2",
    "LOG2_E",
    "SMALLEST",
    "exp2_narrow",
    "exp2_single",
    "exp_above",
    "exp_double",
    "exp_double_error",
    "exp_fine",
    "pieces",
]

#: Both exponentials accept ``|x| <= EXPONENT_LIMIT``.
EXPONENT_LIMIT = 2.0**21

_BITS = 256
#: ln 2 = Σ 1 / (k·2**k), at most 2**-240 too small.
LN2 = Fraction(sum((1 << _BITS) // (k << k) for k in range(1, _BITS)), 1 << _BITS)

_TABLE_BITS, _FINE_BITS = 10, 21

#: Weights below 2**SMALLEST of the largest in their row are taken as that.
SMALLEST = -900

# Minimax on |f| <= 0.5001 with 1 fixed; whatever they are, a test encloses their error.
EXP2 = tuple(
    float.fromhex(c)
    for c in (
        "0x1.e8b7ce239e51bp-28",
        "0x1.b689da59f3141p-24",
        "0x1.62be6805a26eep-20",
        "0x1.ffcb3ef31b372p-17",
        "0x1.43091387f4cb9p-13",
        "0x1.5d87fea4b54b9p-10",
        "0x1.3b2ab6fb81fa1p-7",
        "0x1.c6b08d70394e8p-5",
        "0x1.ebfbdff82c61fp-3",
        "0x1.62e42fefa3a28p-1",
        "0x1.0000000000000p+0",
    )
)
#: (e^r − 1 − r − r²/2) / r³ up to r³.
_EXP_TAIL = (1 / 720, 1 / 120, 1 / 24, 1 / 6)


def pieces(x: Fraction, *grids: int) -> tuple[float, ...]:
    """Split x into multiples of 2**-grid, each rounded down, grid by grid, and a rounded rest."""
    parts = []
    for grid in grids:
        part = Fraction(floor(x * 2**grid), 2**grid)
        parts.append(float(part))
        x -= part
    return (*parts, float(x))


def _table() -> tuple[Float, Float]:
    """Return T = 2**(j / 1024), j < 1024, as T_a, a multiple of 2**-31, and T_b = fl(T − T_a)."""
    table = np.array([pieces(Fraction(power, 1 << _BITS), 31) for power in _powers()]).T.copy()
    table.setflags(write=False)
    return table[0], table[1]


def _powers() -> Iterator[int]:
    """Yield 2**(j / 1024), j < 1024, times 2**_BITS."""
    root = 2 << _BITS
    for _ in range(_TABLE_BITS):
        root = isqrt(root << _BITS)
    return accumulate(
        repeat(root, 2**_TABLE_BITS - 1), lambda a, b: a * b >> _BITS, initial=1 << _BITS
    )


_LAMBDA = pieces(LN2 / 2**_TABLE_BITS, 31, 52)
_LAMBDA_FINE = pieces(LN2 / 2**_TABLE_BITS, 31, 52, 105)
LOG2_E = float(1 / LN2)
_PER_LAMBDA = float(2**_TABLE_BITS / LN2)
_TABLE_HI, _TABLE_LO = _table()

_TO_INTEGER = rounder(1.0)
_INTEGER_BITS = int(np.float64(_TO_INTEGER).view(np.int64))
_GRID = rounder(2.0**-32)


#: Relative error of `exp2_single`: 2.8u from the polynomial, 2.01u from its evaluation.
EXP2_SINGLE_ERROR = 5 * UNIT
#: Relative error of `exp_fine`.
EXP_FINE_ERROR = 2.0**-95


def exp_double_error(size: Float) -> Float:
    """Return the relative error of `exp_double` for ``|hi| <= size``, at a low part of zero.

    A low part adds at most 9u·|lo|.
    """
    return 2.0**-81 + size * 2.0**-92


def _horner(x: Float, coefficients: tuple[float, ...], out: Float) -> None:
    np.multiply(x, coefficients[0], out=out)
    for c in coefficients[1:-1]:
        out += c
        out *= x
    out += coefficients[-1]


def _to_integer(x: Float, integers: Integer) -> None:
    """Round x to integers in place, and write them to ``integers`` too."""
    x += _TO_INTEGER  # the low bits now hold the integer
    np.subtract(x.view(np.int64), _INTEGER_BITS, out=integers)
    x -= _TO_INTEGER


def exp2_single(x: Float, y: Float, k: Integer) -> None:
    """Set k and y with ``|2**k·y / 2**x − 1| <= EXP2_SINGLE_ERROR``, 0.7 < y < 1.42.

    Parameters
    ----------
    x : ndarray
        ``|x| <= EXPONENT_LIMIT``; destroyed.
    y, k : ndarray, same shape
    """
    if (loops := loops_for(x, y, k)) is not None:
        loops.exp2_single(*flat((x, y, k)), EXP2, _TO_INTEGER)
        return
    np.copyto(y, x)
    _to_integer(y, k)
    x -= y  # exact
    _horner(x, EXP2, y)


def exp2_narrow(x: Float, y: Float, work: Float) -> None:
    """Set y to 2**x, with the relative error EXP2_SINGLE_ERROR.

    Parameters
    ----------
    x : ndarray
        ``|x| <= 1000``; destroyed.
    y, work : ndarray, same shape
        ``work`` is scratch.
    """
    if (loops := loops_for(x, y)) is not None:
        loops.exp2_narrow(*flat((x, y)), EXP2, _TO_INTEGER)
        return
    k = work.view(np.int64)
    exp2_single(x, y, k)
    k <<= 52
    y.view(np.int64)[...] += k


def exp_above(x: Float) -> Float:
    """Return numbers that are not below e^x; inf where that is beyond float64.

    Parameters
    ----------
    x : ndarray
        Any numbers, not NaN.
    """
    scaled = np.clip(x, -EXPONENT_LIMIT / 2, EXPONENT_LIMIT / 2) * LOG2_E
    scaled += 4 * UNIT * np.abs(scaled) + 2.0**-1000  # the product's error, and that of log₂ e
    y, k = np.empty_like(scaled), np.empty(scaled.shape, dtype=np.int64)
    exp2_single(scaled, y, k)
    with np.errstate(over="ignore"):
        found: Float = np.ldexp(y * (1 + 2 * EXP2_SINGLE_ERROR), k) + 2.0**-1000
    return found


def exp_double(hi: Float, lo: Float, work: Sequence[Float]) -> tuple[Integer, Float, Float]:
    """Return (k, y_hi, y_lo) with 2**k·(y_hi + y_lo) = e^(hi + lo)·(1 + ε).

    ``|ε| <= exp_double_error(|hi|) + 9u·|lo|``, 0.999 < y_hi + y_lo < 2, ``|y_lo| <= u·|y_hi|``.

    Parameters
    ----------
    hi, lo : ndarray
        ``|hi| <= EXPONENT_LIMIT`` and ``|lo| <= 2**-12``; destroyed.
    work : 5 arrays, same shape
        Scratch; ``y_hi`` and ``y_lo`` are its first rows.
    """
    a, b, r, *_ = work
    k = np.empty(hi.shape, dtype=np.int64)
    if (loops := loops_for(hi, lo, a, b, r)) is not None:
        table = _TABLE_HI, _TABLE_LO, _TABLE_BITS
        constants = _PER_LAMBDA, _LAMBDA, _EXP_TAIL, _TO_INTEGER, _GRID
        loops.exp_double(*flat((hi, lo, a, b, r, k)), *table, *constants)
    else:
        _exp_double(hi, lo, k, work)
    return k, a, b


def exp_fine(hi: Float, lo: Float) -> tuple[Integer, Float, Float]:
    """Return what `exp_double` does, with ``|ε| <= EXP_FINE_ERROR``, at thrice the time.

    A second table takes out multiples of 2**-21, and products are those of double-doubles.
    """
    steps, k = hi * _PER_LAMBDA, np.empty(hi.shape, dtype=np.int64)
    _to_integer(steps, k)
    index = k & (2**_TABLE_BITS - 1)
    k >>= _TABLE_BITS
    first, second, third, last = _LAMBDA_FINE
    y = (hi - steps * first) - steps * second  # exact
    p, e = two_product(steps, np.full(1, third))
    low, lost = two_sum(lo, -p)
    r, rest = two_sum(y, low)
    rest += (lost - e) - steps * last
    i, place = r * 2.0**_FINE_BITS, np.empty(hi.shape, dtype=np.int64)
    _to_integer(i, place)
    z = r - i * 2.0**-_FINE_BITS  # exact
    # e^(z + rest) − 1 = z + c
    c = rest + (z * z * 0.5 + (z * rest + z * z * z * (1 / 6 + z * (1 / 24))))
    s, t = fast_two_sum(np.ones_like(z), z)
    (T, T_low), (S, S_low) = _fine_tables()
    place += len(S) // 2
    product = multiply((T[index], T_low[index]), (S[place], S_low[place]))
    found = multiply(product, fast_two_sum(s, t + c))
    return k, *found


@cache
def _fine_tables() -> tuple[Pair, Pair]:
    """Return 2**(j/1024), and e**(i·2**-21) for all i that `exp_fine` meets, as pairs."""
    most = int(float(LN2 / 2 / 2**_TABLE_BITS + Fraction(1, 2**12)) * 2.0**_FINE_BITS) + 1
    return _pairs(_powers()), _pairs(_small_exp(i) for i in range(-most, most + 1))


def _small_exp(i: int) -> int:
    """e**(i·2**-21) times 2**_BITS, from the series up to the 16th power."""
    x, term, total = i << (_BITS - _FINE_BITS), 1 << _BITS, 1 << _BITS
    for n in range(1, 17):
        term = (term * x >> _BITS) // n
        total += term
    return total


def _pairs(numbers: Iterable[int]) -> Pair:
    """Numbers over 2**_BITS as pairs."""
    parts = [(float(x), float(x - int(float(x)))) for x in numbers]
    hi, lo = np.ldexp(np.array(parts).T, -_BITS)
    return hi, lo


def _exp_double(hi: Float, lo: Float, k: Integer, work: Sequence[Float]) -> None:
    a, b, r, t, square = work
    np.multiply(hi, _PER_LAMBDA, out=r)
    _to_integer(r, k)
    for piece in _LAMBDA[:-1]:
        np.multiply(r, piece, out=t)
        hi -= t  # exact
    np.multiply(r, _LAMBDA[-1], out=t)
    lo -= t
    index = k & (2**_TABLE_BITS - 1)
    k >>= _TABLE_BITS

    # r = head + lo, head of 21 bits: its square, and products with T_a, are exact.
    head = r
    np.add(hi, _GRID, out=head)
    head -= _GRID
    hi -= head
    lo += hi
    np.multiply(head, head, out=square)
    square *= 0.5

    # e^r − 1 = head + square + lo, where lo takes in what is below 2**-31.
    rest = hi
    np.add(head, lo, out=rest)
    np.add(head, rest, out=t)
    t *= 0.5
    t *= lo
    lo += t
    _horner(rest, _EXP_TAIL, t)
    for _ in range(3):
        t *= rest
    lo += t

    # Again as a head of 21 bits and a remainder.
    first = t
    np.add(head, square, out=first)
    first += _GRID
    first -= _GRID
    head -= first
    head += square  # exact
    lo += head

    # (T_a + T_b)·(1 + first + lo), of which T_a and T_a·first are exact.
    np.take(_TABLE_HI, index, out=a, mode="clip")
    np.take(_TABLE_LO, index, out=b, mode="clip")
    np.add(first, lo, out=rest)
    rest *= b
    b += rest
    lo *= a
    b += lo
    first *= a
    np.add(a, first, out=rest)
    a -= rest
    a += first  # exact: what a + first lost
    b += a
    np.add(rest, b, out=a)
    rest -= a
    b += rest  # exact again
