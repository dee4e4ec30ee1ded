"""Gradients that are rational, with a proof, query by query (E5).

One query gives a gradient the share N/Z². With weights w_s = e^s for the distinct exponents s, m_s
of the tuples there, A_s their sum of Σ_c G_c·v_tc, and K_s and U_s their sums of k_t and
k_t·(Σ_c G_c·v_tc + g), where k_t is what the gradient multiplies ds_t by,

    N = (Σ U_s·w_s)·(Σ m_s·w_s) - (Σ K_s·w_s)·(Σ A_s·w_s),        Z = Σ m_s·w_s.

(For values there is no K, and U_s is the sum of what p_t is multiplied by.) So N/Z² = r just if for
every sum of two exponents the coefficients of N - r·Z² add up to zero: exponentials of different
algebraic numbers are linearly independent. It is enough that they do whatever the exponents are,
which is seen without pairs: a product of linear forms has its factors but for constants.

If every share is a rational, so is their sum, and that is a proof. Sums of shares that are not, and
yet cancel, are left to the residues; so is what is under a soft cap.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import product
from typing import NamedTuple

from flint import fmpq

from kvfloor.attention.gradients.cotangents import Pullback
from kvfloor.attention.gradients.factored import exact_rows, scores
from kvfloor.attention.gradients.residues import Key, exponents
from kvfloor.numbers import to_fmpq

__all__ = ["Exact", "Share", "rational_share"]

MOST_PAIRS = 2**18
SINK = -1
Column = list[fmpq]
Factors = dict[int, fmpq]  # by tuple, SINK for the sink


class Share(NamedTuple):
    """What one query gives one gradient, by distinct exponents, the largest first.

    Attributes
    ----------
    exponents : list of Key
    counts : list of int
        m_s.
    direct, factors, scores : list of fmpq
        U_s, K_s, A_s.
    """

    exponents: list[Key]
    counts: Column
    direct: Column
    factors: Column
    scores: Column


def rational_share(share: Share) -> fmpq | None:
    """Return the share if it is rational, None if it is not, or if that is not known."""
    U, m, K, A = share.direct, share.counts, share.factors, share.scores
    r = (U[0] * m[0] - K[0] * A[0]) / m[0] ** 2  # by the sum of the first exponent with itself
    rest = [u - r * count for u, count in zip(U, m, strict=True)]
    if _split(rest, m, K, A) or _split(rest, m, A, K):
        return r
    if len(m) ** 2 > MOST_PAIRS:
        return None
    sums: dict[Key, fmpq] = {}
    places = range(len(m))
    for i, j in product(places, places):
        first, second = share.exponents[i], share.exponents[j]
        key = first[0] + second[0], first[1] + second[1]
        sums[key] = sums.get(key, fmpq(0)) + rest[i] * m[j] - K[i] * A[j]
    return None if any(sums.values()) else r


def _split(rest: Column, m: Column, x: Column, y: Column) -> bool:
    """Whether rest·m = x·y as products of linear forms since y = λ·m and rest = λ·x."""
    ratio = y[0] / m[0]
    return all(b == ratio * count for b, count in zip(y, m, strict=True)) and all(
        u == ratio * a for u, a in zip(rest, x, strict=True)
    )


class Exact:
    """The gradients of one problem as sums of shares."""

    def __init__(self, pullback: Pullback) -> None:
        self.pullback = pullback
        problem = pullback.problem
        self.known = problem.terms.softcap is None
        self.lengths = tuple(map(len, problem.keys))
        self.tuples = list(product(*map(range, self.lengths)))

    def query(self, b: int, c: int) -> fmpq | None:
        """Return dq_bc, without the root of the scale, if it is known to be rational."""
        K = self._keys
        return self._share(b, {t: self._scale * _product(K, j, c) for t, j in self._each})

    def keys(self, r: int, j: int, c: int) -> fmpq | None:
        """Return dK_r[j, c], without the root of the scale, if it is known to be rational."""
        factors = self._slot(self._keys, r, j, c)
        return _total(
            self._share(b, {t: self._scale * q[c] * x for t, x in factors.items()})
            for b, q in enumerate(self._queries)
        )

    def values(self, r: int, j: int, c: int) -> fmpq | None:
        """Return dV_r[j, c] if it is known to be rational."""
        factors = self._slot(self._values, r, j, c)
        return _total(
            self._share(b, {t: G[c] * x for t, x in factors.items()}, direct=True)
            for b, G in enumerate(self._cotangents)
        )

    def logit(self, b: int, t: int) -> fmpq | None:
        """Return dz_bt, SINK for the sink, if it is known to be rational."""
        return self._share(b, {t: fmpq(1)})

    def _share(self, b: int, factors: Factors, *, direct: bool = False) -> fmpq | None:
        row = self._exponents[b]
        if not any(factors.get(t) for t in row):
            return fmpq(0)
        if not self.known:
            return None
        a, g = self._scores[b], self._logsumexps[b]
        zero = fmpq(0)
        groups: dict[Key, list[fmpq]] = {}
        for t, key in row.items():
            a_t, k_t = zero if t == SINK else a[t], factors.get(t, zero)
            found = groups.setdefault(key, [zero] * 4)
            added = [fmpq(1), k_t if direct else k_t * (a_t + g), zero if direct else k_t, a_t]
            groups[key] = [x + y for x, y in zip(found, added, strict=True)]
        order = sorted(groups, reverse=True)
        m, U, K, A = ([groups[key][i] for key in order] for i in range(4))
        return rational_share(Share(order, m, U, K, A))

    def _slot(self, matrices: list[list[Column]], r: int, j: int, c: int) -> Factors:
        return {t: _product(matrices, i, c, without=r) for t, i in self._each if i[r] == j}

    @cached_property
    def _each(self) -> list[tuple[int, tuple[int, ...]]]:
        return list(enumerate(self.tuples))

    @cached_property
    def _scale(self) -> fmpq:
        return to_fmpq(self.pullback.problem.scale.factor)

    @cached_property
    def _exponents(self) -> list[dict[int, Key]]:
        return exponents(self.pullback)

    @cached_property
    def _scores(self) -> list[Column]:
        return scores(self.pullback)

    @cached_property
    def _logsumexps(self) -> Column:
        return [g for (g,) in exact_rows(self.pullback.logsumexp)]

    @cached_property
    def _queries(self) -> list[Column]:
        return exact_rows(self.pullback.problem.queries)

    @cached_property
    def _cotangents(self) -> list[Column]:
        return exact_rows(self.pullback.output)

    @cached_property
    def _keys(self) -> list[list[Column]]:
        return list(map(exact_rows, self.pullback.problem.keys))

    @cached_property
    def _values(self) -> list[list[Column]]:
        return list(map(exact_rows, self.pullback.problem.values))


def _product(
    matrices: list[list[Column]], t: tuple[int, ...], c: int, without: int | None = None
) -> fmpq:
    found = fmpq(1)
    for r, (A, j) in enumerate(zip(matrices, t, strict=True)):
        if r != without:
            found *= A[j][c]
    return found


def _total(shares: Iterable[fmpq | None]) -> fmpq | None:
    """The sum of rational shares, None if one is not known to be rational."""
    total = fmpq(0)
    for share in shares:
        if share is None:
            return None
        total += share
    return total
