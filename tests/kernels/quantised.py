"""Attention over keys and values in few bits, in NumPy: what wrong ones are edits of."""

import numpy as np

from kernels import repeated

ACCUMULATE = np.float32
BLOCK = 4  # tokens that share a scale, where there is one for each block


def spread(each, codes):
    """Scales or zero points for every token, shape (b, h, n, 1) or one that broadcasts."""
    each = np.asarray(each).astype(ACCUMULATE)
    if each.ndim == 0:
        return each
    if each.ndim == 1:
        return each[:, None, None]
    n = codes.shape[2]
    block = 1 if each.shape[2] == n else BLOCK
    return np.repeat(each, block, axis=2)[:, :, :n, None]


def numbers(codes, scales, zeros):
    """What codes stand for."""
    wide = codes.astype(ACCUMULATE)
    if zeros is not None:
        wide = wide - spread(zeros, codes)
    return wide * spread(scales, codes)


def all_numbers(codes, scales, zeros):
    """The same of every slot."""
    zeros = (None,) * len(codes) if zeros is None else zeros
    return [numbers(A, s, z) for A, s, z in zip(codes, scales, zeros, strict=True)]


def attention(q, K, V, dtype, scale, mask):
    """Of numbers, in the format of the arithmetic."""
    repeated.ACCUMULATE = ACCUMULATE
    output, logsumexp = repeated.at_once(q.astype(ACCUMULATE), K, V, scale=scale, mask=mask)
    return output.astype(dtype), logsumexp


def numbers_first(
    q, K, V, *, scale, mask, key_scales, value_scales, key_zeros=None, value_zeros=None
):
    """Codes become numbers before anything else."""
    K = all_numbers(K, key_scales, key_zeros)
    V = all_numbers(V, value_scales, value_zeros)
    return attention(q, K, V, q.dtype, scale, mask)


def numbers_rounded(
    q, K, V, *, scale, mask, key_scales, value_scales, key_zeros=None, value_zeros=None
):
    """The same, rounded to the format of the query."""
    K = [A.astype(q.dtype) for A in all_numbers(K, key_scales, key_zeros)]
    V = [A.astype(q.dtype) for A in all_numbers(V, value_scales, value_zeros)]
    return attention(q, K, V, q.dtype, scale, mask)


def query_too(
    q, K, V, *, scale, mask, key_scales, value_scales, query_scales, key_zeros=None,
    value_zeros=None, query_zeros=None,
):  # fmt: skip
    """A query in few bits, too; the output is in the format of the arithmetic."""
    q = numbers(q, query_scales, query_zeros)
    K = all_numbers(K, key_scales, key_zeros)
    V = all_numbers(V, value_scales, value_zeros)
    return attention(q, K, V, ACCUMULATE, scale, mask)


def scaled_after(q, K, V, *, scale, mask, key_scales, value_scales):
    """Order 1: scales of keys meet the products, those of values the weights."""
    codes, values = (A[0].astype(ACCUMULATE) for A in (K, V))
    logits = q.astype(ACCUMULATE) @ codes.swapaxes(2, 3)
    logits = logits * np.swapaxes(spread(key_scales[0], K[0]), -1, -2) * ACCUMULATE(scale)
    if mask is not None:
        logits = np.where(mask, logits, -np.inf).astype(ACCUMULATE)
    top = logits.max(axis=-1)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp(logits - top[..., None])
    total = weights.sum(axis=-1)
    scaled = weights * np.swapaxes(spread(value_scales[0], V[0]), -1, -2)
    output, logsumexp = repeated.finish(scaled @ values, total, top)
    return output.astype(q.dtype), logsumexp.astype(ACCUMULATE)
