"""How far each gradient may be off: E5's bounds for what a backward pass declares.

Step by step, as `kvfloor.conformance.backward.rows` has it for each query and tuple:

1. p̂ = p + δp, from the log-sum-exp that is read, or from a softmax.
2. dP̂ and D̂, of products of G with values and with outputs; x̂ = dP̂ - D̂ + g.
3. dẑ = p̂·x̂. What D is off by for all tuples of a query alike, η, is kept apart.
   Under a soft cap dŝ = dẑ·(1 - tanh²), else dŝ = dẑ.
4. p̂, dẑ and dŝ are rounded to the format in which they are stored.

What is left are sums of products, each a sum over ``terms`` Σ e·f of something computed, e, by
inputs f:

    dq_c       = σ Σ_t ds_t·k_tc
    dK_r[j, c] = σ Σ_b q_bc Σ_{t: t_r = j} ds_bt·Π_{s≠r} K_s[t_s, c]
    dV_r[j, c] = Σ_b G_bc Σ_{t: t_r = j} p_bt·Π_{s≠r} V_s[t_s, c]
    dbias_bt   = Σ dz_bt over what the bias is the same for, and dsink = Σ_b dz_b0

5. Each is off by Σ |ê - e|·|f|, and by ρ·Σ |ê|·|f| for its own roundings: n - 1 sums in any order,
   m products, five for the scale, and for each block one in the format in which blocks are added:
   ρ = (1 + γ)(1 + γ') - 1. Terms that are masked are zero, and adding them rounds nothing.
   For dq the shared η is multiplied by |Σ_t p_t·(1 - tanh²)·k_tc|, not by Σ_t p_t·|k_tc|.
6. A result in a narrower format is rounded once more.

All is rounded up, so a gradient beyond its bound is proved to be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import inf, prod
from typing import NamedTuple

import numpy as np

from kvfloor.conformance.backward.caps import Slope, find_slope
from kvfloor.conformance.backward.case import BackwardCase
from kvfloor.conformance.backward.rows import (
    EXP_ABOVE,
    UNIT,
    Forward,
    Given,
    Pair,
    differences,
    logit_gradients,
    roundings,
    under_cap,
    weights,
)
from kvfloor.conformance.backward.target import Backward, named
from kvfloor.conformance.backward.truth import Enclosed
from kvfloor.conformance.centred import Arithmetic
from kvfloor.conformance.sets import Set, read_plain, with_terms
from kvfloor.conformance.tolerances import Model, Tolerances, find_tolerances, returned_bounds
from kvfloor.conformance.truth import FINE
from kvfloor.numbers import Array, BinaryFormat

__all__ = ["find_bounds"]

OF_TERMS = ("dbias", "dsink")
NO_SLOPE = Slope(np.ones(()), np.zeros(()), np.zeros(()))  # 1, exactly
LEAST = 2.0**-990  # more than what `exp_above` adds
SCALE_ROUNDINGS = 5  # a root, a quotient, its rounding; log₂ e or ln 2; the product by it
LN_2 = 0.6931471805599453


class _Sum(NamedTuple):
    """A table of sums.

    Attributes
    ----------
    size, error : ndarray
        Bounds on Σ |ê|·|f| and on Σ |ê - e|·|f|.
    terms : ndarray
        How many are not zero, at most; of a shape that broadcasts.
    """

    size: Array
    error: Array
    terms: Array

    def plus(self, other: _Sum) -> _Sum:
        """Return the bounds of both sums together."""
        return _Sum(*(one + two for one, two in zip(self, other, strict=True)))


def find_bounds(
    target: Backward,
    case: BackwardCase,
    enclosed: Enclosed,
    formats: dict[str, BinaryFormat],
) -> dict[str, Array]:
    """Return bounds on the error of each gradient, by name; inf where none is derived.

    Parameters
    ----------
    target : Backward
    case : BackwardCase
    enclosed : Enclosed
        The gradients.
    formats : dict
        The formats that they were returned in.

    Notes
    -----
    E5 `gradient-error`.
    """
    model = Model(target, case)
    found = {name: np.full(A.shape, inf) for name, A in enclosed.middle.items()}
    if model.bounded:
        forward = _Reading(target, case)
        b, h_kv = case.keys[0].shape[:2]
        group = case.query.shape[1] // h_kv
        sums = _Sums(target, case, model)
        of_terms = {name: [list[_Sum]() for _ in found[name]] for name in OF_TERMS if name in found}
        for i, j in np.ndindex(b, h_kv):
            heads = range(j * group, (j + 1) * group)
            with np.errstate(all="ignore"):
                each = [sums.of_head(i, head, forward) for head in heads]
                known = {head: one for head, one in zip(heads, each, strict=True) if one}
                _put(found, sums, known, i, heads)
            for name, rows in of_terms.items():
                for head, one in known.items():
                    rows[head % len(rows)].append(one[name])
        with np.errstate(all="ignore"):
            for name, rows in of_terms.items():
                for row, parts in enumerate(rows):
                    if len(parts) == b * h_kv * group // len(rows):
                        bound = sums.bound(reduce(_Sum.plus, parts), name)
                        found[name][row] = bound.reshape(found[name][row].shape)
    middle, radius = enclosed
    return {
        name: returned_bounds(found[name] + radius[name], middle[name], form, target.arithmetic)
        for name, form in formats.items()
    }


def _put(
    found: dict[str, Array], sums: _Sums, known: dict[int, dict[str, _Sum]], i: int, heads: range
) -> None:
    """Write the bounds of one set of keys and of its queries; nothing if a head has none."""
    if len(known) < len(heads):
        return
    for head, one in known.items():
        found["dq"][i, head] = sums.bound(one["dq"], "dq")
    for name in known[heads[0]]:
        if name not in ("dq", *OF_TERMS):
            total = reduce(_Sum.plus, (known[head][name] for head in heads))
            found[name][i, heads[0] // len(heads)] = sums.bound(total, name)


class _Reading:
    """What the forward pass left: given by the kit, or the function's own with its bounds."""

    def __init__(self, target: Backward, case: BackwardCase) -> None:
        self.target, self.case, self.truth = target, case, case.truth
        self.own: Tolerances | None = None
        if target.differentiable:
            self.own = find_tolerances(
                target, case, case.truth, output=target.inputs, logsumexp=target.arithmetic
            )

    def head(self, i: int, j: int, cotangent: Array) -> Forward:
        """Return it for one head of the query."""
        case, target = self.case, self.target
        output, lse = self.truth.fine_output[i, j], self.truth.fine_logsumexp[i, j]
        base = 1.0 if target.logsumexp_base == "e" else LN_2
        lse = np.where(np.isfinite(lse), lse, 0.0)
        if self.own is not None:
            output_off, lse_off = self.own.output[i, j], self.own.logsumexp[i, j]
            delta_off = (np.abs(cotangent) * output_off).sum(axis=1)
        else:
            read = case.output[i, j].astype(np.float64)
            read_lse = case.logsumexp[i, j].astype(np.float64)
            read_lse = np.where(np.isneginf(read_lse), 0.0, read_lse)
            output_off = np.abs(read - output) + FINE.ulps(output)
            lse_off = np.abs(read_lse - lse) + FINE.ulps(lse)
            size = np.abs(cotangent)
            delta_off = np.abs((cotangent * (read - output)).sum(axis=1))
            unit = (cotangent.shape[1] + 4) * UNIT
            delta_off += (size * (FINE.ulps(output) + unit * output_off)).sum(axis=1)
        empty = self.truth.empty[i, j]
        reads = target.reads
        return Forward(
            output,
            lse * base,
            np.where(empty[:, None], 0.0, output_off),
            np.where(empty, 0.0, lse_off * base + UNIT * np.abs(lse)),
            np.where(empty, 0.0, delta_off),
            (reads is None or "output" in reads, reads is None or "output" not in reads),
            (reads is None or "logsumexp" in reads, reads is None or "logsumexp" not in reads),
        )


@dataclass
class _Sums:
    """The three kinds of sums of a case, by the arithmetic that is declared."""

    target: Backward
    case: BackwardCase
    model: Model

    def __post_init__(self) -> None:
        case, target = self.case, self.target
        self.arithmetic: Arithmetic = self.model.arithmetic
        self.sigma = float(case.sigma.factor) * float(case.sigma.root) ** 0.5 * (1 + 4 * UNIT)
        self.lengths, self.order = case.lengths, target.order
        self.stored = 0.0 if target.stored == target.arithmetic else self.arithmetic.stored
        form = target.stored
        self.stored_lost = 2.0 ** (form.min_exponent - form.precision) if self.stored else 0.0
        given = [case.query, *case.keys, *case.values, case.cotangent]
        given += [] if case.logsumexp_cotangent is None else [case.logsumexp_cotangent]
        self.largest = prod(max(1.0, float(np.abs(A.astype(np.float64)).max())) for A in given)
        self.largest *= max(1.0, self.sigma)
        self.room = float(target.arithmetic.max_finite) / 4
        self.inflation = 1 + 8 * (case.query.shape[2] * prod(self.lengths) + 128) * UNIT

    def lost(self, products: float) -> float:
        """What products that underflow change a sum by."""
        return 2 * products * (self.order + 3) * self.largest * self.arithmetic.half_least

    def of_head(self, i: int, j: int, forward: _Reading) -> dict[str, _Sum] | None:
        """Return the sums of one head of the query by name; None if one may overflow."""
        target, case, a = self.target, self.case, self.arithmetic
        c = case.terms.softcap
        plain = read_plain(target, case, i, j)
        given = self._given(with_terms(plain, case.terms, j), i, j, forward)
        N = plain.logits.shape[1]
        part, seen = given.part, given.seen[:, :N]
        p = _finite(weights(a, given, 2 * a.weight_lost), given.seen)
        x = differences(a, given, p, self.order, self.lost(given.cotangent.shape[1]))
        dz, shared = logit_gradients(a, p, x)
        dz, shared = _finite(dz, given.seen), np.where(given.seen, shared, 0.0)
        ds, p, mean = Pair(*(A[:, :N] for A in dz)), Pair(*(A[:, :N] for A in p)), shared[:, :N]
        slope = NO_SLOPE
        if c is not None:
            slope = find_slope(a, plain, float(c))
            ds, mean = under_cap(a, ds, x, mean, slope)
            ds = _finite(ds, seen)
        dz = self._stored(Pair(dz.size, dz.error + shared), given.seen)
        p = self._stored(p, seen)
        ds = self._stored(ds, seen, max(1.0, self.sigma, 1 / self.sigma))
        whole = Pair(ds.size, ds.error + mean)
        reach = float(np.where(given.seen, part.reach, 0.0).max(initial=0.0))
        reach *= max(1.0, 1 / self.sigma) * max(1.0, 1 / float(c or 1))
        if self._too_large(max(x.most, reach), p, whole, dz):
            return None
        sums = self._tables(given, (i, j), p, whole)
        sums["dq"] = self._query(given, p.size, slope, ds, mean, self._keys(i, j))
        sums |= dict(zip(OF_TERMS, _of_terms(dz, given.seen, N), strict=True))
        most = max(float(one.size.max(initial=0.0)) for one in sums.values())
        return sums if most * max(1.0, 1 / self.sigma) < self.room else None

    def _tables(self, given: Given, head: tuple[int, int], p: Pair, ds: Pair) -> dict[str, _Sum]:
        """The sums of keys and of values, by name; that of the query is still to come."""
        (i, j), case = head, self.case
        kv, seen = self._reads(j), given.seen[:, : p.size.shape[1]]
        q = np.abs(case.query[i, j].astype(np.float64)) * self.sigma
        K, V = ([A[i, kv].astype(np.float64) for A in slots] for slots in (case.keys, case.values))
        G = np.abs(given.cotangent)
        tuples = tuple(_columns(ds, q, K, seen, r) for r in range(self.order))
        values = tuple(_columns(p, G, V, seen, r) for r in range(self.order))
        sums: dict[str, _Sum] = named(None, tuples, values)
        return sums

    def _reads(self, j: int) -> int:
        """Which keys a head of the query reads."""
        return int(j // (self.case.query.shape[1] // self.case.keys[0].shape[1]))

    def _keys(self, i: int, j: int) -> Array:
        """Products of keys that it reads."""
        return _products([K[i, self._reads(j)].astype(np.float64) for K in self.case.keys])

    def _given(self, part: Set, i: int, j: int, forward: _Reading) -> Given:
        """One head, with the sink among its tuples."""
        case = self.case
        G, g = case.cotangent[i, j].astype(np.float64), case.logsumexp_cotangent
        seen = np.ones(part.logits.shape, dtype=np.bool_)
        kept = case.kept
        if kept is not None:
            of_head = kept[i % len(kept), j % kept.shape[1]].reshape(len(seen), -1)
            seen[:, : of_head.shape[1]] = of_head
        rows = None if g is None else g[i, j, :, None].astype(np.float64)
        return Given(part, G, rows, seen, forward.head(i, j, G))

    def _too_large(self, most: float, *pairs: Pair) -> bool:
        form = float(self.target.stored.max_finite)
        stored = max(float((each.size + each.error).max(initial=0.0)) for each in pairs)
        stored *= max(1.0, self.sigma)
        return not (most < self.room and stored < min(form, self.room))

    def _stored(self, pair: Pair, seen: Array, factor: float = 1.0) -> Pair:
        """Round once more, to the format of what is stored; by a factor or without it."""
        if not self.stored:
            return pair
        once = self.stored * (pair.size + pair.error) + self.stored_lost * factor
        return Pair(pair.size, pair.error + np.where(seen, once, 0.0))

    def _query(
        self, given: Given, p: Array, slope: Slope, ds: Pair, shared: Array, keys: Array
    ) -> _Sum:
        """σ Σ_t ds_t·k_tc, with what is shared multiplied by |Σ p·slope·k|."""
        size, N = np.abs(keys), len(keys)
        row = given.forward.delta_off[:, None] * given.forward.reads_output[0]
        slack = given.part.unit * given.part.reach[:, :N] + given.part.slack
        slack = slack + 4 * UNIT * (np.abs(given.forward.logsumexp)[:, None] + 1)
        mean = p * slope.size
        above = mean * (EXP_ABOVE + 2 * slack + slope.above) + LEAST
        near = np.where(given.seen[:, :N], above, 0.0)
        together = np.abs(mean @ keys) + (near + mean * N * UNIT) @ size
        error = ds.error @ size + row * together
        whole = ds.size + ds.error + shared
        terms = given.seen[:, :N].sum(axis=1, keepdims=True)
        return _Sum(whole @ size * self.sigma, error * self.sigma, terms)

    def bound(self, table: _Sum, name: str) -> Array:
        """Return the bound of a table of sums, step 5."""
        a, target = self.arithmetic, self.target
        scaled = name.startswith(("dq", "dK"))
        count = table.terms + self.order + (SCALE_ROUNDINGS if scaled else 0)
        rho = roundings(count, a.u)
        if target.sums != target.arithmetic:
            blocks = self._blocks(name, table.terms)
            narrow = roundings(blocks, float(target.sums.unit_roundoff))
            rho = rho + narrow + rho * narrow
            least = 2.0 ** (target.sums.min_exponent - target.sums.precision)
            rho_lost = 2 * blocks * least * max(1.0, self.sigma)
        else:
            rho_lost = np.zeros_like(count, dtype=np.float64)
        underflow = np.where(table.terms > 0, table.terms * self.lost(1) + rho_lost, 0.0)
        bound = (table.error + rho * table.size + underflow) * self.inflation
        return np.asarray(np.where(np.isnan(bound), inf, bound))

    def _blocks(self, name: str, terms: Array) -> Array:
        """How many sums are added up in the narrower format."""
        block, case = self.target.block, self.case
        if block is None or name == "dbias":
            return terms
        n_q, group = case.query.shape[2], case.query.shape[1] // case.keys[0].shape[1]
        tiles = [-(-n // B) for n, B in zip(self.lengths, block, strict=True)]
        if name == "dq":
            return np.asarray(np.minimum(terms, prod(tiles)))
        if name == "dsink":
            return np.asarray(np.minimum(terms, -(-n_q // block[0]) * len(case.query)))
        r = int(name.partition("_")[2] or 1) - 1
        others = prod(tile for s, tile in enumerate(tiles) if s != r)
        return np.asarray(np.minimum(terms, -(-n_q // block[0]) * group * others))


def _columns(pair: Pair, rows: Array, arrays: list[Array], seen: Array, r: int) -> _Sum:
    """Σ_b rows_bc Σ_{t: t_r = j} e_bt·Π_{s≠r} A_s[t_s, c] over all queries of a head."""
    lengths = tuple(len(A) for A in arrays)
    ones = [A if s != r else np.ones_like(A) for s, A in enumerate(arrays)]
    others = np.abs(_products(ones))
    axes = tuple(s for s in range(len(lengths)) if s != r)

    def summed(each: Array) -> Array:
        table = (each.T @ rows) * others
        return np.asarray(table.reshape(*lengths, -1).sum(axis=axes))

    count = seen.sum(axis=0).reshape(lengths).sum(axis=axes)[:, None]
    return _Sum(summed(pair.size + pair.error), summed(pair.error), count)


def _of_terms(dz: Pair, seen: Array, N: int) -> tuple[_Sum, _Sum]:
    """The gradients of the logits, and their sum at the sink, if there is one, over all queries."""
    whole, counts = dz.size + dz.error, seen.astype(np.int64)
    logits = _Sum(*(A[:, :N] for A in (whole, dz.error, counts)))
    return logits, _Sum(*(A[:, N:].sum(axis=0) for A in (whole, dz.error, counts)))


def _products(arrays: list[Array]) -> Array:
    """Rows of the Khatri-Rao product, the last slot fastest."""
    rows = arrays[0]
    for A in arrays[1:]:
        rows = (rows[:, None] * A).reshape(-1, A.shape[1])
    return rows


def _finite(pair: Pair, seen: Array) -> Pair:
    """The pair with inf for what is no number, and zero for what is not seen."""
    return Pair(*(np.where(seen, np.where(np.isnan(each), inf, each), 0.0) for each in pair))
