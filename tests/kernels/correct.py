"""Implementations that are right, in NumPy: what the wrong ones are small edits of.

Each computes in ``ACCUMULATE`` and returns outputs in the format of the inputs.
"""

import numpy as np

ACCUMULATE = np.float32
BLOCK = 4


def reach(told, slot):
    """How far a window reaches in a slot."""
    told = told[slot] if isinstance(told, tuple) else told
    return 2**40 if told is None else told


def kept_tuples(mask, queries, lengths):
    """Booleans over queries and tuples; query i of a slot stands at i + n - queries, or at i."""
    if mask is None:
        return np.ones((queries, *lengths), bool)
    if not isinstance(mask, (str, tuple)):
        return mask
    left, right, top_left = (None, 0, mask != "causal") if isinstance(mask, str) else mask
    kept = np.ones((queries,) + (1,) * len(lengths), bool)
    for r, n in enumerate(lengths):
        i = np.arange(queries)[:, None] + (0 if top_left else n - queries)
        j = np.arange(n)
        inside = (j <= i + reach(right, r)) & (j >= i - reach(left, r))
        kept = kept & inside.reshape(queries, *(n if s == r else 1 for s in range(len(lengths))))
    return kept


def prepare(q, K, V):
    """Inputs in the format of the arithmetic; heads of keys and values repeated for groups."""
    group = q.shape[1] // K[0].shape[1]
    K, V = ([np.repeat(A, group, axis=1).astype(ACCUMULATE) for A in slots] for slots in (K, V))
    return q.astype(ACCUMULATE), K, V


def pair(slots):
    """The one or two slots as two, so that order 1 is order 2 with a slot of one token of ones."""
    first = slots[0]
    second = slots[1] if len(slots) == 2 else np.ones_like(first[:, :, :1])
    return first, second


def finish(output, total, top, dtype):
    """Outputs and log-sum-exps; zero and minus infinity where nothing is kept."""
    empty = total == 0
    total = np.where(empty, ACCUMULATE(1), total)
    logsumexp = np.where(empty, ACCUMULATE(-np.inf), top + np.log(total))
    return (output / total[..., None]).astype(dtype), logsumexp


def materialised(q, K, V, *, scale, mask):
    """All pairs of keys and of values, multiplied out."""
    dtype, lengths = q.dtype, tuple(A.shape[2] for A in K)
    kept = kept_tuples(mask, q.shape[2], lengths).reshape(q.shape[2], -1)
    q, K, V = prepare(q, K, V)
    K1, K2 = pair(K)
    V1, V2 = pair(V)
    keys = (K1[:, :, :, None] * K2[:, :, None]).reshape(*K1.shape[:2], -1, K1.shape[3])
    values = (V1[:, :, :, None] * V2[:, :, None]).reshape(*V1.shape[:2], -1, V1.shape[3])
    logits = (q @ keys.swapaxes(2, 3)) * ACCUMULATE(scale)
    logits = np.where(kept, logits, -np.inf).astype(ACCUMULATE)
    top = logits.max(axis=-1)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp(logits - top[..., None])
    total = weights.sum(axis=-1)
    output = weights @ values
    return finish(output, total, top, dtype)


def factored(q, K, V, *, scale, mask):
    """Never a product of two keys or two values, but of sums."""
    dtype, lengths = q.dtype, tuple(A.shape[2] for A in K)
    kept = kept_tuples(mask, q.shape[2], lengths).reshape(q.shape[2], lengths[0], -1)
    q, K, V = prepare(q, K, V)
    K1, K2 = pair(K)
    V1, V2 = pair(V)
    q = q * ACCUMULATE(scale)
    logits = (q[:, :, :, None] * K1[:, :, None]) @ K2[:, :, None].swapaxes(3, 4)
    logits = np.where(kept, logits, -np.inf).astype(ACCUMULATE)
    top = logits.max(axis=(-1, -2))
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp(logits - top[..., None, None])
    total = weights.sum(axis=(-1, -2))
    output = (V1[:, :, None] * (weights @ V2[:, :, None])).sum(axis=-2)
    return finish(output, total, top, dtype)


def online(q, K, V, *, scale, mask):
    """One pass over blocks of pairs, rescaled whenever the maximum moves."""
    dtype, lengths = q.dtype, tuple(A.shape[2] for A in K)
    kept = kept_tuples(mask, q.shape[2], lengths).reshape(q.shape[2], lengths[0], -1)
    q, K, V = prepare(q, K, V)
    K1, K2 = pair(K)
    V1, V2 = pair(V)
    top = np.full(q.shape[:3], -np.inf, ACCUMULATE)
    total = np.zeros(q.shape[:3], ACCUMULATE)
    output = np.zeros((*q.shape[:3], V1.shape[3]), ACCUMULATE)
    for first in range(0, K1.shape[2], BLOCK):
        for second in range(0, K2.shape[2], BLOCK):
            one, two = slice(first, first + BLOCK), slice(second, second + BLOCK)
            logits = (q[:, :, :, None] * K1[:, :, None, one]) @ K2[:, :, None, two].swapaxes(3, 4)
            logits = logits * ACCUMULATE(scale)
            logits = np.where(kept[:, one, two], logits, -np.inf).astype(ACCUMULATE)
            higher = np.maximum(top, logits.max(axis=(-1, -2)))
            shift = np.where(higher == -np.inf, ACCUMULATE(0), higher)
            rescale = np.exp(top - shift)
            weights = np.exp(logits - shift[..., None, None])
            total = total * rescale + weights.sum(axis=(-1, -2))
            part = (V1[:, :, None, one] * (weights @ V2[:, :, None, two])).sum(axis=-2)
            output = output * rescale[..., None] + part
            top = higher
    return finish(output, total, np.where(top == -np.inf, ACCUMULATE(0), top), dtype)


def skipping(q, K, V, *, scale, mask):
    """`factored`, with zeros for the keys and values that no query sees."""
    kept = kept_tuples(mask, q.shape[2], tuple(A.shape[2] for A in K))
    seen = [kept.any(axis=tuple({*range(kept.ndim)} - {r + 1})) for r in range(len(K))]
    K = [np.where(some[:, None], A, np.zeros_like(A)) for some, A in zip(seen, K, strict=True)]
    V = [np.where(some[:, None], A, np.zeros_like(A)) for some, A in zip(seen, V, strict=True)]
    return factored(q, K, V, scale=scale, mask=mask)
