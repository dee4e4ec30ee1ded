"""What bounds are made of: keys, values and queries of a head, in float64, and their weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from kvfloor.attention import Mask, exp_above
from kvfloor.conformance.case import Case
from kvfloor.conformance.target import Target
from kvfloor.conformance.terms import Joined
from kvfloor.numbers import Array

__all__ = [
    "UNIT",
    "Chunk",
    "Rows",
    "Set",
    "Weights",
    "chunks",
    "read_plain",
    "read_set",
    "read_weights",
    "with_terms",
]

Rows: TypeAlias = npt.NDArray[np.intp]

UNIT = 2.0**-52  # of the float64 that bounds are computed in, twice over
LEAST = 2.0**-1000
TANH_ABOVE = 2.0**-39
MOST_NUMBERS = 2**20  # of values, a copy for each of the queries that are computed at once


class Set(NamedTuple):
    """A set of keys and values, and queries over it, in float64.

    Attributes
    ----------
    logits, reach : ndarray, shape (n_q, N)
        s_t, and bounds on σ Σ_c |q_c Π_r K_r[j_r, c]|.
    values, sizes : ndarray, shape (N, d_v)
        Π_r V_r[j_r, c], and their absolute values.
    sums : ndarray, shape (d_v,)
        Those absolute values, added up.
    largest : float
        A bound, at least 1, on products of values.
    unit : float
        Relative error of what is above, for its reach or its size.
    capped : ndarray, shape (n_q, N)
        Bounds on what a soft cap leaves of logits; zeros without one.
    slack : float
        What else the logits are off by here.
    """

    logits: Array
    reach: Array
    values: Array
    sizes: Array
    sums: Array
    largest: float
    unit: float
    capped: Array
    slack: float


class Chunk(NamedTuple):
    """Some queries of one head.

    Attributes
    ----------
    head : tuple of int
        The element of the batch, and the head of the query.
    part : Set
    rows : ndarray of int, shape (R,)
        Which queries, each with at least one tuple.
    seen : ndarray of bool, shape (n_q, N), or None
        The tuples that all queries see, and the sink; None for all.
    """

    head: tuple[int, int]
    part: Set
    rows: Rows
    seen: Mask | None

    def of(self, rows: Rows) -> Mask | None:
        """The tuples that some queries see."""
        return None if self.seen is None else self.seen[rows]


class Weights(NamedTuple):
    """Weights of R queries; all arrays of shape (R, N).

    Attributes
    ----------
    seen : ndarray of bool
    slack : ndarray
        What the logits and the log-sum-exp may be off by here.
    logarithms, p : ndarray
        Bounds on ln p_t and on p_t; those are at most 2·slack, and 2⁻⁴⁰, below.
    """

    seen: Mask
    slack: Array
    logarithms: Array
    p: Array


def chunks(target: Target, case: Case, empty: Mask) -> Iterator[Chunk]:
    """Read head by head, and some queries at a time.

    Parameters
    ----------
    target : Target
    case : Case
    empty : ndarray of bool, shape (b, h, n_q)
        Rows without a tuple, which are left out.
    """
    kept = case.kept
    for i, j in np.ndindex(*empty.shape[:2]):
        part = read_set(target, case, i, j)
        most = max(1, MOST_NUMBERS // part.values.size)
        answered = np.flatnonzero(~empty[i, j])
        seen = None
        if kept is not None:
            seen = kept[i % len(kept), j % kept.shape[1]].reshape(kept.shape[2], -1)
            if case.terms.sink is not None:
                every = np.ones((len(seen), 1), dtype=np.bool_)
                seen = np.concatenate([seen, every], axis=1)
        for k in range(0, len(answered), most):
            yield Chunk((i, j), part, answered[k : k + most], seen)


def read_set(target: Target, case: Case, i: int, j: int) -> Set:
    """Read one element of the batch, and one head of the query."""
    return with_terms(read_plain(target, case, i, j), case.terms, j)


def read_plain(target: Target, case: Case, i: int, j: int) -> Set:
    """Read the same without what joins the logits."""
    group = case.query.shape[1] // case.keys[0].shape[1]
    K = [K_r[i, j // group].astype(np.float64) for K_r in case.keys]
    V = [V_r[i, j // group].astype(np.float64) for V_r in case.values]
    q, m = case.query[i, j].astype(np.float64), target.order
    sigma = float(case.sigma.factor) * float(case.sigma.root) ** 0.5
    values = V[0]
    for V_r in V[1:]:
        values = (values[:, None] * V_r).reshape(-1, V_r.shape[1])
    sizes = np.abs(values)
    unit = (q.shape[1] + m + 10) * UNIT
    return Set(
        _products(q, K) * sigma,
        _products(np.abs(q), [np.abs(K_r) for K_r in K]) * (sigma * (1 + unit)) + LEAST,
        values,
        sizes,
        sizes.sum(axis=0),
        float(np.prod([max(1.0, np.abs(V_r).max()) for V_r in V])),
        unit,
        np.zeros((len(q), len(values))),
        0.0,
    )


def _products(q: Array, K: list[Array]) -> Array:
    """Σ_c q_c·Π_r K_r[j_r, c] of each query and tuple, without a product of all keys."""
    folded = q[:, None]
    for K_r in K[:-1]:
        folded = (folded[:, :, None] * K_r).reshape(len(q), -1, q.shape[1])
    return np.asarray((folded @ K[-1].T).reshape(len(q), -1))


def with_terms(part: Set, terms: Joined, j: int) -> Set:
    """The set with the terms of a head: a sink is one more tuple, of value zero.

    tanh x = 1 - 2/(e^2x + 1), with an exp that is at most 2⁻⁴⁰ above: off by less than 2⁻⁴⁰.
    """
    n_q = len(part.logits)
    if terms.softcap is not None:
        c = float(terms.softcap)
        size = np.minimum(np.abs(part.logits) / c, 32.0)
        with np.errstate(under="ignore"):
            caps = c * (1 - 2 / (exp_above(2 * size) + 1))
        capped = np.minimum(part.reach, c)
        logits = np.copysign(caps, part.logits)
        part = part._replace(logits=logits, capped=capped, slack=c * TANH_ABOVE)
    if terms.bias is not None:
        bias = terms.bias[j % len(terms.bias)].reshape(n_q, -1).astype(np.float64)
        bias = np.where(np.isneginf(bias), 0.0, bias)  # which is not seen
        part = part._replace(logits=part.logits + bias, reach=part.reach + np.abs(bias))
    if terms.sink is not None:
        s = float(terms.sink[j])
        part = part._replace(
            logits=_with_column(part.logits, s),
            reach=_with_column(part.reach, abs(s)),
            capped=_with_column(part.capped, 0.0),
            values=_with_row(part.values),
            sizes=_with_row(part.sizes),
        )
    return part


def _with_column(array: Array, x: float) -> Array:
    return np.concatenate([array, np.full((len(array), 1), x)], axis=1)


def _with_row(array: Array) -> Array:
    return np.concatenate([array, np.zeros((1, array.shape[1]))])


def read_weights(part: Set, rows: Rows, kept: Array | None, lse: Array) -> Weights:
    """Return the weights of R queries, by their log-sum-exps; see `bound_rows`."""
    s, S = part.logits[rows], part.reach[rows]
    seen = np.ones(s.shape, dtype=np.bool_) if kept is None else kept
    slack = part.slack + part.unit * S + 4 * UNIT * (np.abs(lse) + LEAST)[:, None]
    logarithms = np.minimum(s + slack - lse[:, None], 0.0)
    with np.errstate(all="ignore"):
        return Weights(seen, slack, logarithms, np.where(seen, exp_above(logarithms), 0.0))
