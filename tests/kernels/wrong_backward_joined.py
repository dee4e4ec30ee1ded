"""Wrong backward passes with sinks, caps, biases, cotangents of log-sum-exps, and who sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels.wrong_backward import WrongBackward

__all__ = ["JOINED_TEXT", "WRONG_JOINED"]

JOINED_TEXT = (Path(__file__).parent / "backward_joined.py").read_text()
SINK: dict[str, Any] = {"sink": True, "gradients": ("sink",)}
CAP: dict[str, Any] = {"softcap": 3}
BIAS: dict[str, Any] = {"bias": "array", "gradients": ("bias",)}
LSE: dict[str, Any] = {"logsumexp_cotangent": True}
SUMMED = "return [-dz.sum(axis=0, keepdims=True) if len(bias) == 1 else dz-]"
SUBTRACTED = "D = [-D - logsumexp_cotangent-]"


def wrong(name: str, where: str, change: str, flag: str, **options: Any) -> WrongBackward:
    """``where`` is the function, or ``function/helper`` for an edit of a helper."""
    function, _, helper = where.partition("/")
    return WrongBackward(name, function, change, flag, helper, options, JOINED_TEXT)


WRONG_JOINED = (
    # sinks
    wrong("sink-not-in-the-sum", "softmax", "total = ([-weights.sum(axis=-1) + of_sink-]"
          "{+weights.sum(axis=-1)+})", "gradient-sink", **SINK),
    wrong("sink-no-candidate-for-the-maximum", "softmax", "top = [-np.maximum(logits.max(axis=-1), "
          "column(sink))-]{+logits.max(axis=-1)+}", "gradient-sink", **SINK),
    wrong("sink-gradient-of-the-other-sign", "from_logsumexp", "else [--(np-]{+(np+}.exp(column("
          "sink)", "gradient-sink", **SINK),
    wrong("sink-gradient-without-its-weight", "from_logsumexp", "-([-np.exp(column(sink) - lse) * "
          "-]{++}D)", "gradient-sink", **SINK),
    wrong("sink-gradient-of-the-next-head", "from_logsumexp", ".sum(axis=(0, 2))[--]{+[::-1]+}\n",
          "gradient-sink-heads", **SINK),
    wrong("sink-gradient-of-one-of-the-batch", "from_logsumexp", "* D)[-.sum(axis=(0, 2))-]"
          "{+[0].sum(axis=1)+}", "gradient-sink-heads", **SINK),
    wrong("sinks-gradient-added-in-half", "blocks", "rounded(each, [-ADDED), ADDED-]{+np.float16), "
          "np.float16+})", "gradient-sink-sums", **SINK),
    wrong("sink-gradient-of-the-last-block", "blocks", "dsink = rounded([-dsink + -]{++}rounded(",
          "gradient-sink-sums", **SINK),
    wrong("sink-gradient-none-below", "from_logsumexp", "np.exp(column(sink) - lse)[--]{+ * ("
          "column(sink) > -5)+}", "gradient-sink", **SINK),
    # caps
    wrong("slope-not-below", "from_logsumexp/capped", "* t, [-1 - t * t-]{+np.maximum(1 - t * t, "
          "ACCUMULATE(0.01))+}", "gradient-capped", **CAP),
    wrong("slope-left-out", "from_logsumexp/capped", "* t, [-1 - t * t-]{+ACCUMULATE(1)+}",
          "gradient-capped", **CAP),
    wrong("slope-once", "from_logsumexp/capped", "* t, 1 - t[- * t-]{++}", "gradient-capped",
          **CAP),
    wrong("slope-of-the-capped-logit", "from_logsumexp/capped", "1 - [-t * t-]{+np.tanh(t) ** 2+}",
          "gradient-capped", **CAP),
    wrong("slope-in-half", "from_logsumexp", "rounded(dz * slope[--]{+.astype(np.float16).astype("
          "ACCUMULATE)+}, STORED)", "gradient-capped", **CAP),
    wrong("slope-twice", "softmax", "ds = slope * dz[--]{+ * slope+}", "gradient-capped", **CAP),
    wrong("cap-of-the-forward-pass-alone", "blocks", "logits, slope = [-ACCUMULATE(softcap) * "
          "np.tanh(y), 4-]{+logits, 4+}", "gradient-capped", **CAP),
    wrong("bias-gradient-under-the-slope", "from_logsumexp", "of_bias(rounded([-dz, STORED)-]"
          "{+ds, STORED)+}, bias)", "gradient-cap-and-bias", **CAP, **BIAS),
    wrong("bias-under-the-cap", "from_logsumexp", "capped((q @ turned(K)) * scale[--]{+ + biases("
          "bias, mask, n_q, n)+}, softcap)\n    logits = logits[- + biases(bias, mask, n_q, n)-]"
          "{++}",
          "gradient-cap-and-bias", **CAP, **BIAS),
    # biases
    wrong("bias-gradient-of-one-head", "from_logsumexp/of_bias", SUMMED + "{+dz[:1] if len(bias) "
          "== 1 else dz+}", "gradient-bias-axes", **BIAS),
    wrong("bias-gradient-of-one-of-the-batch", "from_logsumexp/of_bias", "dz = dz[-.sum(axis=0)-]"
          "{+[0]+}", "gradient-bias-axes", **BIAS),
    wrong("bias-gradient-a-mean", "from_logsumexp/of_bias", "dz = dz.[-sum-]{+mean+}(axis=0)",
          "gradient-bias-axes", **BIAS),
    wrong("bias-gradient-scaled", "from_logsumexp", "of_bias(rounded(dz[--]{+ * scale+}, STORED)",
          "gradient-bias-axes", **BIAS),
    wrong("bias-gradient-turned", "from_logsumexp/of_bias", SUMMED + "{+np.swapaxes(dz, 1, 2)"
          ".reshape(dz.shape)[: len(bias)]+}", "gradient-bias-axes", **BIAS),
    wrong("bias-gradient-is-p", "from_logsumexp", "of_bias(rounded([-dz-]{+p+}, STORED)",
          "gradient-bias-tuple", **BIAS),
    wrong("bias-not-in-the-logits", "from_logsumexp", "logits = logits[- + biases(bias, mask, n_q, "
          "n)-]{++}", "gradient-bias-tuple", **BIAS),
    wrong("hidden-by-bias-is-nan", "from_logsumexp", "of_bias(rounded(dz, STORED), bias)[--]{+ + "
          "0 * bias+}", "gradient-hidden-by-bias", **BIAS),
    wrong("alibi-of-the-wrong-sign", "from_logsumexp/biases", "return [---]{++}bias[:, None, None]",
          "gradient-alibi", bias="alibi"),
    wrong("bias-gradient-turned-if-square", "from_logsumexp/of_bias", "dz = dz.sum(axis=0)[--]"
          "{+\n    dz = dz.swapaxes(1, 2) if dz.shape[1] == dz.shape[2] else dz+}",
          "gradient-softmax-axes", **BIAS),
    # cotangents of log-sum-exps
    wrong("logsumexp-cotangent-of-empty-rows", "softmax", "else logsumexp_cotangent[--]{+\n    p = "
          "np.where(kept.any(axis=-1)[..., None], p, ACCUMULATE(1) / n)+}", "gradient-empty-rows",
          mask="boolean", **LSE),
    wrong("logsumexp-cotangent-left-out", "from_logsumexp", SUBTRACTED + "{+D+}",
          "gradient-logsumexp", **LSE),
    wrong("logsumexp-cotangent-subtracted", "from_logsumexp", SUBTRACTED
          + "{+D + logsumexp_cotangent+}", "gradient-logsumexp", **LSE),
    wrong("logsumexp-cotangent-without-p", "softmax", "p * D[..., None] + [-p * -]{++}g[",
          "gradient-logsumexp", **LSE),
    wrong("logsumexp-cotangent-of-another-row", "from_logsumexp", SUBTRACTED
          + "{+D - np.roll(logsumexp_cotangent, 1, axis=2)+}", "gradient-logsumexp-row", **LSE),
    wrong("logsumexp-cotangent-of-another-head", "from_logsumexp", SUBTRACTED
          + "{+D - logsumexp_cotangent[:, ::-1]+}", "gradient-logsumexp-row", **LSE),
    wrong("logsumexp-cotangent-not-for-the-sink", "softmax", "([-p_sink * g --]{+-+} p_sink * D)",
          "gradient-logsumexp", **SINK, **LSE),
    wrong("logsumexp-cotangent-in-half", "from_logsumexp", "D = D - logsumexp_cotangent[--]"
          "{+.astype(np.float16)+}", "gradient-logsumexp", **LSE),
)  # fmt: skip
