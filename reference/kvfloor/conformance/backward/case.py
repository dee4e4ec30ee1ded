"""A case of the backward pass: with a cotangent, and with what the forward pass returned."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from kvfloor.conformance.case import Case
from kvfloor.conformance.truth import Truth
from kvfloor.numbers import Array

__all__ = ["BackwardCase"]


@dataclass(frozen=True, eq=False)
class BackwardCase(Case):
    """Arguments of one call of a backward pass; `Backward.case` makes them.

    Attributes
    ----------
    cotangent : ndarray, shape (b, h, n_q, d_v)
        G, of the outputs.
    output : ndarray, shape (b, h, n_q, d_v)
        The outputs, correctly rounded to the format of the inputs.
    logsumexp : ndarray, shape (b, h, n_q)
        The log-sum-exps, to that of the arithmetic.
    truth : Truth
        What they are, finely.
    logsumexp_cotangent : ndarray, shape (b, h, n_q), or None
        g, of the log-sum-exps, in nats.
    differentiated : tuple of "bias", "sink"
        The terms of which there are gradients, too.
    """

    _: KW_ONLY
    cotangent: Array
    output: Array
    logsumexp: Array
    truth: Truth
    logsumexp_cotangent: Array | None = None
    differentiated: tuple[str, ...] = ()
