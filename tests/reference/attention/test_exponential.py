"""Exponentials and logarithms: their errors are enclosed with Arb, and met by what is computed."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import factorial

import numpy as np
import numpy.typing as npt
import pytest
from flint import arb, arb_poly, fmpq

from kvfloor.attention.fast import exponential as module
from kvfloor.attention.fast import logarithm
from kvfloor.attention.fast.arithmetic import UNIT
from kvfloor.attention.fast.exponential import (
    EXP2_SINGLE_ERROR,
    EXP_FINE_ERROR,
    EXPONENT_LIMIT,
    LN2,
    exp2_single,
    exp_double,
    exp_double_error,
    exp_fine,
)
from kvfloor.attention.fast.logarithm import log_double, log_single
from kvfloor.numbers import arb_precision

Float = npt.NDArray[np.float64]


def exact(x: float) -> arb:
    return arb(float(x))


def ball(x: Fraction) -> arb:
    return arb(fmpq(x.numerator, x.denominator))


def points(limit: float, count: int = 1500) -> Float:
    """Every scale up to ``limit``, both signs, and where the nearest integer changes."""
    rng = np.random.default_rng(5)
    magnitudes = [limit, limit / 3, 1000.0, 40.0, 1.0, 1e-3, 1e-9, 1e-300]
    spread = [rng.uniform(-size, size, count // len(magnitudes)) for size in magnitudes]
    k = rng.integers(-(2**21), 2**21, 100) * 1.0
    halves = np.concatenate([k, np.arange(-40, 40)]) + 0.5
    step = float(LN2 / 1024)
    ties = np.concatenate([halves, np.nextafter(halves, np.inf), halves * step])
    edges = [0.0, -0.0, limit, -limit, 5e-324, 1.0, -1.0]
    return np.concatenate([*spread, ties[np.abs(ties) <= limit], edges])


# --- exp2_single


def subintervals(reach: float, count: int) -> list[tuple[Fraction, Fraction]]:
    """Centres and half-widths that cover [-reach, reach]."""
    ends = [Fraction(reach) * (2 * i - count) / count for i in range(count + 1)]
    return [((a + b) / 2, (b - a) / 2) for a, b in pairwise(ends)]


def polynomial_error(reach: float, count: int = 256, terms: int = 24) -> arb:
    """Enclose max |P(f) / 2^f − 1| for |f| <= reach, by Taylor models on subintervals."""
    P = arb_poly([exact(c) for c in reversed(module.EXP2)])
    ln2, worst = arb.const_log2(), arb(0)
    for centre, half in subintervals(reach, count):
        c, h = ball(centre), ball(half)
        at, power = P(arb_poly([c, 1])), arb(2) ** c
        difference = sum(
            abs((at[i] if i < len(at) else 0) - power * ln2**i / factorial(i)) * h**i
            for i in range(terms)
        )
        remainder = power * (ln2 * h) ** terms / factorial(terms) * 2
        error = (difference + remainder) / (power * arb(2) ** -h)
        worst = error if error.upper() > worst.upper() else worst
    return worst


def evaluation_error(reach: float, count: int = 400) -> arb:
    """Bound the rounding errors of the Horner scheme, relative, for |f| <= reach."""
    u, worst = exact(UNIT), arb(0)
    for centre, half in subintervals(reach, count):
        f = ball(centre) + ball(half) * arb(0, 1)
        value, error = exact(module.EXP2[0]), arb(0)
        for c in module.EXP2[1:]:
            value, error = value * f, error * abs(f)
            error += u * (abs(value) + error)  # the rounded product
            value += exact(c)
            error += u * (abs(value) + error)  # the rounded sum
        relative = error / value
        worst = relative if relative.upper() > worst.upper() else worst
    return worst


def test_error_of_exp2_single_is_what_polynomial_and_rounding_give() -> None:
    with arb_precision(300):
        derived = polynomial_error(0.5001) + evaluation_error(0.5001)
        assert derived <= exact(EXP2_SINGLE_ERROR)
        assert derived >= exact(EXP2_SINGLE_ERROR * 0.9)


def test_exp2_single_meets_its_bound() -> None:
    x = points(EXPONENT_LIMIT)
    y, k = np.empty_like(x), np.empty(x.shape, np.int64)
    exp2_single(x.copy(), y, k)
    assert ((y > 0.7) & (y < 1.42)).all()
    with arb_precision(200):
        errors = [
            abs(exact(b) * arb(2) ** (arb(int(n)) - exact(a)) - 1)
            for a, b, n in zip(x, y, k, strict=True)
        ]
        assert all(error <= exact(EXP2_SINGLE_ERROR) for error in errors)
        assert max(float(error.upper()) for error in errors) > EXP2_SINGLE_ERROR / 2


# --- exp_double


def test_table_and_logarithm_of_two() -> None:
    with arb_precision(400):
        assert 0 <= arb.const_log2() - ball(LN2) <= arb(2) ** -240
        assert abs(sum(exact(c) for c in module._LAMBDA) * 1024 - arb.const_log2()) < arb(2) ** -95
        for j, (hi, lo) in enumerate(zip(module._TABLE_HI, module._TABLE_LO, strict=True)):
            assert hi * 2**31 == int(hi * 2**31)
            assert abs(exact(hi) + exact(lo) - arb(2) ** (arb(j) / 1024)) <= arb(2) ** -85
    assert not module._TABLE_HI.flags.writeable


def exp_double_bound() -> tuple[float, float]:
    """Add up the roundings of `exp_double`, as docs/fast.md lists them: for hi = 0, and per |hi|.

    A floating-point sum of some ten positive terms, taken 1 + 2**-20 times.
    """
    u, step = UNIT, float(LN2) / 1024
    L3, T_b = module._LAMBDA[2], 2.0**-31
    reach = step / 2 * (1 + 2.0**-20)
    low = 2.0**-33  # |r − head|
    cubic = reach**3 / 6 * (1 + reach)
    first = low + u * reach * low * 4  # r_lo, and its product with the mean
    lo = 2 * low + cubic * (1 + 2.0**-9)
    errors_of_lo = [
        u * low,  # lo += hi
        3 * u * reach * low,  # mean of head and rest, times lo
        u * (first + reach * low),  # lo += t
        8 * u * cubic,  # coefficient, last sum, three products, rest three times
        reach**7 / 5040 * 1.01,  # truncation
        u * (first + reach * low + cubic),  # lo += t
        u * lo,  # lo += head
    ]
    rounded_per_T = 3 * u * lo  # lo *= a, b += lo, b += a
    absolute = [u * T_b / 2, 2 * u * reach * T_b, *[u * T_b * (1 + reach)] * 3, u * 2 * u]
    constant = (sum(errors_of_lo) + rounded_per_T) / (1 - reach) + sum(absolute) / (1 - reach)
    # N·L3 is rounded once, and lo that holds it eight times; L3 is half a unit off.
    per_step = 9 * u * L3 + 2.0**-53 * L3
    return (constant + 10 * u * L3) * (1 + 2.0**-20), per_step / step * (1 + 2.0**-10)


def test_error_of_exp_double_is_what_its_roundings_add_up_to() -> None:
    constant, per_size = exp_double_bound()
    claimed, with_size = exp_double_error(np.array([0.0, 1.0])).tolist()
    slope = with_size - claimed
    assert claimed / 2 < constant <= claimed
    assert slope / 4 < per_size <= slope


@pytest.mark.parametrize("low", [0.0, 2.0**-60, 2.0**-12])
def test_exp_fine_meets_its_bound(low: float) -> None:
    rng = np.random.default_rng(1)
    hi = points(EXPONENT_LIMIT)
    lo = rng.uniform(-low, low, len(hi))
    worst = 0.0
    with arb_precision(200):
        for x, y, k, a, b in zip(hi, lo, *exp_fine(hi.copy(), lo.copy()), strict=True):
            true = (exact(x) + exact(y)).exp()
            found = (exact(a) + exact(b)) * arb(2) ** int(k)
            worst = max(worst, float(abs(found / true - 1).upper()))
    assert EXP_FINE_ERROR / 16 < worst <= EXP_FINE_ERROR


@pytest.mark.parametrize("low", [0.0, 2.0**-54, 2.0**-20])
def test_exp_double_meets_its_bound(low: float) -> None:
    hi = points(EXPONENT_LIMIT)
    lo = low * np.minimum(np.abs(hi), 1) * np.random.default_rng(2).uniform(-1, 1, len(hi))
    work = [np.empty_like(hi) for _ in range(5)]
    k, a, b = exp_double(hi.copy(), lo.copy(), work)
    assert (np.abs(b) <= UNIT * a).all()
    assert ((a > 0.999) & (a + b < 2)).all()
    bound = exp_double_error(np.abs(hi)) + 9 * UNIT * np.abs(lo)
    ratios = []
    with arb_precision(400):
        for x, x_lo, y, y_lo, n, allowed in zip(hi, lo, a, b, k, bound, strict=True):
            log = exact(x) + exact(x_lo) - int(n) * arb.const_log2()
            error = abs((exact(y) + exact(y_lo)) / log.exp() - 1)
            assert error <= exact(allowed)
            ratios.append(float((error / exact(allowed)).upper()))
    assert max(ratios) > 0.1


def test_reductions_are_exact_at_every_step() -> None:
    """hi − N·L1 and then − N·L2, as docs/fast.md claims."""
    hi = points(EXPONENT_LIMIT)
    N = np.rint(hi * module._PER_LAMBDA)
    L1, L2, _ = module._LAMBDA
    once = hi - N * L1
    twice = once - N * L2
    for x, n, y1, y2 in zip(hi, N, once, twice, strict=True):
        after = Fraction(x) - Fraction(n) * Fraction(L1)
        assert Fraction(y1) == after
        assert Fraction(y2) == after - Fraction(n) * Fraction(L2)


# --- logarithms


def logarithms() -> tuple[Float, Float, npt.NDArray[np.int64]]:
    rng = np.random.default_rng(3)
    near = 1 + np.array([0, 1, -1, 5, -7]) * 2.0**-52
    roots = np.sqrt(0.5) * near
    x = np.concatenate([2 ** rng.uniform(-60, 60, 400), near, roots, 2 * roots, [2.0**-20, 3.0]])
    exponent = rng.integers(-(2**21), 2**21, len(x))
    exponent[::2] = 0
    return x, x * UNIT * rng.uniform(-1, 1, len(x)), exponent


def test_logarithms_meet_their_bounds() -> None:
    x, lo, exponent = logarithms()
    single, single_error = log_single(x, exponent)
    (hi, tail), double_error = log_double((x, lo), exponent)
    ratios = np.zeros((len(x), 2))
    with arb_precision(400):
        for i, e in enumerate(exponent):
            shift = int(e) * arb.const_log2()
            log = exact(x[i]).log() + shift
            log_of_pair = (exact(x[i]) + exact(lo[i])).log() + shift
            for j, (error, allowed) in enumerate(
                [
                    (abs(log - exact(single[i])), single_error[i]),
                    (abs(log_of_pair - exact(hi[i]) - exact(tail[i])), double_error[i]),
                ]
            ):
                assert error <= exact(allowed)
                ratios[i, j] = float((error / exact(allowed)).upper())
    assert (single_error <= UNIT * (3 + 2 * np.abs(single))).all()
    assert (double_error <= 2.0**-80 + 2.0**-100 * np.abs(hi)).all()
    assert ratios[:, 0].max() > 0.25
    assert ratios[:, 1].max() > 0.05


def test_series_of_the_logarithm_is_long_enough() -> None:
    """What artanh leaves out, for the largest f, stays below u/128 of the logarithm."""
    f = Fraction(1715729, 10**7)  # above (√2 − 1)/(√2 + 1)
    first_left_out = 2 * len(logarithm._ARTANH) + 1
    left_out = 2 * f**first_left_out / first_left_out / (1 - f**2)
    assert left_out <= Fraction(UNIT) / 128


def test_error_of_the_logarithm_is_what_its_roundings_add_up_to() -> None:
    """Two roundings in f, 2.2 in the series; k·ln 2 apart from its exact part; the inner sum."""
    mantissa = (2 + 2.2) * 0.3466
    beside = 2 * 2.0**22 * (logarithm._LN2_MIDDLE + logarithm._LN2_LO)
    inner = 0.3466 + beside / 2
    _, at_one = log_single(np.ones(1), np.zeros(1, np.int64))
    assert UNIT * (mantissa + beside + inner) <= at_one[0] <= 2 * UNIT * (mantissa + beside + inner)
