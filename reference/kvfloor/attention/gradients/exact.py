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

A share lies near U_s·m_s - K_s·A_s over m_s², s the largest exponent. What is left of it has the
exact coefficients of all other sums of exponents, so that on which side of a rational a gradient
lies is seen however near it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import product
from typing import NamedTuple

from flint import arb, fmpq

from kvfloor.attention.gradients.cotangents import Pullback
from kvfloor.attention.gradients.factored import exact_rows, scores
from kvfloor.attention.gradients.residues import Key, exponents
from kvfloor.numbers import arb_precision, to_fmpq

__all__ = ["SINK", "Exact", "Share", "above", "rational_sum"]

MOST_PAIRS = 2**18
SINK = -1
Column = list[fmpq]
Factors = dict[int, fmpq]  # by tuple, SINK for the sink


class Share(NamedTuple):
    """What one query gives one gradient, by distinct exponents, the largest first.

    Attributes
    ----------
    exponents : list of Key
    counts : list of fmpq
        m_s.
    direct, factors, scores : list of fmpq
        U_s, K_s, A_s.
    """

    exponents: list[Key]
    counts: Column
    direct: Column
    factors: Column
    scores: Column

    @property
    def limit(self) -> fmpq:
        """What the share is but for what the largest exponent outweighs."""
        U, m, K, A = self.direct[0], self.counts[0], self.factors[0], self.scores[0]
        return (U * m - K * A) / m**2

    def rest(self) -> dict[Key, fmpq] | None:
        """Coefficients of N - limit·Z² by sums of two exponents; None for too many pairs."""
        places = range(len(self.counts))
        if len(places) ** 2 > MOST_PAIRS:
            return None
        r, m, found = self.limit, self.counts, dict[Key, fmpq]()
        for i, j in product(places, places):
            first, second = self.exponents[i], self.exponents[j]
            key = first[0] + second[0], first[1] + second[1]
            added = (self.direct[i] - r * m[i]) * m[j] - self.factors[i] * self.scores[j]
            found[key] = found.get(key, fmpq(0)) + added
        return {key: x for key, x in found.items() if x != 0}

    def rational(self) -> fmpq | None:
        """Return the share if it is rational, None if it is not, or if that is not known."""
        r, m, K, A = self.limit, self.counts, self.factors, self.scores
        less = [u - r * count for u, count in zip(self.direct, m, strict=True)]
        if _split(less, m, K, A) or _split(less, m, A, K):
            return r
        return r if self.rest() == {} else None


def rational_sum(shares: Sequence[Share] | None) -> fmpq | None:
    """Return a sum of shares if all are known to be rational; None for unknown shares, too."""
    if shares is None:
        return None
    total = fmpq(0)
    for share in shares:
        rational = share.rational()
        if rational is None:
            return None
        total += rational
    return total


def above(shares: Sequence[Share], r: fmpq, root: int, bits: int) -> bool | None:
    """Whether a sum of shares exceeds a rational, None if ``bits`` do not tell.

    Parameters
    ----------
    shares : sequence of Share
    r : fmpq
    root : int
        Exponents (s, b) are s·√root + b.
    bits : int
        Of working precision.
    """
    exact, rest = -r, arb(0)
    with arb_precision(bits):
        for share in shares:
            coefficients = share.rest()
            if coefficients is None:
                return None
            exact += share.limit
            first = _times(share.exponents[0], -1)
            powers = (_power(first, key, root) for key in share.exponents)
            total = sum((e * x for e, x in zip(powers, share.counts, strict=True)), arb(0))
            twice = _times(first, 2)
            sums = (_power(twice, key, root) * x for key, x in coefficients.items())
            rest += sum(sums, arb(0)) / total**2
        difference = rest + exact
    return bool(difference > 0) if difference > 0 or difference < 0 else None


def _times(key: Key, factor: int) -> Key:
    return key[0] * factor, key[1] * factor


def _power(x: Key, y: Key, root: int) -> arb:
    """The exponential of a sum of exponents."""
    return ((x[0] + y[0]) * arb(root).sqrt() + (x[1] + y[1])).exp()


def _split(rest: Column, m: Column, x: Column, y: Column) -> bool:
    """Whether rest·m = x·y as products of linear forms since y = λ·m and rest = λ·x."""
    ratio = y[0] / m[0]
    return all(b == ratio * count for b, count in zip(y, m, strict=True)) and all(
        u == ratio * a for u, a in zip(rest, x, strict=True)
    )


class Exact:
    """The gradients of one problem as sums of shares, None where they are not known.

    Those of queries and keys are without the root of the scale.
    """

    def __init__(self, pullback: Pullback) -> None:
        self.pullback = pullback
        problem = pullback.problem
        self.known = problem.terms.softcap is None
        self.lengths = tuple(map(len, problem.keys))
        self.tuples = list(product(*map(range, self.lengths)))

    def query(self, b: int, c: int) -> list[Share] | None:
        """Return the shares of dq_bc."""
        K = self._keys
        return self._joined({b: {t: self._scale * _product(K, j, c) for t, j in self._each}})

    def keys(self, r: int, j: int, c: int) -> list[Share] | None:
        """Return the shares of dK_r[j, c]."""
        factors = self._slot(self._keys, r, j, c)
        return self._joined(
            {
                b: {t: self._scale * q[c] * x for t, x in factors.items()}
                for b, q in enumerate(self._queries)
            }
        )

    def values(self, r: int, j: int, c: int) -> list[Share] | None:
        """Return the shares of dV_r[j, c]."""
        factors = self._slot(self._values, r, j, c)
        return self._joined(
            {b: {t: G[c] * x for t, x in factors.items()} for b, G in enumerate(self._cotangents)},
            direct=True,
        )

    def logit(self, b: int, t: int) -> list[Share] | None:
        """Return the share of dz_bt, SINK for the sink."""
        return self._joined({b: {t: fmpq(1)}})

    def _joined(self, factors: dict[int, Factors], *, direct: bool = False) -> list[Share] | None:
        """The shares of the queries that give any, by what their tuples are multiplied by."""
        giving = [b for b, of in factors.items() if any(of.get(t) for t in self._exponents[b])]
        if giving and not self.known:
            return None
        return [self._share(b, factors[b], direct=direct) for b in giving]

    def _share(self, b: int, factors: Factors, *, direct: bool) -> Share:
        a, g, zero = self._scores[b], self._logsumexps[b], fmpq(0)
        groups: dict[Key, list[fmpq]] = {}
        for t, key in self._exponents[b].items():
            a_t, k_t = zero if t == SINK else a[t], factors.get(t, zero)
            found = groups.setdefault(key, [zero] * 4)
            added = [fmpq(1), k_t if direct else k_t * (a_t + g), zero if direct else k_t, a_t]
            groups[key] = [x + y for x, y in zip(found, added, strict=True)]
        order = sorted(groups, reverse=True)
        m, U, K, A = ([groups[key][i] for key in order] for i in range(4))
        return Share(order, m, U, K, A)

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
