"""Public reports, each with the wrong implementation here that has its fault, by name."""

from __future__ import annotations

__all__ = ["REPORTED"]

#: What follows https://github.com/, and the name.
REPORTED = (
    # masks and windows
    ("Dao-AILab/flash-attention/issues/1778", "causal-from-the-other-corner"),
    ("xlite-dev/ffpa-attn/pull/300", "causal-top-left-from-the-other-corner"),
    ("zml/zml/pull/763", "window-too-wide"),
    ("pytorch/pytorch/issues/103963", "empty-is-nan"),
    ("NVIDIA/TensorRT-LLM/issues/17477", "empty-is-the-mean"),
    ("flashinfer-ai/flashinfer/issues/4267", "running-maximum-from-a-sentinel-none"),
    ("ohdearquant/lattice/issues/361", "masked-is-50000"),
    ("keras-team/keras/issues/21149", "mask-of-ten-thousand"),
    ("intel/torch-xpu-ops/issues/5022", "values-that-no-query-sees-boolean"),
    # heads and memory
    ("onnx/onnx/pull/7274", "heads-tiled"),
    ("BobMcDear/attorch/issues/14", "first-head-for-all"),
    ("pytorch/pytorch/pull/187506", "columns-side-by-side"),
    ("flagos-ai/FlagGems/issues/5896", "contiguous-assumed"),
    ("ovg-project/kvcached/issues/424", "page-taken-for-its-tokens"),
    # what joins the logits
    ("flashinfer-ai/flashinfer/pull/350", "cap-after-the-mask-causal"),
    ("onnx/onnx/issues/7865", "cap-after-the-bias"),
    ("sgl-project/sgl-kernel-xpu/pull/491", "cap-forgotten"),
    ("meta-pytorch/attention-gym/pull/86", "alibi-of-the-wrong-sign"),
    ("kekzl/imp/issues/1345", "sink-forgotten"),
    ("Dao-AILab/flash-attention/pull/2752", "sink-no-candidate-for-the-maximum"),
    ("ROCm/rocm-libraries/issues/12227", "sink-of-two-splits"),
    # sequences, pages, codes
    ("Dao-AILab/flash-attention/issues/443", "nothing-seen-is-nan"),
    ("pegainfer-project/pegainfer/issues/291", "page-too-many"),
    ("vllm-project/vllm/issues/34863", "scales-left-at-one"),
    ("sgl-project/sglang/pull/26852", "scales-of-keys-for-values"),
    # other calls, log-sum-exps, merging
    ("deepseek-ai/FlashMLA/issues/212", "sums-by-the-batch"),
    ("lightseekorg/tokenspeed/pull/571", "logsumexp-base-two"),
    ("sgl-project/sglang/issues/40903", "powers-of-e"),
    ("flashinfer-ai/flashinfer/issues/4051", "all-empty-is-nan"),
    ("vllm-project/vllm/pull/39148", "second-part-empty-is-nan"),
)
