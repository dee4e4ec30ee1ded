"""Radii of gradients in float64 hold against arithmetic that errs as badly as it may."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradient_levels import (
    Adversary,
    alternating,
    balanced,
    most,
    pullback,
    shares,
    spread,
)
from kvfloor.attention.fast.arithmetic import Float, gamma
from kvfloor.attention.fast.backward import single, tables
from kvfloor.attention.fast.exponential import exp2_narrow, exp2_single


def test_single_survives_the_worst_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 8
    one = pullback(*spread(n, 512))
    assert max(most(one, "single")) < 0.01
    monkeypatch.setattr(single, "np", Adversary(alternating(n), *[None] * 5))
    query, keys, values = most(one, "single")
    assert query > 0.1
    assert keys > 0.3
    assert values > 0.7


def test_single_survives_the_worst_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    n, d_v = 8, 512
    V = np.random.default_rng(0).choice([-1.0, 1.0], (n, d_v))
    one = pullback([[2.0**-9]], [np.ones((n, 1))], [V], np.full((1, d_v), 2.0**-6))
    monkeypatch.setattr(single, "np", Adversary(None, alternating(n), *[None] * 4))
    assert most(one, "single")[1] > 0.8


ERROR = 2.0**-30  # instead of that of an exponential, so that nothing else counts


def worse_exponentials(monkeypatch: pytest.MonkeyPatch, signs: Float, sink: float = 0) -> None:
    """Exponentials of tuples, in order, and of sinks err by `ERROR`."""

    def of_tuples(x: Float, y: Float, work: Float) -> None:
        exp2_narrow(x, y, work)
        y *= 1 + ERROR * signs

    def of_sinks(x: Float, y: Float, k: Any) -> None:
        exp2_single(x, y, k)
        y *= 1 + ERROR * sink

    monkeypatch.setattr(single, "EXP2_SINGLE_ERROR", ERROR)
    monkeypatch.setattr("kvfloor.attention.fast.totals.exp2_narrow", of_tuples)
    monkeypatch.setattr("kvfloor.attention.fast.joined.exp2_single", of_sinks)


def test_single_survives_the_worst_exponentials(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 32
    one = pullback([[1.0]], [np.ones((n, 1))], [balanced(n)[:, None]], [[1.0]])
    worse_exponentials(monkeypatch, alternating(n))
    _, keys, values = most(one, "single")
    assert keys > 0.6
    assert values > 0.9


def test_errors_of_all_weights_move_a_gradient_near_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a tuple whose value is the output: through D alone."""
    n = 33
    V = balanced(n)
    V[0] = 0
    one = pullback([[1.0]], [np.ones((n, 1))], [V[:, None]], [[1.0]])
    worse_exponentials(monkeypatch, V)
    assert shares(one, "single")[1][0, 0] > 0.9


def test_a_sink_may_err_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 64
    V = np.append(0.0, np.ones(n - 1))[:, None]
    one = pullback([[1.0]], [np.ones((n, 1))], [V], [[1.0]], sink=[np.log(9 * n)])
    worse_exponentials(monkeypatch, -np.ones(n), sink=1)
    assert most(one, "single")[1] > 0.7


def test_a_cotangent_of_the_logsumexp_may_hide_a_deviation(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but one tuple have gradients near 0, as g is minus what they deviate by."""
    n = 64
    V = np.append(np.full(n - 1, -1.0), 0.0)[:, None]
    one = pullback([[1.0]], [np.ones((n, 1))], [V], [[1.0]], [1 / n])
    signs = np.append(-np.ones(n - 1), 1.0)
    worse_exponentials(monkeypatch, signs)
    assert most(one, "single")[1] > 0.6


def worse_totals(monkeypatch: pytest.MonkeyPatch, *signs: float) -> None:
    """Sums over rows, by call, err by all of γ_k."""
    real, calls = single._total, [0]

    def total(x: Float) -> Float:
        sign = signs[calls[0] % len(signs)]
        calls[0] += 1
        count = single._SUMMED + -(-x.shape[2] // single._SUMMED) - 2
        return real(x) + sign * gamma(count) * real(np.abs(x))

    monkeypatch.setattr(single, "_total", total)


def test_single_survives_the_worst_sums_over_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 20000
    one = pullback([[1.0]], [np.ones((n, 1))], [np.ones((n, 1))], [[1.0]])
    worse_totals(monkeypatch, -1, 1, 0, 0)
    query, keys, values = most(one, "single")
    assert min(query, keys) > 0.9
    assert values > 0.4


def test_single_survives_the_worst_products(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 200
    ones = np.ones((n, 1))
    one = pullback(ones, [ones], [balanced(n)[:, None]], ones, np.ones(n))
    monkeypatch.setattr(tables, "np", Adversary(1.0))
    assert min(most(one, "single")) > 0.15


def test_single_survives_the_worst_products_at_order_two(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [np.ones((12, 1)), np.ones((20, 1))]
    one = pullback([[1.0]] * 3, rows, [rows[0], balanced(20)[:, None]], [[1.0]] * 3, [1.0] * 3)
    assert max(most(one, "single")) < 0.1
    monkeypatch.setattr(tables, "np", Adversary(1.0))
    assert min(most(one, "single")) > 0.04
