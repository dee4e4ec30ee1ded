"""Wrong attention with sinks, caps and biases: each an edit of a right one, and who sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels.wrong import Wrong

__all__ = ["JOINED", "WRONG_TERMS"]

JOINED = (Path(__file__).parent / "joined.py").read_text()
SINK: dict[str, Any] = {"sink": True}
BLOCKS: dict[str, Any] = {"sink": True, "order": 1, "block": 4}
CAP: dict[str, Any] = {"softcap": 10}
ARRAY: dict[str, Any] = {"bias": "array"}
ALIBI: dict[str, Any] = {"bias": "alibi", "order": 1}
CAPPED = "logits = [-ACCUMULATE(softcap) * np.tanh(logits / ACCUMULATE(softcap))-]"
BIASED = "logits = [-logits + biases(bias, mask, q.shape[2], lengths)-]"
COUNTED = "total = [-total + np.exp(sink - top)-]"
DISTANCE = "return [--bias[:, None, None] * distance-]"


def wrong(name: str, where: str, change: str, flag: str, **options: Any) -> Wrong:
    """``where`` is the function, or ``function/helper``."""
    function, _, helper = where.partition("/")
    return Wrong(name, function, change, flag, helper, options, JOINED)


WRONG_TERMS = (
    # sinks
    wrong("sink-no-candidate-for-the-maximum", "at_once", "top = [-np.maximum(top, sink)-]{+top+}",
          "sink-above", **SINK),
    wrong("sink-alone-divides", "sink_last", "rescale = np.exp([-top - higher-]{+0 * top+})",
          "sink-above", **SINK),
    wrong("sink-has-a-value", "at_once", "finish(weights @ products(V, q.shape[1])[--]"
          "{++ (0 if sink is None else np.exp(sink - top)[..., None])+}", "sink-above", **SINK),
    wrong("sink-by-the-maximum-of-the-head", "at_once", "np.exp(sink - [-top-]"
          "{+top.max(axis=2, keepdims=True)+})", "sink-below", **SINK),
    wrong("sink-clamped", "at_once", "sink = [-sink.astype(ACCUMULATE)[:, None]-]"
          "{+np.maximum(sink.astype(ACCUMULATE), -6)[:, None]+}", "sink-below", order=1,
          **SINK),
    wrong("sink-of-ten-thousand-is-none", "at_once", COUNTED
          + "{+total + np.where(sink < -1e4, 1, np.exp(sink - top))+}", "sink-below", **SINK),
    wrong("sink-forgotten", "at_once", COUNTED + "{+total+}", "drawn", **SINK),
    wrong("sink-not-in-the-logsumexp", "at_once", "total, top, q.dtype[--]{+)[0], (top + np.log("
          "weights.sum(axis=-1))+}", "sink-of-blocks", **SINK),
    wrong("sink-once-a-block", "one_pass", "total = total * rescale + weights.sum(axis=-1)[--]"
          "{+ + (first > 0) * np.exp(sink[:, None] - shift)+}", "sink-of-blocks", **BLOCKS),
    wrong("sink-of-two-splits", "at_once", COUNTED + "{+total + (1 + (logits.shape[3] > 16)) * "
          "np.exp(sink - top)+}", "sink-of-blocks", **SINK),
    wrong("sink-not-rescaled", "one_pass", "total = [-total * rescale + weights-]"
          "{+(total - (first > 0)) * rescale + (first > 0) + weights+}", "sink-of-blocks",
          **BLOCKS),
    wrong("sink-of-the-first-head", "at_once", "sink = sink.astype(ACCUMULATE)[[-:, None-]"
          "{+:1, None+}]", "sink-heads", **SINK),
    wrong("sinks-reversed", "at_once", "sink = sink[--]{+[::-1]+}.astype", "sink-heads", **SINK),
    wrong("sink-weighs-as-one", "at_once", "np.exp([-sink - top-]{+-top+})", "sink-heads", **SINK),
    # caps
    wrong("cap-forgotten", "at_once/logits_of", CAPPED + "{+logits+}", "capped", **CAP),
    wrong("cap-clips", "at_once/logits_of", CAPPED + "{+np.clip(logits, -softcap, softcap).astype("
          "ACCUMULATE)+}", "capped", **CAP),
    wrong("cap-not-multiplied", "at_once/logits_of", "[-ACCUMULATE(softcap) * np.tanh-]{+np.tanh+}",
          "capped", **CAP),
    wrong("cap-of-the-products", "at_once/logits_of", CAPPED + "{+ACCUMULATE(scale * softcap) * "
          "np.tanh(logits / ACCUMULATE(scale * softcap))+}", "capped", **CAP),
    wrong("tanh-in-float16", "at_once/logits_of", "np.tanh(logits / ACCUMULATE(softcap))[--]"
          "{+.astype('float16').astype(ACCUMULATE)+}", "small-under-cap", **CAP),
    wrong("tanh-of-two-terms", "at_once/logits_of", CAPPED + "{+np.where(np.abs(logits) < softcap "
          "/ 16, logits - logits**3 / ACCUMULATE(4 * softcap**2), ACCUMULATE(softcap) * np.tanh("
          "logits / ACCUMULATE(softcap)))+}", "small-under-cap", **CAP),
    *(wrong(f"cap-after-the-mask-{mask}", "at_once/logits_of", "return [-np.where(kept, logits, "
            "-np.inf)-]{+np.where(kept, logits, -softcap)+}", "cap-after-mask", mask=mask, **CAP)
      for mask in ("causal", "boolean")),
    wrong("cap-after-the-bias", "at_once/logits_of", "return np.where(kept, [-logits-]"
          "{+ACCUMULATE(softcap) * np.tanh(logits / ACCUMULATE(softcap))+}", "cap-after-bias",
          **CAP, **ARRAY),
    wrong("bias-under-the-cap", "at_once/logits_of", CAPPED + "{+ACCUMULATE(softcap) * np.tanh(("
          "logits + biases(bias, mask, q.shape[2], lengths)) / ACCUMULATE(softcap))\n        "
          "bias = None+}", "cap-after-bias", **CAP, **ARRAY),
    # biases
    wrong("bias-scaled", "at_once/logits_of", BIASED + "{+logits + ACCUMULATE(scale) * biases("
          "bias, mask, q.shape[2], lengths)+}", "drawn", **ARRAY),
    wrong("bias-of-the-first-head", "at_once/biases", "bias.astype(ACCUMULATE).reshape(len(bias), "
          "queries, -1)[--]{+[:1]+}", "bias-axes", **ARRAY),
    wrong("bias-of-the-first-query", "at_once/biases", "bias.astype(ACCUMULATE).reshape(len(bias), "
          "queries, -1)[--]{+[:, :1]+}", "bias-axes", **ARRAY),
    wrong("bias-for-one-head-dropped", "at_once/biases", "[-bias is None-]{+bias is None or len("
          "bias) == 1+}", "bias-axes", **ARRAY),
    *(wrong(f"bias-of-{sentinel:g}-hides", "at_once/logits_of", "np.where(kept[--]{+ & (biases("
            f"bias, mask, q.shape[2], lengths) > {-sentinel})+}}, logits", "bias-sentinels",
            **ARRAY)
      for sentinel in (1e4 * 0.99, 65504.0)),
    wrong("bias-not-below-minus-thirty", "at_once/biases", "return [-bias.astype(ACCUMULATE)-]"
          "{+np.maximum(bias.astype(ACCUMULATE), -30)+}.reshape(len", "hidden-by-bias", **ARRAY),
    wrong("bias-times-zero-is-nan", "at_once/logits_of", BIASED + "{+logits + (1 + 0 * logits) * "
          "biases(bias, mask, q.shape[2], lengths) + 0 * biases(bias, mask, q.shape[2], lengths)+}",
          "hidden-by-bias", **ARRAY),
    wrong("alibi-of-the-wrong-sign", "at_once/biases", DISTANCE + "{+bias[:, None, None] * "
          "distance+}", "alibi-corners", **ALIBI),
    wrong("alibi-from-the-other-corner", "at_once/biases", "else lengths[0] - queries[--]"
          "{+ - (lengths[0] - queries)+}", "alibi-corners", **ALIBI),
    wrong("alibi-top-left-from-the-other-corner", "at_once/biases", "(0 if mask == "
          '"causal-top-left"[--]{+ and False+} else', "alibi-corners", mask="causal-top-left",
          **ALIBI),
    wrong("alibi-of-positions-alone", "at_once/biases", DISTANCE + "{+bias[:, None, None] * "
          "(np.arange(lengths[0]) - lengths[0] + 1).astype(ACCUMULATE) + 0 * distance+}",
          "alibi-corners", mask=None, **ALIBI),
    wrong("alibi-off-by-one", "at_once/biases", "np.abs(place[:, None] - np.arange(lengths[0])"
          "[--]{+ + 1+})", "alibi-corners", **ALIBI),
    wrong("alibi-of-the-next-head", "at_once/biases", "return -bias[[-:-]{+::-1+}, None, None]",
          "alibi-slopes", **ALIBI),
    wrong("alibi-slopes-of-its-own", "at_once/biases", "return -[-bias-]{+(2.0 ** (-8 * np.arange("
          "1, len(bias) + 1) / len(bias))).astype(ACCUMULATE)+}[:, None, None]", "alibi-slopes",
          **ALIBI),
    wrong("alibi-slopes-of-a-power-of-two", "at_once/biases", "return -[-bias-]{+(2.0 ** (-np."
          "arange(1, len(bias) + 1))).astype(ACCUMULATE)+}[:, None, None]", "alibi-slopes",
          **ALIBI),
    wrong("alibi-slopes-in-float16", "at_once/biases", "return -bias[--]{+.astype('float16')"
          ".astype(ACCUMULATE)+}[:, None, None]", "alibi-slopes", **ALIBI),
)  # fmt: skip
