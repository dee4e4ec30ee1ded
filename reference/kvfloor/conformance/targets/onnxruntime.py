"""ONNX Runtime's operator `Attention`, on the CPU."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from onnxruntime import InferenceSession, SessionOptions

from kvfloor.conformance.targets.onnx import Call

__all__ = ["attention"]

ERRORS = 3  # of its log: a warning says that the last axis of a stage is not d_v


def attention(q: Any, K: Any, V: Any, *, scale: float, mask: Any, **told: Any) -> Any:
    """The operator by an `InferenceSession`."""
    call, arrays = Call.of((q, K[0], V[0]), scale=scale, mask=mask, **told)
    (found,) = _session(call).run(None, arrays)
    return found


@lru_cache(maxsize=64)
def _session(call: Call) -> InferenceSession:
    model, options = call.model().SerializeToString(), SessionOptions()
    options.log_severity_level = ERRORS
    return InferenceSession(model, options, providers=["CPUExecutionProvider"])
