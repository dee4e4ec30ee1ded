"""Gradients of tensor attention (D6 `gradients`), to be read beside the definition.

With k_t = Π_r K_r[j_r] and v_t = Π_r V_r[j_r] for a tuple t = (j_1, …, j_m), and cotangents G_b of
the output and g_b of the log-sum-exp of query b:

    z_bt       = cap(s_bt) + bias_bt                          where s_bt = σ Σ_c q_bc·k_tc
    D_b        = Σ_c G_bc·out_bc
    dz_bt      = p_bt·(Σ_c G_bc·v_tc - D_b + g_b)             what a bias gets
    ds_bt      = dz_bt·cap'(s_bt)
    dq_bc      = σ Σ_t ds_bt·k_tc
    dK_r[j, c] = σ Σ_b q_bc Σ_{t: t_r = j} ds_bt·Π_{s≠r} K_s[t_s, c]
    dV_r[j, c] = Σ_b G_bc Σ_{t: t_r = j} p_bt·Π_{s≠r} V_s[t_s, c]

A sink is one more logit with value zero, so it gets p_b0·(g_b - D_b). A row without a tuple
contributes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import ceil, log2, prod
from typing import Any

import mpmath
import numpy as np

from kvfloor.attention.definition import as_mpf, capped
from kvfloor.attention.gradients.cotangents import Gradients, Parts, Pullback, as_pullbacks
from kvfloor.attention.terms import Terms
from kvfloor.numbers import Array, Vector, as_count, mpmath_precision, rationals

__all__ = ["tensor_attention_gradients"]


def tensor_attention_gradients(
    query: Any,
    keys: Any,
    values: Any,
    cotangent: Any,
    *,
    logsumexp_cotangent: Any = None,
    scale: Any = 1,
    mask: Any = None,
    bias: Any = None,
    sink: Any = None,
    softcap: Any = None,
    digits: int = 50,
) -> Gradients:
    """Gradients of ``Σ_b (Σ_c G_bc·out_bc + g_b·lse_b)``, tuple by tuple.

    Every input is taken exactly: a float is the rational it denotes.

    Parameters
    ----------
    query, keys, values, scale, mask, bias, sink, softcap
        As for `tensor_attention_rounded`: a query of shape (d,), several, or heads.
    cotangent : array, shape (..., d_v)
        G, in the shape of the output.
    logsumexp_cotangent : array, shape (...), optional
        g, in the shape of the log-sum-exp; zeros without it.
    digits : int
        ``|error| <= 10**-digits`` times the sum that defines a number, with every term
        replaced by its absolute value (p·(Σ_c abs(G·v) + Σ_t p·Σ_c abs(G·v) + abs(g)) for dz).

    Returns
    -------
    Gradients
        Of mpf: ``query``, ``keys``, ``values``, and ``bias`` and ``sink`` where there are any, each
        in the shape of what was given.

    Raises
    ------
    InputError
        For a wrong shape, an entry that is not finite, order 0 or no tokens.

    Notes
    -----
    D6 `gradients`.

    Examples
    --------
    >>> import kvfloor
    >>> found = kvfloor.tensor_attention_gradients([0], [[[1], [3]]], [[[2], [4]]], [1])
    >>> float(found.query[0]), found.values[0].astype(float).tolist()
    (0.5, [[0.5], [0.5]])
    """
    given = Terms(bias, sink, softcap)
    pullbacks, shapes = as_pullbacks(
        query, keys, values, cotangent, logsumexp_cotangent, scale, mask, given
    )
    digits = as_count(digits, "digits", 1)
    bits = max(_working_bits(pullback, digits) for pullback in pullbacks)
    with mpmath_precision(bits + len(pullbacks).bit_length()):
        return shapes.joined([_gradients(pullback) for pullback in pullbacks])


def _gradients(pullback: Pullback) -> Parts:
    problem = pullback.problem
    sigma = problem.scale
    Q, G = rationals(problem.queries), rationals(pullback.output)
    K, V = ([rationals(A) for A in arrays] for arrays in (problem.keys, problem.values))
    tuples = list(product(*(range(len(K_r)) for K_r in K)))

    scale = as_mpf(sigma.factor) * mpmath.sqrt(sigma.root)
    dQ, dZ, dsink = _zeros(Q), _zeros([tuples] * len(Q)), _zeros(Q)[:, 0]
    dK, dV = [_zeros(K_r) for K_r in K], [_zeros(V_r) for V_r in V]
    for b in problem.answered():
        q, g = Q[b], as_mpf(Fraction(pullback.logsumexp[b]))
        row = problem.row(b)
        kept = [i for i, t in enumerate(tuples) if row.mask is None or row.mask[t]]
        k, v = ([_product(A, t) for t in tuples] for A in (K, V))
        s = [scale * as_mpf(_dot(q, k_t)) for k_t in k]
        Gv = [as_mpf(_dot(G[b], v_t)) for v_t in v]
        p, p_sink = _weights(s, kept, tuples, row.terms)
        D = mpmath.fsum(p[t] * Gv[t] for t in kept)

        dsink[b] = p_sink * (g - D)
        for i in kept:
            dZ[b, i] = p[i] * (Gv[i] - D + g)
            ds = dZ[b, i] * _slope(s[i], row.terms.softcap)
            dQ[b] += [scale * ds * as_mpf(x) for x in k[i]]
            for r, j in enumerate(tuples[i]):
                others = _product(K, tuples[i], without=r)
                dK[r][j] += [scale * ds * as_mpf(x * y) for x, y in zip(q, others, strict=True)]
                others = _product(V, tuples[i], without=r)
                dV[r][j] += [p[i] * as_mpf(x * y) for x, y in zip(G[b], others, strict=True)]
    logits = dZ.reshape(len(Q), *map(len, K))
    return Parts(dQ, dK, dV, logits, None if problem.terms.sink is None else dsink)


def _weights(
    s: Sequence[mpmath.mpf], kept: list[int], tuples: list[tuple[int, ...]], terms: Terms
) -> tuple[dict[int, mpmath.mpf], mpmath.mpf]:
    """The weights p_t of the tuples kept, and that of the sink (0 without one)."""
    z = {i: capped(s[i], terms.softcap) for i in kept}
    if terms.bias is not None:
        z = {i: z_i + as_mpf(Fraction(terms.bias[tuples[i]])) for i, z_i in z.items()}
    sinks = [] if terms.sink is None else [as_mpf(Fraction(terms.sink))]
    top = max([*z.values(), *sinks])
    e = {i: mpmath.exp(z_i - top) for i, z_i in z.items()}
    e_sink = mpmath.fsum(mpmath.exp(z_0 - top) for z_0 in sinks)
    total = mpmath.fsum([*e.values(), e_sink])
    return {i: e_i / total for i, e_i in e.items()}, e_sink / total


def _slope(s: mpmath.mpf, c: Fraction | None) -> mpmath.mpf:
    """cap'(s) = 1 - tanh²(s/c) = sech²(s/c), 1 for no soft cap."""
    return mpmath.mpf(1) if c is None else mpmath.sech(s / as_mpf(c)) ** 2


def _product(matrices: Sequence[Any], t: Sequence[int], without: int | None = None) -> list[Any]:
    """Π_r A_r[t_r], maybe without one slot."""
    rows = [A[j] for r, (A, j) in enumerate(zip(matrices, t, strict=True)) if r != without]
    width = len(matrices[0][0])
    return [prod((row[c] for row in rows), start=Fraction(1)) for c in range(width)]


def _dot(x: Vector, y: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def _zeros(like: Any) -> Array:
    """An array of mpf with the rows and columns of a matrix."""
    return np.full((len(like), len(like[0])), mpmath.mpf(0), dtype=object)


def _working_bits(pullback: Pullback, digits: int) -> int:
    """Bits at which the promise of `tensor_attention_gradients` holds.

    A logit s is rounded by |s|·2**-bits, which exp, and with a soft cap the slope, turn into a
    relative error, so the largest |s| costs its own bits; a sum over tuples and queries costs at
    most log2 of their number. Twenty-four more cover the constant number of roundings.
    """
    problem = pullback.problem
    query: Any = [max(map(Fraction, column)) for column in abs(problem.queries).T.tolist()]
    rows = [[max(map(Fraction, column)) for column in abs(K_r).T.tolist()] for K_r in problem.keys]
    largest = sum((prod(column) for column in zip(query, *rows, strict=True)), Fraction(0))
    largest *= problem.scale.factor * problem.scale.root
    if problem.terms.softcap is not None:
        largest += 2 * largest / problem.terms.softcap
    for added in (problem.terms.bias, problem.terms.sink):
        largest += 0 if added is None else max(map(Fraction, abs(np.ravel(added)).tolist()))
    terms = len(problem.queries) * prod(map(len, problem.keys))
    return ceil(digits * log2(10)) + ceil(largest).bit_length() + terms.bit_length() + 24
