"""Slopes of soft caps at the fast levels, against Arb and against arithmetic that errs."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from flint import arb

import kvfloor
from gradient_levels import LEVELS, Adversary, enclosed, most, pullback
from kvfloor import GradientLayers
from kvfloor.attention.fast.arithmetic import UNIT, Float, Pair
from kvfloor.attention.fast.backward import capping, pairs, single
from kvfloor.attention.fast.backward.capping import Steepness
from kvfloor.attention.fast.double import pair_logits
from kvfloor.attention.fast.exponential import exp2_single, exp_double, exp_fine
from kvfloor.attention.gradients.cotangents import Pullback
from kvfloor.numbers import arb_precision

DOUBLES = [level for level in LEVELS if level != "single"]


def one_token(d: int = 1, s: float = 8, c: Any = 1, g: float = 1) -> Pullback:
    """Its weight is 1, and the gradient of its logit that of the log-sum-exp: a slope is left."""
    q, K, V, G = np.full((1, d), s / d), np.ones((1, d)), np.ones((1, 1)), np.zeros((1, 1))
    return pullback(q, [K], [V], G, [g], softcap=Fraction(c))


@pytest.mark.parametrize("cap", [Fraction(1, 3), Fraction(50)])
@pytest.mark.parametrize("level", ["single", "double"])
def test_slopes_are_as_exact_as_they_say(level: str, cap: Fraction) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-1, 1, 300), rng.uniform(-600, 600, 300), [0.0]])
    x, steepness = x * float(cap) / 2 * (1 - 2.0**-20), Steepness(cap)
    lo = x * rng.uniform(-UNIT, UNIT, x.shape) if level == "double" else 0 * x
    found = steepness.pair_slopes((x, lo)) if level == "double" else (steepness.slopes(x), 0 * x)
    errors = (steepness.pair_error if level == "double" else steepness.error)(np.abs(x))
    shares = []
    with arb_precision(300):
        unit = arb(2).log() if level == "single" else arb(1)
        for a, b, hi, low, error in zip(x, lo, *found, errors, strict=True):
            true = ((arb(float(a)) + float(b)) * unit * cap.denominator / cap.numerator).sech() ** 2
            off = abs((arb(float(hi)) + float(low)) / true - 1)
            shares.append(float((off / float(error)).upper()))
    assert (0.1 if level == "single" else 1e-3) < max(shares) <= 1


@pytest.mark.parametrize("cap", [Fraction(1, 3), Fraction(50)])
@pytest.mark.parametrize("error", [None, 2.0**-60])
def test_caps_are_as_exact_as_they_say(
    cap: Fraction, error: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the finer exponentials, and with such as err."""
    if error is not None:
        real = exp_fine

        def worse(hi: Float, lo: Float) -> Any:
            k, a, b = real(hi, lo)
            return k, a, b + error * a

        monkeypatch.setattr(capping, "exp_fine", worse)
        monkeypatch.setattr(capping, "EXP_FINE_ERROR", error)
    rng, steepness = np.random.default_rng(0), Steepness(cap)
    x = np.concatenate([rng.uniform(-2, 2, 300), rng.uniform(-800, 800, 99)]) * float(cap) / 2
    lo = x * rng.uniform(-UNIT, UNIT, x.shape)
    shares = []
    with arb_precision(300):
        for a, b, hi, low, bound in zip(
            x, lo, *steepness.pair_caps((x, lo)), steepness.cap_error(np.abs(x)), strict=True
        ):
            c = arb(cap.numerator) / cap.denominator
            off = abs(arb(float(hi)) + float(low) - ((arb(float(a)) + float(b)) / c).tanh() * c)
            shares.append(float((off / float(bound)).upper()))
    assert (1e-3 if error is None else 0.9) < max(shares) <= 1


def test_slopes_beyond_their_range_are_not_claimed() -> None:
    within, beyond = one_token(s=200), one_token(s=301)
    for level in LEVELS:
        assert all(np.isfinite(balls.radius).all() for balls in enclosed(within, level))
        query, keys, values = (balls.radius for balls in enclosed(beyond, level))
        assert np.isinf(query).all()
        assert np.isinf(keys).all()
        assert np.isfinite(values).all()


def test_single_survives_the_worst_exponentials_of_slopes(monkeypatch: pytest.MonkeyPatch) -> None:
    error = 2.0**-30

    def worse(x: Float, y: Float, k: Any) -> None:
        exp2_single(x, y, k)
        y *= 1 + error

    monkeypatch.setattr(capping, "exp2_single", worse)
    monkeypatch.setattr(capping, "EXP2_SINGLE_ERROR", error)
    query, keys, _ = most(one_token(), "single")
    assert min(query, keys) > 0.9


def test_single_survives_the_worst_logits_of_slopes(monkeypatch: pytest.MonkeyPatch) -> None:
    one = one_token(d=512)
    assert max(most(one, "single")) < 0.1
    monkeypatch.setattr(single, "np", Adversary(1.0, *[None] * 6))
    query, keys, _ = most(one, "single")
    assert min(query, keys) > 0.8


@pytest.mark.parametrize("level", DOUBLES)
def test_double_survives_the_worst_exponentials_of_slopes(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = 2.0**-40

    def worse(hi: Float, lo: Float, work: Sequence[Float]) -> Any:
        k, a, b = exp_double(hi, lo, work)
        b += error * a
        return k, a, b

    def worse_fine(hi: Float, lo: Float) -> Any:
        return worse(hi, lo, list(np.empty((5, *hi.shape))))

    monkeypatch.setattr(capping, "exp_double", worse)
    monkeypatch.setattr(capping, "exp_fine", worse_fine)
    monkeypatch.setattr(capping, "EXP_FINE_ERROR", error)
    monkeypatch.setattr(capping, "exp_double_error", lambda w: np.full_like(w, error))
    query, keys, _ = most(one_token(), level)
    assert min(query, keys) > 0.9


@pytest.mark.parametrize("level", DOUBLES)
def test_errors_of_weights_go_on_under_a_cap(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    n, error = 32, 2.0**-60
    V, signs = np.where(np.arange(n) % 2, 1.0, -1.0), np.where(np.arange(n), -1.0, 1.0)
    one = pullback([[1.0]], [np.ones((n, 1))], [V[:, None]], [[1.0]], softcap=Fraction(1))

    def worse(hi: Float, lo: Float, work: Sequence[Float]) -> Any:
        k, a, b = exp_double(hi, lo, work)
        b += error * a * signs.reshape(a.shape)
        return k, a, b

    for name in ("exp_double", "exp_fine"):
        monkeypatch.setattr(pairs, name, lambda hi, lo, work=None: worse(hi, lo, list(
            np.empty((5, *hi.shape)))))  # fmt: skip
    monkeypatch.setattr(pairs, "exp_double_error", lambda _: np.full(1, error))
    monkeypatch.setattr(pairs, "EXP_FINE_ERROR", error)
    assert most(one, level)[1] > 0.4


def test_finer_caps_may_err(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exponentials of slopes and caps err, where values are balanced: so do weights."""
    n, error = 32, 2.0**-50
    V, signs = np.where(np.arange(n) % 2, 1.0, -1.0), np.where(np.arange(n), -1.0, 1.0)
    one = pullback([[1.0]], [np.ones((n, 1))], [V[:, None]], [[1.0]], softcap=Fraction(2))

    def worse(hi: Float, lo: Float) -> Any:
        k, a, b = exp_fine(hi, lo)
        return k, a, b + error * a * signs.reshape(a.shape)

    monkeypatch.setattr(capping, "exp_fine", worse)
    monkeypatch.setattr(capping, "EXP_FINE_ERROR", error)
    assert most(one, "fine")[2] > 0.5


@pytest.mark.parametrize("level", ["double", "plain"])
def test_double_survives_the_worst_rests_of_slopes(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    d, rest = 200, 2.0**-14
    one = one_token(d)
    calls = [0]

    def worse(*given: Any) -> Pair:
        hi, lo = pair_logits(*given)
        calls[0] += 1
        return (hi, lo + 3 * d * UNIT * rest) if calls[0] % 2 else (hi, lo)

    monkeypatch.setattr(pairs, "pair_logits", worse)
    monkeypatch.setattr(pairs, "key_rest", lambda *_: np.full(1, rest))
    query, keys, _ = most(one, level)
    assert min(query, keys) > 0.8


def test_a_slope_that_vanishes_is_no_zero() -> None:
    """Logits of 100 are plain, but not what their slopes are powers of."""
    for cap in (2, 0.25, 2.0**-10):
        found = kvfloor.tensor_attention_gradients_rounded(
            [100.0], [[[1.0], [0]]], [[[2.0], [1]]], [1.0], dtype="float32", softcap=cap,
            rounding="up",
        )  # fmt: skip
        assert found.query[0] > 0
    found = kvfloor.tensor_attention_gradients_rounded(
        [295.0], [[[1.0], [0]]], [[[2.0], [1]]], [1.0], dtype="float64", softcap=1,
        bias=[-100.0, 0], rounding="up",
    )  # fmt: skip
    assert found.query[0] > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_caps_are_settled_in_floats(dtype: str) -> None:
    rng = np.random.default_rng(0)
    q, K, V, G = rng.normal(size=(4, 40, 8))
    layers = GradientLayers()
    kvfloor.tensor_attention_gradients_rounded(
        q, [K], [V], G, dtype=dtype, softcap=3, mask="causal", sink=0, bias=rng.normal(size=40),
        layers=layers,
    )  # fmt: skip
    assert layers.balls == layers.exact == layers.residues == 0
