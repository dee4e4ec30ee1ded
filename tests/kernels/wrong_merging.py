"""Functions that merge partial states wrongly: each an edit of a right one, and who catches it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels.wrong import Wrong
from kvfloor.conformance import Domain

__all__ = ["WRONG_MERGES"]

TEXT = (Path(__file__).parent / "merging.py").read_text()
BF16 = {"dtype": "bfloat16"}
TWO = {"domain": Domain(tokens=2)}
BASE_2 = {"logsumexp_base": 2}
WEIGHTS = "weights = np.exp(lse - [-top-]"
TOP = "top = [-lse.max(axis=0)-]"


def wrong(name: str, where: str, change: str, flag: str, **options: Any) -> Wrong:
    """``where`` is the function, or ``function/finish``."""
    function, _, helper = where.partition("/")
    return Wrong(name, function, change, flag, helper, options, TEXT)


WRONG_MERGES = (
    # shapes
    wrong("first-part-alone", "at_once", "output = [-(weights-]{+len(outputs) * outputs[0] + 0 * ("
          "weights+}[..., None] * outputs", "drawn-parts"),
    wrong("output-in-float64", "at_once/finish", ".astype([-dtype-]{+np.float64+})", "drawn-parts"),
    wrong("softmax-plus-one-part", "at_once", "total = weights.sum(axis=0)[--]{+ + np.exp(-top)+}",
          "one-part"),
    wrong("quotient-by-sum-plus-1e-6", "one_pass/finish", "(output / [-total-]"
          "{+(total + ACCUMULATE(1e-6))+}[..., None])", "one-part"),
    wrong("weight-of-the-other-part", "pair", "[-one * a[..., None] + two * b-]"
          "{+one * b[..., None] + two * a+}[..., None]", "two-parts", **TWO),
    wrong("last-part-lost", "one_pass", "range(0, len(outputs)[--]{+ - (len(outputs) > BLOCK)+}, "
          "BLOCK)", "many-parts"),
    wrong("last-part-lost-in-the-sum", "at_once", "total = weights[--]{+[: max(1, len(weights) - 1)"
          "]+}.sum(axis=0)", "many-parts"),
    wrong("parts-beyond-32-lost", "at_once", "outputs.astype(ACCUMULATE)[--]{+ * (np.arange("
          "len(lse)) < 32)[:, None, None, None]+}", "many-parts"),
    wrong("columns-beyond-128-lost", "at_once/finish", "return (output[--]{+ * (np.arange("
          "output.shape[-1]) < 128)+} /", "part-columns"),
    wrong("weights-of-the-first-row", "at_once", "weights = np.exp([-lse - top-]"
          "{+(lse - top)[:, :1] + 0 * lse+}", "rows-and-heads"),
    wrong("weights-of-the-next-head", "at_once", "output = ([-weights-]{+np.roll(weights, 1, "
          "axis=2)+}[..., None]", "rows-and-heads"),
    wrong("heads-beyond-8-lost", "normalised_first", "read = np.where([-(lse == -np.inf)-]"
          "{+((lse == -np.inf) | (np.arange(lse.shape[2]) >= 8))+}[..., None]", "rows-and-heads"),
    # empty parts
    wrong("empty-part-is-nan", "one_pass", "np.where(higher == -np.inf, ACCUMULATE(0), "
          "[-higher-]{+top+})", "empty-parts"),
    wrong("empty-part-weighs-one", "at_once", "weights = [-np.exp(lse - top)-]"
          "{+np.where(lse == -np.inf, ACCUMULATE(1), np.exp(lse - top))+}", "empty-parts"),
    wrong("second-part-empty-is-nan", "pair", "a, b = np.exp(a - top), np.exp(b - [-top-]"
          "{+np.where(b == -np.inf, b, top)+})", "empty-parts", **TWO),
    wrong("first-part-empty-is-empty", "pair", "total = [-a + b-]{+np.where(a == 0, 0, a + b)+}",
          "empty-parts", **TWO),
    wrong("all-empty-is-nan", "at_once", "top = np.where(top == -np.inf, ACCUMULATE(0), "
          "[-top)-]{+top) - ACCUMULATE(0) * top+}", "all-empty"),
    wrong("all-empty-is-zero", "at_once/finish", "np.where(empty, ACCUMULATE([--np.inf-]{+0+})",
          "all-empty"),
    wrong("all-empty-is-a-number", "one_pass/finish", "np.where(empty, ACCUMULATE([--np.inf-]"
          "{+-3e38+})", "all-empty"),
    wrong("all-empty-divides-by-zero", "pair/finish", "np.where(empty, ACCUMULATE([-1-]{+0+}), "
          "total)", "all-empty", **TWO),
    wrong("empty-outputs-are-read", "normalised_first", "read = [-np.where((lse == -np.inf)[..., "
          "None], ACCUMULATE(0), outputs.astype(ACCUMULATE))-]{+outputs.astype(ACCUMULATE)+}",
          "unread-parts", skips=True),
    # ranges
    wrong("weights-clamped", "at_once", "np.exp([-lse - top-]{+np.maximum(lse - top, -10)+}",
          "dominant-part"),
    wrong("logsumexps-added", "at_once/finish", "[-top + np.log(total)-]{+top + total - 1+}",
          "equal-parts"),
    wrong("logsumexps-summed", "pair", "return finish(output, total, top, outputs.dtype)[--]"
          "{+[0], (logsumexps[0] + logsumexps[1]).astype(ACCUMULATE)+}", "equal-parts", **TWO),
    wrong("weights-not-normalised", "at_once/finish", "(output [-/ total[..., None]-]{++})",
          "equal-parts"),
    wrong("mean-of-the-parts", "at_once", "weights = np.exp([-lse - top-]{+0 * (lse - top)+})",
          "drawn-parts"),
    *(wrong(f"empty-below-{sentinel:g}", "at_once", TOP + "{+np.maximum(lse.max(axis=0), "
            f"ACCUMULATE({-sentinel}))+}}", "low-parts") for sentinel in (1e4, 65504.0, 1e9)),
    wrong("running-maximum-from-ten-thousand", "one_pass", "np.full(outputs.shape[1:-1], "
          "[--np.inf-]{+-1e4+}, ACCUMULATE)", "low-parts"),
    wrong("low-parts-are-empty", "normalised_first", "lse = [-logsumexps.astype(ACCUMULATE)-]"
          "{+np.where(logsumexps < -5e4, -np.inf, logsumexps).astype(ACCUMULATE)+}", "low-parts"),
    wrong("no-maximum", "at_once", TOP + "{+0 * lse.max(axis=0)+}", "high-parts"),
    wrong("maximum-from-zero", "at_once", TOP + "{+np.maximum(lse.max(axis=0), 0)+}",
          "high-parts"),
    wrong("powers-of-two", "at_once", "weights = np.[-exp-]{+exp2+}(lse - top)", "steep-parts"),
    wrong("powers-of-e", "in_base_two", "weights = np.[-exp2-]{+exp+}(lse - top)", "steep-parts",
          **BASE_2),
    wrong("natural-logarithm", "in_base_two", "top + np.[-log2-]{+log+}(total)", "equal-parts",
          **BASE_2),
    wrong("result-to-base-two", "by_exp_two", "(top + np.log2(total)) [-/ factor-]{++})",
          "equal-parts", exp_base=2),
    # precision
    wrong("logsumexps-in-bfloat16", "at_once", "lse = logsumexps.astype([-ACCUMULATE-]"
          "{+outputs.dtype).astype(ACCUMULATE+})", "fine-parts", **BF16),
    wrong("weights-in-bfloat16", "at_once", "output = (weights[--]{+.astype(outputs.dtype).astype("
          "ACCUMULATE)+}[..., None]", "cancelling-parts", **BF16),
    wrong("sums-in-float16", "normalised_first", "output = [-output + weight[..., None] * part-]"
          "{+(output + weight[..., None] * part).astype(np.float16).astype(ACCUMULATE)+}",
          "cancelling-parts"),
    wrong("output-kept-narrow", "one_pass", "output = [-output * rescale[..., None] + "
          "(weights[..., None] * read).sum(axis=0)-]{+(output * rescale[..., None] + (weights[..., "
          "None] * read).sum(axis=0)).astype(outputs.dtype).astype(ACCUMULATE)+}",
          "cancelling-parts", **BF16),
    wrong("running-sum-narrow", "one_pass", "total = [-total * rescale + weights.sum(axis=0)-]"
          "{+(total * rescale + weights.sum(axis=0)).astype(outputs.dtype).astype(ACCUMULATE)+}",
          "light-parts", **BF16),
    wrong("output-cut-off", "at_once/finish", "return [-(output / total[..., None]).astype(dtype)-]"
          "{+((output / total[..., None]).view(np.uint32) >> 16 << 16).view(np.float32).astype("
          "dtype)+}", "drawn-parts", **BF16),
    wrong("sum-not-rescaled", "one_pass", "total = total[- * rescale-]{++} + weights",
          "late-part"),
    wrong("output-not-rescaled", "one_pass", "output = output * rescale[--]{+.clip(1)+}[..., None]",
          "late-part"),
    wrong("rescaled-the-wrong-way", "one_pass", "np.exp([-top - shift-]{+shift - top+})",
          "late-part"),
    # invariance
    wrong("later-parts-preferred", "at_once", "weights = np.exp(lse - top[--]{+ + np.arange("
          "len(lse), dtype=ACCUMULATE)[:, None, None] / 256+})", "permuted-parts"),
    wrong("order-random", "at_once", "logsumexps.astype(ACCUMULATE)[--]{+ + np.random.choice([0, "
          "1e-7], logsumexps.shape).astype(ACCUMULATE)+}", "repeated-merge"),
    wrong("overwrites-a-part", "at_once", "[-lse =-]{+outputs[0] += 1\n"
          "    outputs[0] -= 1\n    lse =+} logsumexps", "merged-inputs"),
)  # fmt: skip
