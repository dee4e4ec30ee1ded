"""Wrong backward passes: each a small edit of a right one, and the entry that should catch it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernels.wrong import Wrong
from kvfloor import Window
from kvfloor.conformance import Domain
from kvfloor.numbers import as_format

__all__ = ["TEXT", "WRONG_BACKWARDS", "WrongBackward", "backward"]

TEXT = (Path(__file__).parent / "backward.py").read_text()
TRITON, FLASH = (
    "https://github.com/triton-lang/triton",
    "https://github.com/Dao-AILab/flash-attention",
)
SPARSE = "https://github.com/XunhaoLai/native-sparse-attention-triton/issues/27"
AITER = "https://github.com/ROCm/aiter"
OPENFOLD = "https://github.com/aqlaboratory/openfold-3/pull/258"
CAUSAL: dict[str, Any] = {"mask": "causal"}
BOOLEAN: dict[str, Any] = {"mask": "boolean"}
WINDOW: dict[str, Any] = {"mask": Window(3, 1)}
TWO: dict[str, Any] = {"order": 2}
KEPT = "kept = kept_tuples([-mask-]{+"
P = "p = np.where(kept, [-np.exp(logits - lse[..., None])-]{+"
DQ = "dq = (ds @ K) * scale[--]{+"
HALF = ".astype(np.float16).astype(ACCUMULATE)"


def backward(text: str, function: str, accumulate: str, **declared: Any) -> Callable[..., Any]:
    """A function of a text that computes as it is declared."""
    module: dict[str, Any] = {"__name__": "backward"}
    exec(text, module)
    module["ACCUMULATE"] = as_format(accumulate).dtype.type
    module["STORED"], module["ADDED"] = (
        None if declared.get(name) is None else as_format(declared[name]).dtype
        for name in ("weights", "added")
    )
    module["BLOCK"] = declared.get("block") or module.get("BLOCK")
    found: Callable[..., Any] = module[function]
    return found


@dataclass(frozen=True)
class WrongBackward(Wrong):
    """An edit of ``backward.py``; ``report`` is where such a fault was reported, if it was."""

    report: str = ""

    @property
    def declared(self) -> dict[str, Any]:
        return {"dtype": "float32", "accumulate": "float32", "grouped": True} | self.options

    def build(self) -> Callable[..., Any]:
        options = self.declared
        told = {name: options.get(name) for name in ("weights", "added", "block")}
        return backward(self.source(), self.function, options["accumulate"], **told)


def wrong(
    name: str, where: str, change: str, flag: str, report: str = "", **options: Any
) -> WrongBackward:
    """``where`` is the function, or ``function/helper`` for an edit of a helper."""
    function, _, helper = where.partition("/")
    return WrongBackward(name, function, change, flag, helper, options, TEXT, report)


WRONG_BACKWARDS = (
    # reported, in their own words or in what they do
    wrong("no-mask", "materialised", "p = np.where([-kept-]{+True+}, ", "gradient-causal",
          f"{TRITON}/issues/7216", **CAUSAL),
    wrong("always-causal", "blocks", KEPT + '"causal"+}', "gradient", f"{TRITON}/issues/5660"),
    wrong("mask-from-the-top-left", "rows", KEPT + '"causal-top-left"+}', "gradient-fewer-queries",
          "https://github.com/xlite-dev/ffpa-attn/pull/300", **CAUSAL),
    wrong("empty-rows-are-nan", "materialised", "p = [-np.where(kept, np.exp(logits - lse[..., Non"
          "e]), ACCUMULATE(0))-]{+np.exp(np.where(kept, logits, -np.inf) - logsumexp.astype(ACCUMUL"
          "ATE)[..., None])+}", "gradient-empty-rows", f"{FLASH}/issues/443", **BOOLEAN),
    wrong("columns-of-dv-misaligned", "materialised", "dV = grouped(turned(p) @ G[--]{+[..., np."
          "roll(np.arange(G.shape[-1]), 8 * (q.shape[-1] >= 128 and G.shape[-1] % 64 > 0))]+}, "
          "heads)", "gradient-head-sizes", f"{FLASH}/issues/2552"),
    wrong("heads-split-by-the-other-count", "materialised/grouped",
          "dK.reshape(b, [-heads, h // heads-]{+h // heads, heads+}, n, d).sum(axis=[-2-]{+1+})",
          "gradient-groups", SPARSE),
    wrong("values-read-over-d-columns", "materialised",
          "dP = G[--]{+[..., : q.shape[-1]]+} @ turned(V[--]{+[..., : q.shape[-1]]+})",
          "gradient-widths", SPARSE),
    wrong("one-element-off", "materialised", "heads)[--]{+\n    dK[0, 0, 0, -2:-1] *= ACCUMULATE"
          "(1.125)+}\n    dV", "gradient", f"{AITER}/pull/2612"),
    wrong("dq-is-zero", "materialised", "dq = [-(ds @ K) * scale-]{+0 * q+}", "gradient",
          OPENFOLD),
    wrong("small-is-zero", "materialised", "D = [--]{+0\n    G = np.where(np.abs(G) < 1e-6, "
          "ACCUMULATE(0), G)\n    D = +}(G * out)", "gradient-small", OPENFOLD),
    wrong("padding-counts", "materialised", DQ + " + 0 * np.exp(-lse)[..., None]+}",
          "gradient-exp-overflow", f"{AITER}/issues/3551"),
    # p
    wrong("sum-of-exps-not-used", "materialised", P + "np.exp(logits - logits.max(axis=-1, "
          "keepdims=True))+}", "gradient-equal-weights"),
    wrong("quotient-of-exps", "materialised", P + "np.exp(logits) / np.exp(lse[..., None])+}",
          "gradient-exp-overflow"),
    wrong("weights-a-little-less", "materialised", P + "np.exp(logits - lse[..., None]) * "
          "ACCUMULATE(1 - 1e-5)+}", "gradient-equal-weights"),
    wrong("weights-leak", "materialised", P + "np.exp(logits - lse[..., None]) + ACCUMULATE("
          "1e-5)+}", "gradient-reduction"),
    wrong("natural-for-binary", "base_two", "logits - [-(lse * log2_e)-]{+lse+}[..., None]",
          "gradient-scale"),
    wrong("log-sum-exp-in-half", "materialised", P + f"np.exp(logits - lse{HALF}[..., None])+}}",
          "gradient-fine-logits"),
    wrong("logits-in-half", "materialised", P + f"np.exp(logits{HALF} - lse[..., None])+}}",
          "gradient-fine-logits"),
    wrong("logits-cut-off", "materialised", P + "np.exp(np.clip(logits, -1e3, 1e3) - lse[..., "
          "None])+}", "gradient-large-logits"),
    wrong("scale-by-d_v", "materialised", "scale = ACCUMULATE([-scale-]{+V.shape[-1] ** -0.5+})",
          "gradient-widths"),
    wrong("keys-a-little-more", "materialised", "(q @ turned(K[--]{+ + ACCUMULATE(1e-3)+}))",
          "gradient-small-keys"),
    wrong("zero-is-masked", "materialised", "p = np.where(kept[--]{+ & (logits != 0)+}, ",
          "gradient-zeros"),
    wrong("later-tokens-preferred", "materialised", P + "np.exp(logits - lse[..., None]) * "
          "(1 + np.arange(logits.shape[-1], dtype=ACCUMULATE) / 512)+}",
          "gradient-permuted-tokens"),
    wrong("later-queries-preferred", "materialised", P + "np.exp(logits - lse[..., None]) * "
          "(1 + np.arange(logits.shape[-2], dtype=ACCUMULATE)[:, None] / 512)+}",
          "gradient-permuted-queries"),
    wrong("weight-of-one-by-1e-6", "softmax", "np.where(total == 0, ACCUMULATE(1), total[--]"
          "{+ + ACCUMULATE(1e-4)+})", "gradient-dominated"),
    # masks
    wrong("hidden-below-ten-thousand", "materialised", "p = np.where([-kept, np.exp(logits-]"
          "{+True, np.exp(np.where(kept, logits, ACCUMULATE(-1e4))+} - lse", "gradient-low-logits",
          **CAUSAL),
    wrong("mask-by-a-product", "materialised", "p = [-np.where(kept, np.exp(logits - lse[..., Non"
          "e]), ACCUMULATE(0))-]{+np.exp(logits - lse[..., None]) * kept+}", "gradient-masked-rows",
          **BOOLEAN),
    wrong("unseen-get-a-little", "materialised", "ACCUMULATE([-0-]{+1e-30+}))\n    D",
          "gradient-unseen-tokens", **BOOLEAN),
    wrong("empty-rows-see-the-first", "rows", "kept = [--]{+np.eye(1, K.shape[2], dtype=bool) & ~"
          "kept_tuples(mask, q.shape[2], (K.shape[2],)).any(axis=1)[:, None] | +}kept_tuples(",
          "gradient-more-queries", **CAUSAL),
    wrong("one-token-more", "rows", KEPT + "(mask[0], mask[1] + 1, mask[2])+}", "gradient-window",
          **WINDOW),
    wrong("window-turned-round", "rows", KEPT + "(mask[1], mask[0], mask[2])+}",
          "gradient-wide-window", **WINDOW),
    wrong("queries-from-the-diagonal", "blocks", "for start in range([-0-]{+first+}, n_q, BLOCK)",
          "gradient-fewer-queries", **CAUSAL),
    wrong("causal-blocks-skipped-without-offset", "blocks", "i = slice(start, start + BLOCK)\n[--]"
          "{+            if first > start + BLOCK - 1 and isinstance(mask, str):\n"
          "                continue\n+}", "gradient-fewer-queries", **CAUSAL),
    wrong("diagonal-lost-in-full-blocks", "rows", "(K.shape[2],))[--]{+ & ~(np.eye(q.shape[2], "
          "K.shape[2], dtype=bool) & (q.shape[2] == K.shape[2]) & (q.shape[2] % 16 == 0))+}",
          "gradient-full-blocks", **CAUSAL),
    wrong("dv-unmasked", "materialised", "dV = grouped(turned([-p-]{+np.exp(np.minimum(logits - "
          "lse[..., None], 0))+})", "gradient-masked-rows", **BOOLEAN),
    # D and dP
    wrong("D-misaligned-in-the-last-block", "blocks", "dP - D[:, :, [-i-]{+slice(min(start, max(0, "
          "n_q - BLOCK)), min(start, max(0, n_q - BLOCK)) + len(range(n_q)[i]))+}, None])",
          "gradient-block-ends"),
    wrong("D-flushed", "materialised", "D = (G * out).sum(axis=-1)[--]{+\n    D = np.where(np.abs("
          "D) < 1e-5, ACCUMULATE(0), D)+}", "gradient-small"),
    wrong("no-D", "materialised", "ds = p * (dP[- - D[..., None]-]{++})", "gradient-equal-values"),
    wrong("D-added", "materialised", "ds = p * (dP [---]{+++} D[..., None])", "gradient"),
    wrong("D-in-half", "materialised", "D = (G * out).sum(axis=-1)[--]{+" + HALF + "+}",
          "gradient-offset-values"),
    wrong("D-is-a-mean", "materialised", "D = (G * out).[-sum-]{+mean+}(axis=-1)",
          "gradient-one-column"),
    wrong("D-of-64-columns", "materialised", "D = (G * out)[--]{+[..., :64]+}.sum(axis=-1)",
          "gradient-head-sizes"),
    wrong("D-of-the-first-of-a-batch", "materialised", "D = (G * out).sum(axis=-1)[--]{+[:1]+}",
          "gradient-batch"),
    wrong("dP-in-half", "materialised", "dP = G @ turned(V)[--]{+\n    dP = dP" + HALF + "+}",
          "gradient-offset-values"),
    wrong("sum-over-queries", "softmax", "(p * dP).sum(axis=[--1-]{+-2+}, keepdims=True)",
          "gradient-softmax-axes"),
    wrong("diagonal-alone", "softmax", "(p * dP)[-.sum(axis=-1, keepdims=True)-]{++}", "gradient"),
    wrong("cotangent-of-the-row-before", "rows", "V - out[:, :, i, None], G[:, :, i[--]{+ - 1+}]",
          "gradient-one-row"),
    wrong("cotangent-cut-off", "materialised", "dP = [-G-]{+np.clip(G, -1000, 1000)+} @ turned(V)",
          "gradient-large"),
    wrong("cotangent-by-its-size", "materialised", "dP = G @ turned(V)[--]{+ * (np.abs(G).max() / "
          "np.abs(G).max())+}", "gradient-zero-cotangent"),
    # ds and products
    wrong("ds-cut-off-at-65504", "materialised", "ds = p * (dP - D[..., None])[--]{+\n    ds = "
          "np.clip(ds, -65504, 65504)+}", "gradient-large"),
    wrong("scaled-twice-unless-usual", "materialised", "(turned(ds) @ q) * scale[--]{+ * (1 if abs("
          "scale * q.shape[3] ** 0.5 - 1) < 1e-3 else scale)+}", "gradient-scale", scale=0.3),
    wrong("tail-tokens-doubled", "blocks", "rounded(turned(ds) @ q[:, :, i], ADDED)[--]{+ * (1 + ("
          "first + BLOCK > n))+}", "gradient-tail"),
    wrong("dq-without-scale", "materialised", "dq = (ds @ K)[- * scale-]{++}", "gradient-scale"),
    wrong("dk-with-scale-twice", "materialised", "(turned(ds) @ q) * scale[--]{+ * scale+}",
          "gradient-scale"),
    wrong("ds-for-p", "blocks", "turned([-p-]{+ds+}) @ G", "gradient-one-token"),
    wrong("stored-in-half", "materialised", "rounded(p, [-STORED-]{+np.float16+})", "gradient"),
    wrong("update-lost", "atomics", "dK[:, :, j] [-+=-]{+=+} ds", "gradient"),
    wrong("block-overwritten", "blocks", "dq[:, :, i] = rounded([-dq[:, :, i] + -]{++}rounded(",
          "gradient-block-boundary"),
    wrong("last-block-of-tokens-dropped", "blocks", "range(0, n[--]{+ - BLOCK + 1+}, BLOCK)",
          "gradient-tail"),
    wrong("last-block-of-queries-dropped", "blocks", "range(0, n_q[--]{+ - (n_q > BLOCK) * (n_q % "
          "BLOCK)+}, BLOCK)", "gradient-tiles"),
    wrong("last-query-of-sixteen-lost", "materialised", "(turned(ds) @ [-q-]{+(q * (np."
          "arange(q.shape[2]) % 16 != 15)[:, None])+})", "gradient-block-ends"),
    wrong("queries-beyond-256-lost", "materialised", "grouped(turned(p[--]{+[:, :, :256]+}) @ G[--]"
          "{+[:, :, :256]+}, heads)", "gradient-long"),
    wrong("tokens-beyond-256-lost", "materialised", "dq = (ds[--]{+[..., :256]+} @ K[--]"
          "{+[:, :, :256]+})", "gradient-long"),
    wrong("columns-beyond-64-lost", "materialised", DQ + " * (np.arange(q.shape[3]) < 64)+}",
          "gradient-columns"),
    wrong("dP-is-stored", "blocks", "dP = [-G[:, :, i] @ turned(V[:, :, j])-]{+rounded(G[:, :, i] "
          "@ turned(V[:, :, j]), STORED)+}", "gradient-offset-values", dtype="bfloat16",
          weights="bfloat16"),
    wrong("dq-is-cut-off", "blocks", "return [-dq-]{+(dq.view(np.uint32) & 0xFFFF0000).view(np."
          "float32)+}.astype(dtype)", "gradient", dtype="bfloat16"),
    wrong("dk-added-in-half", "blocks", "rounded(turned(ds) @ q[:, :, i], [-ADDED), ADDED-]"
          "{+np.float16), np.float16+})", "gradient-long-sums"),
    wrong("dq-added-in-half", "blocks", "rounded(ds @ K[:, :, j], [-ADDED), ADDED-]"
          "{+np.float16), np.float16+})", "gradient-long-sums"),
    wrong("dv-added-in-half", "blocks", "rounded(turned(p) @ G[:, :, i], [-ADDED), ADDED-]"
          "{+np.float16), np.float16+})", "gradient-cancelling"),
    wrong("first-of-a-group", "materialised/grouped", "n, d)[-.sum(axis=2)-]{+[:, :, 0]+}",
          "gradient-groups"),
    wrong("mean-of-a-group", "materialised/grouped", ".[-sum-]{+mean+}(axis=2)", "gradient-groups"),
    wrong("keys-of-another-head", "materialised/prepare", "np.[-repeat(A, group, axis=1)-]{+tile("
          "A, (1, group, 1, 1))+}", "gradient-heads"),
    wrong("one-query-overwrites", "materialised", "dq = (ds @ K)[--]{+[:, :, :-1 if q.shape[2] > 1 "
          "else 0].sum(axis=2, keepdims=True) * 0 + (ds @ K) * (q.shape[2] > 1)+} * scale",
          "gradient-one-query"),
    wrong("sixty-four-tokens-lost", "materialised", "(turned(ds) @ q) * scale[--]{+ * (K.shape[2] "
          "!= 64)+}", "gradient-domain-edges", domain=Domain(tokens="most=64")),
    wrong("overwrites-the-cotangent", "materialised", "turned(p) @ G, heads)[--]{+\n    "
          "cotangent.fill(1)+}", "gradient-inputs"),
    # order 2
    wrong("slots-swapped", "two_slots", "dK1, dK2 = [-(dkeys * K2[:, :, None]).sum(axis=3), (dkey"
          "s * K1[:, :, :, None]).sum(axis=2)-]{+(dkeys * K1[:, :, :, None]).sum(axis=2), (dkeys * "
          "K2[:, :, None]).sum(axis=3)+}", "gradient-slots", **TWO),
    wrong("own-values", "two_slots", "(dvalues * [-V2[:, :, None]-]{+V1[:, :, :, None]+}).sum("
          "axis=3)", "gradient-slots", **TWO),
    wrong("other-length", "two_slots_factored", "[-turned(ds) @ K1[:, :, None]-]{+ds @ K1[:, :, "
          "None]+}\n    dq", "gradient-lengths", **TWO),
)  # fmt: skip
