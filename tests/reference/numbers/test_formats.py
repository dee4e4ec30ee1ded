"""Formats: rounding against NumPy and ml_dtypes, its definition, and arrays against scalars."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import copysign, inf, isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kvfloor.numbers import FORMATS, BinaryFormat, Rounding, as_format

ROUNDINGS: tuple[Rounding, ...] = ("nearest", "up", "down", "zero")
SMALL = [name for name in FORMATS if "8" in name or name.endswith("16")]


def same(x: float, y: float) -> bool:
    return (x == y or (isnan(x) and isnan(y))) and copysign(1, x) == copysign(1, y)


@lru_cache
def numbers(target: BinaryFormat) -> tuple[Fraction, ...]:
    """All finite numbers of a format of 8 or 16 bits, once each, ascending."""
    size = target.dtype.itemsize
    patterns = np.arange(256**size, dtype=np.uint8 if size == 1 else np.uint16)
    with np.errstate(invalid="ignore"):  # signalling NaNs
        floats = patterns.view(target.dtype).astype(np.float64)
    return tuple(sorted({Fraction(float(x)) for x in floats[np.isfinite(floats)]}))


@pytest.mark.parametrize("name", SMALL)
def test_parameters_are_those_of_the_bit_patterns(name: str) -> None:
    target = as_format(name)
    found = numbers(target)
    assert target.max_finite == found[-1] == -found[0]
    positive = [x for x in found if x > 0]
    assert positive[0] == target.ulp(Fraction(0))
    one = found.index(Fraction(1))
    assert found[one + 1] - 1 == target.ulp(Fraction(1)) == 2 * target.unit_roundoff
    gaps = {y - x for x, y in pairwise(positive)}
    assert all(target.ulp(x) in gaps for x in positive[:-1])


@pytest.mark.parametrize("name", SMALL)
@given(data=st.data())
def test_rounding_is_the_definition(name: str, data: st.DataObject) -> None:
    """Nearest, ties to even; the next one up, down or toward zero: by search in all numbers."""
    target = as_format(name)
    found = numbers(target)
    k = data.draw(st.integers(0, len(found) - 2))
    x, y = found[k], found[k + 1]
    between = x + (y - x) * data.draw(st.fractions(0, 1, max_denominator=64))
    assert target.round(between, "down") == (x if between < y else y)
    assert target.round(between, "up") == (y if between > x else x)
    assert target.round(between, "zero") == min(
        target.round(between, "up"), target.round(between, "down"), key=abs
    )
    nearest = target.round(between, "nearest")
    if between - x != y - between:
        assert nearest == (x if between - x < y - between else y)
    else:
        assert nearest in (x, y)
        assert Fraction(nearest) / target.ulp(min(x, y, key=abs)) % 2 == 0


@pytest.mark.parametrize("name", FORMATS)
@given(x=st.floats(allow_nan=False, allow_infinity=False))
def test_nearest_is_the_cast(name: str, x: float) -> None:
    """ml_dtypes casts float64 by way of float32, so only numbers of float32 are compared."""
    with np.errstate(all="ignore"):
        source = x if name in ("float64", "float32", "float16") else float(np.float32(x))
        if np.isinf(source):
            return
        cast = float(np.array([source]).astype(as_format(name).dtype).astype(np.float64)[0])
    ours = as_format(name).round(Fraction(source))
    assert same(cast, ours) or (source == 0 and ours == 0) or (isnan(cast) and isnan(ours))


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("name", FORMATS)
@given(xs=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_arrays_round_as_fractions_do(name: str, rounding: Rounding, xs: list[float]) -> None:
    target = as_format(name)
    with np.errstate(all="raise", under="ignore"):
        found = target.round_array(np.array(xs), rounding)
    for x, got in zip(xs, found.tolist(), strict=True):
        wanted = copysign(target.round(Fraction(x), rounding), x)
        assert same(got, wanted)


@pytest.mark.parametrize(
    ("name", "rounding", "x", "expected"),
    [
        ("float16", "nearest", Fraction(65519), 65504.0),
        ("float16", "nearest", Fraction(65520), inf),
        ("float16", "zero", Fraction(10**9), 65504.0),
        ("float16", "down", Fraction(-(10**9)), -inf),
        ("float16", "up", Fraction(-(10**9)), -65504.0),
        ("float8_e4m3fn", "nearest", Fraction(464), 448.0),
        ("float8_e4m3fn", "nearest", Fraction(465), nan),
        ("float8_e4m3fn", "zero", Fraction(465), 448.0),
        ("bfloat16", "nearest", Fraction(257), 256.0),
        ("bfloat16", "nearest", Fraction(259), 260.0),
        ("float64", "up", Fraction(1, 10**400), 5e-324),
        ("float64", "nearest", Fraction(-1, 10**400), -0.0),
    ],
)
def test_ends_of_the_range(name: str, rounding: Rounding, x: Fraction, expected: float) -> None:
    assert same(as_format(name).round(x, rounding), copysign(expected, x))


@pytest.mark.parametrize("name", FORMATS)
@given(st.lists(st.floats(-1e300, 1e300), max_size=8))
def test_halfway_is_half_an_ulp_from_a_number(name: str, xs: list[float]) -> None:
    form = as_format(name)
    for x in xs:
        ulp = form.ulp(Fraction(x))
        middle = float((Fraction(x) // ulp - 1) * ulp + ulp / 2)
        for y in (x, middle):
            expected = (Fraction(y) / form.ulp(Fraction(y))).denominator == 2
            assert form.is_halfway(np.array([y])).item() == expected
    assert not form.is_halfway(np.array([inf, -inf, nan])).any()


def test_the_ulp_of_zero_is_the_least_number() -> None:
    form = as_format("bfloat16")
    assert form.ulps(np.array([0.0, -0.0, 2.0**-140, 1.0])).tolist() == [
        2.0**-133, 2.0**-133, 2.0**-133, 2.0**-7,
    ]  # fmt: skip
