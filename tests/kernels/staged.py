"""Attention of order 1 that returns the stages of its logits, in NumPy."""

import numpy as np

from kernels import joined

ACCUMULATE = np.float32


def staged(q, K, V, *, scale, mask, key_masks=None, softcap=None, bias=None, stage=None):
    """Outputs; or logits, those under the cap, with bias and mask, or weights."""
    joined.ACCUMULATE = ACCUMULATE
    (K,), (V,) = joined.repeated(K, q.shape[1]), joined.repeated(V, q.shape[1])
    kept = joined.kept_tuples(mask, q.shape[2], (K.shape[2],))[None, None]
    if key_masks is not None:
        kept = kept & key_masks[0][:, None, None]
    logits = q.astype(ACCUMULATE) @ K.swapaxes(2, 3) * ACCUMULATE(scale)
    capped = logits
    if softcap is not None:
        capped = ACCUMULATE(softcap) * np.tanh(logits / ACCUMULATE(softcap))
    biased = capped + joined.biases(bias, mask, q.shape[2], (K.shape[2],))
    masked = np.where(kept, biased, -np.inf).astype(ACCUMULATE)
    top = masked.max(axis=-1, keepdims=True)
    weights = np.exp(masked - np.where(top == -np.inf, ACCUMULATE(0), top))
    total = weights.sum(axis=-1, keepdims=True)
    weights = weights / np.where(total == 0, ACCUMULATE(1), total)
    found = {"logits": logits, "capped": capped, "masked": masked, "weights": weights}
    return found[stage] if stage else (weights @ V).astype(q.dtype)
