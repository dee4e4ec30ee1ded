"""Backward passes with sinks, caps, biases and cotangents of log-sum-exps, in NumPy, right ones.

What is here is as in ``backward.py``; gradients of bias and sink follow those of the values.
"""

import numpy as np

from kernels.backward import grouped, turned
from kernels.joined import kept_tuples

ACCUMULATE = np.float32
STORED = None
ADDED = None
BLOCK = 4


def rounded(array, dtype):
    """Once through a format, if there is one."""
    return array if dtype is None else array.astype(dtype).astype(ACCUMULATE)


def prepare(q, K, V, cotangent, output, logsumexp):
    """All in the format of the arithmetic; heads of keys and values repeated for groups."""
    group = q.shape[1] // K.shape[1]
    K, V = (np.repeat(A, group, axis=1) for A in (K, V))
    lse = logsumexp.astype(ACCUMULATE)
    lse = np.where(lse == -np.inf, ACCUMULATE(0), lse)
    return *(A.astype(ACCUMULATE) for A in (q, K, V, cotangent, output)), lse


def biases(bias, mask, n_q, n):
    """The bias as (h or 1, n_q, n): an array, or slopes times minus a distance."""
    if bias is None:
        return ACCUMULATE(0)
    if bias.ndim > 1:
        return bias.astype(ACCUMULATE)
    first = 0 if isinstance(mask, str) and mask == "causal-top-left" else n - n_q
    distance = np.abs(np.arange(n_q)[:, None] + first - np.arange(n)).astype(ACCUMULATE)
    return -bias[:, None, None].astype(ACCUMULATE) * distance


def column(sink):
    """A sink for every query, shape (h, 1); minus infinity without one."""
    return np.array([[-np.inf]]) if sink is None else sink.astype(ACCUMULATE)[:, None]


def of_bias(dz, bias):
    """The gradient of a bias: the sum over the batch, and over heads that it is the same for."""
    dz = dz.sum(axis=0)
    return dz.sum(axis=0, keepdims=True) if len(bias) == 1 else dz


def capped(s, softcap):
    """Logits under a cap, and its slope."""
    if softcap is None:
        return s, ACCUMULATE(1)
    t = np.tanh(s / ACCUMULATE(softcap))
    return ACCUMULATE(softcap) * t, 1 - t * t


def returned(dtype, dq, dK, dV, heads, dbias, dsink):
    """All gradients in the format of the inputs, those of a sink in that of the arithmetic."""
    found = [dq.astype(dtype), *(grouped(A, heads).astype(dtype) for A in (dK, dV))]
    found += [] if dbias is None else [dbias.astype(dtype)]
    return (*found, *([] if dsink is None else [dsink.astype(ACCUMULATE)]))


def from_logsumexp(q, K, V, cotangent, *, scale, mask, output, logsumexp,
                   sink=None, softcap=None, bias=None, logsumexp_cotangent=None):  # fmt: skip
    """All weights at once, from the log-sum-exp; D from the output."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    n_q, n = q.shape[2], K.shape[2]
    kept = kept_tuples(mask, n_q, (n,))
    q, K, V, G, out, lse = prepare(q, K, V, cotangent, output, logsumexp)
    scale = ACCUMULATE(scale)
    logits, slope = capped((q @ turned(K)) * scale, softcap)
    logits = logits + biases(bias, mask, n_q, n)
    p = np.where(kept, np.exp(logits - lse[..., None]), ACCUMULATE(0))
    D = (G * out).sum(axis=-1)
    if logsumexp_cotangent is not None:
        D = D - logsumexp_cotangent
    dz = p * (G @ turned(V) - D[..., None])
    ds = rounded(dz * slope, STORED)
    dsink = None if sink is None else -(np.exp(column(sink) - lse) * D).sum(axis=(0, 2))
    dbias = None if bias is None or bias.ndim == 1 else of_bias(rounded(dz, STORED), bias)
    dq, dK = (ds @ K) * scale, (turned(ds) @ q) * scale
    return returned(dtype, dq, dK, turned(rounded(p, STORED)) @ G, heads, dbias, dsink)


def softmax(q, K, V, cotangent, *, scale, mask, output, logsumexp,
            sink=None, softcap=None, bias=None, logsumexp_cotangent=None):  # fmt: skip
    """A softmax of its own over tokens and sink; the slope of tanh as (1 - t)(1 + t)."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    n_q, n = q.shape[2], K.shape[2]
    kept = kept_tuples(mask, n_q, (n,))
    q, K, V, G, _, _ = prepare(q, K, V, cotangent, output, logsumexp)
    q = q * ACCUMULATE(scale)
    logits, slope = q @ turned(K), ACCUMULATE(1)
    if softcap is not None:
        t = np.tanh(logits * (1 / ACCUMULATE(softcap)))
        logits, slope = t * ACCUMULATE(softcap), (1 - t) * (1 + t)
    logits = np.where(kept, logits + biases(bias, mask, n_q, n), -np.inf).astype(ACCUMULATE)
    top = np.maximum(logits.max(axis=-1), column(sink))
    top = np.where(top == -np.inf, ACCUMULATE(0), top).astype(ACCUMULATE)
    weights, of_sink = np.exp(logits - top[..., None]), np.exp(column(sink) - top)
    total = (weights.sum(axis=-1) + of_sink).astype(ACCUMULATE)
    total = np.where(total == 0, ACCUMULATE(1), total)
    p, p_sink = weights / total[..., None], (of_sink / total).astype(ACCUMULATE)
    dP = G @ turned(V)
    D = (p * dP).sum(axis=-1)
    g = 0 * D if logsumexp_cotangent is None else logsumexp_cotangent
    dz = p * dP - p * D[..., None] + p * g[..., None]
    ds = slope * dz
    dsink = None if sink is None else (p_sink * g - p_sink * D).sum(axis=2).sum(axis=0)
    dbias = None if bias is None or bias.ndim == 1 else of_bias(dz, bias)
    return returned(
        dtype, ds @ K * ACCUMULATE(scale), turned(ds) @ q, turned(p) @ G, heads, dbias, dsink
    )


def blocks(q, K, V, cotangent, *, scale, mask, output, logsumexp,
           sink=None, softcap=None, bias=None, logsumexp_cotangent=None):  # fmt: skip
    """Blocks of tokens and of queries; powers of two; slopes of exponentials."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    n_q, n = q.shape[2], K.shape[2]
    kept, added = kept_tuples(mask, n_q, (n,)), biases(bias, mask, n_q, n)
    added = np.broadcast_to(added, (*q.shape[1:3], n))
    q, K, V, G, out, lse = prepare(q, K, V, cotangent, output, logsumexp)
    scale, log2_e = ACCUMULATE(scale), ACCUMULATE(1.4426950408889634)
    D = (G * out).sum(axis=-1) - (0 if logsumexp_cotangent is None else logsumexp_cotangent)
    dq, dK, dV = np.zeros_like(q), np.zeros_like(K), np.zeros_like(V)
    dbias = np.zeros((*q.shape[:3], n), ACCUMULATE)
    dsink = np.zeros(q.shape[1], ACCUMULATE)
    for start in range(0, n_q, BLOCK):
        i = slice(start, start + BLOCK)
        if sink is not None:
            of_sink = np.exp2((column(sink) - lse[:, :, i]) * log2_e)
            each = -(of_sink * D[:, :, i]).sum(axis=2).sum(axis=0)
            dsink = rounded(dsink + rounded(each, ADDED), ADDED)
        for first in range(0, n, BLOCK):
            j = slice(first, first + BLOCK)
            logits, slope = (q[:, :, i] @ turned(K[:, :, j])) * scale, ACCUMULATE(1)
            if softcap is not None:
                y = logits / ACCUMULATE(softcap)
                e = np.exp(-2 * np.abs(y))
                logits, slope = ACCUMULATE(softcap) * np.tanh(y), 4 * e / ((1 + e) * (1 + e))
            logits = (logits + added[:, i, j]) * log2_e
            p = np.exp2(logits - (lse[:, :, i] * log2_e)[..., None])
            p = np.where(kept[i, j], p, ACCUMULATE(0))
            dP = G[:, :, i] @ turned(V[:, :, j])
            dz = p * (dP - D[:, :, i, None])
            ds = (p * slope) * (dP - D[:, :, i, None])
            p, ds = rounded(p, STORED), rounded(ds, STORED)
            dbias[:, :, i, j] = rounded(dz, STORED)
            dV[:, :, j] = rounded(dV[:, :, j] + rounded(turned(p) @ G[:, :, i], ADDED), ADDED)
            dK[:, :, j] = rounded(dK[:, :, j] + rounded(turned(ds) @ q[:, :, i], ADDED), ADDED)
            dq[:, :, i] = rounded(dq[:, :, i] + rounded(ds @ K[:, :, j], ADDED), ADDED)
    of_terms = (
        None if bias is None or bias.ndim == 1 else of_bias(dbias, bias),
        None if sink is None else dsink,
    )
    return returned(dtype, dq * scale, dK * scale, dV, heads, *of_terms)
