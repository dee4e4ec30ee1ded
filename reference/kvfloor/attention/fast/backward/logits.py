"""Gradients of logits and of sinks, query by query, at both levels: what biases and sinks get."""

from __future__ import annotations

from typing import Literal

import numpy as np

from kvfloor.attention.fast.arithmetic import Float, Integer
from kvfloor.attention.fast.backward.operands import Booleans, Operands
from kvfloor.attention.fast.backward.pairs import Pairs, Part
from kvfloor.attention.fast.backward.single import Block, Single
from kvfloor.attention.fast.totals import INFLATION, TINY, Balls

__all__ = ["evaluate_logit_gradients"]

_PLAIN = 128.0  # logits up to which no weight underflows


def evaluate_logit_gradients(
    operands: Operands, level: Literal["single", "double"], *, tuples: bool
) -> tuple[Balls | None, Balls]:
    """Enclose the gradients of the logits of all tuples, if asked for, and of the sinks.

    Returns
    -------
    logits : Balls, shape (b, R, n_m), or None
        Rows are the tuples of the first m - 1 slots. A radius of zero is that of a tuple that is
        masked, or of a query without cotangents, or that sees one token, whose cotangent is zero.
    sinks : Balls, shape (b,)
        Zero without sinks.
    """
    with np.errstate(all="ignore"):
        if level == "single":
            return _single(operands, tuples=tuples)
        return _double(operands, tuples=tuples)


def _single(operands: Operands, *, tuples: bool) -> tuple[Balls | None, Balls]:
    level = Single(operands)
    found = _Found(operands, level.joined.reach(level.g.reach), tuples=tuples)
    for q in level.blocks:
        columns = _seen(operands, q)
        _, dZ, _, both, (sink, error) = level.tuples(Block(level, q, columns))
        zeros = np.zeros_like(dZ)
        found.write(q, columns, (dZ, zeros, both), (sink, np.zeros_like(sink), error))
    return found.balls()


def _double(operands: Operands, *, tuples: bool) -> tuple[Balls | None, Balls]:
    level = Pairs(operands)
    found = _Found(operands, level.joined.reach(level.g.reach), tuples=tuples)
    for q in level.blocks:
        columns = _seen(operands, q)
        (hi, lo), errors, sink, error = Part(level, q, columns).of_logits()
        found.write(q, columns, (hi, lo, errors), (*sink, error))
    return found.balls()


def _seen(operands: Operands, q: slice) -> slice:
    """The columns that some queries see, one where they see none: a sink has a gradient still."""
    columns = operands.columns(q)
    return columns if columns.stop > columns.start else slice(0, 1)


class _Found:
    """Gradients as they are found, over the powers of the cotangents."""

    def __init__(self, operands: Operands, reach: Float, *, tuples: bool) -> None:
        b = len(operands.given)
        self.powers = operands.powers
        self.plain = (np.broadcast_to(reach, b) <= _PLAIN) & operands.distinct
        self.logits = np.zeros((3, b, *operands.prepared.shape)) if tuples else None
        self.sinks = np.zeros((3, b))

    def write(
        self,
        q: slice,
        columns: slice,
        logits: tuple[Float, Float, Float],
        sinks: tuple[Float, Float, Float],
    ) -> None:
        """Write centres and bounds of errors of some queries."""
        for i in range(3):
            if self.logits is not None:
                self.logits[i, q, :, columns] = logits[i]
            self.sinks[i, q] = sinks[i]

    def balls(self) -> tuple[Balls | None, Balls]:
        """Return them in the units of what was given."""
        sinks = _balls(self.sinks, self.powers, self.plain)
        if self.logits is None:
            return None, sinks
        powers, plain = self.powers[:, None, None], self.plain[:, None, None]
        return _balls(self.logits, powers, plain), sinks


def _balls(parts: Float, powers: Integer, plain: Booleans) -> Balls:
    hi, lo, error = parts
    radius = np.ldexp(error * INFLATION + TINY, powers) + 2.0**-1072
    radius = np.where((error == 0) & plain, 0.0, radius)
    hi, lo = np.ldexp(hi, powers), np.ldexp(lo, powers)
    claimed = np.isfinite(radius) & np.isfinite(hi)
    return Balls(
        np.where(claimed, hi, 0.0), np.where(claimed, lo, 0.0), np.where(claimed, radius, np.inf)
    )
