"""Stand-ins for packages of attention: what their documentation says of a call, in NumPy.

A module's name, and what is in it, by the adapter that imports it.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from kernels import correct
from kvfloor import Window

factored: Any = correct.factored
kept_tuples: Any = correct.kept_tuples


class Host(np.ndarray[Any, Any]):
    """An array that a kernel does not take before it is moved to the device."""

    def cuda(self) -> np.ndarray[Any, Any]:
        return self.view(np.ndarray)


def by_tokens(q: Any, K: Any, V: Any, **options: Any) -> Any:
    """Attention in layout bnhd: outputs, and the log-sum-exp of shape (b, n_q, h)."""
    assert not any(isinstance(A, Host) for A in (q, *K, *V))
    q, *slots = (A.swapaxes(1, 2) for A in (q, *K, *V))
    output, lse = factored(q, slots[: len(K)], slots[len(K) :], **options)
    return output.swapaxes(1, 2), lse.swapaxes(1, 2)


def flash_attn_func(
    q: Any, k: Any, v: Any, *, softmax_scale: float, causal: bool, window_size: Any
) -> Any:
    """Bottom-right; -1 is no end of a window, and causal has its right one at 0."""
    left, right = (None if side == -1 else side for side in window_size)
    mask = Window(left, 0 if causal else right)
    return by_tokens(q, (k,), (v,), scale=softmax_scale, mask=mask)[0]


class LowerTriangularMask:
    """Top-left."""


def memory_efficient_attention(q: Any, k: Any, v: Any, *, attn_bias: Any, scale: float) -> Any:
    mask = "causal-top-left" if isinstance(attn_bias, LowerTriangularMask) else None
    return by_tokens(q, (k,), (v,), scale=scale, mask=mask)[0]


def single_prefill_with_kv_cache(
    q: Any, k: Any, v: Any, *, causal: bool, sm_scale: float, kv_layout: str = "NHD"
) -> Any:
    """One sequence; bottom-right."""
    assert kv_layout == "NHD"
    mask = "causal" if causal else None
    return by_tokens(q[None], (k[None],), (v[None],), scale=sm_scale, mask=mask)[0][0]


def dot_product_attention(
    q: Any, k: Any, v: Any, *, scale: float, is_causal: bool = False, mask: Any = None,
    local_window_size: Any = None, return_residual: bool = False,
) -> Any:  # fmt: skip
    """Top-left; a mask has axes for batch and heads, and is one with what else is told."""
    kept: Any = "causal-top-left" if is_causal else None
    if local_window_size is not None:
        left, right = local_window_size
        kept = Window(left, right, top_left=True)
    if mask is not None:
        n_q, n = q.shape[1], k.shape[1]
        whole = np.broadcast_to(mask, (len(q), 1, n_q, n)) & kept_tuples(kept, n_q, (n,))
        rows = [by_tokens(q[i : i + 1], (k[i : i + 1],), (v[i : i + 1],), scale=scale,
                          mask=whole[i, 0]) for i in range(len(q))]  # fmt: skip
        pair = tuple(np.concatenate(part) for part in zip(*rows, strict=True))
    else:
        pair = by_tokens(q, (k,), (v,), scale=scale, mask=kept)
    return pair if return_residual else pair[0]


def nth_order_attend(q: Any, keys: Any, values: Any, causal: bool = False) -> Any:
    mask = "causal" if causal else None
    return factored(q, keys, values, scale=q.shape[-1] ** -0.5, mask=mask)[0]


def sliding_two_simplicial_attn(
    q: Any, keys: Any, values: Any, w1: int = 512, w2: int = 32, causal: bool = True
) -> Any:
    """A query sees w1 and w2 tokens, its own and those before it."""
    assert causal
    mask = Window((w1 - 1, w2 - 1), 0)
    return by_tokens(q, keys, values, scale=q.shape[-1] ** -0.5, mask=mask)[0]


def session(model: bytes, options: Any, providers: Any) -> Any:
    """ONNX's own evaluator in the shape of an `InferenceSession`."""
    import onnx  # noqa: PLC0415 (not everywhere)
    from onnx.reference import ReferenceEvaluator  # noqa: PLC0415

    assert (options.log_severity_level, providers) == (3, ["CPUExecutionProvider"])
    return SimpleNamespace(run=ReferenceEvaluator(onnx.load_model_from_string(model)).run)


PACKAGES: dict[str, dict[str, dict[str, Any]]] = {
    "flash-attn": {"flash_attn": {"flash_attn_func": flash_attn_func}},
    "xformers": {
        "xformers": {},
        "xformers.ops": {
            "LowerTriangularMask": LowerTriangularMask,
            "memory_efficient_attention": memory_efficient_attention,
        },
    },
    "flashinfer": {"flashinfer": {"single_prefill_with_kv_cache": single_prefill_with_kv_cache}},
    "jax:dot-product-attention": {
        "jax": {},
        "jax.nn": {"dot_product_attention": dot_product_attention},
    },
    "simplicial-attention:naive": {
        "simplicial_attention": {
            "naive_two_simplicial_attend": nth_order_attend,
            "nth_order_attend": nth_order_attend,
        }
    },
    "simplicial-attention:triton": {
        "simplicial_attention": {},
        "simplicial_attention.triton_two_simplicial_attention": {
            "sliding_two_simplicial_attn": sliding_two_simplicial_attn
        },
    },
    "onnxruntime:attention": {
        "onnxruntime": {"InferenceSession": session, "SessionOptions": SimpleNamespace}
    },
}
PACKAGES["simplicial-attention:nth"] = PACKAGES["simplicial-attention:naive"]
