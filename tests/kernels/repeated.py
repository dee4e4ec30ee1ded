"""Attention that splits its tokens, or does not care where a row stands, in NumPy."""

import numpy as np

ACCUMULATE = np.float32
BLOCK = 4


def products(slots):
    """Khatri-Rao products of all slots, shape (b, h, N, columns)."""
    first, *others = (A.astype(ACCUMULATE) for A in slots)
    for A in others:
        n = first.shape[2] * A.shape[2]
        first = (first[:, :, :, None] * A[:, :, None]).reshape(*A.shape[:2], n, A.shape[3])
    return first


def logits_of(q, K, scale, mask):
    """Logits, shape (b, h, n_q, N); what a mask or a corner hides is -inf."""
    lengths = tuple(A.shape[2] for A in K)
    logits = q.astype(ACCUMULATE) @ products(K).swapaxes(2, 3) * ACCUMULATE(scale)
    if isinstance(mask, str):
        kept = np.ones((q.shape[2],) + (1,) * len(lengths), bool)
        for r, n in enumerate(lengths):
            inside = np.arange(n) <= np.arange(q.shape[2])[:, None] + n - q.shape[2]
            kept = kept & inside.reshape(
                len(kept), *(n if s == r else 1 for s in range(len(lengths)))
            )
        mask = kept
    if mask is None:
        return logits
    return np.where(mask.reshape(logits.shape[2:]), logits, -np.inf).astype(ACCUMULATE)


def state(logits, values):
    """An output and a log-sum-exp; zero and minus infinity where nothing is kept."""
    top = logits.max(axis=-1, initial=-np.inf)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp(logits - top[..., None])
    total = weights.sum(axis=-1)
    output = weights @ values
    return finish(output, total, top)


def finish(output, total, top):
    """Divided, in the format of the arithmetic."""
    empty = total == 0
    total = np.where(empty, ACCUMULATE(1), total)
    logsumexp = np.where(empty, ACCUMULATE(-np.inf), top + np.log(total))
    return output / total[..., None], logsumexp.astype(ACCUMULATE)


def at_once(q, K, V, *, scale, mask):
    """All tuples together, every row of the batch by itself."""
    output, logsumexp = state(logits_of(q, K, scale, mask), products(V))
    return output.astype(q.dtype), logsumexp


def split(q, K, V, *, scale, mask, splits):
    """As many parts as it is told, merged by their log-sum-exps."""
    logits, values = logits_of(q, K, scale, mask), products(V)
    size = -(-logits.shape[3] // splits)
    parts = [slice(size * part, size * (part + 1)) for part in range(splits)]
    states = [state(logits[..., part], values[:, :, part]) for part in parts]
    outputs, logsumexps = (np.stack(each) for each in zip(*states, strict=True))
    top = logsumexps.max(axis=0)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp(logsumexps - top)
    total = weights.sum(axis=0)
    output = (weights[..., None] * outputs).sum(axis=0)
    output, logsumexp = finish(output, total, top)
    return output.astype(q.dtype), logsumexp


def split_in_blocks(q, K, V, *, scale, mask, splits):
    """Blocks of one size in one order, however many work on them."""
    logits, values = logits_of(q, K, scale, mask), products(V)
    top = np.full(q.shape[:3], -np.inf, ACCUMULATE)
    total = np.zeros(q.shape[:3], ACCUMULATE)
    output = np.zeros((*q.shape[:3], values.shape[3]), ACCUMULATE)
    for first in range(0, logits.shape[3], BLOCK):
        block = slice(first, first + BLOCK)
        higher = np.maximum(top, logits[..., block].max(axis=-1))
        shift = np.where(higher == -np.inf, ACCUMULATE(0), higher)
        rescale = np.exp(top - shift)
        weights = np.exp(logits[..., block] - shift[..., None])
        total = total * rescale + weights.sum(axis=-1)
        output = output * rescale[..., None] + weights @ values[:, :, block]
        top = higher
    output, logsumexp = finish(output, total, np.where(top == -np.inf, ACCUMULATE(0), top))
    return output.astype(q.dtype), logsumexp
