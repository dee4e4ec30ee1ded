"""No gradient is wrong: against sums tuple by tuple in Arb, of mixed shapes, formats and masks."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from gradient_sums import compare, summed_gradients
from gradient_truth import draw_case, true_gradients
from kvfloor import GradientLayers
from kvfloor.attention.gradients import settling


def compared(seeds: range) -> tuple[int, int, GradientLayers]:
    layers, total = GradientLayers(), np.zeros(3, dtype=int)
    for found in compare(seeds, 4, layers):
        total += found
    count, wrong, _ = total.tolist()
    return count, wrong, layers


def test_no_gradient_is_wrong() -> None:
    count, wrong, layers = compared(range(12))
    assert wrong == 0
    assert count == sum(astuple(layers)) > 2000
    assert min(layers.single, layers.double) > 100


def test_no_gradient_is_wrong_by_balls_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_operands", lambda _: None)
    count, wrong, layers = compared(range(6))
    assert wrong == 0
    assert count == layers.balls + layers.exact + layers.residues > 500


@pytest.mark.long
def test_no_gradient_of_many_is_wrong() -> None:
    count, wrong, layers = compared(range(100, 160))
    assert wrong == 0
    assert count == sum(astuple(layers)) > 8000


def test_sums_and_derivatives_are_the_same() -> None:
    """The sums of the definition, and power series in which no formula of a gradient occurs."""
    for seed in range(6):
        case = draw_case(seed, 1 + seed % 3, heads=seed > 2)
        sums, series = summed_gradients(case), true_gradients(case)
        for name, balls in sums.items():
            every = zip(np.ravel(balls), np.ravel(series[name]), strict=True)
            assert all(a.overlaps(b) and a.rad() < 1e-60 for a, b in every)
