"""E3 on thousands of outputs of real evaluations: never exceeded, and not idle."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from flint import arb

from kvfloor.enclosure import enclose
from kvfloor.floors.forward_error import (
    forward_error,
    gamma,
    logit_roundings,
    value_roundings,
    weight_drift,
)
from kvfloor.inputs import ball_ends, to_fmpq
from kvfloor.precision import arb_precision
from kvfloor_proofs.claims.forward_error import error_ratio, evaluate

SINGLE = Fraction(1, 2**24)
RUNS = 600
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
        ratios.append(error_ratio(q, rest[:2], rest[2:], factored=factored))
    assert IDLE < max(ratios) <= 1


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
        found = evaluate(q, rest[:2], rest[2:], factored=factored).astype(dtype)
        truth = enclose(q, rest[:2], rest[2:], bits=200).output
        sizes = enclose(q, rest[:2], [abs(A) for A in rest[2:]], bits=64).output
        largest = sum(
            (Fraction(float(abs(q[c]) * abs(rest[0][:, c]).max())) * 2 for c in range(len(q))),
            Fraction(0),
        ) * Fraction(float(abs(rest[1]).max()))  # an upper bound on the sizes of logits
        drift = weight_drift(largest, SINGLE, 8 * SINGLE, logit_roundings(len(q), 2))
        total = lengths[0] * lengths[1] - 1
        with arb_precision(128):
            F = forward_error(
                arb(to_fmpq(drift)),
                value_roundings(lengths, factored=factored),
                total,
                arb(to_fmpq(SINGLE)),
                lambda x: x.exp(),
            )
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
    ("lengths", "factored", "expected"), [([3, 5], True, 9), ([3, 5], False, 17)]
)
def test_roundings_are_counted(lengths: list[int], factored: bool, expected: int) -> None:
    assert value_roundings(lengths, factored=factored) == expected
