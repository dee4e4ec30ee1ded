"""Wrong implementations: each a small edit of a right one, and the flag that should catch it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kvfloor import Window

SOURCE = (Path(__file__).parent / "correct.py").read_text()
CHANGE = re.compile(r"\[-(.*?)-\]\{\+(.*?)\+\}", re.DOTALL)
WINDOW = Window((2, 4), 0)


@dataclass(frozen=True)
class Wrong:
    """An edit, written ``[-old-]{+new+}``, of one function in ``correct.py`` or another text."""

    name: str
    function: str
    change: str
    flag: str
    where: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    text: str = SOURCE

    def source(self) -> str:
        """The module with the edit in the function named by ``where``, or else by ``function``."""
        old, new = CHANGE.sub(r"\1", self.change), CHANGE.sub(r"\2", self.change)
        start = self.text.index(f"def {self.where or self.function}(") if self.where != "-" else 0
        end = self.text.find("\n\n\n", start)
        part = self.text[start:end]
        if part.count(old) != 1 or old == new:
            raise ValueError(f"{self.name}: the edit applies {part.count(old)} times")
        return self.text[:start] + part.replace(old, new) + self.text[end:]

    def build(self) -> Callable[..., Any]:
        """The wrong function."""
        module: dict[str, Any] = {"__name__": "wrong"}
        exec(compile(self.source(), self.name, "exec"), module)
        module["BLOCK"] = self.options.get("block", module.get("BLOCK"))
        function: Callable[..., Any] = module[self.function]
        return function


def wrong(name: str, where: str, change: str, flag: str, **options: Any) -> Wrong:
    """``where`` is the function, or ``function/helper`` for an edit of a helper."""
    function, _, helper = where.partition("/")
    return Wrong(name, function, change, flag, helper, options)


BF16 = {"dtype": "bfloat16"}
LOGITS = "logits = [-(q @ keys.swapaxes(2, 3)) * ACCUMULATE(scale)-]"
TOP = "top = [-logits.max(axis=-1)-]"
RETURN = "return [-finish(output, total, top, dtype)-]"
DIVIDED = "[-(output / total[..., None]).astype(dtype)-]"
LIGHT = "weights = np.exp(logits - top[..., None, None])[--]"
EXP = "weights = [-np.exp(logits - top[..., None])-]"

WRONG = (
    # slots and shapes
    wrong("keys-swapped", "materialised", "[-K1, K2-]{+K2, K1+} = pair(K)", "distinct-slots"),
    wrong("values-swapped", "factored", "[-V1, V2-]{+V2, V1+} = pair(V)", "distinct-slots"),
    wrong("k2-for-v2", "materialised", "V1, V2 = [-pair(V)-]{+pair([V[0], K[-1]])+}",
          "distinct-slots"),
    wrong("v1-for-v2", "factored", "V1, V2 = [-pair(V)-]{+pair([V[0], V[0]])+}", "distinct-slots"),
    wrong("values-added", "factored", "V1[:, :, None] [-*-]{++ 0 *+} (weights", "distinct-slots"),
    wrong("length-of-the-other-slot", "online",
          "for second in range(0, [-K2-]{+K1+}.shape[2], BLOCK)", "unequal-lengths"),
    wrong("d-for-d_v", "online", "np.zeros((*q.shape[:3], [-V1-]{+q+}.shape[3])", "wide-values"),
    wrong("maximum-but-for-the-last", "materialised", TOP + "{+logits[..., :-1].max(axis=-1)+}",
          "single-token"),
    wrong("one-block-too-many", "online", "for first in range(0, K1.shape[2][--]{+ + 1+}, BLOCK)",
          "block-boundary"),
    wrong("block-end-excluded", "online",
          "slice(first, first + BLOCK[--]{+ - (K1.shape[2] % BLOCK == 0)+})", "block-boundary"),
    wrong("tail-block-dropped", "online",
          "for first in range(0, K1.shape[2][--]{+ - BLOCK + 1+}, BLOCK)", "tail-block"),
    wrong("last-token-dropped", "factored", "total = [-weights-]{+weights[..., :-1]+}.sum",
          "tail-block"),
    wrong("first-head-for-all", "factored/prepare",
          "np.repeat([-A, group-]{+A[:, :1], q.shape[1]+}, axis=1)", "heads"),
    wrong("batch-reversed", "factored/prepare", "np.repeat([-A-]{+A[::-1]+}, group", "heads"),
    wrong("heads-tiled", "materialised/prepare",
          "[-np.repeat(A, group, axis=1)-]{+np.tile(A, (1, group, 1, 1))+}", "grouped-heads",
          grouped=True),
    wrong("output-transposed", "materialised", "finish([-output-]{+output.swapaxes(1, 2)+}",
          "heads"),
    wrong("output-in-float64", "materialised/finish", ".astype([-dtype-]{+np.float64+})", "drawn"),
    # blocks and tiles
    *(wrong(f"output-not-rescaled-{n}", "online", "output * rescale[--]{+.clip(1)+}[..., None]",
            "long-slot", block=n) for n in (64, 128)),
    wrong("sum-not-rescaled-128", "online", "total = total[- * rescale-]{++} + weights",
          "long-slot", block=128, order=1),
    wrong("maximum-of-the-last-block-64", "online", "np.maximum([-top, -]{+-np.inf, +}logits.max",
          "long-slot", block=64, order=1),
    wrong("tail-block-dropped-128", "online",
          "for first in range(0, K1.shape[2][--]{+ - BLOCK + 1+}, BLOCK)", "long-slot", block=128),
    wrong("tail-block-of-the-other-slot-dropped", "online", "for second in range(0, K2.shape[2]"
          "[--]{+ - (K2.shape[2] > BLOCK) * BLOCK+}, BLOCK)", "long-slot", block=64),
    wrong("causal-sum-not-rescaled-80", "online", "total = total[- * rescale-]{++} + weights",
          "long-slot", block=80, mask="causal"),
    wrong("tokens-beyond-256-dropped", "factored", "q, K, V = prepare(q, K, V)[--]"
          "{+\n    K[0][:, :, 256:] = 0+}", "long-slot"),
    wrong("queries-beyond-16-dropped", "factored", RETURN + "{+finish(output * "
          "(np.arange(q.shape[2]) < 16)[:, None], total, top, dtype)+}", "query-tiles"),
    wrong("last-query-copied", "factored", RETURN + "{+finish(output[:, :, np.r_[:q.shape[2] - 1,"
          " q.shape[2] - 1 - (q.shape[2] > 16)]], total, top, dtype)+}", "query-tiles"),
    wrong("causal-queries-beyond-64-dropped", "factored", RETURN + "{+finish(output * "
          "(np.arange(q.shape[2]) < 64)[:, None], total, top, dtype)+}", "query-tiles",
          mask="causal"),
    *(wrong(f"columns-of-keys-beyond-{n}-dropped", "materialised", "q, K, V = prepare(q, K, V)"
            f"[--]{{+\n    q[..., {n}:] = 0+}}", "columns") for n in (12, 16, 64)),
    *(wrong(f"columns-of-values-beyond-{n}-dropped", "factored", RETURN + "{+finish(output * "
            f"(np.arange(output.shape[3]) < {n}), total, top, dtype)+}}", "columns")
      for n in (12, 32)),
    wrong("batch-beyond-2-dropped", "factored", RETURN + "{+finish(output * (np.arange(len(q)) < 2)"
          "[:, None, None, None], total, top, dtype)+}", "heads"),
    wrong("heads-beyond-3-dropped", "factored", RETURN + "{+finish(output * (np.arange(q.shape[1])"
          " < 3)[:, None, None], total, top, dtype)+}", "heads"),
    # wrong in one place alone
    wrong("scale-twice-in-the-tail", "online", "logits = logits * ACCUMULATE(scale[--]{+ * (scale "
          "if first + BLOCK > K1.shape[2] else 1)+})", "tail-block", order=1),
    wrong("logsumexp-base-two-in-decoding", "factored/finish", "top + [-np.log(total)-]{+(np.log("
          "total) if top.shape[2] > 1 else np.log2(total))+}", "one-query"),
    wrong("window-too-wide-in-decoding", "factored/kept_tuples", "(j >= i - reach(left, r)[--]"
          "{+ - (queries == 1)+})", "one-query", mask=Window(3, 0), order=1),
    wrong("causal-off-by-one-in-the-last-block", "online", "np.where([-kept[:, one, two]-]{+(kept "
          "if first + BLOCK <= K1.shape[2] or q.shape[2] <= K1.shape[2] else np.roll(kept, 1, axis="
          "0))[:, one, two]+}, logits", "more-queries", mask="causal", order=1),
    wrong("values-of-heads-in-turn", "factored/prepare", "[-[np.repeat(A, group, axis=1).astype("
          "ACCUMULATE) for A in slots]-]{+[(np.repeat(A, group, axis=1) if slots is K else np.tile("
          "A, (1, group, 1, 1))).astype(ACCUMULATE) for A in slots]+} for slots in (K, V)",
          "grouped-heads", grouped=True),
    wrong("float16-sums-beyond-1024", "factored", "weights @ V2[:, :, None])).sum(axis=-2[--]"
          "{+, dtype=np.float16 if K1.shape[2] > 1024 else None+})", "long-context", order=1),
    wrong("scale-grows-with-the-tokens", "factored", "q = q * ACCUMULATE(scale[--]{+ * max(1, np."
          "log(K[0].shape[2]) / np.log(512))+})", "long-context", order=1),
    wrong("mask-of-the-query-mod-64", "factored", "kept = [-kept_tuples(mask, q.shape[2], lengths)"
          "-]{+kept_tuples(mask, q.shape[2], lengths)[np.arange(q.shape[2]) % 64]+}", "query-tiles",
          mask="boolean"),
    wrong("light-weights-are-zero", "factored", LIGHT + "{+\n    weights[weights < 1e-7] = 0+}",
          "light-tokens", order=1),
    wrong("log2-e-of-four-digits", "factored", "weights = [-np.exp(logits - top[..., None, None])-]"
          "{+np.exp2((logits - top[..., None, None]) * ACCUMULATE(1.4427))+}", "light-tokens",
          order=1),
    wrong("maximum-of-the-first-block-alone", "online", "higher = [-np.maximum(top, logits.max("
          "axis=(-1, -2)))-]{+np.where(top == -np.inf, logits.max(axis=(-1, -2)), top)+}",
          "late-maximum", order=1),
    # masks
    wrong("wide-windows-swapped", "factored/kept_tuples", "reach(left, [-r-]{+-1 - r+})",
          "wide-window", mask=Window((119, 39), 0)),
    wrong("wide-window-too-wide", "materialised/kept_tuples", "(j [->=-]{+>=-1 ++} i - reach(left",
          "wide-window", mask=Window(127, 0), order=1),
    wrong("wide-window-not-cut", "factored/kept_tuples", "j >= i - [-reach(left, r)-]{+queries+}",
          "wide-window", mask=Window((39, 119), 0)),
    wrong("wide-window-too-narrow-right", "factored/kept_tuples",
          "(j [-<=-]{+<+} i + reach(right", "wide-window", mask=Window(50, 100), order=1),
    wrong("sees-the-next-token", "materialised/kept_tuples", "(j <= [-i +-]{+i + 1 ++} reach",
          "causal", mask="causal"),
    wrong("does-not-see-itself", "online/kept_tuples", "(j [-<=-]{+<+} i + reach",
          "causal", mask="causal"),
    *(wrong(f"{name}-from-the-other-corner", f"{function}/kept_tuples",
            "0 if [-top_left-]{+not top_left+}", flag, mask=mask)
      for name, function, flag, mask in (
          ("causal", "factored", "fewer-queries", "causal"),
          ("causal-top-left", "online", "fewer-queries", "causal-top-left"),
          ("decoding", "materialised", "one-query", "causal"),
          ("window-top-left", "factored", "more-queries", Window(2, 1, top_left=True)),
          ("window-bottom-right", "online", "fewer-queries", Window((3, 2), (1, 0))))),
    wrong("corner-of-the-first-slot", "factored/kept_tuples",
          "0 if top_left else [-n-]{+lengths[0]+} - queries", "unequal-lengths", mask="causal"),
    wrong("negative-positions-clamped", "factored/kept_tuples", "i = [-np.arange(queries)[:, None] "
          "+ (0 if top_left else n - queries)-]{+np.maximum(0, np.arange(queries)[:, None] + "
          "(0 if top_left else n - queries))+}", "more-queries", mask="causal"),
    wrong("windows-left-and-right-swapped", "materialised/kept_tuples", "[-left, right-]"
          "{+right, left+}, top_left =", "window", mask=Window(3, 1)),
    wrong("right-of-the-window-not-cut", "factored/kept_tuples", "i + reach([-right-]{+None+}, r)",
          "window", mask=Window(3, 1)),
    wrong("causal-in-one-slot", "factored/kept_tuples",
          "in enumerate(lengths[--]{+[:1]+})", "causal", mask="causal"),
    wrong("windows-swapped", "factored/kept_tuples", "reach(left, [-r-]{+-1 - r+})", "window",
          mask=WINDOW),
    wrong("window-too-wide", "materialised/kept_tuples", "(j [->=-]{+>=-1 ++} i - reach(left",
          "window", mask=WINDOW),
    wrong("window-not-cut", "online/kept_tuples", "j >= i - [-reach(left, r)-]{+2**40+}", "window",
          mask=WINDOW),
    wrong("mask-transposed", "materialised",
          "(mask, q.shape[2], lengths)[--]{+.reshape(-1, *lengths[::-1]).swapaxes(1, 2)+}",
          "window", mask="boolean"),
    wrong("empty-is-a-number", "materialised/finish", "ACCUMULATE([--np.inf-]{+-1e30+})",
          "empty-rows", mask="boolean"),
    wrong("empty-is-nan", "factored/finish", "np.where(empty, ACCUMULATE([-1-]{+0+}), total)",
          "empty-rows", mask="boolean"),
    wrong("empty-is-the-mean", "materialised", "np.where(kept, logits, [--np.inf-]{+-1e30+})",
          "empty-rows", mask="boolean"),
    wrong("mask-of-ten-thousand", "factored",
          "[-np.where(kept, logits, -np.inf)-]{+(logits + np.where(kept, 0, -1e4))+}",
          "masked-rows", mask="boolean"),
    wrong("causal-mask-of-ten-thousand", "factored",
          "[-np.where(kept, logits, -np.inf)-]{+(logits + np.where(kept, 0, -1e4))+}",
          "low-logits", mask="causal"),
    *(wrong(f"running-maximum-from-a-sentinel-{name}", "online",
            "np.full(q.shape[:3], [--np.inf-]{+-5e4+}, ACCUMULATE)", "low-logits", mask=mask)
      for name, mask in (("boolean", "boolean"), ("causal", "causal"), ("none", None),
                         ("window", Window(3, 1)))),
    *(wrong(f"masked-is-{sentinel:g}", "factored", "np.where(kept, logits, [--np.inf-]"
            f"{{+{-sentinel}+}})", "low-logits", mask=mask)
      for sentinel, mask in ((65504.0, "causal-top-left"), (5e4, "boolean"), (1e5, "causal"))),
    wrong("masked-weights-not-zero", "materialised", "weights = [-np.exp(logits - top[..., None])-]"
          "{+np.maximum(np.exp(logits - top[..., None]), np.where(kept, 0, 1e-8)).astype("
          "ACCUMULATE)+}", "low-logits", mask="causal"),
    *(wrong(f"values-that-no-query-sees-{name}", "skipping",
            "np.where([-some[:, None]-]{+True+}, A, np.zeros_like(A)) for some, A in zip(seen, V",
            "poison", mask=mask, skips=True)
      for name, mask in (("boolean", "boolean"), ("causal", "causal-top-left"),
                         ("window", Window(2, 0)))),
    wrong("largest-key-of-all", "skipping", "[-K = [-]{+scale += 0 * float(K[0].max())\n    K = [+}"
          "np.where", "poison", mask=Window(0, 1, top_left=True), skips=True),
    wrong("mask-after-the-maximum", "materialised",
          "logits = np.where(kept, logits, -np.inf).astype(ACCUMULATE)\n    top = [-logits-]"
          "{+(q @ keys.swapaxes(2, 3) * ACCUMULATE(scale))+}.max", "masked-rows", mask="boolean"),
    # ranges
    wrong("logits-clamped", "materialised", EXP + "{+np.exp(np.maximum(logits - top[..., None], "
          "-10))+}", "dominant-weight"),
    wrong("softmax-plus-one", "materialised", "total = weights.sum(axis=-1)[--]{+ + np.exp(-top)+}",
          "equal-weights"),
    wrong("logits-in-float16", "materialised", LOGITS + "{+((q @ keys.swapaxes(2, 3)) * "
          "ACCUMULATE(scale)).astype(np.float16)+}", "large-logits"),
    wrong("maximum-from-zero", "online", "np.full(q.shape[:3], [--np.inf-]{+0+}, ACCUMULATE)",
          "negative-logits"),
    wrong("no-maximum", "materialised", TOP + "{+np.zeros_like(logits[..., 0])+}", "exp-overflow"),
    wrong("subnormals-flushed", "factored/prepare",
          "[[-np.repeat(A, group, axis=1)-]{+np.where(np.abs(r := np.repeat(A, group, axis=1)) < "
          "2.0**-126, 0, r)+}.astype", "subnormals"),
    wrong("zero-is-masked", "factored", "np.where(kept[--]{+ & (logits != 0)+}, logits",
          "signed-zeros"),
    # precision
    wrong("logits-in-the-input-format", "materialised", LOGITS + "{+((q @ keys.swapaxes(2, 3)) * "
          "ACCUMULATE(scale)).astype(dtype)+}", "fine-logits", **BF16),
    wrong("bias-on-the-keys", "factored",
          "K1, K2 = pair(K)[--]{+\n    K1 = K1 + ACCUMULATE(1e-3)+}",
          "small-keys", **BF16),
    wrong("scale-one-percent", "factored", "q * ACCUMULATE(scale[--]{+ * 1.01+})", "scale", **BF16),
    wrong("scale-twice", "materialised", "ACCUMULATE(scale[--]{+ * scale+})", "scale"),
    wrong("scale-not-at-all", "factored", "ACCUMULATE([-scale-]{+1+})", "scale"),
    wrong("output-kept-narrow", "online", "output = [-output * rescale[..., None] + part-]"
          "{+(output * rescale[..., None] + part).astype(dtype).astype(ACCUMULATE)+}",
          "cancelling-values", **BF16),
    wrong("weights-in-the-input-format", "materialised", "output = weights[--]{+.astype(dtype)"
          ".astype(ACCUMULATE)+} @ values", "cancelling-values", **BF16),
    wrong("running-sum-narrow", "online", "total = [-total * rescale + weights.sum(axis=(-1, -2))-]"
          "{+(total * rescale + weights.sum(axis=(-1, -2))).astype(dtype).astype(ACCUMULATE)+}",
          "many-tokens", **BF16),
    wrong("output-cut-off", "materialised/finish", DIVIDED + "{+((output / total[..., None]).view("
          "np.uint32) >> 16 << 16).view(np.float32).astype(dtype)+}", "drawn", **BF16),
    wrong("output-one-ulp-up", "factored/finish", DIVIDED + "{+np.nextafter((output / "
          "total[..., None]).astype(dtype), dtype.type(np.inf))+}", "drawn", dtype="float16"),
    wrong("output-rounded-toward-zero", "online/finish", DIVIDED + "{+np.where(abs(r := (o := "
          "output / total[..., None]).astype(dtype)) > abs(o), np.nextafter(r, 0 * r), r)+}",
          "drawn", dtype="float8_e4m3fn"),
    wrong("all-in-bfloat16", "factored/-",
          "ACCUMULATE = [-np.float32-]{+__import__('ml_dtypes').bfloat16+}", "drawn", **BF16),
    *(wrong(f"quotient-by-sum-plus-1e-6-{name}", f"{name}/finish",
            "(output / [-total-]{+(total + ACCUMULATE(1e-6))+}[..., None])", flag)
      for name, flag in (("factored", "single-token"), ("online", "single-token"))),
    wrong("weights-in-float16-in-one-sum", "materialised",
          "total = [-weights-]{+weights.astype(np.float16).astype(ACCUMULATE)+}.sum", "tail-block"),
    wrong("maximum-of-the-last-block", "online", "np.maximum([-top, -]{+-np.inf, +}logits.max",
          "late-maximum"),
    wrong("output-not-rescaled", "online", "output * rescale[--]{+.clip(1)+}[..., None]",
          "late-maximum"),
    wrong("sum-not-rescaled", "online", "total = total[- * rescale-]{++} + weights",
          "late-maximum"),
    wrong("rescaled-the-wrong-way", "online", "np.exp([-top - shift-]{+shift - top+})",
          "late-maximum"),
    wrong("softmax-over-one-slot", "factored", "weights = np.exp(logits - top[..., None, None])"
          "[--]{+\n    weights = weights / weights.sum(axis=-1, keepdims=True)+}", "softmax-axes"),
    wrong("softmax-over-the-queries", "materialised", "total = weights.sum(axis=[--1-]{+-2+})",
          "softmax-axes", order=1),
    # invariance, instances, log-sum-exps
    wrong("position-bias", "materialised", "* ACCUMULATE(scale)[--]{+ + np.arange(keys.shape[2], "
          "dtype=ACCUMULATE) / 256+}", "permuted-tokens"),
    wrong("maximum-of-the-batch", "materialised", TOP + "{+np.broadcast_to(logits.max(), "
          "logits.shape[:-1])+}", "batch"),
    wrong("order-of-summation-random", "materialised", "output = [-weights @ values-]"
          "{+(lambda p: weights[..., p] @ values[:, :, p])(np.random.permutation(keys.shape[2]))+}",
          "repeat"),
    wrong("logsumexp-random", "materialised/finish", "top + np.log(total)[--]{+ + np.random.choice("
          "[0, 5e-7], top.shape).astype(ACCUMULATE)+}", "repeat"),
    wrong("scaled-in-place", "materialised", "[-q, K, V = prepare-]"
          "{+q *= scale\n    scale = 1\n    q, K, V = prepare+}(q", "inputs"),
    wrong("mask-overwritten", "factored/kept_tuples", "[-return mask-]{+mask[0], kept = True, "
          "mask.copy()\n        return kept+}", "inputs", mask="boolean"),
    wrong("weights-of-eight-bits", "factored",
          "weights = [-np.exp(logits - top[..., None, None])-]"
          "{+np.rint(np.exp(logits - top[..., None, None]) * 255) / ACCUMULATE(255)+}",
          "reduction"),
    wrong("logsumexp-base-two", "materialised/finish", "np.[-log-]{+log2+}(total)",
          "equal-weights"),
    wrong("logsumexp-without-maximum", "factored/finish", "[-top + -]{++}np.log(total)",
          "large-logits"),
)  # fmt: skip
