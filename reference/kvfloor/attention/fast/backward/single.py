"""Level (a) of the backward pass: float64, with radii good enough for float32 and below."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kvfloor.attention.fast.arithmetic import UNIT, Float, Integer, Pair, gamma, power_of_two
from kvfloor.attention.fast.backward.operands import Operands
from kvfloor.attention.fast.backward.tables import (
    BLOCK,
    Tables,
    on_slots,
    sizes_on_slots,
    slot_additions,
)
from kvfloor.attention.fast.exponential import EXP2_SINGLE_ERROR, LN2
from kvfloor.attention.fast.joined import Joined
from kvfloor.attention.fast.logits import LN2_ABOVE, logit_error, logit_limit
from kvfloor.attention.fast.operands import scaled_queries
from kvfloor.attention.fast.totals import INFLATION, TINY, Balls, weigh_rows

__all__ = ["Block", "Single", "evaluate_gradients_single"]

_ELEMENTS = 2**15
_SUMMED = 64  # numbers of a row that are added at a time
_LARGEST = 2.0**-13  # of a relative error, so that `INFLATION` covers second orders


class _Errors(NamedTuple):
    """Bounds of the errors of weights and gradients of logits of some queries.

    That of the weight of a tuple (i, j) is p·(relative + logits_i·β_j); that of the gradient of its
    logit as much of it, and p·(absolute + scores_i·ν_j). β and ν are norms of keys and of values.

    Attributes
    ----------
    relative, absolute : ndarray, shape (queries,)
    logits, scores : ndarray, shape (queries, rows)
    """

    relative: Float
    absolute: Float
    logits: Float
    scores: Float


class Block:
    """Some queries, and what belongs to them."""

    def __init__(self, level: Single, q: slice, columns: slice) -> None:
        operands = level.operands
        rows, V = operands.rows, level.factors.last[1]
        self.q, self.columns, self.count = q, columns, q.stop - q.start
        self.A = level.g.hi[q, None, :] * level.factors.rows[0]
        self.G = operands.output[q, None, :] * level.factors.rows[1]
        self.K, self.V = level.prepared.keys[-1][columns], V[columns]
        self.g = operands.logsumexp[q]
        self.joined = level.joined.of(q)
        self.products = level.g.reach[q]
        self.reach = np.broadcast_to(self.joined.reach(self.products), self.count)
        self.missing = operands.dropped.of(q)(slice(0, self.count), rows, columns)
        self.single = operands.single(q)
        self.inert = operands.inert[q]
        self.steepness = operands.steepness
        self.slopes: Float | None = None  # known with the weights
        self.key_norms = level.prepared.column_norms[columns]
        self.value_norms = operands.value_norms[columns]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Queries, rows and columns."""
        return self.count, self.A.shape[1], len(self.K)


def evaluate_gradients_single(operands: Operands) -> list[Balls]:
    """Enclose the gradients of queries, keys and values, evaluated in float64.

    Parameters
    ----------
    operands : Operands

    Returns
    -------
    list of 2·m + 1 Balls
        Of shapes (b, d), then (n_r, d) and (n_r, d_v) for each slot. A radius of zero is that of a
        gradient that is zero, as no term of it is not.

    Notes
    -----
    Derived in docs/fast.md.
    """
    with np.errstate(all="ignore"):
        return Single(operands).evaluate()


class Single:
    """Level (a) of one problem."""

    def __init__(self, operands: Operands) -> None:
        prepared = operands.prepared
        limit = logit_limit(prepared)
        self.operands, self.prepared = operands, prepared
        self.g = scaled_queries(prepared, operands.given, operands.scale, unit=LN2, limit=limit)
        self.joined = Joined.by(operands.terms, prepared, bits=True)
        U, W = prepared.rows(operands.rows)
        self.factors = operands.factors((U, np.ascontiguousarray(W[:, :-1])))
        self.blocks = list(operands.blocks(_ELEMENTS))
        self.most = max(block.stop - block.start for block in self.blocks)
        rows, columns = prepared.shape
        self.work = np.empty((5, self.most * rows * columns))
        # roundings that a term passes: in the sums over a row, and in those that are gradients
        self.summed = min(_SUMMED, columns) + -(-columns // _SUMMED) + rows + self.joined.additions
        self.added = min(BLOCK, columns) + -(-columns // BLOCK) + rows * self.most + rows
        self.added += len(self.blocks) + 2 * len(prepared.key_slots) + 4

    def evaluate(self) -> list[Balls]:
        """Enclose the gradients."""
        centres, bounds = Tables.of(self.factors), Tables.of(self.factors)
        sizes = self.factors.sizes()
        for q in self.blocks:
            columns = self.operands.columns(q)
            if columns.start == columns.stop:
                continue
            block = Block(self, q, columns)
            p, dZ, own, both = self.tuples(block)[:4]
            self._under_cap(block, dZ, both)
            centres.add(self.factors, q, columns, dZ, p)
            bounds.add(sizes, q, columns, both, own)
        return self._enclosed(centres, bounds)

    def tuples(self, block: Block) -> tuple[Float, Float, Float, Float, Pair]:
        """Weights, gradients of logits, and bounds of their errors; those of the sinks.

        In memory that is used again.
        """
        buffers = self.work[:, : int(np.prod(block.shape))].reshape(5, *block.shape)
        p, dZ, errors, (p_sink, D) = self._gradients(block, *buffers[:4])
        own, both = self._sizes(block, errors, p, dZ, *buffers[2:])
        sink = p_sink * (block.g - D)
        return p, dZ, own, both, (sink, errors.relative * np.abs(sink) + errors.absolute * p_sink)

    def _gradients(
        self, block: Block, p: Float, x: Float, t: Float, scratch: Float
    ) -> tuple[Float, Float, _Errors, tuple[Float, Float]]:
        """Weights, gradients of logits and their errors; weights of sinks, and D."""
        lines = block.shape[0] * block.shape[1]
        np.matmul(block.A.reshape(lines, -1), block.K.T, out=x.reshape(lines, -1))
        if block.steepness is not None:
            block.slopes = block.steepness.slopes(x)
        block.joined.add(x, slice(0, block.count), self.operands.rows, block.columns)
        p_sink, exponent = self._weights(block, x, p, scratch)
        np.matmul(block.G.reshape(lines, -1), block.V.T, out=x.reshape(lines, -1))
        np.multiply(p, x, out=t)
        D = _total(t)
        x -= D[:, None, None]
        if block.g.any():
            x += block.g[:, None, None]
        x *= p
        errors = self._relative(block, p, exponent)
        np.abs(x, out=scratch)
        g, size = np.abs(block.g), _total(scratch)
        own = self._own(block) + gamma(self.summed) + UNIT
        scratch *= self._tuples(own, errors.logits, block.key_norms, t)
        absolute = _total(scratch) + _mean(errors.scores, p, block.value_norms)
        absolute += gamma(2 * self.summed + 2) * (size + np.abs(D) + g)
        absolute += errors.relative * (p_sink * np.abs(D) + g) + 2 * UNIT * g + UNIT**2
        absolute = np.where(block.inert | block.single, 0.0, absolute)
        return p, x, errors._replace(absolute=absolute), (p_sink, D)

    def _weights(self, block: Block, x: Float, y: Float, work: Float) -> tuple[Float, Integer]:
        """Write the weights to y; return those of the sinks, and the powers of two of the rows."""
        missing = block.missing
        dropped = None if missing is None else missing.reshape(len(missing), 1, -1)
        logits, weights, scratch = (part.reshape(block.count, 1, -1) for part in (x, y, work))
        top = weigh_rows(logits, weights, scratch, dropped, block.reach)[:, 0]
        total, sink = _total(y), np.zeros(block.count)
        if (sinks := block.joined.sinks()) is not None:
            powers, own, _ = sinks
            new = np.maximum(top, powers)
            y *= power_of_two(top - new)[:, None, None]
            sink = own * power_of_two(powers - new)
            total, top = total * power_of_two(top - new) + sink, new
        total = np.where(total == 0, 1.0, total)
        y /= total[:, None, None]
        return sink / total, top

    def _relative(self, block: Block, p: Float, exponent: Integer) -> _Errors:
        """All errors but the absolute one."""
        logits = self._logit_rows(block)
        eta = np.sqrt(np.einsum("qic,qic->qi", block.G, block.G))
        scores = gamma(len(self.prepared.value_exponents) + len(self.prepared.key_slots)) * eta
        relative = 2 * self._own(block) + _mean(logits, p, block.key_norms)
        relative += gamma(self.summed + self.added) + 6 * UNIT
        usable = np.isfinite(block.reach) & block.joined.covers(block.products, exponent)
        usable &= relative + logits.max(axis=1) * block.key_norms.max() <= _LARGEST
        relative = np.where(usable, relative, np.inf)
        relative = np.where(block.single, gamma(self.added), relative)
        each = block.single[:, None]
        logits, scores = np.where(each, 0.0, logits), np.where(each, 0.0, scores)
        return _Errors(relative, np.zeros(block.count), logits, scores)

    def _own(self, block: Block) -> Float:
        """Relative errors of weights that do not follow their tuples, shape (queries,)."""
        error = block.joined.error(block.products)
        return np.broadcast_to(EXP2_SINGLE_ERROR + LN2_ABOVE * error, block.count)

    def _tuples(self, each: Float, rows: Float, columns: Float, out: Float) -> Float:
        """Write each + rows·columns for every tuple."""
        left = np.stack([np.broadcast_to(each[:, None], rows.shape), rows], axis=2)
        right = np.stack([np.ones_like(columns), columns])
        np.matmul(left.reshape(-1, 2), right, out=out.reshape(-1, len(columns)))
        return out

    def _sizes(
        self,
        block: Block,
        errors: _Errors,
        p: Float,
        dZ: Float,
        t: Float,
        scratch: Float,
        more: Float,
    ) -> tuple[Float, Float]:
        """Errors of weights, and of gradients of logits, with those of the sums they go into."""
        own = self._tuples(errors.relative, errors.logits, block.key_norms, scratch)
        np.abs(dZ, out=t)
        t *= own
        own *= p
        both = self._tuples(errors.absolute, errors.scores, block.value_norms, more)
        both *= p
        both += t
        return own, both

    def _under_cap(self, block: Block, dZ: Float, both: Float) -> None:
        """Multiply gradients of logits by slopes, and bound the errors of what they are then."""
        if block.steepness is None or block.slopes is None:
            return
        dZ *= block.slopes
        both *= block.slopes
        own, rows = block.steepness.error(block.products), self._logit_rows(block)
        each = self._tuples(
            np.broadcast_to(own, block.count),
            block.steepness.factor * rows,
            block.key_norms,
            np.empty_like(dZ),
        )
        each = np.where(each <= _LARGEST, each, np.inf)
        both += np.where(dZ == 0, 0.0, np.abs(dZ) * each)

    def _logit_rows(self, block: Block) -> Float:
        """Errors of inner products of rows, in nats, over the norms of keys."""
        alpha = np.sqrt(np.einsum("qic,qic->qi", block.A, block.A))
        return np.asarray(LN2_ABOVE * logit_error(self.prepared) * alpha)

    def _enclosed(self, centres: Tables, bounds: Tables) -> list[Balls]:
        """Enclose the gradients in the units of what was given."""
        keys, values = self.prepared.keys, tuple(V[:, :-1] for V in self.prepared.values)
        tables, radii = [(centres.query, np.zeros_like(centres.query))], [bounds.query]
        kinds = (
            (keys, centres.keys, centres.row_keys, bounds.keys, bounds.row_keys),
            (values, centres.values, centres.row_values, bounds.values, bounds.row_values),
        )
        passed = 4 * slot_additions(self.prepared.lengths) + 9 * len(keys)
        for slots, last, rows, last_bound, rows_bound in kinds:
            tables += on_slots(slots, (rows, np.zeros_like(rows)))
            tables.append((last, np.zeros_like(last)))
            radii += sizes_on_slots(slots, rows_bound)
            radii.append(last_bound)
        errors = [
            (radius * (1 + passed * UNIT) + 3 * UNIT * np.abs(centre)) * INFLATION + TINY
            for (centre, _), radius in zip(tables, radii, strict=True)
        ]
        reach = self.operands.steepest(self.joined.reach(self.g.reach), self.g.reach)
        return self.operands.enclosed(
            tables, errors, [bound == 0 for bound in radii], reach, pairs=False
        )


def _total(x: Float) -> Float:
    """Sum over rows and columns, so many at a time."""
    columns = x.shape[2]
    parts = [x[..., i : i + _SUMMED].sum(axis=2) for i in range(0, columns, _SUMMED)]
    total: Float = np.sum(parts, axis=0).sum(axis=1)
    return total


def _mean(rows: Float, p: Float, columns: Float) -> Float:
    """Mean of rows·columns under the weights."""
    mean: Float = np.einsum("qi,qi->q", rows, np.matmul(p, columns))
    return mean
