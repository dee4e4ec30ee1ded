"""Rotary embeddings as Llama-style models define them, and attention to them, in balls (H3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import arb, fmpq

__all__ = ["attended", "rotated", "turned_back"]


def rotated(vector: Sequence[Any], position: int, base: int) -> list[arb]:
    """Return a vector of d entries as the model turns it at a position, at the working precision.

    Entries c and c + d/2 are turned together by the angle ``position·base^(-2c/d)``: a pair (x, y)
    becomes (x·cos - y·sin, y·cos + x·sin).

    Parameters
    ----------
    vector : sequence of rationals or balls, of even length
    position : int
    base : int
        10000, or what a configuration calls ``rope_theta``.
    """
    d, half = len(vector), len(vector) // 2
    turned = [arb(0)] * d
    for c in range(half):
        angle = position * arb(base) ** arb(fmpq(-2 * c, d))
        sin, cos = angle.sin(), angle.cos()
        x, y = (arb(vector[place]) for place in (c, c + half))
        turned[c], turned[c + half] = x * cos - y * sin, y * cos + x * sin
    return turned


def turned_back(vector: Sequence[Any], position: int, base: int) -> list[fmpq]:
    """Return what the model turns into a vector at a position, but for half of the last bits."""
    return [fmpq(ball.mid().fmpq()) for ball in rotated(vector, -position, base)]


def attended(logits: Sequence[arb], values: Sequence[Sequence[Any]]) -> list[arb]:
    """Return balls around the output of D1 at order 1, from logits in balls."""
    top = max(logits, key=lambda ball: float(ball.mid()))
    weights = [(logit - top).exp() for logit in logits]
    total = sum(weights, arb(0))
    return [
        sum((w * arb(v) for w, v in zip(weights, column, strict=True)), arb(0)) / total
        for column in zip(*values, strict=True)
    ]
