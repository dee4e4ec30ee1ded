"""ONNX's operator `Attention`, and the evaluator of the package onnx."""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from onnx import ModelProto, TensorProto, helper
from onnx.reference import ReferenceEvaluator

from kvfloor.attention import WINDOWS, Window
from kvfloor.conformance.target import STAGES
from kvfloor.conformance.targets.reaches import reaches
from kvfloor.conformance.targets.visible import visible
from kvfloor.numbers import Array, as_format

__all__ = ["Call", "reference"]

NAMES = ("Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen")
OUTPUTS = ("Y", "present_key", "present_value", "qk_matmul_output")
WITH_WINDOWS, WITHOUT = 25, 24  # the first opsets that have them, and lengths of keys


def reference(q: Any, K: Any, V: Any, *, scale: float, mask: Any, **told: Any) -> Any:
    """The operator by `onnx.reference.ReferenceEvaluator`."""
    call, arrays = Call.of((q, K[0], V[0]), scale=scale, mask=mask, **told)
    (found,) = _evaluator(call).run(None, arrays)
    return found


@lru_cache(maxsize=64)
def _evaluator(call: Call) -> ReferenceEvaluator:
    return ReferenceEvaluator(call.model())


class Call(NamedTuple):
    """What a model of the one operator is made of.

    Attributes
    ----------
    form : str
        Of queries, keys and values.
    mask : str or None
        The format of the mask that is an array, if there is one: bool, or that of queries.
    aligned : bool
        Whether the last query stands at the last token. It does where the operator is told how
        many tokens there are; else the first stands at the first.
    stage : int or None
        The stage that is returned in place of the output, by its number in `STAGES`, which is the
        operator's.
    attributes : tuple of (str, number)
    """

    form: str
    mask: str | None
    aligned: bool
    stage: int | None
    attributes: tuple[tuple[str, Any], ...]

    @classmethod
    def of(
        cls, given: tuple[Array, Array, Array], *, scale: float, mask: Any, key_masks: Any = None,
        softcap: float | None = None, bias: Any = None, stage: str | None = None,
    ) -> tuple[Call, dict[str, Array]]:  # fmt: skip
        """Return that of a call, and its arrays: softmax in float32, or float64 for that.

        A scale is told as a float32, which is all that the operator takes; 1/sqrt(d) is not told.
        """
        q, key, value = given
        wide = TensorProto.DOUBLE if q.dtype == np.float64 else TensorProto.FLOAT
        told: dict[str, Any] = {"softmax_precision": wide}
        if scale != 1 / sqrt(q.shape[-1]):
            told["scale"] = scale
        if softcap is not None:
            told["softcap"] = softcap
        window = WINDOWS[mask] if isinstance(mask, str) else mask
        if isinstance(mask, str):
            told["is_causal"] = 1
        elif isinstance(mask, Window):
            left, right = reaches(mask, -1)
            told |= {"left_window_size": left, "right_window_size": right}
        number = None if stage is None else STAGES.index(stage)
        if number is not None:
            told["qk_matmul_output_mode"] = number
        arrays = {"Q": q, "K": key, "V": value}
        whole = _joined(visible(mask, key_masks), bias)
        if whole is not None:
            shape = (len(q), whole.shape[1], q.shape[2], key.shape[2])
            arrays["attn_mask"] = np.ascontiguousarray(np.broadcast_to(whole, shape))
        aligned = isinstance(window, Window) and not window.top_left
        if aligned:
            arrays["nonpad_kv_seqlen"] = np.full(q.shape[0], key.shape[2], dtype=np.int64)
        form = None if whole is None else whole.dtype.name
        return cls(q.dtype.name, form, aligned, number, tuple(told.items())), arrays

    def model(self) -> ModelProto:
        """Return the model."""
        form = helper.np_dtype_to_tensor_dtype(as_format(self.form).dtype)
        types = {"Q": form, "K": form, "V": form}
        if self.mask is not None:
            types["attn_mask"] = TensorProto.BOOL if self.mask == "bool" else form
        if self.aligned:
            types["nonpad_kv_seqlen"] = TensorProto.INT64
        given = [name if name in types else "" for name in NAMES]
        wanted = OUTPUTS[0] if self.stage is None else OUTPUTS[-1]
        kept = [name if name in (OUTPUTS[0], wanted) else "" for name in OUTPUTS]
        node = helper.make_node("Attention", given, kept, **dict(self.attributes))
        inputs = [
            helper.make_tensor_value_info(
                name, kind, [None] * (1 if name == "nonpad_kv_seqlen" else 4)
            )
            for name, kind in types.items()
        ]
        output = helper.make_tensor_value_info(wanted, form, [None] * 4)
        windows = "left_window_size" in dict(self.attributes)
        opset = helper.make_opsetid("", WITH_WINDOWS if windows else WITHOUT)
        graph = helper.make_graph([node], "attention", inputs, [output])
        return helper.make_model(graph, opset_imports=[opset], ir_version=10)


def _joined(whole: Any, bias: Any) -> Any:
    """The one mask that the operator takes: booleans, or biases with -inf for what is hidden."""
    if bias is None:
        return whole
    return bias[None] if whole is None else np.where(whole, bias, np.array(-np.inf, bias.dtype))
