"""E3 on thousands of outputs of real evaluations: never exceeded, and not idle."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from flint import arb

from kvfloor.attention import enclose
from kvfloor.floors import (
    forward_error,
    gamma,
    logit_roundings,
    logsumexp_error,
    rescaling_growth,
    sum_error,
    underflow_error,
    underflows,
    value_roundings,
    weight_drift,
    weight_underflow,
)
from kvfloor.numbers import arb_precision, ball_ends, to_fmpq
from kvfloor_proofs.foundations.plain_floats import error_ratio, evaluate, evaluate_blocks

SINGLE = Fraction(1, 2**24)
RUNS = 600
SLACK = Fraction(1, 2)  # what the claim's page says of drawn evaluations
IDLE = Fraction(1, 200)  # the largest error over its bound, at least, in every setting: not idle


def tensors(rng: np.random.Generator, dtype: Any, lengths: list[int], d: int) -> list[Any]:
    sizes = [(d,), *((n, d) for n in lengths), *((n, 3) for n in lengths)]
    return [rng.normal(size=size).astype(dtype) for size in sizes]


@pytest.mark.parametrize("factored", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_same_format_throughout(dtype: Any, factored: bool) -> None:
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(RUNS):
        lengths = [int(n) for n in rng.integers(2, 9, size=2)]
        q, *rest = tensors(rng, dtype, lengths, int(rng.integers(1, 9)))
        found = evaluate(q, rest[:2], rest[2:], factored=factored)
        ratios.append(error_ratio(found, q, rest[:2], rest[2:], factored=factored))
    assert IDLE < max(ratios) < SLACK


@pytest.mark.parametrize("block", [1, 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_blocks_with_a_maximum_that_moves(dtype: Any, block: int) -> None:
    rng = np.random.default_rng(3)
    ratios = []
    for _ in range(RUNS):
        lengths = [int(n) for n in rng.integers(2, 9, size=2)]
        q, K1, K2, *V = tensors(rng, dtype, lengths, int(rng.integers(1, 9)))
        K2 *= np.linspace(0.1, 4, len(K2))[:, None].astype(dtype)
        found = evaluate_blocks(q, [K1, K2], V, block=block)
        rescalings = -(-len(K2) // block) - 1
        ratios.append(error_ratio(found, q, [K1, K2], V, factored=True, rescalings=rescalings))
    assert IDLE < max(ratios) < SLACK


@pytest.mark.parametrize("factored", [False, True])
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_narrow_inputs_float32_accumulation_narrow_output(dtype: Any, factored: bool) -> None:
    """Inputs of the narrow format, all arithmetic in float32, one more rounding at the end."""
    rng = np.random.default_rng(2)
    unit = Fraction(1, 2 ** (11 if dtype is np.float16 else 8))
    worst = Fraction(0)
    for _ in range(RUNS):
        lengths = [int(n) for n in rng.integers(2, 9, size=2)]
        narrow = tensors(rng, dtype, lengths, int(rng.integers(1, 9)))
        q, *rest = (A.astype(np.float32) for A in narrow)
        found = evaluate(q, rest[:2], rest[2:], factored=factored).output.astype(dtype)
        truth = enclose(q, rest[:2], rest[2:], bits=200).output
        sizes = enclose(q, rest[:2], [abs(A) for A in rest[2:]], bits=64).output
        largest = sum(
            (Fraction(float(abs(q[c]) * abs(rest[0][:, c]).max())) * 2 for c in range(len(q))),
            Fraction(0),
        ) * Fraction(float(abs(rest[1]).max()))  # an upper bound on the sizes of logits
        drift = weight_drift(largest, SINGLE, 8 * SINGLE, logit_roundings(len(q), 2))
        total = lengths[0] * lengths[1] - 1
        k = value_roundings(lengths, factored=factored)
        with arb_precision(128):
            spread = arb(to_fmpq(2 * drift)).exp()
            kappa = to_fmpq(gamma(total, SINGLE))
            F = forward_error(spread, to_fmpq(1 + gamma(k, SINGLE)), kappa)
            bound = F + (1 + F) * to_fmpq(unit)
            for o, y, size in zip(found.astype(float), truth, sizes, strict=True):
                worst = max(worst, ball_ends(abs(arb(float(o)) - y) / (bound * size))[1])
    assert IDLE < worst <= 1


def test_gamma_covers_its_roundings() -> None:
    """(1+u)^k - 1 and 1/(1-u)^k - 1 stay below γ_k, and 1 - (1-u)^k too."""
    for k in (1, 2, 7, 100):
        for u in (Fraction(1, 2**8), Fraction(1, 2**24)):
            bound = gamma(k, u)
            assert (1 + u) ** k - 1 <= bound
            assert 1 / (1 - u) ** k - 1 <= bound
            assert 1 - (1 - u) ** k <= bound
    assert gamma(6, SINGLE) < (1 + SINGLE) ** 7 - 1  # one rounding fewer is not enough


@pytest.mark.parametrize(
    ("lengths", "factored", "rescalings", "expected"),
    [([3, 5], True, 0, 9), ([3, 5], False, 0, 17), ([3, 5], False, 4, 21), ([7], True, 0, 8)],
)
def test_roundings_are_counted(
    lengths: list[int], factored: bool, rescalings: int, expected: int
) -> None:
    assert value_roundings(lengths, factored=factored, rescalings=rescalings) == expected


def test_underflow_is_carried_through_rescalings() -> None:
    """T follows its recursion: T_0 <= ω, T_{k+1} = c·T_k + c^{k+1}·ω."""
    u, epsilon, least, tiny = Fraction(1, 2**11), Fraction(1, 2**8), Fraction(1, 2**14), 0
    c = rescaling_growth(u, epsilon, least)
    omega = carried = least * (1 + u) + tiny
    for k in range(6):
        assert weight_underflow(k, c, u, least, tiny) == carried
        carried = c * carried + c ** (k + 1) * omega


def test_each_part_of_a_bound_counts() -> None:
    """Every argument makes the bounds larger; the values are those of the formulas by hand."""
    u, e = Fraction(1, 100), Fraction(1, 10)
    assert weight_drift(3, u, e, 4) == Fraction(1, 24) * 3 * (1 + 2 * u) + 6 * u + Fraction(1, 9)
    more = weight_drift(3, u, e, 4, rescalings=2, lost=5)
    assert more - weight_drift(3, u, e, 4) == 5 + 10 * u + Fraction(2, 9)
    assert underflows(6, 2, 5, u) == Fraction(60, 100)
    assert sum_error(5, u, 2, e) == Fraction(1, 19) + e * Fraction(20, 19) * 2
    assert forward_error(2, 3, e) == Fraction(60, 9) - 1
    assert underflow_error(2, e, 3) == Fraction(60, 9)
    third, growth = Fraction(3, 97), Fraction(11, 10) * Fraction(100, 97)
    assert logsumexp_error(2, e, 4, 7, u=u, epsilon=e) == (
        third * 13 + (growth - 1) * 6 + growth * (2 + Fraction(1, 9))
    )
