"""Flash attention of order 1 in Triton, for whoever has it: a block of 16 queries a program."""

import torch
import triton
import triton.language as tl


@triton.jit
def _forward(Q, K, V, OUT, LSE, n_q, n, scale, D: tl.constexpr, BLOCK: tl.constexpr):  # noqa: PLR0917
    head, first = tl.program_id(1), tl.program_id(0) * BLOCK
    i, c = first + tl.arange(0, BLOCK), tl.arange(0, D)
    rows = (head * n_q + i)[:, None] * D + c
    q = tl.load(Q + rows, mask=(i < n_q)[:, None], other=0.0)
    top = tl.full([BLOCK], float("-inf"), tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    out = tl.zeros([BLOCK, D], tl.float32)
    for start in range(0, n, BLOCK):
        j = start + tl.arange(0, BLOCK)
        columns = (head * n + j)[:, None] * D + c
        k = tl.load(K + columns, mask=(j < n)[:, None], other=0.0)
        v = tl.load(V + columns, mask=(j < n)[:, None], other=0.0)
        s = tl.dot(q, tl.trans(k), input_precision="ieee") * scale
        s = tl.where((j < n)[None, :], s, float("-inf"))
        higher = tl.maximum(top, tl.max(s, 1))
        p = tl.exp(s - higher[:, None])
        rescale = tl.exp(top - higher)
        total = total * rescale + tl.sum(p, 1)
        out = out * rescale[:, None] + tl.dot(p.to(v.dtype), v, input_precision="ieee")
        top = higher
    out = out / total[:, None]
    tl.store(OUT + rows, out.to(q.dtype), mask=(i < n_q)[:, None])
    tl.store(LSE + head * n_q + i, top + tl.log(total), mask=i < n_q)


def attention(q, K, V, *, scale, mask):
    """Order 1, as many columns in values as in keys, of a power of two."""
    b, h, n_q, d = q.shape
    out, lse = torch.empty_like(q), torch.empty(b, h, n_q)
    _forward[triton.cdiv(n_q, 16), b * h](q, K[0], V[0], out, lse, n_q, K[0].shape[2], scale, d, 16)
    return out, lse
