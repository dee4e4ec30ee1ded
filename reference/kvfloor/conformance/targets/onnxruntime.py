"""ONNX Runtime's operator `Attention`, on the CPU."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from onnxruntime import InferenceSession

from kvfloor.conformance.targets.onnx import Call
from kvfloor.conformance.targets.visible import visible

__all__ = ["attention"]


def attention(q: Any, K: Any, V: Any, *, scale: float, mask: Any, key_masks: Any = None) -> Any:
    """The operator by an `InferenceSession`."""
    whole = visible(mask, key_masks)
    call = Call.of(q, mask, scale, masked=whole is not None)
    (output,) = _session(call).run(None, call.inputs(q, K[0], V[0], whole))
    return output


@lru_cache(maxsize=64)
def _session(call: Call) -> InferenceSession:
    model = call.model().SerializeToString()
    return InferenceSession(model, providers=["CPUExecutionProvider"])
