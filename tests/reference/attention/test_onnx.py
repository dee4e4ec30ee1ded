"""The test cases of ONNX's own `Attention` operator, each through one call of the oracle.

Every number that they publish is within the bound that follows for the arithmetic of the operator's
function body: formats as its casts say, sums in any order, exp and tanh within 4 units of roundoff.
"""

from __future__ import annotations

import sys
import warnings
from math import sqrt
from typing import Any

import numpy as np
import pytest

from kvfloor import Window, tensor_attention_rounded
from kvfloor.floors import forward_error, gamma, sum_error

onnx = pytest.importorskip("onnx")

Array = Any
MODULE = "onnx.backend.test.case.node.attention"
NAMES = ("Q", "K", "V", "attn_mask", "past_key", "past_value", "nonpad_kv_seqlen")
UNITS = {"float16": 2.0**-11, "bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}
EXP = 4  # units of roundoff, as for every target of the conformance kit
PRECISIONS = {1: "float32", 10: "float16", 11: "float64", 16: "bfloat16"}


@pytest.fixture(scope="module", name="cases")
def onnx_cases() -> dict[str, tuple[dict[str, Any], dict[str, Array], Array]]:
    """By name: attributes, inputs, output. The package makes them when its module is imported."""
    node_cases = pytest.importorskip("onnx.backend.test.case.node")
    found = {}

    def note(node: Any, inputs: list[Any], outputs: list[Any], name: str, **_: Any) -> None:
        names = (name for name, given in zip(NAMES, node.input, strict=False) if given)
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        arrays = dict(zip(names, map(np.asarray, inputs), strict=True))
        found[name] = attributes, arrays, np.asarray(outputs[0])

    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its generators
        patch.setattr(node_cases, "expect", note)
        patch.delitem(sys.modules, MODULE, raising=False)  # another test may have imported it
        pytest.importorskip(MODULE)
    return found


def by_heads(array: Array, heads: int | None) -> Array:
    """(batch, tokens, heads·d) as (batch, heads, tokens, d)."""
    if array.ndim == 4:
        return array
    b, n, width = array.shape
    return array.reshape(b, n, heads, width // (heads or 1)).transpose(0, 2, 1, 3)


def arguments(attributes: dict[str, Any], given: dict[str, Array]) -> dict[str, Any]:
    """What one call of the oracle takes for a case."""
    h, h_kv = attributes.get("q_num_heads"), attributes.get("kv_num_heads")
    Q, K, V = by_heads(given["Q"], h), by_heads(given["K"], h_kv), by_heads(given["V"], h_kv)
    past = 0
    if "past_key" in given:
        past = given["past_key"].shape[2]
        K = np.concatenate([given["past_key"], K], axis=2)
        V = np.concatenate([given["past_value"], V], axis=2)
    n_q, n = Q.shape[2], K.shape[2]
    sides = [attributes.get(f"{side}_window_size", -1) for side in ("left", "right")]
    left, right = (None if size < 0 else size for size in sides)
    if attributes.get("is_causal"):
        right = 0 if right is None else min(right, 0)
    mask, bias = None, np.zeros((1, 1, 1, n), dtype=given["Q"].dtype)
    if "attn_mask" in given:
        bias = padded(given["attn_mask"], n, given["Q"].dtype)
    if "nonpad_kv_seqlen" in given or past not in (0, n - n_q):
        # A query stands at a place that neither kind of window has, maybe another in each batch.
        lengths = given.get("nonpad_kv_seqlen", np.array([n])).reshape(-1, 1, 1, 1)
        offset = lengths - n_q if "nonpad_kv_seqlen" in given else past
        place, j = np.arange(n_q)[:, None] + offset, np.arange(n)
        hidden = (j >= lengths) | (left is not None and j < place - left)
        hidden = hidden | (right is not None and j > place + right)
        bias = np.where(hidden, -np.inf, bias.astype(np.float64))
    elif (left, right) != (None, None):
        mask = Window(left, right, top_left=past == 0)
    return {
        "query": Q,
        "keys": [K],
        "values": [V],
        "scale": float(attributes.get("scale", 0)) or "1/sqrt(d)",
        "mask": mask,
        "bias": bias,
        "softcap": attributes.get("softcap") or None,
    }


def padded(mask: Array, n: int, dtype: Any) -> Array:
    """A mask as a bias, with tokens beyond its end hidden."""
    bias = np.where(mask, 0.0, -np.inf).astype(dtype) if mask.dtype == np.bool_ else mask
    more = [(0, 0)] * (bias.ndim - 1) + [(0, n - bias.shape[-1])]
    return np.pad(bias, more, constant_values=-np.inf)


def tolerance(call: dict[str, Any], attributes: dict[str, Any], exact: Array) -> Array:
    """How far the function body may be off, shape (b, h, n_q, d_v); ``exact`` is Σ p·|v|."""
    Q, K, V = call["query"], call["keys"][0], call["values"][0]
    u = UNITS[Q.dtype.name]
    precision = attributes.get("softmax_precision")
    wide = u if precision is None else UNITS[PRECISIONS[precision]]
    group = Q.shape[1] // K.shape[1]
    sizes = np.abs(Q.astype(np.float64)) @ np.abs(
        np.repeat(K, group, axis=1).astype(np.float64)
    ).transpose(0, 1, 3, 2)
    d, n = Q.shape[3], K.shape[2]
    sigma = 1 / sqrt(d) if call["scale"] == "1/sqrt(d)" else call["scale"]
    S = sigma * sizes.max(axis=3)
    cap = call["softcap"] or 0.0
    bias = np.abs(np.where(np.isinf(call["bias"].astype(np.float64)), 0, call["bias"])).max()
    # A root and a product for each factor, the root rounded again to the format; then the sum.
    logit = gamma(d + 6, u) * S + (EXP + 2) * u * cap
    logit += u * (S + logit + bias)  # the bias is added
    logit += 2 * wide * (2 * (S + logit + bias))  # rounded to the softmax's format; minus the top
    drift = logit + EXP * wide / (1 - EXP * wide)
    spread, kappa = np.exp(2 * drift), sum_error(n, wide, 1.0, 0.0)
    growth = (1 + gamma(n + 2, u)) * (1 + wide) * (1 + u)  # p rounded, p·v, its sum
    tiny = {"float16": 2.0**-24}.get(Q.dtype.name, 0.0)  # a weight that underflows
    error = forward_error(spread, growth, kappa)[..., None] * exact
    return error + tiny * n * np.abs(np.repeat(V, group, axis=1).astype(np.float64)).max()


def test_published_numbers_are_right(cases: dict[str, Any]) -> None:
    assert len(cases) >= 93
    wrong = []
    for name, (attributes, given, published) in cases.items():
        call = arguments(attributes, given)
        if not within(call, attributes, published).all():
            wrong.append(name)
    assert wrong == []


@pytest.mark.parametrize("without", ["mask", "bias", "softcap", "heads"])
def test_each_feature_is_told_from_its_absence(without: str, cases: dict[str, Any]) -> None:
    """The bounds are narrow: a call that leaves a feature out is found wrong."""
    told = 0
    for attributes, given, published in cases.values():
        call = arguments(attributes, given)
        if without == "heads" and call["query"].shape[1] > call["keys"][0].shape[1] > 1:
            call = call | {"query": call["query"][:, ::-1]}
        elif without != "heads" and call[without] is not None and np.any(call[without]):
            call = call | {without: np.zeros((1, 1, 1, 1)) if without == "bias" else None}
        else:
            continue
        told += not within(call, attributes, published).all()
    assert told >= 5


def within(call: dict[str, Any], attributes: dict[str, Any], published: Array) -> Array:
    right = tensor_attention_rounded(**call, dtype="float64", empty="zero")
    sizes = call | {"values": [np.abs(call["values"][0].astype(np.float64))]}
    mean = tensor_attention_rounded(**sizes, dtype="float64", empty="zero")
    off = np.abs(by_heads(published, call["query"].shape[1]).astype(np.float64) - right)
    most = tolerance(call, attributes, mean) * (1 + 2.0**-40) + 2.0**-140
    return np.asarray(off <= most)
