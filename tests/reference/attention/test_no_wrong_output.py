"""No output is wrong: against sums tuple by tuple in Arb, of mixed shapes, masks, formats."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np

import rounding_sums
from kvfloor import Layers
from rounding_sums import compare, draw, summed


def test_no_output_is_wrong() -> None:
    layers, total = Layers(), np.zeros(3, dtype=int)
    for found in compare(iter(range(60)), layers):
        total += found
    count, wrong, boundaries = total.tolist()
    assert wrong == 0 < boundaries
    assert 5000 < count <= sum(astuple(layers))  # rows that see a sink alone are not compared
    assert min(layers.single, layers.double, layers.exact) > 100
    assert layers.balls > 0


def test_what_is_one_unit_off_is_counted() -> None:
    """A number next to the right one, of a problem with all that joins the logits."""
    case = next(c for c in map(draw, range(200)) if {"mask", "bias", "softcap"} <= c.terms.keys())
    shape = *case.query.shape[:2], case.values[0].shape[-1] + 1
    right = np.zeros(shape)
    for h in case.heads:
        for b, balls in enumerate(summed(case, h, 300)):
            right[h, b] = [float(ball) for ball in balls] or 0
    numbers, wrong, _ = rounding_sums.compared(case, np.float32(right), "float32", "nearest")
    assert wrong == 0 < numbers
    off = np.nextafter(np.float32(right), np.float32(np.inf))
    assert rounding_sums.compared(case, off, "float32", "nearest")[1] == numbers
