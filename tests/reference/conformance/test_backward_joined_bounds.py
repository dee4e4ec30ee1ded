"""E5's bounds by hand where something joins the logits, and a slope's against floats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from flint import arb

from kvfloor.conformance import Backward, Case, Joined
from kvfloor.conformance.backward.bounds import find_bounds
from kvfloor.conformance.backward.caps import Slope, find_slope
from kvfloor.conformance.backward.truth import find_gradients
from kvfloor.conformance.sets import read_plain
from kvfloor.conformance.tolerances import Model
from kvfloor.numbers import Array, arb_precision, as_format

U = 2.0**-24  # unit roundoff of float32
LOGS = {n: float(np.log(n)) for n in (2, 3)}


def bounds(
    V: tuple[float, ...] = (2, 4), q: float = 0, g: float | None = None, **declared: Any
) -> dict[str, Array]:
    """One query over keys 1 and -1; weights are a half each, or a third beside a sink of 0."""
    ones = np.ones((1, 1, 1, 1), np.float32)
    keys, values = (np.array(A, np.float32).reshape(1, 1, -1, 1) for A in ((1, -1), V))
    bias = np.zeros((1, 1, 2), np.float32) if "bias" in declared else None
    sink = np.zeros(1, np.float32) if "sink" in declared else None
    terms = Joined(sink, declared.get("softcap"), bias)
    options: dict[str, Any] = {"reads": ("output", "logsumexp")} | declared
    target = Backward(print, dtype="float32", accumulate="float32", **options)
    plain = Case(q * ones, (keys,), (values,), 1.0, None, terms=terms)
    case = target.case(plain, ones, None if g is None else np.full((1, 1, 1), g))
    enclosed = find_gradients(case)
    formats = dict.fromkeys(enclosed.middle, as_format("float32"))
    return find_bounds(target, case, enclosed, formats)


def drift(n: int) -> float:
    """Of p: the log-sum-exp's, its two roundings, that of the difference, exp's 8u."""
    off = abs(float(np.float32(LOGS[n])) - LOGS[n])
    return off + 3 * U * LOGS[n] + 8 * U


def test_the_slope_of_a_cap() -> None:
    """At logits of 0 that is 1: γ_4 and 3ε of what is multiplied by, and the product's rounding."""
    plain, capped = bounds()["dq"].item(), bounds(softcap=5)["dq"].item()
    assert capped - plain == pytest.approx((4 + 3 * 8 + 1) * U, rel=1e-3)


def test_the_error_of_a_slope() -> None:
    """At s = c = 1, h = 0.42: it moves by 22u·h, as eleven roundings are on its way; tanh is below
    1, and within 12u of which a square has two and its own; 4u·h of roundings, and 24u·h.
    """
    ones = np.ones((1, 1, 1, 1), np.float32)
    target = Backward(print, dtype="float32", accumulate="float32", softcap=1)
    case = Case(ones, (ones,), (ones,), 1.0, None, terms=Joined(softcap=1))
    found = find_slope(Model(target, case).arithmetic, read_plain(target, case, 0, 0), 1.0)
    h = 1 / np.cosh(1) ** 2
    assert found.size.item() == pytest.approx(h, rel=1e-10)
    assert found.error.item() == pytest.approx((22 * h + 25 + 4 * h + 24 * h) * U, rel=1e-4)


def test_what_d_is_off_by_is_shared_under_the_slope() -> None:
    """Σ p·h·k times 2^-8, as in the bounds without a cap; h is 0.07."""
    form = as_format("bfloat16")
    V = np.array([1, 1 + 2.0**-7]).reshape(1, 1, 2, 1).astype(form.dtype)
    ones = np.ones_like(V)
    case = Case(2 * ones[:, :, :1], (ones,), (V,), 1.0, None, terms=Joined(softcap=1))
    found = []
    for reads in (("output", "logsumexp"), ("logsumexp",)):
        target = Backward(print, dtype="bfloat16", accumulate="float32", softcap=1, reads=reads)
        one = target.case(case, ones[:, :, :1])
        formats = dict.fromkeys(("dq", "dK", "dV"), as_format("float32"))
        found.append(find_bounds(target, one, find_gradients(one), formats))
    off = 2.0**-8 / np.cosh(2) ** 2
    read, own = found
    assert read["dq"].item() - own["dq"].item() == pytest.approx(off, rel=1e-3)
    more = read["dK"] - own["dK"]  # by a query of 2, at p = 1/2
    assert more.ravel() == pytest.approx([off] * 2, rel=1e-2)


def test_a_tanh_is_as_good_as_exp() -> None:
    """4 ulps more are 8u of exp, and under a cap of 1 as much of what it leaves of a logit of 1."""
    p = 1 / (1 + np.exp([-2, -2 * np.tanh(1)]))
    each: tuple[dict[str, Any], ...] = ({}, {"softcap": 1})
    for weight, options, more in zip(p, each, (8, 8 + 8), strict=True):
        few, many = (bounds(q=1, exp_ulps=ulps, **options)["dV"].max() for ulps in (4, 8))
        assert many - few == pytest.approx(more * U * weight, rel=1e-3)


def test_a_cotangent_of_the_log_sum_exp_is_one_more_sum() -> None:
    """It rounds what is no larger than dP and D and g together: at p = 1/2, 2 + 3 and 4 + 3."""
    plain = bounds()["dq"].item()
    zero = bounds(logsumexp_cotangent=True)["dq"].item()
    assert zero - plain == pytest.approx(0.5 * (5 + 7) * U, rel=1e-3)
    same = bounds(logsumexp_cotangent=True, g=0)["dq"].item()
    assert same == zero
    # x = -1 + 3 and 1 + 3: 4 more in all for p, a difference, a product and ρ of eight; 3 for sums
    three = bounds(logsumexp_cotangent=True, g=3)["dq"].item()
    more = 4 * (drift(2) + U + U + 8 * U) + 2 * 3 * 2 * U
    assert three - zero == pytest.approx(more / 2, rel=1e-3)


def test_a_sink_is_a_tuple_of_value_zero() -> None:
    """Dz = -p·D = -2/3: D = 2 and the differences of it and 0 round; ρ is of two."""
    found = bounds(sink=True, gradients="sink")["dsink"]
    assert found.shape == (1,)
    x = (2 + 2 + 2) * U
    assert found.item() == pytest.approx((2 * drift(3) + x + 2 * U + 4 * U) / 3, rel=1e-4)


def test_a_bias_has_the_gradients_of_logits() -> None:
    """Without the slope of a cap; ρ is of two."""
    plain = bounds(bias="array", gradients="bias")["dbias"]
    assert plain.shape == (1, 1, 2)
    for error, dP in zip(plain.ravel(), (2, 4), strict=True):
        x = (dP + 3 + 1 + dP + 3) * U
        assert error == pytest.approx((drift(2) + x + U + 2 * U) / 2, rel=1e-4)
    capped = bounds(bias="array", gradients="bias", softcap=5)["dbias"]
    np.testing.assert_allclose(capped, plain, rtol=1e-6)


def test_biases_are_summed_over_heads_and_batch() -> None:
    rng = np.random.default_rng(0)
    q, K, G = (rng.normal(size=(3, 2, n, 4)).astype(np.float32) for n in (2, 5, 2))
    options: dict[str, Any] = {"bias": "array", "gradients": "bias"}
    target = Backward(print, dtype="float32", accumulate="float32", **options)
    found = []
    for heads in (2, 1):
        terms = Joined(bias=np.zeros((heads, 2, 5), np.float32))
        case = target.case(Case(q, (K,), (K,), 0.5, None, terms=terms), G)
        formats = dict.fromkeys(("dq", "dK", "dV", "dbias"), as_format("float32"))
        found.append(find_bounds(target, case, find_gradients(case), formats)["dbias"])
    own, shared = found
    assert own.shape == (2, 2, 5)
    assert np.isfinite(own).all()
    assert (shared[0] >= own.sum(axis=0)).all()  # and more roundings
    assert (shared[0] <= 2 * own.sum(axis=0)).all()


def test_a_head_that_may_overflow_leaves_the_sum_without_a_bound() -> None:
    V = np.array([[1, 2], [30000, 50000]]).reshape(1, 2, 2, 1).astype(np.float16)
    ones = np.ones_like(V)
    options: dict[str, Any] = {"bias": "array", "gradients": "bias"}
    target = Backward(print, dtype="float16", accumulate="float16", **options)
    found = []
    for heads in (2, 1):
        terms = Joined(bias=np.zeros((heads, 1, 2), np.float16))
        case = target.case(
            Case(ones[:, :, :1], (ones,), (V,), 1.0, None, terms=terms), ones[:, :, :1]
        )
        formats = dict.fromkeys(("dq", "dK", "dV", "dbias"), as_format("float16"))
        bounded = np.isfinite(find_bounds(target, case, find_gradients(case), formats)["dbias"])
        found.append(bounded.all(axis=(1, 2)).tolist())
    assert found == [[True, False], [False]]


@pytest.mark.parametrize("accumulate", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("cap", [0.5, 3.0, 30.0])
def test_slopes_are_bounded_and_not_idle(accumulate: str, cap: float) -> None:
    """As 1 - t², as (1 - t)(1 + t), of exponentials, from a logit that is rounded at every sum."""
    form = as_format(accumulate)
    dtype: Any = form.dtype.type
    rng = np.random.default_rng(int(cap))
    q, K = (rng.normal(size=(1, 1, n, 8)).astype(dtype) for n in (30, 30))
    target = Backward(print, dtype=accumulate, accumulate=accumulate, softcap=cap)
    case = target.case(
        Case(q, (K,), (K,), 1.0, None, terms=Joined(softcap=cap)), np.zeros((1, 1, 30, 8))
    )
    plain = read_plain(target, case, 0, 0)
    slope = find_slope(Model(target, case).arithmetic, plain, cap)
    true = np.empty(plain.logits.shape)
    with arb_precision(200):
        for i, j in np.ndindex(*true.shape):
            each = zip(q[0, 0, i].tolist(), K[0, 0, j].tolist(), strict=True)
            product = sum((arb(a) * b for a, b in each), start=arb(0))
            true[i, j] = float((product / cap).sech() ** 2)
    assert (slope.size >= true * (1 - 2.0**-50)).all()
    assert (slope.size * (1 - slope.above) <= true * (1 + 2.0**-50)).all()
    s = np.zeros((30, 30), dtype)
    for c in range(8):
        s = (s + q[0, 0, :, None, c] * K[0, 0, None, :, c]).astype(dtype)
    shares = _shares(s, dtype, cap, slope, true)
    assert 0.03 < max(shares) <= 1


def _shares(s: Array, dtype: Any, cap: float, slope: Slope, true: Array) -> list[float]:
    y = (s / dtype(cap)).astype(dtype)
    t = np.tanh(y.astype(float)).astype(dtype)
    e = np.exp(-2 * np.abs(y.astype(float))).astype(dtype)
    one = dtype(1)
    each = (one - t * t, (one - t) * (one + t), dtype(4) * e / ((one + e) * (one + e)))
    return [float((np.abs(h.astype(float) - true) / slope.error).max()) for h in each]


def test_an_exp_of_few_bits_has_no_slope() -> None:
    plain = read_plain(*(one := _declared(0.5)), 0, 0)
    assert np.isfinite(find_slope(Model(*one).arithmetic, plain, 1.0).error).all()
    one = _declared(16.5)
    assert np.isinf(find_slope(Model(*one).arithmetic, plain, 1.0).error).all()


def _declared(ulps: float) -> tuple[Backward, Case]:
    ones = np.ones((1, 1, 1, 1), as_format("bfloat16").dtype)
    target = Backward(print, dtype="bfloat16", accumulate="bfloat16", softcap=1.0, exp_ulps=ulps)
    return target, Case(ones, (ones,), (ones,), 1.0, None, terms=Joined(softcap=1.0))
