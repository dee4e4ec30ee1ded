"""Attention of any order with sinks, caps and biases, in NumPy: what wrong ones are edits of."""

import numpy as np

ACCUMULATE = np.float32
BLOCK = 4


def kept_tuples(mask, queries, lengths):
    """Booleans over queries and tuples, for causal masks of both corners and arrays."""
    if mask is None:
        return np.ones((queries, *lengths), bool)
    if not isinstance(mask, str):
        return mask
    kept = np.ones((queries,) + (1,) * len(lengths), bool)
    for r, n in enumerate(lengths):
        i = np.arange(queries)[:, None] + (n - queries if mask == "causal" else 0)
        inside = np.arange(n) <= i
        kept = kept & inside.reshape(queries, *(n if s == r else 1 for s in range(len(lengths))))
    return kept


def repeated(slots, heads):
    """Keys or values in the format of the arithmetic, for every head of the query."""
    group = heads // slots[0].shape[1]
    return [np.repeat(A, group, axis=1).astype(ACCUMULATE) for A in slots]


def products(slots, heads):
    """Khatri-Rao products of all slots, shape (b, h, N, columns)."""
    first, *others = repeated(slots, heads)
    for A in others:
        first = (first[:, :, :, None] * A[:, :, None]).reshape(*A.shape[:2], -1, A.shape[3])
    return first


def biases(bias, mask, queries, lengths):
    """The bias as (h or 1, n_q, N): an array, or slopes times minus a distance."""
    if bias is None:
        return ACCUMULATE(0)
    if bias.ndim == 1:
        place = np.arange(queries) + (0 if mask == "causal-top-left" else lengths[0] - queries)
        distance = np.abs(place[:, None] - np.arange(lengths[0])).astype(ACCUMULATE)
        return -bias[:, None, None] * distance
    return bias.astype(ACCUMULATE).reshape(len(bias), queries, -1)


def logits_of(q, K, scale, mask, softcap, bias):
    """Logits, capped, biased and masked, shape (b, h, n_q, N)."""
    lengths = tuple(A.shape[2] for A in K)
    kept = kept_tuples(mask, q.shape[2], lengths).reshape(q.shape[2], -1)
    logits = q.astype(ACCUMULATE) @ products(K, q.shape[1]).swapaxes(2, 3) * ACCUMULATE(scale)
    if softcap is not None:
        logits = ACCUMULATE(softcap) * np.tanh(logits / ACCUMULATE(softcap))
    logits = logits + biases(bias, mask, q.shape[2], lengths)
    return np.where(kept, logits, -np.inf).astype(ACCUMULATE)


def finish(output, total, top, dtype):
    """Outputs and log-sum-exps; zero and minus infinity where there is neither tuple nor sink."""
    empty = total == 0
    total = np.where(empty, ACCUMULATE(1), total)
    logsumexp = np.where(empty, ACCUMULATE(-np.inf), top + np.log(total))
    return (output / total[..., None]).astype(dtype), logsumexp


def at_once(q, K, V, *, scale, mask, sink=None, softcap=None, bias=None):
    """All tuples, and the sink as one more."""
    logits = logits_of(q, K, scale, mask, softcap, bias)
    top = logits.max(axis=-1)
    if sink is not None:
        sink = sink.astype(ACCUMULATE)[:, None]
        top = np.maximum(top, sink)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp(logits - top[..., None])
    total = weights.sum(axis=-1)
    if sink is not None:
        total = total + np.exp(sink - top)
    return finish(weights @ products(V, q.shape[1]), total, top, q.dtype)


def sink_last(q, K, V, *, scale, mask, sink, softcap=None, bias=None):
    """Attention without a sink, rescaled once the sink joins."""
    logits = logits_of(q, K, scale, mask, softcap, bias)
    top = logits.max(axis=-1)
    shift = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp(logits - shift[..., None])
    higher = np.maximum(top, sink.astype(ACCUMULATE)[:, None])
    rescale = np.exp(top - higher)
    total = weights.sum(axis=-1) * rescale + np.exp(sink.astype(ACCUMULATE)[:, None] - higher)
    output = weights @ products(V, q.shape[1]) * rescale[..., None]
    return finish(output, total, higher, q.dtype)


def one_pass(q, K, V, *, scale, mask, sink=None, softcap=None, bias=None):
    """Order 1, blocks of tokens; it begins from the sink."""
    logits, values = logits_of(q, K, scale, mask, softcap, bias), products(V, q.shape[1])
    top = np.full(q.shape[:3], -np.inf, ACCUMULATE)
    total = np.zeros(q.shape[:3], ACCUMULATE)
    if sink is not None:
        top = np.maximum(top, sink.astype(ACCUMULATE)[:, None])
        total = total + 1
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
    return finish(output, total, np.where(top == -np.inf, ACCUMULATE(0), top), q.dtype)
