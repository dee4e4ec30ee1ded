"""Backward passes that are right, in NumPy: what the wrong ones are small edits of.

Each computes in ``ACCUMULATE`` and returns gradients in the format of the inputs. Keys and values
are one slot, but for the last two functions.
"""

import numpy as np

from kernels.correct import kept_tuples

ACCUMULATE = np.float32
STORED = None  # the format of p and ds before they meet matrices
ADDED = None  # that of sums of blocks
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


def grouped(dK, heads):
    """The sum over the query heads that share keys."""
    b, h, n, d = dK.shape
    return dK.reshape(b, heads, h // heads, n, d).sum(axis=2)


def turned(A):
    """The last two axes exchanged."""
    return A.swapaxes(-1, -2)


def materialised(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """All weights at once, from the log-sum-exp; D from the output."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    kept = kept_tuples(mask, q.shape[2], (K.shape[2],))
    q, K, V, G, out, lse = prepare(q, K, V, cotangent, output, logsumexp)
    scale = ACCUMULATE(scale)
    logits = (q @ turned(K)) * scale
    p = np.where(kept, np.exp(logits - lse[..., None]), ACCUMULATE(0))
    D = (G * out).sum(axis=-1)
    dP = G @ turned(V)
    ds = p * (dP - D[..., None])
    p, ds = rounded(p, STORED), rounded(ds, STORED)
    dq = (ds @ K) * scale
    dK = grouped((turned(ds) @ q) * scale, heads)
    dV = grouped(turned(p) @ G, heads)
    return dq.astype(dtype), dK.astype(dtype), dV.astype(dtype)


def softmax(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """A softmax of its own, and its Jacobian: nothing of the forward pass is read."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    kept = kept_tuples(mask, q.shape[2], (K.shape[2],))
    q, K, V, G, _, _ = prepare(q, K, V, cotangent, output, logsumexp)
    scale = ACCUMULATE(scale)
    logits = np.where(kept, (q @ turned(K)) * scale, ACCUMULATE(-np.inf))
    top = logits.max(axis=-1, keepdims=True)
    weights = np.exp(logits - np.where(top == -np.inf, ACCUMULATE(0), top))
    total = weights.sum(axis=-1, keepdims=True)
    p = weights / np.where(total == 0, ACCUMULATE(1), total)
    dP = G @ turned(V)
    ds = p * dP - p * (p * dP).sum(axis=-1, keepdims=True)
    dq = (ds @ K) * scale
    dK = grouped(turned(ds) @ (q * scale), heads)
    dV = grouped(turned(p) @ G, heads)
    return dq.astype(dtype), dK.astype(dtype), dV.astype(dtype)


def blocks(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """Blocks of tokens, and for each the blocks of queries, as flash attention has it."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    n_q, n = q.shape[2], K.shape[2]
    kept = kept_tuples(mask, n_q, (n,))
    q, K, V, G, out, lse = prepare(q, K, V, cotangent, output, logsumexp)
    scale = ACCUMULATE(scale)
    D = (G * out).sum(axis=-1)
    dq, dK, dV = np.zeros_like(q), np.zeros_like(K), np.zeros_like(V)
    for first in range(0, n, BLOCK):
        j = slice(first, first + BLOCK)
        for start in range(0, n_q, BLOCK):
            i = slice(start, start + BLOCK)
            logits = (q[:, :, i] @ turned(K[:, :, j])) * scale
            p = np.exp(logits - lse[:, :, i, None])
            p = np.where(kept[i, j], p, ACCUMULATE(0))
            dP = G[:, :, i] @ turned(V[:, :, j])
            ds = p * (dP - D[:, :, i, None])
            p, ds = rounded(p, STORED), rounded(ds, STORED)
            dV[:, :, j] = rounded(dV[:, :, j] + rounded(turned(p) @ G[:, :, i], ADDED), ADDED)
            dK[:, :, j] = rounded(dK[:, :, j] + rounded(turned(ds) @ q[:, :, i], ADDED), ADDED)
            dq[:, :, i] = rounded(dq[:, :, i] + rounded(ds @ K[:, :, j], ADDED), ADDED)
    dq, dK, dV = dq * scale, grouped(dK * scale, heads), grouped(dV, heads)
    return dq.astype(dtype), dK.astype(dtype), dV.astype(dtype)


def atomics(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """Every tuple of a query and a token adds to the sums, in an order of chance."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    n_q, n = q.shape[2], K.shape[2]
    kept = kept_tuples(mask, n_q, (n,))
    q, K, V, G, out, lse = prepare(q, K, V, cotangent, output, logsumexp)
    q = q * ACCUMULATE(scale)
    D = (G * out).sum(axis=-1)
    dq, dK, dV = np.zeros_like(q), np.zeros_like(K), np.zeros_like(V)
    for tile in np.random.default_rng().permutation(n_q * n):
        i, j = divmod(int(tile), n)
        if not kept[i, j]:
            continue
        p = np.exp((q[:, :, i] * K[:, :, j]).sum(axis=-1) - lse[:, :, i])[..., None]
        dP = (G[:, :, i] * V[:, :, j]).sum(axis=-1)
        ds = p * (dP - D[:, :, i])[..., None]
        dq[:, :, i] += ds * K[:, :, j]
        dK[:, :, j] += ds * q[:, :, i]
        dV[:, :, j] += p * G[:, :, i]
    dq, dK, dV = dq * ACCUMULATE(scale), grouped(dK, heads), grouped(dV, heads)
    return dq.astype(dtype), dK.astype(dtype), dV.astype(dtype)


def base_two(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """Powers of two; the log-sum-exp that is given is natural. Each head is rounded before all."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    kept = kept_tuples(mask, q.shape[2], (K.shape[2],))
    q, K, V, G, out, lse = prepare(q, K, V, cotangent, output, logsumexp)
    log2_e = ACCUMULATE(1.4426950408889634)
    logits = (q @ turned(K)) * (ACCUMULATE(scale) * log2_e)
    p = np.where(kept, np.exp2(logits - (lse * log2_e)[..., None]), ACCUMULATE(0))
    D = (G * out).sum(axis=-1)
    dP = G @ turned(V)
    ds = p * (dP - D[..., None]) * ACCUMULATE(scale)
    p, ds = rounded(p, STORED), rounded(ds, STORED)
    dq = ds @ K
    dK = grouped(rounded(turned(ds) @ q, ADDED), heads)
    dV = grouped(rounded(turned(p) @ G, ADDED), heads)
    return dq.astype(dtype), dK.astype(dtype), dV.astype(dtype)


def given_in_base_two(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """The log-sum-exp that is given is a logarithm to the base 2."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    kept = kept_tuples(mask, q.shape[2], (K.shape[2],))
    q, K, V, G, out, lse = prepare(q, K, V, cotangent, output, logsumexp)
    logits = (q @ turned(K)) * (ACCUMULATE(scale) * ACCUMULATE(1.4426950408889634))
    p = np.where(kept, np.exp2(logits - lse[..., None]), ACCUMULATE(0))
    ds = p * (G @ turned(V) - (G * out).sum(axis=-1)[..., None])
    scale = ACCUMULATE(scale)
    dq = (ds @ K) * scale
    dK = grouped(turned(ds) @ q, heads) * scale
    dV = grouped(turned(p) @ G, heads)
    return dq.astype(dtype), dK.astype(dtype), dV.astype(dtype)


def rows(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """Query by query: outer products are added up."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    kept = kept_tuples(mask, q.shape[2], (K.shape[2],))
    q, K, V, G, out, lse = prepare(q, K, V, cotangent, output, logsumexp)
    q = q * ACCUMULATE(scale)
    dq, dK, dV = np.zeros_like(q), np.zeros_like(K), np.zeros_like(V)
    for i in range(q.shape[2]):
        logits = np.einsum("bhd,bhjd->bhj", q[:, :, i], K)
        p = np.where(kept[i], np.exp(logits - lse[:, :, i, None]), ACCUMULATE(0))
        x = np.einsum("bhjd,bhd->bhj", V - out[:, :, i, None], G[:, :, i])
        ds = p * x
        dq[:, :, i] = np.einsum("bhj,bhjd->bhd", ds, K) * ACCUMULATE(scale)
        dK += ds[..., None] * q[:, :, i, None]
        dV += p[..., None] * G[:, :, i, None]
    dK, dV = grouped(dK, heads), grouped(dV, heads)
    return dq.astype(dtype), dK.astype(dtype), dV.astype(dtype)


def two_slots(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """Order 2, all pairs multiplied out."""
    dtype, heads, lengths = q.dtype, K[0].shape[1], tuple(A.shape[2] for A in K)
    kept = kept_tuples(mask, q.shape[2], lengths)
    group = q.shape[1] // heads
    (K1, K2), (V1, V2) = (
        [np.repeat(A, group, axis=1).astype(ACCUMULATE) for A in slots] for slots in (K, V)
    )
    q, G, out, lse = (A.astype(ACCUMULATE) for A in (q, cotangent, output, logsumexp))
    lse = np.where(lse == -np.inf, ACCUMULATE(0), lse)
    keys = K1[:, :, :, None] * K2[:, :, None]
    values = V1[:, :, :, None] * V2[:, :, None]
    logits = np.einsum("bhid,bhjkd->bhijk", q, keys) * ACCUMULATE(scale)
    p = np.where(kept, np.exp(logits - lse[..., None, None]), ACCUMULATE(0))
    dP = np.einsum("bhic,bhjkc->bhijk", G, values)
    D = (G * out).sum(axis=-1)
    ds = p * (dP - D[..., None, None]) * ACCUMULATE(scale)
    dq = np.einsum("bhijk,bhjkd->bhid", ds, keys)
    dkeys = np.einsum("bhijk,bhid->bhjkd", ds, q)
    dvalues = np.einsum("bhijk,bhic->bhjkc", p, G)
    dK1, dK2 = (dkeys * K2[:, :, None]).sum(axis=3), (dkeys * K1[:, :, :, None]).sum(axis=2)
    dV1, dV2 = (dvalues * V2[:, :, None]).sum(axis=3), (dvalues * V1[:, :, :, None]).sum(axis=2)
    dK, dV = ([grouped(A, heads).astype(dtype) for A in two] for two in ((dK1, dK2), (dV1, dV2)))
    return dq.astype(dtype), dK, dV


def two_slots_factored(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """Order 2, one slot after the other; D from the weights."""
    dtype, heads, lengths = q.dtype, K[0].shape[1], tuple(A.shape[2] for A in K)
    kept = kept_tuples(mask, q.shape[2], lengths)
    group = q.shape[1] // heads
    (K1, K2), (V1, V2) = (
        [np.repeat(A, group, axis=1).astype(ACCUMULATE) for A in slots] for slots in (K, V)
    )
    q, G, lse = (A.astype(ACCUMULATE) for A in (q, cotangent, logsumexp))
    lse = np.where(lse == -np.inf, ACCUMULATE(0), lse)
    q = q * ACCUMULATE(scale)
    logits = (q[:, :, :, None] * K1[:, :, None]) @ turned(K2[:, :, None])
    p = np.where(kept, np.exp(logits - lse[..., None, None]), ACCUMULATE(0))
    dP = (G[:, :, :, None] * V1[:, :, None]) @ turned(V2[:, :, None])
    D = (p * dP).sum(axis=(-1, -2), keepdims=True)
    ds = p * (dP - D)
    left, right = ds @ K2[:, :, None], turned(ds) @ K1[:, :, None]
    dq = (left * K1[:, :, None]).sum(axis=3) * ACCUMULATE(scale)
    dK1, dK2 = (left * q[:, :, :, None]).sum(axis=2), (right * q[:, :, :, None]).sum(axis=2)
    left, right = p @ V2[:, :, None], turned(p) @ V1[:, :, None]
    dV1, dV2 = (left * G[:, :, :, None]).sum(axis=2), (right * G[:, :, :, None]).sum(axis=2)
    dK, dV = ([grouped(A, heads).astype(dtype) for A in two] for two in ((dK1, dK2), (dV1, dV2)))
    return dq.astype(dtype), dK, dV
