"""E4 on real evaluations: never exceeded, not idle, finer than E3 where it should be."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from kvfloor.floors import (
    centred_error,
    least_sum,
    light_error,
    moved_sum,
    quotient_error,
    tuple_drift,
    weight_error,
)
from kvfloor_proofs.foundations.centred_floats import centred_ratio
from kvfloor_proofs.foundations.plain_floats import error_ratio, evaluate, evaluate_blocks

RUNS = 150
IDLE = Fraction(1, 100)  # the largest error over its bound, at least, in every setting


def tensors(rng: np.random.Generator, dtype: Any, spread: float, about: float) -> Any:
    lengths, d = rng.integers(2, 9, size=2), int(rng.integers(1, 9))
    q, *K = (rng.normal(size=size) for size in ((d,), *((n, d) for n in lengths)))
    V = [rng.normal(size=(n, 2)) + about for n in lengths]
    return (q * spread).astype(dtype), *([A.astype(dtype) for A in slots] for slots in (K, V))


@pytest.mark.parametrize(("spread", "about"), [(0.25, 0.0), (1.0, 3.0), (16.0, 3.0)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_real_evaluations(dtype: Any, spread: float, about: float) -> None:
    rng = np.random.default_rng(1)
    ratios = []
    for factored in [False, True] * (RUNS // 2):
        q, K, V = tensors(rng, dtype, spread, about)
        ratios.append(centred_ratio(evaluate(q, K, V, factored=factored), q, K, V))
    assert IDLE < max(ratios) < 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_blocks_with_a_maximum_that_moves(dtype: Any) -> None:
    rng = np.random.default_rng(3)
    ratios = []
    for _ in range(RUNS):
        q, K, V = tensors(rng, dtype, 1.0, 3.0)
        K[1] *= np.linspace(0.1, 4, len(K[1]))[:, None].astype(dtype)
        found = evaluate_blocks(q, K, V, block=3)
        ratios.append(centred_ratio(found, q, K, V, rescalings=-(-len(K[1]) // 3) - 1))
    assert IDLE < max(ratios) < 1


def test_an_error_that_the_plain_bound_misses() -> None:
    """Logits of hundreds, equal values: what E3 lets pass, a hundredfold, is found by E4."""
    q, *K = (np.full(size, 10, np.float32) for size in ((2,), (2, 2), (2, 2)))
    K[0][0] += np.float32(0.125)
    V = [np.full((2, 1), 3, np.float32) for _ in K]
    found = evaluate(q, K, V, factored=True)
    assert centred_ratio(found, q, K, V) < 1
    wrong = found._replace(output=found.output * np.float32(1 + 1e-5))
    assert centred_ratio(wrong, q, K, V) > 3
    assert error_ratio(wrong, q, K, V, factored=True) < Fraction(1, 20)


def test_each_part_of_a_bound_counts() -> None:
    """The values are those of the formulas by hand."""
    tenth = Fraction(1, 10)
    assert tuple_drift(2, tenth, 3, 5) == 7 + 3 * tenth
    assert weight_error(tenth) == Fraction(11, 100)
    assert light_error(tenth) == Fraction(23, 10)
    assert least_sum(tenth, 2 * tenth, 3 * tenth, tenth) == Fraction(36, 100)
    assert centred_error(2, 3, tenth) == 50
    assert quotient_error(2, tenth, 5) == Fraction(27, 10)
    assert moved_sum(tenth) == Fraction(1, 9)


def added(x: np.ndarray[Any, Any], block: int) -> float:
    """A running sum, of blocks that are summed likewise."""
    zero = total = x.dtype.type(0)
    for first in range(0, len(x), block):
        part = zero
        for one in x[first : first + block]:
            part = part + one
        total = total + part
    return float(total)


@pytest.mark.parametrize("block", [1, 64])
def test_light_terms_are_lost_to_the_last(block: int) -> None:
    """Beside 1, terms of u/2: all that they weigh is gone, and no more; so twice is safe."""
    unit = 2.0**-11
    terms = np.full(4097, unit / 64 if block > 1 else unit / 2, np.float16)
    terms[0] = 1
    exact = float(terms.astype(np.float64).sum())
    off = abs(added(terms, block) - exact)
    light = exact - 1
    assert 0.9 * light < off <= light_error(0) * light
