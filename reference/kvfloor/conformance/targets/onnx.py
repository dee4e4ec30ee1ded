"""ONNX's operator `Attention`, and the evaluator of the package onnx."""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from kvfloor.attention import WINDOWS, Window
from kvfloor.conformance.targets.reaches import reaches
from kvfloor.conformance.targets.visible import visible
from kvfloor.numbers import Array, as_format

__all__ = ["Call", "reference"]

NAMES = ("Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen")
WITH_WINDOWS, WITHOUT = 25, 24  # the first opsets that have them, and lengths of keys


def reference(q: Any, K: Any, V: Any, *, scale: float, mask: Any, key_masks: Any = None) -> Any:
    """The operator by `onnx.reference.ReferenceEvaluator`."""
    whole = visible(mask, key_masks)
    call = Call.of(q, mask, scale, masked=whole is not None)
    (output,) = _evaluator(call).run(None, call.inputs(q, K[0], V[0], whole))
    return output


@lru_cache(maxsize=64)
def _evaluator(call: Call) -> ReferenceEvaluator:
    return ReferenceEvaluator(call.model())


class Call(NamedTuple):
    """What a model of the one operator is made of.

    Attributes
    ----------
    form : str
        Of queries, keys and values.
    masked : bool
        Whether there is an array of booleans.
    aligned : bool
        Whether the last query stands at the last token. It does where the operator is told how
        many tokens there are; else the first stands at the first.
    attributes : tuple of (str, number)
    """

    form: str
    masked: bool
    aligned: bool
    attributes: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, q: Array, mask: Any, scale: float, *, masked: bool) -> Call:
        """Return that of a call: softmax in float32, or float64 for that.

        A scale is told as a float32, which is all that the operator takes; 1/sqrt(d) is not told.
        """
        wide = TensorProto.DOUBLE if q.dtype == np.float64 else TensorProto.FLOAT
        told: dict[str, Any] = {"softmax_precision": wide}
        if scale != 1 / sqrt(q.shape[-1]):
            told["scale"] = scale
        window = WINDOWS[mask] if isinstance(mask, str) else mask
        if isinstance(mask, str):
            told["is_causal"] = 1
        elif isinstance(mask, Window):
            left, right = reaches(mask, -1)
            told |= {"left_window_size": left, "right_window_size": right}
        aligned = isinstance(window, Window) and not window.top_left
        return cls(q.dtype.name, masked, aligned, tuple(told.items()))

    def model(self) -> ModelProto:
        """Return the model."""
        form = helper.np_dtype_to_tensor_dtype(as_format(self.form).dtype)
        types = {"Q": form, "K": form, "V": form}
        if self.masked:
            types["attn_mask"] = TensorProto.BOOL
        if self.aligned:
            types["nonpad_kv_seqlen"] = TensorProto.INT64
        given = [name if name in types else "" for name in NAMES]
        node = helper.make_node("Attention", given, ["Y"], **dict(self.attributes))
        axes = {"nonpad_kv_seqlen": 1}
        inputs = [
            helper.make_tensor_value_info(name, kind, [None] * axes.get(name, 4))
            for name, kind in types.items()
        ]
        output = helper.make_tensor_value_info("Y", form, [None] * 4)
        windows = "left_window_size" in dict(self.attributes)
        opset = helper.make_opsetid("", WITH_WINDOWS if windows else WITHOUT)
        graph = helper.make_graph([node], "attention", inputs, [output])
        return helper.make_model(graph, opset_imports=[opset], ir_version=10)

    def inputs(self, q: Array, key: Array, value: Array, whole: Any) -> dict[str, Array]:
        """Return the arrays of a call by their names; the mask as `visible` has it."""
        found = {"Q": q, "K": key, "V": value}
        if self.masked:
            shape = (len(q), 1, q.shape[2], key.shape[2])
            found["attn_mask"] = np.ascontiguousarray(np.broadcast_to(whole, shape))
        if self.aligned:
            found["nonpad_kv_seqlen"] = np.full(q.shape[0], key.shape[2], dtype=np.int64)
        return found
