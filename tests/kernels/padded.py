"""Attention of padded batches, in NumPy: what wrong ones are edits of."""

import numpy as np

from kernels import correct

ACCUMULATE = np.float32
BLOCK = 4


def shown_tuples(key_masks, row):
    """Booleans over the tuples of one row of the batch."""
    shown = np.ones((1,), bool)
    for M in key_masks:
        shown = (shown[:, None] & M[row]).reshape(-1)
    return shown


def state(q, K, V, scale, kept):
    """One row of the batch, of arrays (h, n, columns) in the format of the arithmetic."""
    keys, values = (A[0] for A in (K, V))
    for k, v in zip(K[1:], V[1:], strict=True):
        keys = (keys[:, :, None] * k[:, None]).reshape(len(k), -1, k.shape[2])
        values = (values[:, :, None] * v[:, None]).reshape(len(v), -1, v.shape[2])
    logits = (q @ keys.swapaxes(1, 2)) * ACCUMULATE(scale)
    logits = np.where(kept, logits, -np.inf).astype(ACCUMULATE)
    top = logits.max(axis=-1)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp(logits - top[..., None])
    total = weights.sum(axis=-1)
    empty = total == 0
    output = (weights @ values) / np.where(empty, ACCUMULATE(1), total)[..., None]
    with np.errstate(divide="ignore"):
        return output, (top + np.log(total)).astype(ACCUMULATE)


def at_once(q, K, V, *, scale, mask, key_masks):
    """Every row of the batch with its own padding."""
    lengths, dtype = tuple(A.shape[2] for A in K), q.dtype
    kept = correct.kept_tuples(mask, q.shape[2], lengths).reshape(q.shape[2], -1)
    correct.ACCUMULATE = ACCUMULATE
    q, K, V = correct.prepare(q, K, V)
    found = []
    for row in range(len(q)):
        shown = kept & shown_tuples(key_masks, row)
        found.append(state(q[row], [A[row] for A in K], [A[row] for A in V], scale, shown))
    output, logsumexp = (np.stack(part) for part in zip(*found, strict=True))
    return output.astype(dtype), logsumexp


def cut(A, M):
    """The tokens of one row (h, n, columns) that are no padding; one of zeros if all are."""
    return A[:, M] if M.any() else np.zeros_like(A[:, :1])


def unread(q, K, V, *, scale, mask, key_masks):
    """The same, with padding left out before anything is computed; masks are none or causal."""
    lengths, dtype = tuple(A.shape[2] for A in K), q.dtype
    kept = correct.kept_tuples(mask, q.shape[2], lengths)
    correct.ACCUMULATE = ACCUMULATE
    q, K, V = correct.prepare(q, K, V)
    found = []
    for row in range(len(q)):
        seen = kept if all(M[row].any() for M in key_masks) else np.zeros_like(kept)
        for axis, M in enumerate(key_masks, start=1):
            own = M[row] if M[row].any() else np.arange(M.shape[1]) < 1
            seen = seen.compress(own, axis=axis)
        keys, values = ([cut(A[row], M[row]) for A, M in zip(slots, key_masks, strict=True)]
                        for slots in (K, V))  # fmt: skip
        found.append(state(q[row], keys, values, scale, seen.reshape(len(seen), -1)))
    output, logsumexp = (np.stack(part) for part in zip(*found, strict=True))
    return output.astype(dtype), logsumexp


def online(q, K, V, *, scale, mask, key_masks):
    """Order 1, one pass over blocks, which may be all padding."""
    kept = correct.kept_tuples(mask, q.shape[2], (K[0].shape[2],))
    dtype, (M,) = q.dtype, key_masks
    correct.ACCUMULATE = ACCUMULATE
    q, (K,), (V,) = correct.prepare(q, K, V)
    top = np.full(q.shape[:3], -np.inf, ACCUMULATE)
    total = np.zeros(q.shape[:3], ACCUMULATE)
    output = np.zeros((*q.shape[:3], V.shape[3]), ACCUMULATE)
    for first in range(0, K.shape[2], BLOCK):
        block = slice(first, first + BLOCK)
        logits = q @ K[:, :, block].swapaxes(2, 3) * ACCUMULATE(scale)
        shown = kept[:, block] & M[:, None, None, block]
        logits = np.where(shown, logits, -np.inf).astype(ACCUMULATE)
        higher = np.maximum(top, logits.max(axis=-1))
        shift = np.where(higher == -np.inf, ACCUMULATE(0), higher)
        rescale = np.exp(top - shift)
        weights = np.exp(logits - shift[..., None])
        total = total * rescale + weights.sum(axis=-1)
        output = output * rescale[..., None] + weights @ V[:, :, block]
        top = higher
    return correct.finish(output, total, np.where(top == -np.inf, ACCUMULATE(0), top), dtype)
