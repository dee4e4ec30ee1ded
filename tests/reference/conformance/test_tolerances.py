"""The bounds of the kit are E3's, put together by hand for cases without underflow."""

from __future__ import annotations

from fractions import Fraction
from math import exp, log
from typing import Any

import numpy as np
import pytest

from kvfloor.conformance import Case, Target
from kvfloor.conformance.tolerances import Tolerances, find_tolerances
from kvfloor.conformance.truth import find_truth
from kvfloor.numbers import as_format


def bounds(target: Target, case: Case, returned: str) -> Tolerances:
    form = as_format(returned)
    truth = find_truth(case, output=form, logsumexp=form)
    return find_tolerances(target, case, truth, output=form, logsumexp=form)


def simple(dtype: str, n: int = 3) -> Case:
    """Order 1, one query, logits 1/2, values 3: Σ p·|v| = 3, lse = 1/2 + ln n."""
    form = as_format(dtype).dtype
    return Case(
        np.full((1, 1, 1, 2), 0.5, form),
        (np.full((1, 1, n, 2), 0.5, form),),
        (np.full((1, 1, n, 1), 3, form),),
        1.0,
        None,
    )


def target(**declared: Any) -> Target:
    options: dict[str, Any] = {"dtype": "float32", "accumulate": "float32", "order": 1}
    return Target(lambda *_: None, **(options | declared))


def by_hand(u: float, n: int, rescalings: int = 0) -> tuple[float, float]:
    """Bounds on the output and the log-sum-exp of `simple` in a format of unit roundoff u."""

    def gamma(k: int) -> float:
        return k * u / (1 - k * u)

    epsilon = 8 * u
    logit = gamma(2 + 1 + 4) * 0.5
    drift = logit + 2 * u * (0.5 + logit) + (rescalings + 1) * epsilon / (1 - epsilon)
    kappa = gamma(n - 1 + rescalings)
    F = exp(2 * drift) * (1 + gamma(1 + n + rescalings)) / (1 - kappa) - 1
    growth = (1 + epsilon) * (1 + gamma(3))
    ell = log(n) + drift
    lse = gamma(3) * (0.5 + log(n) + ell) + (growth - 1) * ell
    return 3 * F, lse + growth * (drift + kappa / (1 - kappa))


@pytest.mark.parametrize(("block", "rescalings"), [(None, 0), (3, 0), (1, 2), (2, 1)])
def test_same_format_throughout(block: Any, rescalings: int) -> None:
    found = bounds(target(block=block), simple("float32"), "float32")
    output, lse = by_hand(2.0**-24, 3, rescalings)
    assert found.output.item() == pytest.approx(output, rel=1e-5)
    assert found.logsumexp.item() == pytest.approx(lse, rel=1e-5)
    assert found.output.item() >= output
    assert found.logsumexp.item() >= lse


def test_a_narrower_result_is_rounded_once_more() -> None:
    declared = target(dtype="bfloat16")
    found = bounds(declared, simple("bfloat16"), "bfloat16")
    output, _ = by_hand(2.0**-24, 3)
    half = 2.0**-7  # half an ulp of bfloat16 around 3
    assert found.output.item() == pytest.approx(output + half, rel=1e-5)


def test_stored_weights_cost_one_rounding() -> None:
    plain = bounds(target(dtype="bfloat16"), simple("bfloat16"), "float32")
    stored = bounds(target(dtype="bfloat16", weights="bfloat16"), simple("bfloat16"), "float32")
    assert stored.output.item() - plain.output.item() == pytest.approx(3 * 2.0**-8, rel=1e-3)
    assert stored.logsumexp.item() == plain.logsumexp.item()


def test_too_many_roundings_and_too_large_numbers_have_no_bound() -> None:
    narrow = target(dtype="bfloat16", accumulate="bfloat16")
    assert np.isfinite(bounds(narrow, simple("bfloat16", 20), "bfloat16").output).all()
    assert np.isinf(bounds(narrow, simple("bfloat16", 300), "bfloat16").output).all()
    half = target(dtype="float16", accumulate="float16")
    case = simple("float16")
    assert np.isfinite(bounds(half, case, "float16").output).all()
    case.values[0][:] = 60000  # a sum of three overflows
    assert np.isinf(bounds(half, case, "float16").output).all()


def test_results_that_overflow_have_no_bound() -> None:
    case = simple("float16")
    case.query[:] = case.keys[0][:] = 250  # the log-sum-exp is beyond float16
    found = bounds(target(dtype="float16"), case, "float16")
    assert np.isinf(found.logsumexp).all()
    assert np.isfinite(bounds(target(dtype="float16"), case, "float32").logsumexp).all()


def test_underflow_is_allowed_for() -> None:
    """One least number more than roundings explain, and no more than a few."""
    case = simple("float32")
    case.values[0][:] = 2.0**-149
    found = bounds(target(), case, "float32").output.item()
    assert 2.0**-149 < found < 2.0**-149 * 16


def test_masked_logits_do_not_count() -> None:
    case = simple("float32")
    case.keys[0][0, 0, 2] = 1000
    mask = np.array([[True, True, False]])
    masked = Case(case.query, case.keys, case.values, 1.0, mask)
    free = bounds(target(mask="boolean"), case, "float32").output.item()
    kept = bounds(target(mask="boolean"), masked, "float32").output.item()
    assert kept < Fraction(1, 100) * Fraction(free)


def test_stored_weights_may_underflow_in_their_format() -> None:
    """By half its least number, 2^-17, for each weight and value of 3; weights add up to 1."""
    case = simple("float16")
    plain = bounds(target(dtype="float16"), case, "float32").output.item()
    stored = bounds(target(dtype="float16", weights="float8_e5m2"), case, "float32").output.item()
    expected = 3 * 2.0**-3 + 9 * 2.0**-17 * (1 + 2.0**-3)
    assert stored - plain == pytest.approx(expected, rel=1e-5)


def test_a_sum_that_may_vanish_has_no_bound() -> None:
    """Logits of 1800 in float16 are off by so much that all weights may be flushed to zero."""
    case = simple("float16")
    case.query[:] = case.keys[0][:] = 30
    found = bounds(target(dtype="float16", accumulate="float16"), case, "float16")
    assert np.isinf(found.output).all()
    assert np.isinf(found.logsumexp).all()
