"""Radii of gradients hold against arithmetic that errs as badly as it may, and are not idle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np
import pytest
from flint import arb

import kvfloor
from gradient_truth import draw_case
from kvfloor import GradientLayers
from kvfloor.attention.fast import (
    Accuracy,
    Balls,
    Operands,
    Places,
    evaluate_gradients_at,
    evaluate_gradients_double,
    evaluate_gradients_single,
    evaluate_logit_gradients,
    operands_of,
    prepare_problem,
)
from kvfloor.attention.fast.arithmetic import UNIT, Float, Pair, gamma
from kvfloor.attention.fast.backward import double, pairs, single, tables
from kvfloor.attention.fast.double import pair_logits
from kvfloor.attention.fast.exponential import exp2_single, exp_double
from kvfloor.attention.fast.slices import ValueSlices, fine_products
from kvfloor.attention.gradients import settling
from kvfloor.attention.gradients.cotangents import Pullback, as_pullbacks
from kvfloor.attention.gradients.enclosure import enclose_pullback
from kvfloor.attention.terms import Terms
from kvfloor.numbers import arb_precision

Array = Any
BITS = 400


def at_all_places(given: Operands, accuracy: Accuracy) -> list[Balls]:
    """All gradients by `evaluate_gradients_at`."""
    slots = *given.prepared.key_slots, *given.prepared.value_slots
    shapes = [given.given.shape, *(slot.entries.shape for slot in slots)]
    places = [Places(*(part.ravel() for part in np.indices(shape))) for shape in shapes]
    every = zip(evaluate_gradients_at(given, places, accuracy), shapes, strict=True)
    return [Balls(*(part.reshape(shape) for part in (b.hi, b.lo, b.radius))) for b, shape in every]


ACCURACIES: tuple[Accuracy, ...] = ("coarse", "plain", "fine")
LEVELS: dict[str, Callable[[Operands], list[Balls]]] = {
    "single": evaluate_gradients_single,
    "double": evaluate_gradients_double,
    **{accuracy: partial(at_all_places, accuracy=accuracy) for accuracy in ACCURACIES},
}


def pullback(
    query: Any, keys: Any, values: Any, cotangent: Any, g: Any = None, **options: Any
) -> Pullback:
    terms = Terms(options.get("bias"), options.get("sink"))
    (one,), _ = as_pullbacks(
        query, keys, values, cotangent, g, options.get("scale", 1), options.get("mask"), terms
    )
    return one


def levelled(one: Pullback) -> Operands:
    """The pullback as the levels take it."""
    problem, cotangents = one.problem, (one.output, one.logsumexp)
    prepared = prepare_problem(problem)
    assert prepared is not None
    rest = problem.scale, problem.mask, problem.terms
    given = operands_of(prepared, problem.queries, cotangents, *rest)
    assert given is not None
    return given


def enclosed(one: Pullback, level: str) -> list[Balls]:
    return LEVELS[level](levelled(one))


def shares(one: Pullback, level: str) -> list[Float]:
    """How much of each radius is used, table by table: query, keys, values; fails above 1."""
    parts = enclose_pullback(one, BITS)
    found = []
    for balls, truth in zip(
        enclosed(one, level), (parts.query, *parts.keys, *parts.values), strict=True
    ):
        used = np.zeros(truth.shape)
        for place in np.ndindex(*truth.shape):
            hi, lo, radius = (float(part[place]) for part in (balls.hi, balls.lo, balls.radius))
            with arb_precision(BITS):
                error = abs(truth[place] - arb(hi) - arb(lo))
                assert error <= arb(radius), (place, truth[place], balls.hi[place], radius)
                used[place] = 0 if radius in (0, np.inf) else float((error / arb(radius)).upper())
        found.append(used)
    return found


def most(one: Pullback, level: str) -> list[float]:
    return [float(part.max()) for part in shares(one, level)]


def balanced(n: int) -> Float:
    return np.where(np.arange(n) % 2, 1.0, -1.0)


class Adversary:
    """NumPy, but for products of matrices: those named by call err by all of γ_k."""

    def __init__(self, *directions: Any) -> None:
        self.directions = directions
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def matmul(self, a: Float, b: Float, out: Float | None = None) -> Float:
        result: Float = np.matmul(a, b, out=out)
        direction = self.directions[self.calls % len(self.directions)]
        self.calls += 1
        if direction is not None:
            result += gamma(b.shape[-2]) * (np.abs(a) @ np.abs(b)) * direction
        return result


def normal(seed: int, *shapes: tuple[int, ...]) -> list[Float]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


def spread(n: int, d: int) -> tuple[Float, list[Float], list[Float], Float]:
    """A query whose logits are all 0, by terms that cancel, and values ±1."""
    keys = np.random.default_rng(0).choice([-1.0, 1.0], (n, d))
    return np.full((1, d), 2.0**-6), [keys], [balanced(n)[:, None]], np.ones((1, 1))


def alternating(n: int, *, first: float = 1.0) -> Float:
    """The first up and all others down."""
    signs = np.full(n, -first)
    signs[0] = first
    return signs


# --- level (a)


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

    def of_tuples(x: Float, y: Float, k: Any) -> None:
        exp2_single(x, y, k)
        y *= 1 + ERROR * signs

    def of_sinks(x: Float, y: Float, k: Any) -> None:
        exp2_single(x, y, k)
        y *= 1 + ERROR * sink

    monkeypatch.setattr(single, "EXP2_SINGLE_ERROR", ERROR)
    monkeypatch.setattr(single, "exp2_single", of_tuples)
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


# --- level (b), and for some gradients


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


# --- all levels


@pytest.mark.parametrize("level", LEVELS)
def test_levels_hold_the_truth_and_claim_zeros_that_are(
    level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small problems of orders 1 to 3, with masks, biases, sinks and groups, in small blocks."""
    monkeypatch.setattr(single, "_ELEMENTS", 16)
    monkeypatch.setattr(pairs, "ELEMENTS", 16)
    monkeypatch.setattr(double, "_BLOCK", 5)
    zeros = count = 0
    for seed in range(24):
        case = draw_case(seed, 1 + seed % 3, heads=bool(seed // 3 % 2))
        if case.softcap is not None:
            continue
        given, g = case.given, case.logsumexp_cotangent
        terms = Terms(given.get("bias"), given.get("sink"))
        query, keys, values, G = case.arguments
        for one in as_pullbacks(query, keys, values, G, g, case.scale, case.mask, terms)[0]:
            parts = enclose_pullback(one, BITS)
            truth = np.concatenate([np.ravel(t) for t in (parts.query, *parts.keys, *parts.values)])
            found = enclosed(one, level)
            assert max(map(np.max, shares(one, level))) < 0.5
            radii = np.concatenate([balls.radius.ravel() for balls in found])
            assert np.isfinite(radii).all()
            assert all(ball == 0 for ball in truth[radii == 0])
            zeros, count = zeros + int((radii == 0).sum()), count + len(radii)
    assert level in ACCURACIES or zeros > count / 10


@pytest.mark.parametrize("level", ["single", "double"])
def test_zeros_are_claimed_where_no_term_is_another(level: str) -> None:
    """A query that sees one token, one without cotangents; a token that none sees."""
    Q, K, V, G = normal(0, (4, 3), (5, 3), (5, 3), (4, 3))
    G[2] = 0
    one = pullback(Q, [K], [V], G, mask="causal-top-left")
    query, keys, values = (balls.radius == 0 for balls in enclosed(one, level))
    assert np.flatnonzero(query.all(axis=1)).tolist() == [0, 2]
    assert query.sum() == 6
    assert np.flatnonzero(keys.any(axis=1)).tolist() == [4]
    assert np.flatnonzero(values.any(axis=1)).tolist() == [4]


@pytest.mark.parametrize("level", ["single", "double"])
@pytest.mark.parametrize("sinks", [True, False])
def test_gradients_of_logits_and_sinks_hold_the_truth(level: Any, sinks: bool) -> None:
    """Of a masked row, too, for which there is a sink."""
    Q, K, V, G = normal(0, (4, 3), (5, 3), (5, 2), (4, 2))
    G[2], sink = 0, [0.5, 1, 9, -3]
    mask = np.random.default_rng(1).random((4, 5)) < 0.7
    mask[1] = not sinks
    options = {"sink": sink} if sinks else {}
    one = pullback(Q, [K], [V], G, [0.3, 1, 0, -2], mask=mask, **options)
    parts, given = enclose_pullback(one, BITS), levelled(one)
    logits, of_sinks = evaluate_logit_gradients(given, level, tuples=True)
    assert logits is not None
    every = [(logits, parts.logits[:, None])]
    if parts.sink is not None:
        every.append((of_sinks, parts.sink))
    for balls, truth in every:
        for place in np.ndindex(*balls.hi.shape):
            hi, lo, radius = (float(part[place]) for part in (balls.hi, balls.lo, balls.radius))
            with arb_precision(BITS):
                assert abs(truth[place] - arb(hi) - arb(lo)) <= arb(radius)
    assert ((logits.radius == 0) == (~mask | (np.arange(4) == 2)[:, None])[:, None]).all()


@pytest.mark.parametrize("level", ["single", "double"])
def test_a_sink_has_a_gradient_where_no_token_is_seen(
    level: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single, "_ELEMENTS", 1)
    monkeypatch.setattr(pairs, "ELEMENTS", 1)
    Q, K, V, G = normal(0, (4, 3), (2, 3), (2, 3), (4, 3))
    one = pullback(Q, [K], [V], G, [0.75, 1, 1, 1], mask="causal", sink=[1.0, 2, 3, 4])
    _, sinks = evaluate_logit_gradients(levelled(one), level, tuples=False)
    assert abs(sinks.hi[0] - 0.75) <= sinks.radius[0] < 2.0**-40


def test_a_weight_that_vanishes_beside_a_sink_is_no_zero() -> None:
    found = kvfloor.tensor_attention_gradients_rounded(
        [1.0], [[[1.0], [2]]], [[[1.0], [2]]], [1.0], dtype="float32", bias=[0.0, 0.0],
        sink=2000, rounding="up",
    )  # fmt: skip
    assert (found.bias == 2.0**-149).all()


def test_what_underflows_is_no_zero() -> None:
    """A key of 2**-1060 beside one of 1 that is hidden: the gradient is tiny, and not zero."""
    keys = [[[1.0, 0], [0, 2.0**-1060], [0, 1]]]
    values, mask = [[[1.0], [2], [3]]], [True, True, False]
    found = kvfloor.tensor_attention_gradients_rounded(
        [1.0, 1], keys, values, [1.0], dtype="float32", mask=mask, rounding="up"
    )
    assert found.query[1] == 2.0**-149


def test_nothing_is_claimed_out_of_range() -> None:
    """Logits that no level reaches, and a power of two that none holds."""
    far = pullback([[2.0**30]], [[[1.0], [2]]], [[[1.0], [2]]], [[1.0]])
    for level in LEVELS:
        assert all(np.isinf(balls.radius).all() for balls in enclosed(far, level))
    for query, value in ((2.0**-600, 1.0), (1.0, 2.0**600)):
        one = pullback([[query]], [[[1.0], [2]]], [[[value], [2 * value]]], [[1.0]])
        prepared = prepare_problem(one.problem)
        assert prepared is not None
        rest = one.problem.scale, one.problem.mask, one.problem.terms
        assert operands_of(prepared, one.problem.queries, one[1:], *rest) is None


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("few", [0, 2**20])
def test_levels_settle_what_they_can(order: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is left for double-double goes on alone, or with all others."""
    monkeypatch.setattr(settling, "FEW", few)
    n = 30 // order
    Q, G, bias, *rest = normal(order, (40, 8), (40, 8), (40, *[n] * order), *[(n, 8)] * 2 * order)
    terms: dict[str, Any] = {"bias": bias, "sink": bias.ravel()[:40], "mask": "causal"}
    for dtype in ("float32", "float64"):
        layers = GradientLayers()
        kvfloor.tensor_attention_gradients_rounded(
            Q, rest[:order], rest[order:], G, dtype=dtype, layers=layers, **terms
        )
        assert layers.single > 0 if dtype == "float32" else layers.double > 0
        assert layers.balls == layers.exact == layers.residues == 0


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
