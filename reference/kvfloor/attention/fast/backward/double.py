"""Level (b) of the backward pass: double-double, with radii good enough for float64."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from kvfloor.attention.fast.arithmetic import UNIT, Float, Pair, add_to, halved, multiply
from kvfloor.attention.fast.backward.operands import Operands
from kvfloor.attention.fast.backward.pairs import Pairs, Part
from kvfloor.attention.fast.backward.tables import (
    Factors,
    Tables,
    on_slots,
    sizes_on_slots,
    slot_additions,
)
from kvfloor.attention.fast.slices import ValueSlices, slice_bits, split, value_error
from kvfloor.attention.fast.tiling import slices
from kvfloor.attention.fast.totals import INFLATION, TINY, Balls

__all__ = ["evaluate_gradients_double"]

_BLOCK = 128  # terms of a product of slices


def evaluate_gradients_double(operands: Operands) -> list[Balls]:
    """Enclose the gradients of queries, keys and values, evaluated in double-double.

    Parameters and result are those of `evaluate_gradients_single`.

    Notes
    -----
    Derived in docs/fast.md.
    """
    with np.errstate(all="ignore"):
        return _Level(operands).evaluate()


class _PairTables:
    """Running sums in double-double."""

    def __init__(self, factors: Factors) -> None:
        self.hi, self.lo = Tables.of(factors), Tables.of(factors)

    def add(self, name: str, place: slice, x: Pair) -> None:
        """Add to some rows of a table, relative error 4u² of what there is and comes."""
        hi, lo = getattr(self.hi, name)[place], getattr(self.lo, name)[place]
        for part in x:
            add_to(hi, lo, part)

    def pair(self, name: str) -> Pair:
        """Return a table."""
        return getattr(self.hi, name), getattr(self.lo, name)


class _Level(Pairs):
    """One evaluation."""

    def evaluate(self) -> list[Balls]:
        """Enclose the gradients."""
        centres, bounds = _PairTables(self.factors), Tables.of(self.factors)
        lost, sizes = Tables.of(self.factors), self.factors.sizes()
        for q in self.blocks:
            columns = self.operands.columns(q)
            if columns.start == columns.stop:
                continue
            part = Part(self, q, columns)
            own, both = part.errors(self._operations)
            bounds.add(sizes, q, columns, part.errors_of_inner(both), own)
            self._add(part, centres, lost, sizes)
        return self._enclosed(centres, bounds, lost)

    @property
    def _operations(self) -> int:
        """Relative errors of sums and products of weights, in units of u², for every term."""
        rows, columns = self.prepared.shape
        blocks = -(-columns // _BLOCK) + -(-rows * self.most // _BLOCK) * len(self.blocks)
        halves = rows.bit_length() + self.most.bit_length()
        halves += slot_additions(self.prepared.lengths)
        return 6 * blocks + 4 * halves + 9 * (3 * len(self.prepared.key_slots) + 4)

    def _add(self, part: Part, centres: _PairTables, lost: Tables, sizes: Factors) -> None:
        """Add what some queries give, and what products of slices lose of it."""
        q, columns = part.q, part.columns
        inverse = part.inverse[0][:, None], part.inverse[1][:, None]
        Q, G = (
            multiply((table[q], np.zeros_like(table[q])), inverse)
            for table in (self.factors.queries, self.factors.output)
        )
        Z, P = (
            (x[0].reshape(part.lines, -1), x[1].reshape(part.lines, -1))
            for x in (part.inner, part.weights)
        )
        last = ("keys", Z, _lines(Q, self.U)), ("values", P, _lines(G, self.W))
        for name, x, left in last:
            bound = getattr(lost, name)[columns]
            for found, error in _downward(x, left):
                centres.add(name, columns, found)
                bound += error
        X, error = self._across(part, Z, self.factors.last[0][columns])
        centres.add("query", q, multiply(_over_rows(X, self.U), inverse))
        lost.query[q] += error @ sizes.rows[0]
        if self.factors.several:
            Y, error_values = self._across(part, P, self.factors.last[1][columns])
            everything = slice(None)
            centres.add("row_keys", everything, _over_queries(X, Q))
            centres.add("row_values", everything, _over_queries(Y, G))
            lost.row_keys[...] += error.T @ sizes.queries[q]
            lost.row_values[...] += error_values.T @ sizes.output[q]

    def _across(self, part: Part, x: Pair, right: Float) -> tuple[Pair, Float]:
        """Return x times the last slot's table, and the error, over the sums of the weights."""
        found = np.zeros((part.lines, right.shape[1])), np.zeros((part.lines, right.shape[1]))
        lost = np.zeros((part.lines, 1))
        for columns in slices(len(right), _BLOCK):
            factor = ValueSlices.of(np.ascontiguousarray(right[columns]), _BLOCK)
            weights, scale = _scaled_slices((x[0][:, columns], x[1][:, columns]), 1, factor.bits)
            hi, lo = factor.products(weights)
            for product in (hi * scale, lo * scale):
                add_to(*found, product)
            lost += value_error(_BLOCK) * scale
        rows = part.shape[:2]
        table = found[0].reshape(*rows, -1), found[1].reshape(*rows, -1)
        return table, lost.reshape(rows) * part.inverse[0][:, None]

    def _enclosed(self, centres: _PairTables, bounds: Tables, lost: Tables) -> list[Balls]:
        """Enclose the gradients in the units of what was given."""
        keys, values = self.prepared.keys, tuple(V[:, :-1] for V in self.prepared.values)
        tables, radii, more = [centres.pair("query")], [bounds.query], [lost.query]
        for slots, last, rows in ((keys, "keys", "row_keys"), (values, "values", "row_values")):
            tables += [*on_slots(slots, centres.pair(rows)), centres.pair(last)]
            for errors, found in ((radii, bounds), (more, lost)):
                errors += [*sizes_on_slots(slots, getattr(found, rows)), getattr(found, last)]
        every = zip(tables, radii, more, strict=True)
        total = [
            (radius + error + 10 * UNIT**2 * np.abs(table[0])) * INFLATION + TINY
            for table, radius, error in every
        ]
        reach = self.operands.steepest(self.joined.reach(self.g.reach), self.g.reach)
        return self.operands.enclosed(
            tables, total, [bound == 0 for bound in radii], reach, pairs=True
        )


def _lines(each: Pair, rows: Pair) -> Pair:
    """Products of what queries and rows have, a line for both."""
    found = multiply((each[0][:, None], each[1][:, None]), rows)
    width = rows[0].shape[1]
    return found[0].reshape(-1, width), found[1].reshape(-1, width)


def _over_rows(X: Pair, U: Pair) -> Pair:
    """Σ_i U_i·X_bi."""
    terms = multiply(X, (U[0][None], U[1][None]))
    return halved((np.moveaxis(terms[0], 1, 2), np.moveaxis(terms[1], 1, 2)))


def _over_queries(X: Pair, Q: Pair) -> Pair:
    """Σ_b Q_b·X_bi."""
    terms = multiply(X, (Q[0][:, None], Q[1][:, None]))
    return halved((np.moveaxis(terms[0], 0, 2), np.moveaxis(terms[1], 0, 2)))


def _downward(x: Pair, left: Pair) -> Iterator[tuple[Pair, Float]]:
    """Yield products of x transposed and the left side, at most 2, and bounds of their errors."""
    for lines in slices(len(x[0]), _BLOCK):
        factor = _pair_slices((left[0][lines] / 2, left[1][lines] / 2))
        weights, scale = _scaled_slices((x[0][lines], x[1][lines]), 0, factor.bits)
        scale = 2 * scale.T
        hi, lo = factor.products([weight.T for weight in weights])
        yield (hi * scale, lo * scale), value_error(_BLOCK) * scale


def _pair_slices(x: Pair) -> ValueSlices:
    """Slices of a table of pairs, at most 1, for sums over at most `_BLOCK` rows."""
    bits = slice_bits(_BLOCK)
    head, middle, rest = split(x[0].copy(), x[1].copy(), bits)
    first, second = np.hstack([head, middle, rest]), np.hstack([head, middle + rest])
    return ValueSlices(bits, (first, second, x[0]))


def _scaled_slices(x: Pair, axis: int, bits: int) -> tuple[tuple[Float, Float, Float], Float]:
    """Slices of weights over powers of two, one for each place off an axis, and these powers."""
    largest = np.maximum(x[0].max(axis=axis, keepdims=True), -x[0].min(axis=axis, keepdims=True))
    exponents = np.where(largest > 0, np.maximum(np.frexp(largest)[1], -900), -900)
    inverse = np.ldexp(1.0, -exponents)
    scaled = x[0] * inverse, x[1] * inverse
    return split(*scaled, bits), np.ldexp(1.0, exponents)
