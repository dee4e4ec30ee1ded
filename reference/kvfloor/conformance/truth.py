"""What is right for a case: outputs and log-sum-exps, correctly rounded, coarsely and finely."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import log
from typing import Any, NamedTuple

import numpy as np

from kvfloor.attention import Base, Mask, tensor_attention_rounded
from kvfloor.conformance.case import Case
from kvfloor.numbers import Array, BinaryFormat, as_format

__all__ = ["FINE", "Truth", "find_truth", "nats"]

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
    empty : ndarray of bool, shape (b, h, n_q)
        Rows without a tuple, and without a sink.
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
    base: Base = "e",
    progress: Callable[[int, int], None] | None = None,
) -> Truth:
    """Return the truth about a case for results in the given formats, and logarithms to a base.

    ``progress`` is that of `tensor_attention_rounded`.

    Notes
    -----
    E2 `correct-rounding-terminates`.
    """
    d_v, kept = case.values[0].shape[3], case.kept
    without = np.zeros(case.query.shape[:3], dtype=np.bool_)
    if kept is not None and case.terms.sink is None:
        without[:] = ~kept.any(axis=tuple(range(3, kept.ndim)))
    arguments: dict[str, Any] = {
        "query": case.query,
        "keys": case.keys,
        "scale": case.sigma,
        "mask": case.visible,
        **case.terms.arguments,
        "empty": empty,
        "return_logsumexp": True,
        "logsumexp_base": base,
    }
    both = [np.concatenate([V_r, abs(V_r)], axis=3) for V_r in case.values]
    fine = tensor_attention_rounded(values=both, dtype=FINE.name, progress=progress, **arguments)

    @cache
    def anew(name: str) -> Any:
        return tensor_attention_rounded(values=case.values, dtype=name, **arguments)

    def rounded(known: Array, form: BinaryFormat, part: int) -> Array:
        """Round what is known rounded to `FINE`, or anew where twice is not once."""
        if form == FINE:
            return known
        if not form.is_halfway(known).any():
            return form.round_array(known)
        return np.asarray(anew(form.name)[part]).astype(np.float64)

    return Truth(
        rounded(fine.output[..., :d_v], output, 0),
        rounded(fine.logsumexp, logsumexp, 1),
        fine.output[..., :d_v],
        fine.output[..., d_v:],
        fine.logsumexp,
        without,
    )


def nats(logsumexp: Array, base: Base) -> Array:
    """Return log-sum-exps to a base in nats, as bounds are."""
    return logsumexp * (1 if base == "e" else log(2))
