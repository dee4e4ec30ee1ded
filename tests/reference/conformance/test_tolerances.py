"""The bounds of the kit are E4's, or E3's, put together by hand for cases without underflow."""

from __future__ import annotations

from math import log
from typing import Any

import mpmath
import numpy as np
import pytest

from kvfloor.attention import exp_above
from kvfloor.conformance import Case, Target, centred
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
    drift = logit + 2 * u * logit + (rescalings + 1) * epsilon / (1 - epsilon)
    error = drift * (1 + drift)
    kappa = gamma(n - 1 + rescalings)
    F = (gamma(1 + n + rescalings) + kappa) / (1 - error) / (1 - kappa)
    moved = error / (1 - error)
    growth = (1 + epsilon) * (1 + gamma(3))
    ell = log(n) + moved
    lse = gamma(3) * (0.5 + log(n) + ell) + (growth - 1) * ell
    return 3 * (F * (1 + epsilon) + epsilon), lse + growth * (moved + kappa / (1 - kappa))


@pytest.mark.parametrize(("block", "rescalings"), [(None, 0), (3, 0), (1, 2), (2, 1)])
def test_same_format_throughout(block: Any, rescalings: int) -> None:
    found = bounds(target(block=block), simple("float32"), "float32")
    output, lse = by_hand(2.0**-24, 3, rescalings)
    assert found.output.item() == pytest.approx(output, rel=1e-5)
    assert found.logsumexp.item() == pytest.approx(lse, rel=1e-5)
    assert found.output.item() >= output
    assert found.logsumexp.item() >= lse


def test_deviations_are_those_of_all_tuples(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few are taken at a time."""
    case = simple("float32", 7)
    case.values[0][0, 0, :, 0] = range(7)
    at_once = bounds(target(), case, "float32").output.item()
    monkeypatch.setattr(centred, "NEAR", 2)
    assert bounds(target(), case, "float32").output.item() == pytest.approx(at_once, rel=1e-12)


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


@pytest.mark.parametrize("mask", [None, "causal"])
@pytest.mark.filterwarnings("ignore:overflow encountered in matmul")
def test_logits_beyond_float64_have_no_bound(mask: Any) -> None:
    query = np.array([1e200, 1.0])[None, None, :, None]
    ones = np.ones((1, 1, 2, 1))
    case = Case(query, (1e150 * ones,), (ones,), 1.0, mask)
    found = bounds(target(dtype="float64", accumulate="float64", mask=mask), case, "float64")
    assert np.isinf(found.output).all()
    assert np.isinf(found.logsumexp).all()


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
    first = Case(case.query, (case.keys[0][:, :, :2],), (case.values[0][:, :, :2],), 1.0, None)
    alone = bounds(target(), first, "float32")
    kept = bounds(target(mask="boolean"), masked, "float32")
    free = bounds(target(mask="boolean"), case, "float32")
    assert kept.output.item() == pytest.approx(alone.output.item(), rel=1e-6)
    assert kept.logsumexp.item() == pytest.approx(alone.logsumexp.item(), rel=1e-6)
    assert free.logsumexp.item() > 100 * kept.logsumexp.item()


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


def adversary(form: str, case: Case, d: int) -> tuple[float, float, float]:
    """Return the truth, and the output with every error as large as it may be, up and down.

    Order 1, one query. Weights are wrong by what each logit, difference and exp may be off by, each
    toward the side its value lies on; the roundings of both sums all go one way.
    """
    u, epsilon = float(as_format(form).unit_roundoff), 8 * float(as_format(form).unit_roundoff)
    q, K, V = (A[0, 0].astype(np.float64) for A in (case.query, case.keys[0], case.values[0]))
    s, S = (q @ K.T)[0], (abs(q) @ abs(K).T)[0]
    p = np.exp(s - s.max())
    p /= p.sum()
    v, n = V[:, 0], len(s)
    out = float(p @ v)
    own = (1 + u) ** (d + 5) - 1
    drift = own * S + u * (s.max() - s) + epsilon
    found = []
    for side in (1, -1):
        w = p * np.exp(side * drift * np.sign(v - out))
        growth = side * ((1 + u) ** (n + 1) - 1)
        above = w @ (v + growth * abs(v))
        below = w.sum() - side * np.sign(out) * ((1 + u) ** (n - 1) - 1) * w.sum()
        found.append(float(above / below) * (1 + side * np.sign(out) * u))
    return out, *found


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [0.1, 1.0])
def test_the_worst_that_arithmetic_may_do_is_within_the_bound(seed: int, size: float) -> None:
    """And near it: what is worst for weights, for the sums and for the quotient adds up."""
    rng = np.random.default_rng(seed)
    n, d = 5 + 4 * seed, 3
    q, K, V = (
        rng.normal(size=(1, 1, *shape)).astype(np.float32) * np.float32(scale)
        for shape, scale in (((1, d), size), ((n, d), 1), ((n, 1), 1))
    )
    case = Case(q, (K,), (V + np.float32(seed % 3),), 1.0, None)
    bound = bounds(target(), case, "float32").output.item()
    out, up, down = adversary("float32", case, d)
    assert out < up < out + bound
    assert out - bound < down < out
    assert up - down > 0.5 * bound


def deviating(level: float, values: Any, gap: float = 0.0) -> Case:
    """Order 1: one query, logits about ``level``, the first larger by ``gap``."""
    n = len(values)
    keys = np.full((1, 1, n, 1), level, np.float32)
    keys[0, 0, 0] += np.float32(gap)
    values = np.array(values, np.float32).reshape(1, 1, n, 1)
    return Case(np.ones((1, 1, 1, 1), np.float32), (keys,), (values,), 1.0, None)


def test_errors_of_weights_act_on_deviations() -> None:
    """Logits of 1000 are off by 6·1000·2^-24 = 4e-4: nothing for equal values, else that."""
    u = 2.0**-24
    alike = bounds(target(), deviating(1000, [3, 3, 3]), "float32").output.item()
    apart = bounds(target(), deviating(1000, [2, 3, 4]), "float32").output.item()
    assert 3 * 13 * u < alike < 3 * 16 * u
    assert 2 / 3 * 6 * 1000 * u < apart < 2 / 3 * 9 * 1000 * u


def test_far_below_everything_one_tuple_is_as_exact_as_ever() -> None:
    """Logits of -10^9 are off by hundreds, and all but the first weigh nothing all the same."""
    near = bounds(target(), deviating(-1e9, [3, 7, 9], gap=1e6), "float32").output.item()
    assert near < 3 * 16 * 2.0**-24
    assert np.isinf(bounds(target(), deviating(-1e9, [3, 7, 9], gap=64), "float32").output).all()


def test_light_terms_are_counted_by_their_size() -> None:
    """A million roundings are 1/16; of terms of 10^-12 each they are nothing."""
    many = [3.0] + [5.0] * (2**16)
    heavy = bounds(target(), deviating(0, many), "float32").output.item()
    light = bounds(target(), deviating(-30, many, gap=30), "float32").output.item()
    assert heavy > 5 * 2 * 2**16 * 2.0**-24
    assert light < 3 * 20 * 2.0**-24


def test_light_terms_may_be_lost_twice_and_do_not_divide() -> None:
    """By hand: one heavy tuple and 2^16 that weigh λ = 7·10^-4 together, all values 3."""
    u, gap = 2.0**-24, float(np.float32(18.4))
    case = deviating(-gap, [3.0] * (2**16 + 1), gap=gap)
    light = 2**16 * np.exp(-gap) / (1 + 2**16 * np.exp(-gap))
    one = 3 * ((1 - light) * 2 * u + 2 * light) + 2 * 3 * light
    expected = one / (1 - light) + 3 * 8 * u
    found = bounds(target(), case, "float32").output.item()
    assert found == pytest.approx(expected, rel=1e-4)
    assert light > 5e-4


@pytest.mark.parametrize("form", ["float64", "float32"])
def test_the_exponential_is_never_below(form: str) -> None:
    x = np.linspace(-800, 709, 4001).astype(form).astype(np.float64)
    with mpmath.workprec(80):
        right = [mpmath.exp(y) for y in x.tolist()]
    for y, above in zip(right, exp_above(x).tolist(), strict=True):
        assert y <= above <= y * (1 + mpmath.mpf(2) ** -40) + mpmath.mpf(2) ** -990
    far = exp_above(np.array([-1e300, 1e300]))
    assert 0 < far[0] < 1e-300
    assert far[1] == np.inf
