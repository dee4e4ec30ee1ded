"""Compiled loops do what the passes in NumPy do, bit for bit, so what is proved of one holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest

from kvfloor.attention import Scale, tensor_attention_rounded
from kvfloor.attention.fast import (
    evaluate_double,
    evaluate_refined,
    evaluate_single,
    exponential,
    loops,
    prepare,
)
from kvfloor.attention.fast.arithmetic import Float, extract, halved, multiply, two_sum_into
from kvfloor.attention.fast.exponential import EXPONENT_LIMIT, exp2_narrow, exp2_single, exp_double
from kvfloor.attention.fast.operands import Slot
from kvfloor.attention.fast.slices import KeySlices, ValueSlices, split
from kvfloor.attention.terms import Terms

ROWS, WIDTH = 301, 43  # no multiples of a block or of a vector


def logits() -> Float:
    """Every scale, both signs; halves of integers and of steps of the table; zeros."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, ROWS * WIDTH) * 2.0 ** rng.uniform(-40, 21, ROWS * WIDTH)
    x[:500] = np.rint(x[:500]) + 0.5
    x[500:900] = (np.rint(rng.uniform(-1e6, 1e6, 400)) + 0.5) / exponential._PER_LAMBDA
    x[900:904] = 0.0, -0.0, EXPONENT_LIMIT, -EXPONENT_LIMIT
    return np.clip(x, -EXPONENT_LIMIT, EXPONENT_LIMIT).reshape(ROWS, WIDTH)


def entries(seed: int, size: float = 1.0) -> Float:
    """Numbers of all sizes up to ``size``, zeros among them."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-size, size, (ROWS, WIDTH)) * 2.0 ** rng.integers(-60, 1, (ROWS, WIDTH))
    x[rng.random((ROWS, WIDTH)) < 0.01] = 0.0
    return x


def by_exp2_single() -> Sequence[Float]:
    x = logits()
    y, k = np.empty_like(x), np.empty(x.shape, dtype=np.int64)
    exp2_single(x, y, k)
    return y, k.astype(np.float64)


def by_exp2_narrow() -> Sequence[Float]:
    x = np.clip(logits(), -1000, 1000)
    y = np.empty_like(x)
    exp2_narrow(x, y, np.empty_like(x))
    return (y,)


def by_exp_double() -> Sequence[Float]:
    hi, lo = logits(), entries(1, 2.0**-12)
    k, a, b = exp_double(hi, lo, list(np.empty((5, ROWS, WIDTH))))
    return k.astype(np.float64), a, b


def by_extract() -> Sequence[Float]:
    x = entries(2)
    return extract(x, 2.0**-20), x


def by_two_sum_into() -> Sequence[Float]:
    a, b, total = entries(3), entries(4), np.empty((ROWS, WIDTH))
    two_sum_into(a, b, total, np.empty((ROWS, WIDTH)))
    return total, a


def by_multiply() -> Sequence[Float]:
    a, b = entries(10), entries(11)
    return multiply((a, a * entries(12, 2.0**-53)), (b, b * entries(13, 2.0**-53)))


def by_halved() -> Sequence[Float]:
    return halved((entries(14), entries(15, 2.0**-53)))


def by_split() -> Sequence[Float]:
    return split(entries(5), entries(6, 2.0**-53), 22)


def by_key_slices() -> Sequence[Float]:
    return KeySlices.of(entries(7)).factors


def by_value_slices() -> Sequence[Float]:
    return ValueSlices.of(entries(8), 256).factors


def by_slot() -> Sequence[Float]:
    """Columns of very different sizes."""
    slot = Slot.of(entries(9) * 10.0 ** np.arange(-20, WIDTH - 20))
    moments = np.ones((ROWS, 2 * WIDTH + 2))
    slot.write_squares(slice(None), moments)
    return slot.exponents.astype(np.float64), slot.scaled, moments


PASSES = [
    by_exp2_narrow,
    by_exp2_single,
    by_exp_double,
    by_extract,
    by_two_sum_into,
    by_halved,
    by_multiply,
    by_split,
    by_key_slices,
    by_value_slices,
    by_slot,
]


def same_with_and_without(
    evaluate: Callable[[], Sequence[Float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compare what comes with loops for all, and for none."""
    for least in ("MANY", "SOME"):
        monkeypatch.setattr(loops, least, 1)
    compiled = evaluate()
    monkeypatch.setattr(loops, "compiled", lambda: None)
    for with_loops, without in zip(compiled, evaluate(), strict=True):
        a, b = (np.ascontiguousarray(part).view(np.int64) for part in (with_loops, without))
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("evaluate", PASSES)
def test_compiled_loops_give_the_bits_of_the_passes(
    evaluate: Callable[[], Sequence[Float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    same_with_and_without(evaluate, monkeypatch)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("size", [1.0, 1e3])
def test_all_levels_give_the_same_enclosures(
    order: int, size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Narrow logits and wide ones, a mask, a soft cap and a bias."""
    rng = np.random.default_rng(order)
    queries = rng.standard_normal((5, 24)) * size
    keys, values = ([rng.standard_normal((50, 24)) for _ in range(order)] for _ in range(2))
    shape = (5, *[50] * order)
    mask, bias = rng.random(shape) < 0.9, rng.standard_normal(shape)
    rest = Scale(Fraction(1, 5), 1), mask
    terms = Terms(bias, np.ones(5), Fraction(3))

    def evaluate() -> Sequence[Float]:
        prepared = prepare(keys, values)
        given = (prepared, queries, *rest)
        found = [evaluate_single(*given, terms), evaluate_double(*given, terms)]
        balls = [part for evaluation in found for part in (evaluation.output, evaluation.logsumexp)]
        places = np.arange(5), np.arange(5)
        balls += [evaluate_refined(*given, places, terms, fine=fine) for fine in (False, True)]
        return [part for ball in balls for part in (ball.hi, ball.lo, ball.radius)]

    same_with_and_without(evaluate, monkeypatch)


def test_numbers_that_do_not_lie_side_by_side_are_left_to_the_passes() -> None:
    numbers = np.zeros((loops.MANY, 2))
    assert loops.loops_for(numbers) is not None
    assert loops.loops_for(numbers, numbers[:, 0]) is None


@pytest.mark.parametrize("loaded", [False, True])
def test_few_numbers_load_nothing(loaded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the loops are loaded, a thousand numbers are worth a call."""
    monkeypatch.setattr(loops, "compiled", lambda: "loops")
    monkeypatch.setattr(loops, "_LOOPS", "numpy" if loaded else "nothing")
    least = loops.SOME if loaded else loops.MANY
    assert loops.loops_for(np.zeros(least - 1)) is None
    assert loops.loops_for(np.zeros(least)) == "loops"


@pytest.mark.parametrize("error", [ImportError, RuntimeError])
def test_numba_that_cannot_serve_is_no_error(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a NumPy that it does not know, and where what it compiles can be kept nowhere."""

    def fails(_: str) -> None:
        raise error

    monkeypatch.setattr(loops, "import_module", fails)
    loops.compiled.cache_clear()
    try:
        assert loops.loops_for(np.zeros(loops.MANY)) is None
    finally:
        loops.compiled.cache_clear()


def test_without_numba_the_passes_serve(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    q, K, V = (rng.standard_normal((n, 8)) for n in (16, 1024, 1024))
    with_loops = tensor_attention_rounded(q, [K], [V], dtype="float32")
    monkeypatch.setattr(loops, "find_spec", lambda name: None)
    loops.compiled.cache_clear()
    try:
        assert loops.loops_for(K) is None
        without = tensor_attention_rounded(q, [K], [V], dtype="float32")
    finally:
        loops.compiled.cache_clear()
    np.testing.assert_array_equal(with_loops, without)
