"""Bounds hold against a BLAS that rounds as badly as IEEE 754 lets it, and are not idle.

A sum of k products in any order, with or without fused multiply-add, is within γ_k·Σ|products| of
the exact one. `Adversary` moves every sum by just that, in the direction that hurts most.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from flint import arb

from fast_oracle import Case, exact_truths, numbers, share
from kvfloor.attention.fast import centred, double, joined, refined, single, slices, totals
from kvfloor.attention.fast.arithmetic import UNIT, halved
from kvfloor.attention.fast.exponential import (
    EXP2_SINGLE_ERROR,
    EXP_FINE_ERROR,
    exp2_single,
    exp_double,
    exp_fine,
)
from kvfloor.attention.fast.operands import prepare
from kvfloor.attention.fast.refined import evaluate_refined
from kvfloor.attention.fast.slices import (
    KeySlices,
    ValueSlices,
    key_rest,
    slice_bits,
    split,
    value_error,
)
from kvfloor.attention.inputs import as_scale
from kvfloor.attention.terms import Terms

Float = npt.NDArray[np.float64]
#: Direction of the errors of a result, from that result.
Direction = Callable[[Float], Any]


class Adversary:
    """NumPy, but for the sums that ``directions`` names: matmul and einsum, by call."""

    def __init__(self, **directions: list[Direction | None]) -> None:
        self.directions = directions
        self.calls = dict.fromkeys(directions, 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def _moved(self, name: str, result: Float, sizes: Float, terms: int) -> Float:
        planned = self.directions.get(name, [None])
        direction = planned[self.calls.get(name, 0) % len(planned)]
        self.calls[name] = self.calls.get(name, 0) + 1
        if direction is not None:
            result += terms * UNIT / (1 - terms * UNIT) * sizes * direction(result)
        return result

    def matmul(self, a: Float, b: Float, out: Float | None = None) -> Float:
        result: Float = np.matmul(a, b, out=out)
        return self._moved("matmul", result, np.abs(a) @ np.abs(b), b.shape[-2])

    def einsum(
        self, subscripts: str, a: Float, b: Float, *more: Float, out: Float | None = None
    ) -> Float:
        result: Float = np.einsum(subscripts, a, b, *more, out=out)
        if not subscripts.endswith("qc"):
            return result
        sizes = np.einsum(subscripts, np.abs(a), np.abs(b))
        return self._moved("einsum", result, sizes, a.shape[1])


def used(case: Case, level: str, **options: Any) -> tuple[float, float]:
    """Shares of the radii that the errors of output and log-sum-exp take; fails above 1."""
    truth = next(t for t in exact_truths(case) if t)
    found = case.evaluate(level, **options)
    output = share(truth.output[0], numbers(found.output, 0, 0))
    return output, share(truth.logsumexp, numbers(found.logsumexp, 0))


def balanced(n: int) -> Float:
    return np.where(np.arange(n) % 2, 1.0, -1.0)


# --- level (a)


def test_single_survives_the_worst_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    R, J, d = 6, 8, 64
    K = [rng.choice([-1.0, 1.0], (n, d)) for n in (R, J)]
    V = [balanced(n)[:, None] for n in (R, J)]
    case = Case(np.full((1, d), 0.25), K, V, Fraction(1, 8))
    assert max(used(case, "single")) < 0.1
    up = np.outer(balanced(R), balanced(J))
    monkeypatch.setattr(single, "np", Adversary(matmul=[lambda _: up, None]))
    assert used(case, "single")[0] > 0.75
    monkeypatch.setattr(single, "np", Adversary(matmul=[np.ones_like, None]))
    assert used(case, "single")[1] > 0.75


def test_single_survives_the_worst_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    R, J = 60, 200
    case = Case(
        np.zeros((1, 1)), [np.ones((n, 1)) for n in (R, J)], [np.ones((n, 1)) for n in (R, J)]
    )
    assert max(used(case, "single")) < 0.1
    apart = np.array([1.0, -1.0])  # numerator up, denominator down
    worst = Adversary(matmul=[None, lambda _: apart], einsum=[lambda _: apart])
    monkeypatch.setattr(single, "np", worst)
    assert used(case, "single")[0] > 0.9


def worst_exp2(x: Float, y: Float, work: Any) -> None:
    """`exp2_single` or `exp2_narrow` of zeros, off by all that it may be: up, down, up, ..."""
    exp2_single(x, y, work.view(np.int64))
    y += EXP2_SINGLE_ERROR * balanced(x.shape[-1])


def worst_exp(hi: Float, lo: Float, work: Any) -> tuple[npt.NDArray[np.int64], Float, Float]:
    """`exp_double` of two zeros in the same way."""
    k, a, b = exp_double(hi, lo, work)
    b += 2.0**-81 * a * balanced(2)
    return k, a, b


def test_single_survives_the_worst_exponentials(monkeypatch: pytest.MonkeyPatch) -> None:
    slots = [np.ones((n, 1)) for n in (1, 2)]
    case = Case(np.zeros((1, 1)), slots, [slots[0], balanced(2)[:, None]])
    monkeypatch.setattr(totals, "exp2_narrow", worst_exp2)
    apart = np.array([1.0, -1.0])
    sums = Adversary(matmul=[None, lambda _: apart], einsum=[lambda _: apart])
    monkeypatch.setattr(single, "np", sums)
    assert used(case, "single")[0] > 0.55


# --- level (a) at order 1


def one_slot(J: int, d: int) -> Case:
    """Logits of ±64·u off at most, values ±1 about 0: deviation and size are both 1."""
    rng = np.random.default_rng(0)
    K = [rng.choice([-1.0, 1.0], (J, d))]
    return Case(np.full((1, d), 0.25), K, [balanced(J)[:, None]], Fraction(1, 8))


def test_centred_survives_the_worst_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    case = one_slot(8, 128)
    monkeypatch.setattr(centred, "BLOCK", 8)
    assert max(used(case, "single")) < 0.1
    monkeypatch.setattr(centred, "np", Adversary(matmul=[lambda _: balanced(8), None]))
    assert used(case, "single")[0] > 0.75
    assert used(case, "single", squares=False)[0] > 0.35
    monkeypatch.setattr(centred, "np", Adversary(matmul=[np.ones_like, None]))
    assert used(case, "single")[1] > 0.75


def test_without_squares_the_longest_key_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    case = one_slot(8, 128)
    case.keys[0][0] = 0
    monkeypatch.setattr(centred, "BLOCK", 8)
    monkeypatch.setattr(centred, "np", Adversary(matmul=[lambda _: balanced(8), None]))
    assert used(case, "single", squares=False)[0] > 0.35


@pytest.mark.parametrize("squares", [True, False])
@pytest.mark.parametrize("value", [1.0, -1.0])
def test_centred_survives_the_worst_sums(
    value: float, squares: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numerator up, denominator down; squares down and ‖key‖² down, which makes bounds smaller."""
    J = 200
    case = Case(np.zeros((1, 1)), [np.ones((J, 1))], [np.full((J, 1), value)])
    assert max(used(case, "single", squares=squares)) < 0.1
    apart = np.array([np.sign(value), -1.0, -1.0, -1.0][: 4 if squares else 2])
    monkeypatch.setattr(centred, "np", Adversary(matmul=[None, lambda _: apart]))
    least = 0.7 if squares else 0.3  # the value 1 is scaled to ½, which the bound takes for 1
    assert used(case, "single", squares=squares)[0] > least
    assert used(case, "single", squares=squares)[1] > 0.7


def test_centred_survives_the_worst_exponentials(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(np.zeros((1, 1)), [np.ones((2, 1))], [balanced(2)[:, None]])
    monkeypatch.setattr(centred, "BLOCK", 2)
    monkeypatch.setattr(totals, "exp2_narrow", worst_exp2)
    up = np.array([1.0, -1.0, -1.0, -1.0])
    monkeypatch.setattr(centred, "np", Adversary(matmul=[None, lambda _: up]))
    assert used(case, "single")[0] > 0.5


def test_errors_of_weights_do_not_move_equal_values(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes the bound a centred one: with one value the radius is that of the sums alone."""
    rng = np.random.default_rng(0)
    K = 30 * rng.standard_normal(64) + rng.standard_normal((300, 64)) / 10  # long, and alike
    q = rng.standard_normal((1, 64))
    radii = [
        Case(q, [K], [values]).evaluate("single").output.radius[0, 0]
        for values in (np.full((300, 1), 0.75), rng.uniform(0.5, 1, (300, 1)))
    ]
    assert radii[0] < 600 * UNIT
    assert radii[1] > 20 * radii[0]


# --- between the levels


def refined_used(case: Case, *, fine: bool = False) -> tuple[float, float]:
    truth = next(t for t in exact_truths(case) if t)
    found = case.refined(fine=fine)
    output = share(truth.output[0], numbers(found.output, 0, 0))
    return output, share(truth.logsumexp, numbers(found.logsumexp, 0))


def test_refined_survives_the_worst_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rests as large as can be: the errors of their products are what is left."""
    rng = np.random.default_rng(1)
    n, d = 8, 256
    bits = slice_bits(d)
    q, K = full_slices((1, d), bits, rng), full_slices((n, d), bits, rng) * balanced(d)
    case = Case(q * 2.0**12, [K], [balanced(n)[:, None]])
    assert max(refined_used(case)) < 0.5
    worst = [lambda _: balanced(n), None, lambda _: balanced(n)]
    monkeypatch.setattr(refined, "np", Adversary(matmul=worst))
    assert refined_used(case)[0] > 0.5


def test_refined_survives_the_worst_exponentials(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(np.zeros((1, 1)), [np.zeros((2, 1))], [balanced(2)[:, None]])
    monkeypatch.setattr(refined, "exp_double", worst_exp)
    assert refined_used(case)[0] > 0.5


def test_fine_survives_the_worst_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a fourth slice, too, wherever a key is not the one that scales its column."""
    rng = np.random.default_rng(1)
    n, d = 16, 4096
    bits = slice_bits(d) - 1
    q, K = (fine_slices(shape, bits, rng) for shape in ((1, d), (n, d)))
    small = np.arange(d) // 2 % n != np.arange(n)[:, None]
    K[small] -= 1 - 2.0**-5
    K[small] += 2.0 ** (-3 * bits - 1)
    case = Case(q * 2.0**6, [K * balanced(d)], [balanced(n)[:, None]])
    assert max(refined_used(case, fine=True)) < 0.1
    rest: Direction = lambda _: balanced(n)  # noqa: E731 (a type for it)
    monkeypatch.setattr(slices, "np", Adversary(matmul=[rest, *[None, rest] * 3]))
    assert refined_used(case, fine=True)[0] > 0.5


def test_fine_survives_the_worst_exponentials(monkeypatch: pytest.MonkeyPatch) -> None:
    def worst(hi: Float, lo: Float) -> Any:
        k, hi, lo = exp_fine(hi, lo)
        return k, hi, lo + 0.99 * EXP_FINE_ERROR * hi * balanced(hi.shape[-1])

    case = Case(np.zeros((1, 1)), [np.zeros((2, 1))], [balanced(2)[:, None]])
    monkeypatch.setattr(refined, "exp_fine", worst)
    assert refined_used(case, fine=True)[0] > 0.5


def fine_slices(shape: tuple[int, ...], bits: int, rng: np.random.Generator) -> Float:
    """Entries below 1 whose second and third slices are as large as can be."""
    head = 1 - rng.integers(1, 4, shape) * 2.0**-bits
    return np.asarray(head + 2.0 ** (-bits - 1) - 2.0 ** (-2 * bits) + 2.0 ** (-2 * bits - 1))


def test_fine_survives_the_worst_sink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which has no finer exponential."""

    def worst(hi: Float, lo: Float, work: Any) -> Any:
        k, hi, lo = exp_double(hi, lo, work)
        return k, hi, lo + 2.0**-81 * hi

    zeros, one, at = np.zeros((1, 1)), np.ones((1, 1)), np.zeros(1, dtype=np.intp)
    given = prepare([zeros], [one]), zeros, as_scale(1, 1), None, (at, at), Terms(sink=np.zeros(1))
    monkeypatch.setattr(joined, "exp_double", worst)
    found = numbers(evaluate_refined(*given, fine=True), 0)
    assert share(arb(1) / 2, found) > 0.25


@pytest.mark.parametrize("n", [2, 3, 7, 100, 256])
def test_sums_by_halves_are_as_exact_as_they_say(n: int) -> None:
    """Also where they cancel: relative to the sum of absolute values."""
    rng = np.random.default_rng(n)
    hi = rng.standard_normal((20, n)) * 2.0 ** rng.integers(-60, 60, (20, n))
    hi[:10, n // 2 :] = -hi[:10, : n - n // 2]
    lo = hi * rng.uniform(-UNIT, UNIT, (20, n))
    found = halved((hi, lo))
    for i in range(20):
        terms = [Fraction(a) + Fraction(b) for a, b in zip(hi[i], lo[i], strict=True)]
        error = abs(Fraction(found[0][i]) + Fraction(found[1][i]) - sum(terms))
        allowed = 4 * (n - 1).bit_length() * Fraction(UNIT) ** 2 * sum(map(abs, terms))
        assert error <= allowed


# --- level (b)


def full_slices(shape: tuple[int, ...], bits: int, rng: np.random.Generator) -> Float:
    """Entries below 1 whose second slice and rest are as large as can be."""
    head = 1 - rng.integers(1, 4, shape) * 2.0**-bits
    middle = 2.0 ** (-bits - 1) - 2.0 ** (-2 * bits)
    return np.asarray(head + middle + 2.0 ** (-2 * bits - 1) * (1 - 2.0**-5))


def test_double_survives_the_worst_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    n, d = 8, 256
    bits = slice_bits(d)
    signs = balanced(d)
    K = full_slices((n, d), bits, rng) * signs
    case = Case(full_slices((1, d), bits, rng) * 2.0**10, [K], [balanced(n)[:, None]])
    assert max(used(case, "double")) < 0.1
    up = balanced(n)
    worst = Adversary(matmul=[None, None, lambda _: up, None, None, None])
    monkeypatch.setattr(slices, "np", worst)
    assert used(case, "double")[0] > 0.5
    all_up = Adversary(matmul=[None, None, np.ones_like, None, None, None])
    monkeypatch.setattr(slices, "np", all_up)
    assert used(case, "double")[1] > 0.5


def test_double_survives_the_worst_exponentials(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(np.zeros((1, 1)), [np.ones((2, 1))], [balanced(2)[:, None]])
    monkeypatch.setattr(double, "exp_double", worst_exp)
    assert used(case, "double")[0] > 0.5


@pytest.mark.parametrize("d", [4, 64, 200])
def test_rest_of_the_logits_is_bounded_and_not_idly(d: int) -> None:
    rng = np.random.default_rng(d)
    bits = slice_bits(d)
    K, a = full_slices((5, d), bits, rng), full_slices((1, d), bits, rng) * 16
    keys = KeySlices.of(K)
    left = np.hstack(split(a.copy(), np.zeros_like(a), bits, 16.0)[::-1])
    sizes = np.abs(left) @ np.abs(keys.factors[2].T)
    bound = key_rest(a.sum(axis=1), np.full(1, 16.0), np.abs(K).sum(axis=1).max(), d)
    assert 0.6 < (sizes / bound).max() <= 1


@pytest.mark.parametrize("n", [1, 7, 64, 256])
def test_error_of_weighted_sums_is_bounded_and_not_idly(
    n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where every rest is as large as can be, and BLAS errs upwards."""
    rng = np.random.default_rng(n)
    bits = slice_bits(n)
    P, V = full_slices((1, n), bits, rng), full_slices((n, 1), bits, rng)
    values = ValueSlices.of(V, n)
    true = sum(Fraction(p) * Fraction(v) for p, v in zip(P[0], V[:, 0], strict=True))

    class Rests(Adversary):
        """Errs where a rest is a factor."""

        def matmul(self, a: Float, b: Float, out: Float | None = None) -> Float:
            result: Float = np.matmul(a, b)
            for column in range(b.shape[1]):
                if max(np.abs(a).max(), np.abs(b[:, column]).max()) > 1 / 2 and (
                    min(np.abs(a).max(), np.abs(b[:, column]).max()) > 2.0 ** (-bits - 2)
                ):
                    continue  # a product of slices: exact
                size = np.abs(a) @ np.abs(b[:, column])
                result[:, column] += n * UNIT / (1 - n * UNIT) * size
            return result

    monkeypatch.setattr(slices, "np", Rests())
    hi, lo = values.products(split(P.copy(), np.zeros_like(P), bits))
    error = abs(Fraction(hi[0, 0]) + Fraction(lo[0, 0]) - true)
    allowed = Fraction(value_error(n))
    assert error <= allowed + Fraction(UNIT) ** 2 * n
    assert n < 64 or error > allowed / 2
