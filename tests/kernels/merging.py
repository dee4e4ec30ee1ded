"""Functions that merge partial states of attention and are right: what wrong ones are edits of.

Outputs have shape (parts, rows, heads, d_v), log-sum-exps (parts, rows, heads).
"""

import numpy as np

ACCUMULATE = np.float32
BLOCK = 4


def finish(output, total, top, dtype):
    """The merged state; zero and minus infinity where all parts are empty."""
    empty = total == 0
    total = np.where(empty, ACCUMULATE(1), total)
    logsumexp = np.where(empty, ACCUMULATE(-np.inf), top + np.log(total))
    return (output / total[..., None]).astype(dtype), logsumexp


def at_once(outputs, logsumexps):
    """All parts together."""
    lse = logsumexps.astype(ACCUMULATE)
    top = lse.max(axis=0)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp(lse - top)
    total = weights.sum(axis=0)
    output = (weights[..., None] * outputs.astype(ACCUMULATE)).sum(axis=0)
    return finish(output, total, top, outputs.dtype)


def in_base_two(outputs, logsumexps):
    """The same for logarithms to the base 2."""
    lse = logsumexps.astype(ACCUMULATE)
    top = lse.max(axis=0)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp2(lse - top)
    total = weights.sum(axis=0)
    output = (weights[..., None] * outputs.astype(ACCUMULATE)).sum(axis=0)
    output, _ = finish(output, total, top, outputs.dtype)
    with np.errstate(divide="ignore"):
        return output, (top + np.log2(total)).astype(ACCUMULATE)


def by_exp_two(outputs, logsumexps):
    """Natural logarithms, and powers of two."""
    factor = ACCUMULATE(1.4426950408889634)
    lse = logsumexps.astype(ACCUMULATE) * factor
    top = lse.max(axis=0)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    weights = np.exp2(lse - top)
    total = weights.sum(axis=0)
    output = (weights[..., None] * outputs.astype(ACCUMULATE)).sum(axis=0)
    output, _ = finish(output, total, top, outputs.dtype)
    with np.errstate(divide="ignore"):
        return output, ((top + np.log2(total)) / factor).astype(ACCUMULATE)


def normalised_first(outputs, logsumexps):
    """Weights that add up to 1 meet the outputs; empty parts are not read."""
    lse = logsumexps.astype(ACCUMULATE)
    top = lse.max(axis=0)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    logsumexp = top + np.log(np.exp(lse - top).sum(axis=0))
    weights = np.exp(lse - top)
    weights = weights / np.maximum(weights.sum(axis=0), ACCUMULATE(1))
    read = np.where((lse == -np.inf)[..., None], ACCUMULATE(0), outputs.astype(ACCUMULATE))
    output = np.zeros(outputs.shape[1:], ACCUMULATE)
    for weight, part in zip(weights, read, strict=True):
        output = output + weight[..., None] * part
    return output.astype(outputs.dtype), logsumexp.astype(ACCUMULATE)


def one_pass(outputs, logsumexps):
    """Blocks of parts, rescaled whenever the maximum moves."""
    top = np.full(outputs.shape[1:-1], -np.inf, ACCUMULATE)
    total = np.zeros(outputs.shape[1:-1], ACCUMULATE)
    output = np.zeros(outputs.shape[1:], ACCUMULATE)
    for first in range(0, len(outputs), BLOCK):
        lse = logsumexps[first : first + BLOCK].astype(ACCUMULATE)
        higher = np.maximum(top, lse.max(axis=0))
        shift = np.where(higher == -np.inf, ACCUMULATE(0), higher)
        rescale = np.exp(top - shift)
        weights = np.exp(lse - shift)
        total = total * rescale + weights.sum(axis=0)
        read = outputs[first : first + BLOCK].astype(ACCUMULATE)
        output = output * rescale[..., None] + (weights[..., None] * read).sum(axis=0)
        top = higher
    return finish(output, total, np.where(top == -np.inf, ACCUMULATE(0), top), outputs.dtype)


def pair(outputs, logsumexps):
    """Two parts by a sigmoid's halves, as merges of a prefix and a suffix do."""
    (one, two), (a, b) = outputs.astype(ACCUMULATE), logsumexps.astype(ACCUMULATE)
    top = np.maximum(a, b)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    a, b = np.exp(a - top), np.exp(b - top)
    total = a + b
    output = one * a[..., None] + two * b[..., None]
    return finish(output, total, top, outputs.dtype)
