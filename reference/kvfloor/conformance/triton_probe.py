"""What Triton computes in a format, by a kernel of a few lines."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

__all__ = ["probe"]

N = 16  # the least side of a matrix that is multiplied


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _kernel(A: Any, X: Any, C: Any, R: Any, N: tl.constexpr) -> None:
    """C = A·A, in float32, and R = 1.25·X in the format of X."""
    i = tl.arange(0, N)
    place = i[:, None] * N + i[None, :]
    a, x = tl.load(A + place), tl.load(X + place)
    tl.store(C + place, tl.dot(a, a))
    tl.store(R + place, (x.to(tl.float32) * 1.25).to(x.dtype))


def probe(name: str, x: float) -> tuple[float, float]:
    """Return what Triton makes of 16·1.5² by a product of matrices, and of 1.25·x, rounded.

    Parameters
    ----------
    name : str
        The format.
    x : float
        A number of the format.
    """
    a, b = (torch.full((N, N), y, dtype=getattr(torch, name)) for y in (1.5, x))
    products, rounded = torch.empty(N, N), torch.empty_like(b)
    _kernel[(1,)](a, b, products, rounded, N)
    return products[0, 0].item(), rounded[0, 0].item()
