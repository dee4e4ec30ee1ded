"""What is right for a case: outputs and log-sum-exps, correctly rounded, coarsely and finely."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from kvfloor.attention import Mask, tensor_attention_rounded
from kvfloor.conformance.case import Case
from kvfloor.numbers import Array, BinaryFormat, as_format

__all__ = ["FINE", "Truth", "find_truth"]

FINE = as_format("float64")  # what errors are measured from, whatever was returned


class Truth(NamedTuple):
    """Correctly rounded results, as float64.

    Attributes
    ----------
    output, logsumexp : ndarray, shapes (b, h, n_q, d_v) and (b, h, n_q)
        Rounded to the formats that were returned.
    fine_output, sizes : ndarray, shape (b, h, n_q, d_v)
        The output, and Σ_t p_t·|Π_r V_r[j_r, c]|, rounded to `FINE`.
    fine_logsumexp : ndarray, shape (b, h, n_q)
        The log-sum-exp, rounded to `FINE`.
    empty : ndarray of bool, shape (n_q,)
        Rows without a tuple.
    """

    output: Array
    logsumexp: Array
    fine_output: Array
    sizes: Array
    fine_logsumexp: Array
    empty: Mask


def find_truth(
    case: Case,
    *,
    output: BinaryFormat,
    logsumexp: BinaryFormat,
    empty: Any = "zero",
) -> Truth:
    """Return the truth about a case for results in the given formats.

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
    outputs, fine_outputs, sizes = np.empty((3, *shape))
    logsumexps, fine_logsumexps = np.empty((2, *shape[:3]))
    found = Truth(outputs, logsumexps, fine_outputs, sizes, fine_logsumexps, without)
    for i in range(b):
        for j in range(kv_heads):
            heads = slice(j * group, (j + 1) * group)
            arguments: dict[str, Any] = {
                "query": case.query[i, heads].reshape(group * n_q, -1),
                "keys": [K[i, j] for K in case.keys],
                "scale": case.sigma,
                "mask": mask,
                "empty": empty,
                "return_logsumexp": True,
            }
            V = [V_r[i, j] for V_r in case.values]
            both = [np.concatenate([V_r, abs(V_r)], axis=1) for V_r in V]
            fine = tensor_attention_rounded(values=both, dtype=FINE.name, **arguments)
            rounded = tensor_attention_rounded(values=V, dtype=output.name, **arguments)
            lse = rounded.logsumexp
            if logsumexp != output:
                one = [V_r[:, :1] for V_r in V]
                lse = tensor_attention_rounded(
                    values=one, dtype=logsumexp.name, **arguments
                ).logsumexp
            parts = (rounded.output, lse, *np.split(fine.output, 2, axis=-1), fine.logsumexp)
            for part, numbers in zip(found, parts, strict=False):
                part[i, heads] = numbers.reshape(group, n_q, *numbers.shape[1:])
    return found
