"""Tensor attention, read from the paper (D1 `tensor-attention`).

Two readings of one definition, over tuples and over matrices; neither is optimised. Logits and
products of values are exact rationals here, so that mpmath rounds only the scale, the exponentials
and the sums over tuples.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import ceil, log2, prod
from typing import Any, NamedTuple

import mpmath
import numpy as np
import numpy.typing as npt

from kvfloor.attention.inputs import Scale, as_row
from kvfloor.attention.terms import Terms
from kvfloor.errors import InputError
from kvfloor.numbers import Matrix, as_count, as_matrix, mpmath_precision, rationals

__all__ = [
    "Attention",
    "as_mpf",
    "capped",
    "khatri_rao",
    "tensor_attention",
    "tensor_attention_khatri_rao",
]


class Attention(NamedTuple):
    """What attention returns.

    Attributes
    ----------
    output : ndarray of mpf, shape (d_v,)
    logsumexp : mpf
        In nats.
    """

    output: npt.NDArray[np.object_]
    logsumexp: mpmath.mpf


def tensor_attention(
    query: Any,
    keys: Any,
    values: Any,
    *,
    scale: Any = 1,
    mask: Any = None,
    bias: Any = None,
    sink: Any = None,
    softcap: Any = None,
    digits: int = 50,
) -> Attention:
    """Tensor attention of any order m, tuple by tuple.

    Every input is taken exactly: a float is the rational it denotes.

    Parameters
    ----------
    query : array, shape (d,)
    keys : sequence of m arrays, ``keys[r]`` of shape (n_r, d)
    values : sequence of m arrays, ``values[r]`` of shape (n_r, d_v)
    scale : positive rational or "1/sqrt(d)"
        The σ that multiplies every logit.
    mask : boolean array, shape (n_1, ..., n_m), optional
        True keeps the tuple. `causal_mask` and `window_mask` make the usual ones.
    bias : array that broadcasts to (n_1, ..., n_m), optional
        Added to the logits; -inf drops the tuple.
    sink : number, optional
        One more logit, with value zero; the log-sum-exp counts it.
    softcap : positive rational, optional
        c: a logit s becomes c·tanh(s/c), before the bias is added.
    digits : int
        ``|error| <= 10**-digits * Σ_t p_t·|Π_r V_r[j_r, c]|`` for each output, and
        ``10**-digits * max(1, |logsumexp|)`` for the log-sum-exp.

    Returns
    -------
    Attention
        ``output`` of shape (d_v,) and ``logsumexp`` (nats).

    Raises
    ------
    InputError
        For a wrong shape, an entry that is not finite, order 0, no tokens, or a mask that leaves
        no tuple where there is no sink.

    Notes
    -----
    D1 `tensor-attention`; AS23, TMT. m = 1 is standard attention.

    Examples
    --------
    >>> import kvfloor
    >>> result = kvfloor.tensor_attention([0, 0], [[[1, 2], [3, 4]]], [[[1], [2]]])
    >>> float(result.output[0])
    1.5
    """
    given = Terms(bias, sink, softcap)
    q, K, V, sigma, kept, terms = as_row(query, keys, values, scale, mask, given, rationals)
    digits = as_count(digits, "digits", 1)
    d, d_v, m = len(q), len(V[0][0]), len(K)

    tuples = [t for t in product(*(range(len(K_r)) for K_r in K)) if kept is None or kept[t]]
    unscaled = [
        sum((q[c] * prod(K[r][t[r]][c] for r in range(m)) for c in range(d)), Fraction(0))
        for t in tuples
    ]
    biases = [Fraction(0 if terms.bias is None else terms.bias[t]) for t in tuples]
    with mpmath_precision(_working_bits(digits, unscaled, biases, terms, sigma)):
        s = [
            capped(_sigma(sigma) * as_mpf(x), terms.softcap) + as_mpf(b)
            for x, b in zip(unscaled, biases, strict=True)
        ]
        sinks = _sinks(terms)
        top = max(s + sinks)
        e = [mpmath.exp(s_t - top) for s_t in s]
        total = mpmath.fsum(e + [mpmath.exp(s_0 - top) for s_0 in sinks])
        p = [e_t / total for e_t in e]
        output = [
            mpmath.fsum(
                p_t * as_mpf(prod((V[r][t[r]][c] for r in range(m)), start=Fraction(1)))
                for p_t, t in zip(p, tuples, strict=True)
            )
            for c in range(d_v)
        ]
        return Attention(np.array(output, dtype=object), top + mpmath.log(total))


def tensor_attention_khatri_rao(
    query: Any,
    keys: Any,
    values: Any,
    *,
    scale: Any = 1,
    mask: Any = None,
    bias: Any = None,
    sink: Any = None,
    softcap: Any = None,
    digits: int = 50,
) -> Attention:
    """The same in matrix form: softmax(σ (K_1 ⊘ … ⊘ K_m) q)ᵀ (V_1 ⊘ … ⊘ V_m).

    A second, independent reading of D1; parameters, result and errors are those of
    `tensor_attention`.
    """
    given = Terms(bias, sink, softcap)
    q, K, V, sigma, kept, terms = as_row(query, keys, values, scale, mask, given, rationals)
    digits = as_count(digits, "digits", 1)

    K_product, V_product = khatri_rao(*K), khatri_rao(*V)
    # C order: the last slot varies fastest, as in ⊘
    rows = range(len(K_product)) if kept is None else np.flatnonzero(kept).tolist()
    flat = np.zeros(len(K_product)) if terms.bias is None else np.ravel(terms.bias)
    biases = [Fraction(flat[row]) for row in rows]
    unscaled = [
        sum((a * b for a, b in zip(K_product[row], q, strict=True)), Fraction(0)) for row in rows
    ]
    with mpmath_precision(_working_bits(digits, unscaled, biases, terms, sigma)):
        inner = [capped(as_mpf(x) * _sigma(sigma), terms.softcap) for x in unscaled]
        logits = mpmath.matrix(inner + _sinks(terms))
        logits += mpmath.matrix([as_mpf(b) for b in biases] + [0] * (len(logits) - len(rows)))
        top = max(logits)
        weights = logits.apply(lambda s: mpmath.exp(s - top))
        total = mpmath.fsum(weights)
        products = mpmath.zeros(len(logits), len(V_product[0]))  # the value of a sink is zero
        for place, row in enumerate(rows):
            products[place, :] = mpmath.matrix([[as_mpf(x) for x in V_product[row]]])
        output = (weights / total).T * products
        return Attention(np.array(list(output), dtype=object), top + mpmath.log(total))


def khatri_rao(*matrices: Any) -> Matrix:
    """Column-wise Kronecker product A_1 ⊘ … ⊘ A_m: row (j_1, …, j_m) is Π_r A_r[j_r, ·].

    Parameters
    ----------
    *matrices : m >= 1 arrays, shapes (n_r, d)

    Returns
    -------
    tuple of tuples of Fraction, shape (n_1···n_m, d)
        The last index varies fastest.

    Raises
    ------
    InputError
        If there is no matrix, or they differ in their columns.
    """
    if not matrices:
        raise InputError("matrices", "at least one", "none")
    factors = [as_matrix(A, f"matrices[{r}]") for r, A in enumerate(matrices)]
    for r, A in enumerate(factors):
        if len(A[0]) != len(factors[0][0]):
            expected = f"{len(factors[0][0])} columns as in matrices[0]"
            raise InputError(f"matrices[{r}]", expected, str(len(A[0])))
    result: Sequence[Sequence[Fraction]] = factors[0]
    for A in factors[1:]:
        result = [[x * y for x, y in zip(row, a, strict=True)] for row in result for a in A]
    return tuple(tuple(row) for row in result)


def _working_bits(
    digits: int,
    unscaled: Sequence[Fraction],
    biases: Sequence[Fraction],
    terms: Terms,
    sigma: Scale,
) -> int:
    """Bits at which the errors promised by `tensor_attention` hold.

    A logit s is rounded by |s|·2**-bits and exp turns that into a relative error, so the largest
    |s| costs its own bits; a sum over tuples costs at most log2 of their number. Sixteen more
    cover the constant number of roundings.
    """
    added = [Fraction(0), *biases, *([] if terms.sink is None else [Fraction(terms.sink)])]
    largest = max((abs(x) for x in unscaled), default=0) * sigma.factor * sigma.root
    largest += max(map(abs, added))
    return ceil(digits * log2(10)) + ceil(largest).bit_length() + len(unscaled).bit_length() + 16


def capped(s: mpmath.mpf, c: Fraction | None) -> mpmath.mpf:
    """c·tanh(s/c), s for no soft cap."""
    return s if c is None else as_mpf(c) * mpmath.tanh(s / as_mpf(c))


def _sinks(terms: Terms) -> list[mpmath.mpf]:
    return [] if terms.sink is None else [as_mpf(Fraction(terms.sink))]


def as_mpf(x: Fraction) -> mpmath.mpf:
    """Return a rational, rounded at the working precision."""
    return mpmath.mpf(x.numerator) / x.denominator


def _sigma(sigma: Scale) -> mpmath.mpf:
    return as_mpf(sigma.factor) * mpmath.sqrt(sigma.root)
