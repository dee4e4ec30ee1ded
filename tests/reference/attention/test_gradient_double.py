"""Radii in double-double hold likewise, of all gradients and of some, and of sums on the way."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from gradient_levels import (
    alternating,
    balanced,
    most,
    pullback,
    shares,
)
from kvfloor.attention.fast.arithmetic import UNIT, Float, Pair
from kvfloor.attention.fast.backward import double, pairs
from kvfloor.attention.fast.double import pair_logits
from kvfloor.attention.fast.exponential import exp_double
from kvfloor.attention.fast.slices import ValueSlices, fine_products


@pytest.mark.parametrize("level", ["double", "plain"])
def test_double_survives_the_worst_exponentials(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    n, error, errors = 32, 2.0**-60, alternating(32)
    one = pullback([[1.0]], [np.ones((n, 1))], [balanced(n)[:, None]], [[1.0]])
    assert max(most(one, level)) < 0.1

    def worse(hi: Float, lo: Float, work: Sequence[Float]) -> Any:
        k, a, b = exp_double(hi, lo, work)
        b += error * a * errors
        return k, a, b

    monkeypatch.setattr(pairs, "exp_double", worse)
    monkeypatch.setattr(pairs, "exp_double_error", lambda _: np.full(1, error))
    _, keys, values = most(one, level)
    assert keys > 0.4
    assert values > 0.9
    V = balanced(n)
    V[:2] = 0
    one = pullback([[1.0]], [np.ones((n, 1))], [V[:, None]], [[1.0]])
    errors[:] = V
    assert shares(one, level)[1][0, 0] > 0.9


@pytest.mark.parametrize("level", ["double", "plain"])
@pytest.mark.parametrize("table", [1, 2])
def test_double_survives_the_worst_rests(
    level: str, table: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of logits, which move values; and of scores, which move keys."""
    n, d, rest = 32, 200, 2.0**-14
    first = np.eye(d)[:1]
    one = pullback(first, [np.ones((n, 1)) * first], [balanced(n)[:, None] * first], first)
    calls = [0]

    def worse(*given: Any) -> Pair:
        hi, lo = pair_logits(*given)
        calls[0] += 1
        if calls[0] % 2 == table % 2:
            return hi, lo
        return hi, lo + 3 * d * UNIT * rest * alternating(n)

    monkeypatch.setattr(pairs, "pair_logits", worse)
    monkeypatch.setattr(pairs, "key_rest", lambda *_: np.full(1, rest))
    assert most(one, level)[table] > (0.8 if table == 2 else 0.6)


def test_double_survives_the_worst_products_of_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [np.ones((3, 1)), np.ones((4, 1))]
    one = pullback([[1.0]] * 3, rows, [rows[0], balanced(4)[:, None]], [[1.0]] * 3, [1.0] * 3)
    error = 2.0**-60
    real = ValueSlices.products

    def worse(self: Any, weights: Sequence[Float]) -> Pair:
        hi, lo = real(self, weights)
        return hi, lo + error

    monkeypatch.setattr(ValueSlices, "products", worse)
    monkeypatch.setattr(double, "value_error", lambda _: error)
    assert min(most(one, "double")) > 0.4


@pytest.mark.parametrize("count", [1, 2, 100, 4096])
def test_sums_in_three_parts_are_as_exact_as_they_say(count: int) -> None:
    rng = np.random.default_rng(count)
    hi = rng.uniform(-4, 4, (1, 1, count)) * 2.0 ** rng.integers(-70, 1, count)
    lo = hi * rng.uniform(-UNIT, UNIT, (1, 1, count))
    sums = pairs.pair_total((hi, lo), 4)
    terms = [Fraction(a) + Fraction(b) for a, b in zip(hi.ravel(), lo.ravel(), strict=True)]
    error = abs(Fraction(sums[0][0]) + Fraction(sums[1][0]) - sum(terms))
    allowed = (count + 4) * Fraction(UNIT) ** 2 * sum(map(abs, terms))
    assert error <= allowed + Fraction(pairs.total_error(count, 4))


@pytest.mark.parametrize("d", [1, 7, 64, 200])
def test_products_in_four_slices_are_as_exact_as_they_say(d: int) -> None:
    """Within 5u² of Σ|products|, as the rest is less."""
    rng = np.random.default_rng(d)
    K, a = rng.uniform(-1, 1, (5, d)), rng.uniform(-8, 8, (3, d))
    low = a * rng.uniform(-UNIT, UNIT, a.shape)
    hi, lo = fine_products(K, (a, low), 8.0)
    for i, j in np.ndindex(3, 5):
        every = list(zip(a[i].tolist(), low[i].tolist(), K[j].tolist(), strict=True))
        true = sum((Fraction(x) + Fraction(y)) * Fraction(k) for x, y, k in every)
        size = sum(abs(Fraction(x) * Fraction(k)) for x, _, k in every)
        error = abs(Fraction(float(hi[i, j])) + Fraction(float(lo[i, j])) - true)
        assert error <= 5 * Fraction(UNIT) ** 2 * size
