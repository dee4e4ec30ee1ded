"""Fast enclosures contain the truth, are narrow, and claim nothing beyond their range."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
import pytest
from flint import arb

from fast_oracle import LEVELS, Case, Float, ball_truth, exact_truths, numbers, share
from kvfloor.attention.fast import double, refined, single
from kvfloor.attention.fast.double import evaluate_double
from kvfloor.attention.fast.operands import Prepared, Queries, prepare
from kvfloor.attention.fast.single import evaluate_single
from kvfloor.attention.fast.tiling import Tiling
from kvfloor.attention.fast.totals import Evaluation, Totals
from kvfloor.attention.inputs import Scale
from kvfloor.numbers import arb_precision

Rng = np.random.Generator

#: Radius over Σ_t p_t·|v_t| + |out|, and of log-sum-exp over 1 + |lse| + largest |logit|.
WIDTH = {"single": 1e-13, "double": 2.0**-77}


def normal(rng: Rng, shape: tuple[int, ...]) -> Float:
    return rng.standard_normal(shape)


def float32(rng: Rng, shape: tuple[int, ...]) -> Float:
    return rng.standard_normal(shape).astype(np.float32).astype(np.float64)


def bfloat16(rng: Rng, shape: tuple[int, ...]) -> Float:
    mantissa, exponent = np.frexp(rng.standard_normal(shape))
    return np.asarray(np.ldexp(np.rint(mantissa * 256) / 256, exponent))


def signs(rng: Rng, shape: tuple[int, ...]) -> Float:
    return rng.choice([-1.0, 1.0], shape)


def zeros(rng: Rng, shape: tuple[int, ...]) -> Float:
    return normal(rng, shape) * rng.integers(0, 2, shape) * signs(rng, shape)


def equal(rng: Rng, shape: tuple[int, ...]) -> Float:
    return np.full(shape, 1.1)


def wide(rng: Rng, shape: tuple[int, ...]) -> Float:
    return normal(rng, shape) * 10.0 ** rng.integers(-100, 100, shape)


def subnormal(rng: Rng, shape: tuple[int, ...]) -> Float:
    return np.ldexp(normal(rng, shape), rng.integers(-1074, -1000, shape))


Entries = Callable[[Rng, tuple[int, ...]], Float]


def shaped(
    rng: Rng, entries: Entries, values: Entries | None = None, largest: float | None = None
) -> Case:
    """A random case: order 1 to 3, up to 6 tokens a slot, any scale, any mask."""
    m, d, d_v, b = (int(rng.integers(1, top)) for top in (4, 7, 5, 4))
    lengths = rng.integers(1, 7, m).tolist()
    masks = [None, rng.random(lengths) < 0.6, rng.random((b, *lengths)) < 0.6]
    case = Case(
        entries(rng, (b, d)),
        [entries(rng, (n, d)) for n in lengths],
        [(values or entries)(rng, (n, d_v)) for n in lengths],
        [1, Fraction(1, 3), "1/sqrt(d)", Fraction(7, 2)][rng.integers(4)],
        masks[rng.integers(3)],
    )
    return case if largest is None else with_largest_logit(case, largest)


def with_largest_logit(case: Case, largest: float) -> Case:
    """The same, scaled so that the largest |logit| becomes ``largest``."""
    unscaled = Case(case.queries, case.keys, case.values, 1, case.mask)
    reach = max((truth.reach for truth in exact_truths(unscaled) if truth), default=Fraction(0))
    scale = Fraction(largest) / reach if reach else 1
    return Case(case.queries, case.keys, case.values, scale, case.mask)


def columns(rng: Rng) -> Case:
    """Columns of any magnitude, 1e-300 to 1e300, which cancel in logits and in outputs."""
    case = shaped(rng, normal)
    d, d_v = case.queries.shape[1], case.values[0].shape[1]
    for arrays, width in (([case.queries, *case.keys], d), (case.values, d_v)):
        powers = rng.integers(-330, 330, (len(arrays), width))
        powers[-1] = -powers[:-1].sum(axis=0)
        over = np.abs(powers[-1]) > 900
        powers[:, over] = 0
        for array, power in zip(arrays, powers, strict=True):
            np.ldexp(array, power, out=array)
    return case


def cancelling(rng: Rng) -> Case:
    """Values that cancel up to 2**-40 where the weights are equal in pairs."""
    case = shaped(rng, normal)
    keys = [np.concatenate([K, K]) for K in case.keys]
    values = [np.concatenate([V, V]) for V in case.values]
    n = len(case.values[0])
    values[0][n:] *= -(1 - 2.0 ** -float(rng.integers(20, 45)))
    return Case(case.queries, keys, values, case.scale)


def dominant(rng: Rng) -> Case:
    """One tuple far above the others, by 20 to 2000 nats."""
    case = shaped(rng, normal)
    case.keys[0][0] = 30 * case.queries[0] * 10.0 ** float(rng.integers(0, 2))
    for K in case.keys[1:]:
        K[0] = 1.0
    return Case(case.queries, case.keys, case.values, 1)


KINDS: dict[str, Callable[[Rng], Case]] = {
    "normal": lambda rng: shaped(rng, normal),
    "float32": lambda rng: shaped(rng, float32),
    "bfloat16": lambda rng: shaped(rng, bfloat16),
    "signs": lambda rng: shaped(rng, signs),
    "zeros": lambda rng: shaped(rng, zeros),
    "equal": lambda rng: shaped(rng, equal),
    "columns": columns,
    "cancelling": cancelling,
    "dominant": dominant,
    "large": lambda rng: shaped(rng, normal, largest=10.0 ** rng.uniform(2, 5)),
    "wide keys": lambda rng: shaped(rng, wide, normal, largest=50.0),
    "wide values": lambda rng: shaped(rng, normal, wide),
    "subnormal keys": lambda rng: shaped(rng, subnormal, normal, largest=5.0),
    "subnormal values": lambda rng: shaped(rng, normal, subnormal),
}
#: Where the radius may be wide, or claim nothing: what is large in a column may weigh nothing, or
#: the keys may be far from the bound of the logits.
WIDE = {"zeros", "wide values", "wide keys", "subnormal keys", "subnormal values"}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", KINDS)
def test_balls_contain_the_truth_and_are_narrow(kind: str, level: str) -> None:
    radii = []
    for seed in range(60):
        case = KINDS[kind](np.random.default_rng([seed, len(kind)]))
        found = case.evaluate(level)
        for i, truth in enumerate(exact_truths(case)):
            lse = numbers(found.logsumexp, i)
            if truth is None:
                assert lse == (-np.inf, 0, 0)
                assert (found.output.radius[i] == np.inf).all()
                continue
            share(truth.logsumexp, lse)
            reach = 1 + float(truth.reach)
            assert kind in WIDE or lse[2] <= WIDTH[level] * (reach + abs(lse[0]))
            for c, (out, mean) in enumerate(zip(truth.output, truth.mean, strict=True)):
                ball = numbers(found.output, i, c)
                share(out, ball)
                size = float((mean + abs(out)).upper())
                assert kind in WIDE or ball[2] <= WIDTH[level] * reach * size
                radii.append(ball[2])
    assert len(radii) > 200
    assert np.mean(np.isfinite(radii)) > 0.85


@pytest.mark.parametrize("fine", [False, True], ids=["plain", "fine"])
@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"columns", "subnormal keys"}))
def test_refined_balls_contain_the_truth_and_are_narrower(kind: str, fine: bool) -> None:
    """Within 2**-62, or 2**-84, of what outputs are made of, per unit of the largest logit."""
    finite, width = 0, 2.0**-84 if fine else 2.0**-62
    for seed in range(40):
        case = KINDS[kind](np.random.default_rng([seed, len(kind)]))
        case = case if seed % 2 else case.of_one_slot()
        found = case.refined(fine=fine)
        for i, truth in enumerate(exact_truths(case)):
            if truth is None:
                assert found.logsumexp.radius[i] == np.inf
                assert (found.output.radius[i] == np.inf).all()
                continue
            lse = numbers(found.logsumexp, i)
            share(truth.logsumexp, lse)
            reach = 1 + float(truth.reach)
            assert kind in WIDE or lse[2] <= max(width, 2.0**-77) * (reach + abs(lse[0]))
            for c, (out, mean) in enumerate(zip(truth.output, truth.mean, strict=True)):
                ball = numbers(found.output, i, c)
                share(out, ball)
                largest = float(prod(np.abs(V[:, c]).max() for V in case.values))
                size = max(largest, float((mean + abs(out)).upper()))
                assert kind in WIDE or ball[2] <= width * reach * size
                finite += np.isfinite(ball[2])
    assert finite > 70


def test_refined_rows_may_be_taken_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    q, K, V = (rng.standard_normal((n, 4)) for n in (7, 20, 20))
    whole = Case(q, [K], [V]).refined()
    monkeypatch.setattr(refined, "_ELEMENTS", 40)
    parts = Case(q, [K], [V]).refined()
    for one, other in ((whole.output, parts.output), (whole.logsumexp, parts.logsumexp)):
        for name in ("hi", "lo", "radius"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("level", LEVELS)
def test_squares_that_vanish_are_covered(level: str) -> None:
    """The only row that is seen has a value whose square underflows."""
    rng = np.random.default_rng(4)
    keys, values = ([rng.standard_normal((n, 2)) for n in (2, 5)] for _ in range(2))
    values[0][:] = [[1.0], [2.0**-600]]
    mask = np.array([[False] * 5, [True] * 5])
    case = Case(rng.standard_normal((20, 2)), keys, values, 1, mask)
    found = case.evaluate(level)
    for i, truth in enumerate(exact_truths(case)):
        assert truth is not None
        for c, out in enumerate(truth.output):
            assert 0 <= share(out, numbers(found.output, i, c)) <= 1


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("n", "scale"), [(40, 1), (64, Fraction(1, 8)), (128, Fraction(1, 8))])
def test_balls_of_larger_problems(level: str, n: int, scale: Fraction) -> None:
    rng = np.random.default_rng(n)
    d, d_v = 64, 16
    case = Case(
        rng.standard_normal((1, d)),
        [rng.standard_normal((n, d)) for _ in range(2)],
        [rng.standard_normal((n, d_v)) for _ in range(2)],
        scale,
    )
    truth, found = ball_truth(case), case.evaluate(level)
    share(truth.logsumexp, numbers(found.logsumexp, 0))
    for c, (out, mean) in enumerate(zip(truth.output, truth.mean, strict=True)):
        ball = numbers(found.output, 0, c)
        share(out, ball)
        assert ball[2] <= 5 * typical_radius(case, level) * float((mean + abs(out)).upper())


def typical_radius(case: Case, level: str) -> float:
    """Section 11 of docs/fast.md, relative to Ā + |out|, for d = 64 and one tile."""
    (K1, K2), n, d = case.keys, len(case.keys[0]), 64
    scaled = np.abs(case.queries[0]) * float(case.scale)
    if level == "double":
        return float(2.0**-81 + 2.0**-89 * scaled @ np.prod(np.abs(case.keys).max(axis=1), axis=0))
    norms = [np.linalg.norm(A, axis=1).mean() for A in (scaled * K1, K2)]
    return float(2.0**-53 * ((d + 3) * np.prod(norms) + 2 * n + 1 + 2 + 5))


# --- blocks


@pytest.mark.parametrize("level", LEVELS)
def test_any_tiling_is_right(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles of few tuples, so that sums are rescaled often, and by hundreds of binary digits."""
    rng = np.random.default_rng(7)
    case = shaped(rng, normal)
    lengths = (5, 4, 7)
    mask = rng.random((3, *lengths)) < 0.7
    mask[0, 0] = mask[1, :, :, :4] = False
    case = Case(
        rng.standard_normal((3, 4)) * np.array([[1.0], [30.0], [300.0]]),
        [rng.standard_normal((n, 4)) for n in lengths],
        [rng.standard_normal((n, 3)) for n in lengths],
        1,
        mask,
    )
    truths = list(exact_truths(case))
    monkeypatch.setattr(single, "_COLUMNS", 2)
    monkeypatch.setattr("kvfloor.attention.fast.operands.BLOCK", 2)
    for elements in (1, 2, 5, 12, 1000):
        monkeypatch.setattr({"single": single, "double": double}[level], "_ELEMENTS", elements)
        found = case.evaluate(level)
        for i, truth in enumerate(truths):
            assert truth is not None
            share(truth.logsumexp, numbers(found.logsumexp, i))
            for c, out in enumerate(truth.output):
                ball = numbers(found.output, i, c)
                share(out, ball)
                reach = 1 + float(truth.reach)
                assert ball[2] <= WIDTH[level] * reach * float((truth.mean[c] + abs(out)).upper())


@pytest.mark.parametrize(("b", "rows", "columns"), [(1, 1, 1), (3, 7, 5), (2, 1, 9), (5, 6, 4)])
@pytest.mark.parametrize("elements", [1, 3, 8, 1000])
def test_tiles_cover_every_tuple_once_and_are_counted(
    b: int, rows: int, columns: int, elements: int
) -> None:
    tiling = Tiling.of(b, (rows, columns), 3, elements)
    seen = np.zeros((b, rows, columns), dtype=int)
    tiles = np.zeros(b, dtype=int)
    for q, i in tiling.blocks():
        for j in tiling.across():
            seen[q, i, j] += 1
            tiles[q] += 1
            assert seen[q, i, j].size <= tiling.elements <= max(elements, 3)
    assert (seen == 1).all()
    assert (tiles == tiling.per_query).all()


def test_sums_over_columns_add_up_to_the_sum_of_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where tiles have very different weights: the bounds rest on both sums."""
    rng = np.random.default_rng(0)
    monkeypatch.setattr(single, "_COLUMNS", 2)
    monkeypatch.setattr(single, "_ELEMENTS", 4)
    seen: list[Totals] = []
    original = single._enclose

    def spy(prepared: Prepared, g: Queries, totals: Totals, *others: Any) -> Evaluation:
        seen.append(totals)
        return original(prepared, g, totals, *others)

    monkeypatch.setattr(single, "_enclose", spy)
    keys = [rng.standard_normal((9, 3)) for _ in range(2)]
    Case(30 * rng.standard_normal((2, 3)), keys, [np.ones((9, 1))] * 2).evaluate("single")
    np.testing.assert_allclose(seen[0].columns.sum(axis=1), seen[0].sums[:, 0, -1], rtol=1e-13)


@pytest.mark.parametrize("level", LEVELS)
def test_weights_are_not_all_kept(level: str) -> None:
    n, d = 1024, 16  # weights alone take 2**23 bytes
    rng = np.random.default_rng(0)
    case = Case(
        rng.standard_normal((1, d)),
        [rng.standard_normal((n, d)) for _ in range(2)],
        [rng.standard_normal((n, d)) for _ in range(2)],
        Fraction(1, 8),
    )
    case.evaluate(level)  # what is loaded at the first use is not counted
    tracemalloc.start()
    try:
        found = case.evaluate(level)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.isfinite(found.output.radius).all()
    assert peak < 2**23


def test_levels_agree_on_many_queries() -> None:
    """Order 1, 200 queries at once, each as good as alone."""
    rng = np.random.default_rng(1)
    case = Case(
        rng.standard_normal((200, 8)),
        [rng.standard_normal((300, 8))],
        [rng.standard_normal((300, 5))],
    )
    coarse, fine = (case.evaluate(level).output for level in LEVELS)
    assert (np.abs(coarse.hi - fine.hi) <= coarse.radius + fine.radius + 1e-16).all()
    assert (coarse.radius < 1e-12).all()
    assert (fine.radius < 2.0**-70).all()
    alone = Case(case.queries[7:8], case.keys, case.values).evaluate("double").output
    assert (np.abs(alone.hi - fine.hi[7:8]) <= alone.radius + fine.radius[7:8] + 1e-16).all()


@pytest.mark.parametrize("level", LEVELS)
def test_batches_of_queries_change_nothing(level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    lengths = (3, 4)
    for mask in (None, rng.random(lengths) < 0.7, rng.random((7, *lengths)) < 0.7):
        case = Case(
            rng.standard_normal((7, 2)),
            [rng.standard_normal((n, 2)) for n in lengths],
            [rng.standard_normal((n, 3)) for n in lengths],
            mask=mask,
        )
        whole = case.evaluate(level)
        with monkeypatch.context() as patch:
            patch.setattr("kvfloor.attention.fast.batch._WEIGHTS", 8)
            parts = case.evaluate(level)
        for one, other in ((whole.output, parts.output), (whole.logsumexp, parts.logsumexp)):
            assert one.hi.shape == other.hi.shape
            finite = np.isfinite(one.hi)
            apart = np.abs((one.hi - other.hi)[finite] + (one.lo - other.lo)[finite])
            assert (apart <= (one.radius + other.radius)[finite]).all()


# --- out of range


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("query", "key", "scale"),
    [
        (1e300, 1e300, 1),
        (1e200, 1e200, 1),
        (1.0, 1e9, 1),
        (1e8, 1.0, 1),
        (1.0, 1.0, 10**400),
        (np.inf, 1.0, 1),
        (np.nan, 1.0, 1),
        (5e-324, 1e308, 10**9),
        (1e308, 0.0, 1),
    ],
)
def test_nothing_is_claimed_out_of_range(level: str, query: float, key: float, scale: int) -> None:
    """And no warning is raised, as pytest turns them into errors; other queries do not suffer."""
    keys, values = [np.array([[key], [-key]])] * 2, [np.array([[1.0], [2.0]])] * 2
    found = Case(np.array([[query], [0.0]]), keys, values, scale).evaluate(level)
    for balls in (found.output, found.logsumexp):
        assert (balls.radius[0] == np.inf).all()
        assert (balls.radius[1] < 1e-10).all()
        assert not np.isnan([balls.hi, balls.lo, balls.radius]).any()


def test_double_claims_nothing_where_rests_are_large() -> None:
    """One large entry of 4096: the logits are in range, the low part of `exp_double` may not be."""
    keys, query = np.zeros((2, 4096)), np.zeros((1, 4096))
    keys[:, 0], query[0, 0] = (1.0, 1.5), 2.0**19
    case = Case(query, [keys], [np.ones((2, 1))])
    assert case.evaluate("single").output.radius[0, 0] < 1e-6
    assert case.evaluate("double").output.radius[0, 0] == np.inf


@pytest.mark.parametrize("level", LEVELS)
def test_outputs_beyond_float64_are_not_claimed_and_others_are(level: str) -> None:
    values = [
        np.array([[1e200, 1e-200, 1e200, 1e-170, 1.5, 1.5e154]]),
        np.array([[1e200, 1e-200, 1e-190, 1e-150, 3, 1.5e154]]),
    ]
    case = Case(np.ones((1, 1)), [np.ones((1, 1))] * 2, values)
    found = case.evaluate(level).output
    assert np.isinf(found.radius[0, [0, 5]]).all()
    assert (np.isfinite(found.radius[0, 1:5])).all()
    for c, truth in enumerate(next(t for t in exact_truths(case) if t).output):
        share(truth, numbers(found, 0, c))
    assert found.radius[0, 1] <= 2.0**-1070
    assert found.radius[0, 2] <= 1e-4
    assert found.hi[0, 4] == 4.5


@pytest.mark.parametrize("level", LEVELS)
def test_values_that_a_mask_hides_do_not_hide_underflow(level: str) -> None:
    """The largest value of a column is masked: squares of those left, which cancel, underflow."""
    rng = np.random.default_rng(0)
    n, d = 301, 4
    K, V = np.zeros((n, d)), np.zeros((n, 8))
    K[1:151] = K[151:] = rng.standard_normal((150, d))
    V[1:151] = np.ldexp(rng.uniform(1, 2, (150, 8)), -600)
    V[151:] = -V[1:151]
    order = np.concatenate([[0], 1 + rng.permutation(300)])
    V[0] = 1.0
    case = Case(4 * rng.standard_normal((1, d)), [K[order]], [V[order]], 1, np.arange(n) > 0)
    found = case.evaluate(level).output
    truth = next(t for t in exact_truths(case) if t)
    for c, out in enumerate(truth.output):
        share(out, numbers(found, 0, c))
    assert (found.radius < {"single": 2.0**-380, "double": 2.0**-75}[level]).all()


@pytest.mark.parametrize("level", LEVELS)
def test_weights_below_the_least_are_covered(level: str) -> None:
    """Two tuples 700 nats and more apart, the lighter one with the only value."""
    for gap in (620, 640, 700, 800, 5000):
        keys, values = [np.array([[0.0], [-gap]])], [np.array([[0.0], [1.0]])]
        case = Case(np.ones((1, 1)), keys, values)
        found = case.evaluate(level).output
        truth = next(t for t in exact_truths(case) if t)
        share(truth.output[0], numbers(found, 0, 0))
        assert found.radius[0, 0] < {"single": 2.0**-300, "double": 2.0**-90}[level]


# --- inputs


def test_scale_is_exact_up_to_the_bound() -> None:
    """A rational and an irrational σ at double level: the logit itself is the log-sum-exp."""
    for scale, d in ((Fraction(1, 3), 1), (Fraction(10**40 + 1, 7**50), 1), ("1/sqrt(d)", 7)):
        case = Case(np.full((1, d), 1.25), [np.ones((1, d))], [np.ones((1, 1))], scale)
        for evaluate in LEVELS:
            found = case.evaluate(evaluate).logsumexp
            truth = next(t for t in exact_truths(case) if t)
            share(truth.logsumexp, numbers(found, 0))
    with arb_precision(100):
        assert abs(arb(found.hi[0]) - (arb(7) * 25 / 16).sqrt()) < 1e-15


def test_evaluations_are_pure() -> None:
    """No argument changes, and the same call gives the same bits."""
    case = shaped(np.random.default_rng(11), normal)
    before = [array.copy() for array in (case.queries, *case.keys, *case.values)]
    for evaluate in (evaluate_single, evaluate_double):
        prepared = prepare(case.keys, case.values)
        first, second = (evaluate(prepared, case.queries, Scale(Fraction(1), 1)) for _ in range(2))
        assert (first.output.hi == second.output.hi).all()
        assert (first.output.radius == second.output.radius).all()
    after = (case.queries, *case.keys, *case.values)
    assert all((a == b).all() for a, b in zip(before, after, strict=True))
