"""Right backward passes that go about it in other ways than most do, in NumPy, order 1."""

import numpy as np

from kernels.backward import grouped, turned
from kernels.correct import kept_tuples

ACCUMULATE = np.float32


def prepare(q, K, V, *others):
    """All in the format of the arithmetic; heads of keys and values repeated for groups."""
    group = q.shape[1] // K.shape[1]
    K, V = (np.repeat(A, group, axis=1) for A in (K, V))
    return [A.astype(ACCUMULATE) for A in (q, K, V, *others)]


def zero_if_empty(logsumexp):
    """Log-sum-exps of rows that see something."""
    return np.where(logsumexp == -np.inf, 0, logsumexp).astype(ACCUMULATE)[..., None]


def rounded(dtype, heads, dq, dK, dV):
    """Gradients in the format of the inputs, added up over groups."""
    return dq.astype(dtype), *(grouped(A, heads).astype(dtype) for A in (dK, dV))


def groups_as_queries(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """The heads of a group are more queries of one head, so that no sum over them is left."""
    (K,), (V,), dtype, (b, h, n_q, d) = K, V, q.dtype, q.shape
    h_kv, n = K.shape[1:3]
    kept = np.tile(kept_tuples(mask, n_q, (n,)), (h // h_kv, 1))

    def merged(A):
        return A.astype(ACCUMULATE).reshape(b, h_kv, -1, *A.shape[3:])

    Q, G, out = (merged(A) for A in (q, cotangent, output))
    lse = merged(zero_if_empty(logsumexp))
    K, V, scale = K.astype(ACCUMULATE), V.astype(ACCUMULATE), ACCUMULATE(scale)
    p = np.where(kept, np.exp(Q @ turned(K) * scale - lse), ACCUMULATE(0))
    ds = p * (G @ turned(V) - (G * out).sum(axis=-1, keepdims=True)) * scale
    dq, dK, dV = (ds @ K).reshape(b, h, n_q, d), turned(ds) @ Q, turned(p) @ G
    return dq.astype(dtype), dK.astype(dtype), dV.astype(dtype)


def tokens_first(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """All tables are transposed, and the softmax is over columns, from the last token to the
    first; the root of the scale is in queries and in keys.
    """
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    kept = kept_tuples(mask, q.shape[2], (K.shape[2],)).T[::-1]
    root = ACCUMULATE(scale**0.5)
    q, K, V, G = prepare(q, K, V, cotangent)
    q, K, V = q * root, (K * root)[:, :, ::-1], V[:, :, ::-1]
    s = np.where(kept, K @ turned(q), -np.inf).astype(ACCUMULATE)
    top = s.max(axis=2, keepdims=True)
    e = np.exp(s - np.where(top == -np.inf, ACCUMULATE(0), top))
    total = e.sum(axis=2, keepdims=True)
    p = e * (1 / np.where(total == 0, ACCUMULATE(1), total))
    dP = V @ turned(G)
    ds = p * dP - p * (p * dP).sum(axis=2, keepdims=True)
    dq, dK, dV = turned(ds) @ K * root, (ds @ q * root)[:, :, ::-1], (p @ G)[:, :, ::-1]
    return rounded(dtype, heads, dq, dK, dV)


def exps_in_two_parts(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """p is e^(s - top) times e^(top - l), and D is taken from the cotangents of the values."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    kept = kept_tuples(mask, q.shape[2], (K.shape[2],))
    lse = zero_if_empty(logsumexp)
    q, K, V, G, out = prepare(q, K, V, cotangent, output)
    s = np.where(kept, (q * ACCUMULATE(scale)) @ turned(K), -np.inf).astype(ACCUMULATE)
    top = s.max(axis=-1, keepdims=True)
    top = np.where(top == -np.inf, ACCUMULATE(0), top)
    p = np.where(kept, np.exp(s - top) * np.exp(top - lse), ACCUMULATE(0))
    x = np.concatenate([G, -(G * out).sum(axis=-1, keepdims=True)], axis=-1)
    ones = np.ones((*V.shape[:3], 1), ACCUMULATE)
    ds = p * (x @ turned(np.concatenate([V, ones], axis=-1)))
    dq, dK = ds @ K * ACCUMULATE(scale), turned(ds) @ q * ACCUMULATE(scale)
    return rounded(dtype, heads, dq, dK, turned(p) @ G)


def halves_of_tokens(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """Tokens are split in two, again and again, down to one; sums are a tree."""
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    kept = kept_tuples(mask, q.shape[2], (K.shape[2],))
    lse, scale = zero_if_empty(logsumexp)[..., 0], ACCUMULATE(scale)
    q, K, V, G, out = prepare(q, K, V, cotangent, output)
    D = (G * out).sum(axis=-1)
    dK, dV = np.zeros_like(K), np.zeros_like(V)

    def split(first, end):
        if end - first > 1:
            middle = (first + end) // 2
            return split(first, middle) + split(middle, end)
        j = first
        s = (q * K[:, :, j, None]).sum(axis=-1) * scale
        p = np.where(kept[:, j], np.exp(s - lse), ACCUMULATE(0))
        ds = (p * ((G * V[:, :, j, None]).sum(axis=-1) - D))[..., None]
        dK[:, :, j], dV[:, :, j] = (ds * q).sum(axis=2) * scale, (p[..., None] * G).sum(axis=2)
        return ds * K[:, :, j, None]

    return rounded(dtype, heads, split(0, K.shape[2]) * scale, dK, dV)


def one_product(q, K, V, cotangent, *, scale, mask, output, logsumexp):
    """Logits less log-sum-exps, and dP less D, are products of matrices with one column more;
    dK and dV are one product of ds and p side by side.
    """
    (K,), (V,), dtype, heads = K, V, q.dtype, K[0].shape[1]
    kept = kept_tuples(mask, q.shape[2], (K.shape[2],))
    lse = zero_if_empty(logsumexp)
    q, K, V, G, out = prepare(q, K, V, cotangent, output)
    q = q * ACCUMULATE(scale)
    ones = np.ones((*K.shape[:3], 1), ACCUMULATE)
    s = np.einsum("bhid,bhjd->bhij", np.append(q, -lse, axis=-1), np.append(K, ones, axis=-1))
    p = np.where(kept, np.exp(np.minimum(s, 80)), ACCUMULATE(0))
    D = np.einsum("bhic,bhic->bhi", G, out)[..., None]
    ds = p * np.einsum("bhic,bhjc->bhij", np.append(G, -D, axis=-1), np.append(V, ones, axis=-1))
    n_q = q.shape[2]
    both = np.append(turned(ds), turned(p), axis=-1)
    rows = np.zeros((*q.shape[:2], 2 * n_q, q.shape[3] + G.shape[3]), ACCUMULATE)
    rows[:, :, :n_q, : q.shape[3]], rows[:, :, n_q:, q.shape[3] :] = q, G
    found = both @ rows
    dK, dV = found[..., : q.shape[3]], found[..., q.shape[3] :]
    return rounded(dtype, heads, ds @ K * ACCUMULATE(scale), dK, dV)
