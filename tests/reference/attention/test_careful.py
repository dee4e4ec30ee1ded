"""Few numbers of order 2 and above: logits that hardly round, sums in short chains."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fast_oracle import Case, Float, ball_truth, exact_truths, numbers, share
from kvfloor.attention import Layers, tensor_attention_rounded
from kvfloor.attention.fast import Evaluation, careful, evaluate_careful, prepare
from kvfloor.attention.fast.arithmetic import UNIT
from kvfloor.attention.fast.exponential import exp2_narrow
from kvfloor.attention.fast.slices import slice_bits
from kvfloor.attention.inputs import as_scale
from kvfloor.attention.terms import NO_TERMS, Terms
from reference.attention.test_fast_bounds import Adversary, balanced, full_slices


def evaluated(case: Case, terms: Terms = NO_TERMS) -> Evaluation:
    sigma = as_scale(case.scale, case.queries.shape[1])
    return evaluate_careful(prepare(case.keys, case.values), case.queries, sigma, case.mask, terms)


def used(case: Case) -> tuple[float, float]:
    """Shares of the radii that the errors of output and log-sum-exp take; fails above 1."""
    truth = next(t for t in exact_truths(case) if t)
    found = evaluated(case)
    output = share(truth.output[0], numbers(found.output, 0, 0))
    return output, share(truth.logsumexp, numbers(found.logsumexp, 0))


@pytest.mark.parametrize("lengths", [(5, 70), (70, 5), (3, 4, 5)])
@pytest.mark.parametrize("elements", [7, 2**15])
def test_balls_contain_the_truth(
    lengths: tuple[int, ...], elements: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Masks with rows of nothing, tiles of any size, scales of columns from 2**-20 to 2**20."""
    rng = np.random.default_rng(len(lengths))
    mask = rng.random((3, *lengths)) < 0.7
    mask[1], mask[2, 0] = False, False
    sizes = 2.0 ** rng.integers(-20, 20, 4)
    keys = [rng.standard_normal((n, 4)) for n in lengths]
    keys[0], keys[1] = keys[0] * sizes, keys[1] / sizes
    values = [rng.standard_normal((n, 3)) for n in lengths]
    case = Case(rng.standard_normal((3, 4)), keys, values, Fraction(1, 2), mask)
    monkeypatch.setattr(careful, "_ELEMENTS", elements)
    monkeypatch.setattr(careful, "_COLUMNS", min(elements, 256))
    found = evaluated(case)
    for i, truth in enumerate(exact_truths(case)):
        if truth is None:
            assert numbers(found.logsumexp, i) == (-np.inf, 0, 0)
            continue
        assert 0 <= share(truth.logsumexp, numbers(found.logsumexp, i)) <= 1
        for c, out in enumerate(truth.output):
            ball = numbers(found.output, i, c)
            assert 0 <= share(out, ball) <= 1
            assert ball[2] < 300 * UNIT * float((truth.mean[c] + abs(out)).upper())


def test_the_radius_is_a_tenth_of_that_of_level_a() -> None:
    rng = np.random.default_rng(0)
    keys, values = ([rng.standard_normal((300, 16)) for _ in range(2)] for _ in range(2))
    case = Case(rng.standard_normal((1, 16)), keys, values, Fraction(1, 4))
    truth, found, level_a = ball_truth(case), evaluated(case), case.evaluate("single")
    for c, out in enumerate(truth.output):
        ball = numbers(found.output, 0, c)
        share(out, ball)
        assert 10 * ball[2] < numbers(level_a.output, 0, c)[2]


def test_a_sink_is_counted() -> None:
    rng = np.random.default_rng(1)
    keys, values = ([rng.standard_normal((6, 3)) for _ in range(2)] for _ in range(2))
    query = rng.standard_normal((1, 3))
    found = evaluated(Case(query, keys, values), Terms(None, np.array([1.5]), None))
    beside = [[np.vstack([x, np.zeros((1, 3))]) for x in part] for part in (keys, values)]
    bias = np.full((7, 7), -np.inf)
    bias[:6, :6], bias[6, 6] = 0.0, 1.5
    right = tensor_attention_rounded(query, *beside, dtype="float64", bias=bias)
    np.testing.assert_allclose(found.output.hi, right, rtol=1e-13)
    assert (np.abs(found.output.hi - right) <= found.output.radius + np.spacing(right)).all()


@pytest.mark.parametrize(
    ("factor", "terms"),
    [
        (1.0, Terms(np.zeros((1, 6, 6)), None, None)),
        (1.0, Terms(None, None, Fraction(5))),
        (1.0, Terms(None, np.array([100.0]), None)),
        (1000.0, NO_TERMS),
    ],
)
def test_elsewhere_nothing_is_claimed(factor: float, terms: Terms) -> None:
    rng = np.random.default_rng(2)
    keys, values = ([rng.standard_normal((6, 3)) for _ in range(2)] for _ in range(2))
    found = evaluated(Case(factor * rng.standard_normal((1, 3)), keys, values), terms)
    assert np.isinf(found.output.radius).all()
    assert np.isinf(found.logsumexp.radius).all()


def test_it_survives_the_worst_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rests as large as can be, of many columns."""
    rng = np.random.default_rng(1)
    n, d = 2, 4096
    bits = slice_bits(d)
    q, K = (full_slices((rows, d), bits, rng) for rows in (1, n))
    ones = np.ones((1, d))
    case = Case(q / 128, [ones, K * balanced(d)], [np.ones((1, 1)), balanced(n)[:, None]])
    monkeypatch.setattr(careful, "_BLOCK", 2)
    assert max(used(case)) < 0.3
    worst = [None, lambda _: balanced(n), None]
    monkeypatch.setattr(careful, "np", Adversary(matmul=worst))
    assert used(case)[0] > 0.3


@pytest.mark.parametrize("value", [1.0, -1.0])
def test_it_survives_the_worst_sums(value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numerator up, denominator down, and what the bound follows down, too."""
    R, J = 2, 32
    case = Case(
        np.zeros((1, 1)),
        [np.ones((n, 1)) for n in (R, J)],
        [np.ones((R, 1)), np.full((J, 1), value)],
    )
    assert max(used(case)) < 0.1
    apart = np.array([np.sign(value), -1.0, -1.0, -1.0])
    monkeypatch.setattr(careful, "np", Adversary(matmul=[None, None, lambda _: apart]))
    output, logsumexp = used(case)
    assert output > 0.7
    assert logsumexp > 0.6


def test_it_survives_the_worst_exponentials(monkeypatch: pytest.MonkeyPatch) -> None:
    error = 2.0**-30

    def worst(x: Float, y: Float, work: Any) -> None:
        exp2_narrow(x, y, work)
        y += error * balanced(x.shape[-1])

    case = Case(
        np.zeros((1, 1)), [np.ones((n, 1)) for n in (1, 2)], [np.ones((1, 1)), balanced(2)[:, None]]
    )
    monkeypatch.setattr(careful, "exp2_narrow", worst)
    monkeypatch.setattr(careful, "EXP2_SINGLE_ERROR", error)
    assert used(case)[0] > 0.9


def test_low_parts_of_queries_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tuples of about 54 bits, each with a column of its own."""
    rng = np.random.default_rng(3)
    values = [np.ones((1, 1)), balanced(2)[:, None]]
    case = Case(50 + rng.random((20, 2)), [np.full((1, 2), 0.75), np.eye(2)], values)
    monkeypatch.setattr(careful, "_BLOCK", 2)
    found = evaluated(case)
    assert np.isfinite(found.output.radius).all()
    for i, truth in enumerate(exact_truths(case)):
        assert truth is not None
        assert 0 <= share(truth.output[0], numbers(found.output, i, 0)) <= 1


def test_low_parts_of_logits_count() -> None:
    """Two tuples whose logits differ by less than their last place."""
    low = 2.0**-50
    keys = [np.ones((1, 2)), np.array([[1.0, 0.0], [1.0, low]])]
    case = Case(np.array([[20.0, 1.0]]), keys, [np.ones((1, 1)), balanced(2)[:, None]])
    found = evaluated(case)
    assert abs(found.output.hi[0, 0] - low / 2) < low / 8
    used(case)


def test_few_numbers_of_order_2_go_there() -> None:
    rng = np.random.default_rng(0)
    q, *slots = (rng.standard_normal((n, 16)) for n in (40, 600, 600, 600, 600))
    layers = Layers()
    tensor_attention_rounded(
        q, slots[:2], slots[2:], dtype="float32", scale=Fraction(1, 4), layers=layers
    )
    assert layers.refined > layers.double + layers.balls
