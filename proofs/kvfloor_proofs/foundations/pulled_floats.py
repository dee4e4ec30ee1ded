"""A plain backward pass in NumPy, with whatever may join the logits, under the kit's bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from kvfloor.conformance import Backward, BackwardCase, Case, Joined, Judgement, judge_gradients

__all__ = ["draw_pulled", "judged"]

FORMATS = ("float32", "float64")


@dataclass(frozen=True)
class _Pass:
    """Order 1, causal, all weights at once; from the log-sum-exp that is given, or a softmax."""

    reads: bool

    def __call__(self, q: Any, K: Any, V: Any, cotangent: Any, **told: Any) -> tuple[Any, ...]:
        """Return the gradients of query, keys, values, bias and sink."""
        logsumexp, sink = told["logsumexp"], told["sink"]
        (K,), (V,), c, sigma = K, V, *map(q.dtype.type, (told["softcap"], told["scale"]))
        n_q, n = q.shape[2], K.shape[2]
        seen = np.tril(np.ones((n_q, n), bool), n - n_q)
        t = np.tanh(q @ K.swapaxes(2, 3) * sigma / c)
        z = np.where(seen, c * t + told["bias"], -np.inf).astype(q.dtype)
        sinks = np.broadcast_to(sink[:, None], q.shape[1:3])
        if self.reads:
            p, p_sink = np.exp(z - logsumexp[..., None]), np.exp(sinks - logsumexp)
            D = (cotangent * told["output"]).sum(axis=-1)
        else:
            top = np.maximum(z.max(axis=-1), sinks)
            e, e_sink = np.exp(z - top[..., None]), np.exp(sinks - top)
            total = e.sum(axis=-1) + e_sink
            p, p_sink = e / total[..., None], e_sink / total
            D = (p * (cotangent @ V.swapaxes(2, 3))).sum(axis=-1)
        x = told["logsumexp_cotangent"] - D
        dz = p * (cotangent @ V.swapaxes(2, 3) + x[..., None])
        ds = dz * (1 - t * t) * sigma
        keys, values = ds.swapaxes(2, 3) @ q, p.swapaxes(2, 3) @ cotangent
        return ds @ K, keys, values, dz.sum(axis=0), (p_sink * x).sum(axis=(0, 2))


def draw_pulled(data: st.DataObject) -> tuple[Backward, BackwardCase]:
    """Draw a backward pass and an instance: logits of any size, under a cap of any size."""
    dtype = np.dtype(data.draw(st.sampled_from(FORMATS), label="format"))
    reads = data.draw(st.booleans(), label="reads the forward pass")
    cap = data.draw(st.sampled_from((0.5, 3.0, 50.0)), label="cap")
    target = Backward(
        _Pass(reads), dtype=dtype.name, accumulate=dtype.name, mask="causal", sink=True,
        softcap=cap, bias="array", gradients=("bias", "sink"), logsumexp_cotangent=True,
        reads=("output", "logsumexp") if reads else (),
    )  # fmt: skip
    n_q, n = (data.draw(st.integers(1, 6), label=name) for name in ("n_q", "n"))
    d, d_v = (data.draw(st.integers(1, 6), label=name) for name in ("d", "d_v"))
    spread = data.draw(st.sampled_from((0.25, 1.0, 8.0)), label="spread of the logits")
    about = data.draw(st.sampled_from((0.0, 30.0)), label="values are about")
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32), label="seed"))

    def drawn(*shape: int) -> Any:
        return rng.normal(size=shape).astype(dtype)

    terms = Joined(drawn(2) * dtype.type(spread), cap, drawn(2, n_q, n))
    keys, values = drawn(2, 2, n, d), drawn(2, 2, n, d_v) + dtype.type(about)
    query = drawn(2, 2, n_q, d) * dtype.type(spread)
    case = Case(query, (keys,), (values,), "1/sqrt(d)", "causal", terms=terms)
    return target, target.case(case, drawn(2, 2, n_q, d_v), drawn(2, 2, n_q))


def judged(target: Backward, case: BackwardCase) -> Judgement:
    """Return what the kit says of it."""
    with np.errstate(all="ignore"):
        return judge_gradients(target, case)
