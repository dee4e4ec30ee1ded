"""What is right for a case: correctly rounded outputs and log-sum-exps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kvfloor.conformance.case import Case
from kvfloor.formats import BinaryFormat
from kvfloor.inputs import Array, Mask
from kvfloor.rounding import tensor_attention_rounded

__all__ = ["Truth", "find_truth"]


class Truth(NamedTuple):
    """Correctly rounded results, as float64.

    Attributes
    ----------
    output : ndarray, shape (b, h, n_q, d_v)
    sizes : ndarray, shape (b, h, n_q, d_v)
        Σ_t p_t·|Π_r V_r[j_r, c]|, rounded to the arithmetic.
    logsumexp : ndarray, shape (b, h, n_q)
    empty : ndarray of bool, shape (n_q,)
        Rows without a tuple.
    """

    output: Array
    sizes: Array
    logsumexp: Array
    empty: Mask


def find_truth(
    case: Case,
    *,
    output: BinaryFormat,
    logsumexp: BinaryFormat,
    arithmetic: BinaryFormat,
    empty: Any = "zero",
) -> Truth:
    """Return the truth about a case, each part rounded to its format.

    Notes
    -----
    E2 `correct-rounding-terminates`.
    """
    b, h, n_q, _ = case.query.shape
    kv_heads, d_v = case.values[0].shape[1], case.values[0].shape[3]
    group = h // kv_heads
    kept = case.kept
    mask = None if kept is None else np.concatenate([kept] * group)
    without = np.zeros(n_q, dtype=np.bool_)
    if kept is not None:
        without[:] = ~kept.reshape(n_q, -1).any(axis=1)
    shape = b, h, n_q, d_v
    found = Truth(np.empty(shape), np.empty(shape), np.empty(shape[:3]), without)
    for i in range(b):
        for j in range(kv_heads):
            heads = slice(j * group, (j + 1) * group)
            arguments: dict[str, Any] = {
                "query": case.query[i, heads].reshape(group * n_q, -1),
                "keys": [K[i, j] for K in case.keys],
                "scale": case.sigma,
                "mask": mask,
                "empty": empty,
            }
            V = [V_r[i, j] for V_r in case.values]
            sizes = tensor_attention_rounded(
                values=[abs(V_r) for V_r in V],
                dtype=arithmetic.name,
                return_logsumexp=True,
                **arguments,
            )
            lse = sizes.logsumexp
            if logsumexp != arithmetic:
                lse = tensor_attention_rounded(
                    values=V, dtype=logsumexp.name, return_logsumexp=True, **arguments
                ).logsumexp
            rounded = tensor_attention_rounded(values=V, dtype=output.name, **arguments)
            for part, numbers in zip(found, (rounded, sizes.output, lse), strict=False):
                part[i, heads] = numbers.reshape(group, n_q, *numbers.shape[1:])
    return found
