"""Right attention in forms of its own, in NumPy: sums as trees, powers of 2, halves of halves."""

import numpy as np

from kernels import correct

ACCUMULATE = np.float32
LEAST = 5


def operands(q, K, V, scale, mask):
    """Logits, and products of values, of all tuples; what is hidden is -inf."""
    correct.ACCUMULATE = ACCUMULATE
    lengths = tuple(A.shape[2] for A in K)
    kept = correct.kept_tuples(mask, q.shape[2], lengths).reshape(q.shape[2], -1)
    q, K, V = correct.prepare(q, K, V)
    (K1, K2), (V1, V2) = correct.pair(K), correct.pair(V)
    keys = (K1[:, :, :, None] * K2[:, :, None]).reshape(*K1.shape[:2], -1, K1.shape[3])
    values = (V1[:, :, :, None] * V2[:, :, None]).reshape(*V1.shape[:2], -1, V1.shape[3])
    logits = (q * ACCUMULATE(scale)) @ keys.swapaxes(2, 3)
    return np.where(kept, logits, -np.inf).astype(ACCUMULATE), values


def pairs(terms):
    """A sum over the third axis in which neighbours are added, then sums of these."""
    while terms.shape[3] > 1:
        odd = terms[:, :, :, -1:] if terms.shape[3] % 2 else terms[:, :, :, :0]
        even = terms[:, :, :, : terms.shape[3] // 2 * 2]
        terms = np.concatenate([even[:, :, :, ::2] + even[:, :, :, 1::2], odd], axis=3)
    return terms[:, :, :, 0]


def tree(q, K, V, *, scale, mask):
    """Both sums as trees."""
    logits, values = operands(q, K, V, scale, mask)
    top = logits.max(axis=-1)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp(logits - top[..., None])
    output = pairs(weights[..., None] * values[:, :, None])
    return correct.finish(output, pairs(weights[..., None])[..., 0], top, q.dtype)


def two_pass(q, K, V, *, scale, mask):
    """Powers of 2; the sum first, then weights that are divided by it before the values."""
    logits, values = operands(q, K, V, scale, mask)
    logits = logits * ACCUMULATE(1 / np.log(2))
    top = logits.max(axis=-1)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    total = np.exp2(logits - top[..., None]).sum(axis=-1)
    inverse = ACCUMULATE(1) / np.where(total == 0, ACCUMULATE(1), total)
    weights = np.exp2(logits - top[..., None]) * inverse[..., None]
    with np.errstate(divide="ignore"):
        logsumexp = (top + np.log2(total)) * ACCUMULATE(np.log(2))
    return (weights @ values).astype(q.dtype), logsumexp.astype(ACCUMULATE)


def halves(q, K, V, *, scale, mask):
    """Each half of the tokens by itself, down to a few, and two states merged at a time."""
    logits, values = operands(q, K, V, scale, mask)
    output, total, top = merged(logits, values)
    return correct.finish(output, total, top, q.dtype)


def merged(logits, values):
    """Sums and a maximum, of which sums are powers; both sides are rescaled."""
    n = logits.shape[3]
    if n <= LEAST:
        top = logits.max(axis=-1)
        top = np.where(top == -np.inf, ACCUMULATE(0), top)
        weights = np.exp(logits - top[..., None])
        top = np.where(weights.any(axis=-1), top, ACCUMULATE(0))
        return weights @ values, weights.sum(axis=-1), top
    sides = [merged(logits[..., side], values[:, :, side])
             for side in (slice(n // 2), slice(n // 2, n))]  # fmt: skip
    none = [total == 0 for _, total, _ in sides]
    tops = [np.where(empty, -np.inf, side[2]) for empty, side in zip(none, sides, strict=True)]
    top = np.maximum(*tops)
    top = np.where(top == -np.inf, ACCUMULATE(0), top).astype(ACCUMULATE)
    scales = [np.exp((t - top).astype(ACCUMULATE)) for t in tops]
    output = sum(s[..., None] * side[0] for s, side in zip(scales, sides, strict=True))
    return output, sum(s * side[1] for s, side in zip(scales, sides, strict=True)), top
