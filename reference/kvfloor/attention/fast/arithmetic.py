"""Error-free transformations on float64 arrays, and double-double numbers made of them.

Everything rests on IEEE 754's ``+ - * /`` rounded to nearest; u = 2**-53 is the unit roundoff. A
double-double is an unevaluated pair (hi, lo) with ``|lo| <= u·|hi|``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import overload

import numpy as np
import numpy.typing as npt

from kvfloor.attention.fast.loops import flat, loops_for

__all__ = [
    "UNIT",
    "Float",
    "Integer",
    "Pair",
    "divide",
    "extract",
    "fast_two_sum",
    "full_pair",
    "gamma",
    "halved",
    "multiply",
    "pair_sum",
    "power_of_two",
    "rounder",
    "two_product",
    "two_sum",
]

Float = npt.NDArray[np.float64]
Integer = npt.NDArray[np.int64]
Pair = tuple[Float, Float]

UNIT = 2.0**-53
_SPLITTER = 2.0**27 + 1


def gamma(count: int) -> float:
    """Return an upper bound of γ_k = ku/(1 − ku), for k = ``count`` <= 2**30 roundings."""
    return count * UNIT * (1 + 2.0**-20)


def two_sum(a: Float, b: Float) -> Pair:
    """Return (s, e) with s = fl(a + b) and s + e = a + b exactly (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def fast_two_sum(a: Float, b: Float) -> Pair:
    """The same for ``|a| >= |b|`` (Dekker)."""
    s = a + b
    return s, b - (s - a)


def _halves(a: Float) -> Pair:
    t = _SPLITTER * a
    hi = t - (t - a)
    return hi, a - hi


def two_product(a: Float, b: Float) -> Pair:
    """Return (p, e) with p = fl(a·b) and p + e = a·b (Veltkamp, Dekker).

    Exact unless e underflows, and then off by at most 2**-1070. For ``|a|, |b| <= 2**990``.
    """
    p = a * b
    a1, a2 = _halves(a)
    b1, b2 = _halves(b)
    return p, a2 * b2 - (((p - a1 * b1) - a2 * b1) - a1 * b2)


def multiply(a: Pair, b: Pair) -> Pair:
    """Product of two double-doubles, relative error at most 9u² = 2**-102.8."""
    alike = a[0].shape == b[0].shape
    if alike and (loops := loops_for(*a, *b)) is not None:
        hi, lo = np.empty_like(a[0]), np.empty_like(a[0])
        loops.multiply(*flat((*a, *b, hi, lo)), _SPLITTER)
        return hi, lo
    p, e = two_product(a[0], b[0])
    return fast_two_sum(p, e + (a[0] * b[1] + a[1] * b[0]))


def full_pair(x: Fraction, like: Float) -> Pair:
    """Return arrays of a shape that all hold x, off by at most u² of it."""
    hi = float(x)
    return np.full_like(like, hi), np.full_like(like, float(x - Fraction(hi)))


def divide(a: Pair, b: Pair) -> Pair:
    """Quotient of two double-doubles, relative error at most 16u² = 2**-102.

    a may have ``|lo| > u·|hi|``, at a further error of u²·|a_lo / b|.
    """
    q = a[0] / b[0]
    p, e = two_product(q, b[0])
    return fast_two_sum(q, (((a[0] - p) - e) + (a[1] - q * b[1])) / b[0])


def pair_sum(x: Pair, y: Pair) -> Pair:
    """Sum of two double-doubles, 4u² of ``|x| + |y|`` off."""
    s, e = two_sum(x[0], y[0])
    return two_sum(s, e + (x[1] + y[1]))


def halved(x: Pair) -> Pair:
    """Sum over the last axis by adding halves: a term passes ⌈log₂ n⌉ additions, each 4u² off."""
    hi, lo = x
    if (loops := loops_for(hi, lo)) is not None:
        hi, lo = hi.copy(), lo.copy()
        loops.halve(*(part.reshape(-1, part.shape[-1]) for part in (hi, lo)))
        return hi[..., 0], lo[..., 0]
    while (n := hi.shape[-1]) > 1:
        half, pairs = (n + 1) // 2, n // 2
        s, e = pair_sum((hi[..., :pairs], lo[..., :pairs]), (hi[..., half:], lo[..., half:]))
        hi = np.concatenate([s, hi[..., pairs:half]], axis=-1)
        lo = np.concatenate([e, lo[..., pairs:half]], axis=-1)
    return hi[..., 0], lo[..., 0]


@overload
def rounder(unit: float) -> float: ...
@overload
def rounder(unit: Float) -> Float: ...
@overload
def rounder(unit: float | Float) -> float | Float: ...
def rounder(unit: float | Float) -> float | Float:
    """Return the constant C for which fl(fl(x + C) − C) is x rounded to a multiple of ``unit``.

    For ``|x| <= 2**51·unit``, unit a power of two: C = 1.5·2**52·unit lies in the middle of the
    binade whose unit in the last place is ``unit``, and the subtraction is exact.
    """
    return unit * (1.5 * 2.0**52)


def extract(x: Float, unit: float | Float, out: Float | None = None) -> Float:
    """Return x rounded to the multiples of ``unit``, and leave the exact remainder in x."""
    constant = rounder(unit)
    if isinstance(unit, float) and (loops := loops_for(x, *([] if out is None else [out]))):
        head = np.empty_like(x) if out is None else out
        loops.extract(*flat((x, head)), constant)
        return head
    head = np.add(x, constant, out=out)
    head -= constant
    x -= head
    return head


def power_of_two(k: Integer) -> Float:
    """Return 2**k for k <= 0, exactly, and 0 below 2**-1074."""
    return np.ldexp(1.0, np.maximum(k, -1100))


def two_sum_into(a: Float, b: Float, total: Float, work: Float) -> None:
    """Set ``total`` to fl(a + b) and a to the exact error; b and ``work`` are destroyed."""
    if (loops := loops_for(a, b, total)) is not None:
        loops.two_sum_into(*flat((a, b, total)))
        return
    np.add(a, b, out=total)
    np.subtract(total, a, out=work)
    b -= work
    np.subtract(total, work, out=work)
    a -= work
    a += b


def add_to(hi: Float, lo: Float, x: Float) -> None:
    """Add x to a double-double in place, relative error 2u² of ``|hi| + |x|``."""
    s, e = two_sum(hi, x)
    hi[...], lo[...] = fast_two_sum(s, e + lo)
