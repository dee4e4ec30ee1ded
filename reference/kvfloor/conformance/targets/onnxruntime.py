"""ONNX Runtime's operator `Attention`, on the CPU."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from onnxruntime import InferenceSession

from kvfloor.conformance.targets.onnx import Call

__all__ = ["attention"]


def attention(q: Any, K: Any, V: Any, *, scale: float, mask: Any) -> Any:
    """The operator by an `InferenceSession`."""
    call = Call.of(q, mask, scale)
    (output,) = _session(call).run(None, call.inputs(q, K[0], V[0], mask))
    return output


@lru_cache(maxsize=64)
def _session(call: Call) -> InferenceSession:
    model = call.model().SerializeToString()
    return InferenceSession(model, providers=["CPUExecutionProvider"])
