"""Wrong attention over keys and values in few bits: each an edit of a right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels.wrong import Wrong
from kvfloor.conformance import Quantised

__all__ = ["QUANTISED", "WRONG_QUANTISED"]

QUANTISED = (Path(__file__).parent / "quantised.py").read_text()
E4M3: dict[str, Any] = {"quantised": Quantised("float8_e4m3fn")}
HEADS: dict[str, Any] = {"quantised": Quantised("float8_e4m3fn", "head")}
TOKENS: dict[str, Any] = {"quantised": Quantised("int8", "token"), "order": 1}
BLOCKS: dict[str, Any] = {"quantised": Quantised("int8", "block", block=4), "order": 1}
ZEROS: dict[str, Any] = {"quantised": Quantised("uint8", "token", zero_point=True)}
HEAD_ZEROS: dict[str, Any] = {"quantised": Quantised("uint4", "head", zero_point=True)}
WIDE = "[-wide - spread(zeros, codes)-]"
SCALED = "return [-wide * spread(scales, codes)-]"
BY_BLOCK = "return [-np.repeat(each, block, axis=2)[:, :, :n, None]-]"


def wrong(name: str, where: str, change: str, flag: str, **options: Any) -> Wrong:
    """``where`` is the function, or ``function/helper``."""
    function, _, helper = where.partition("/")
    return Wrong(name, function, change, flag, helper, options, QUANTISED)


WRONG_QUANTISED = (
    # Scales of a cache stay at 1, though it is in eight bits:
    # https://github.com/vllm-project/vllm/issues/34863
    wrong("scales-left-at-one", "numbers_first/numbers", SCALED + "{+wide+}", "scales", **E4M3),
    wrong("scales-of-keys-left-at-one", "numbers_first", "K = all_numbers(K, [-key_scales-]"
          "{+[np.float32(1)]*len(K)+}", "scales", **E4M3),
    wrong("scales-of-values-left-at-one", "scaled_after", "scaled = weights [-* np.swapaxes("
          "spread(value_scales[0], V[0]), -1, -2)-]{++}", "scales", **TOKENS),
    wrong("scales-of-keys-for-values", "numbers_first", "V = all_numbers(V, [-value_scales-]"
          "{+key_scales+}", "scales", **HEADS),
    wrong("scale-of-the-first-head", "numbers_first/spread", "each[[-:-]{+:1+}, None, None]",
          "scales", **HEADS),
    wrong("scales-of-heads-reversed", "numbers_first/spread", "each[[-:-]{+::-1+}, None, None]",
          "scales", **HEADS),
    wrong("scale-of-the-first-token", "numbers_first/spread", BY_BLOCK + "{+np.repeat(each[:, :, "
          ":1], n, axis=2)[..., None]+}", "scales", **TOKENS),
    wrong("scale-of-the-next-token", "scaled_after", "spread(key_scales[0][--]"
          "{+[..., ::-1]+}, K[0])", "scales", **TOKENS),
    wrong("scales-of-the-first-row", "numbers_first/spread", BY_BLOCK + "{+np.repeat(each[:1], "
          "block, axis=2)[:, :, :n, None]+}", "scales", **TOKENS),
    wrong("scale-twice", "numbers_first/numbers", SCALED + "{+wide * spread(scales, codes)**2+}",
          "scales", **E4M3),
    wrong("scale-divides", "numbers_first/numbers", SCALED + "{+wide / spread(scales, codes)+}",
          "scales", **HEADS),
    wrong("scale-in-bfloat16", "numbers_first/spread", "each = np.asarray(each)[--]"
          "{+.view(np.uint32) >> 16 << 16\n    each = each.view(np.float32)+}.astype(ACCUMULATE)",
          "scales", **HEADS),
    wrong("scale-of-the-query-forgotten", "query_too", "q = [-numbers(q, query_scales, "
          "query_zeros)-]{+q.astype(ACCUMULATE)+}", "scales",
          quantised=Quantised("float8_e5m2", query=True)),
    # zero points
    wrong("zero-forgotten", "numbers_first/numbers", "wide = " + WIDE + "{+wide+}", "zero-points",
          **ZEROS),
    wrong("zero-added", "numbers_first/numbers", "wide = " + WIDE + "{+wide + spread(zeros, "
          "codes)+}", "zero-points", **ZEROS),
    wrong("zero-not-scaled", "numbers_first/numbers", WIDE + "{+wide - spread(zeros, codes) / "
          "spread(scales, codes)+}", "zero-points", **HEAD_ZEROS),
    wrong("zeros-of-keys-for-values", "numbers_first", "V = all_numbers(V, value_scales, "
          "[-value_zeros-]{+key_zeros+}", "zero-points", **ZEROS),
    wrong("zero-of-the-first-head", "numbers_first/numbers", "spread([-zeros-]{+zeros[:1]+}, "
          "codes)", "zero-points", **HEAD_ZEROS),
    wrong("zero-in-the-middle", "numbers_first/numbers", WIDE + "{+wide - 128+}", "zero-points",
          **ZEROS),
    # codes at their ends
    wrong("subtracted-in-eight-bits", "numbers_first/numbers", "wide = " + WIDE
          + "{+(codes - spread(zeros, codes).astype(codes.dtype)).astype(ACCUMULATE)+}",
          "end-codes", **ZEROS),
    wrong("four-bits-without-sign", "numbers_first/numbers", "wide = [-codes-]{+(codes & 15)+}"
          ".astype(ACCUMULATE)", "end-codes", quantised=Quantised("int4")),
    wrong("least-code-cut-off", "numbers_first/numbers", "wide = [-codes-]"
          "{+np.maximum(codes, -127)+}.astype(ACCUMULATE)", "end-codes",
          quantised=Quantised("int8", "head")),
    wrong("four-bits-of-which-three-count", "numbers_first/numbers", "wide = [-codes-]"
          "{+(codes & 7)+}.astype(ACCUMULATE)", "end-codes", **HEAD_ZEROS),
    wrong("read-in-the-other-format", "numbers_first/numbers", "wide = [-codes-]{+codes.view("
          "__import__('ml_dtypes').float8_e5m2)+}.astype(ACCUMULATE)", "end-codes", **E4M3),
    wrong("beyond-240-cut-off", "numbers_first/numbers", "wide = codes.astype(ACCUMULATE)[--]"
          "{+.clip(-240, 240)+}", "end-codes", **E4M3),
    # blocks of tokens
    wrong("blocks-of-equal-length", "numbers_first/spread", BY_BLOCK + "{+np.repeat(each, -(-n // "
          "each.shape[2]), axis=2)[:, :, :n, None]+}", "scale-blocks", **BLOCKS),
    wrong("last-block-by-the-one-before", "numbers_first/spread", BY_BLOCK + "{+np.repeat("
          "np.where(np.arange(each.shape[2]) * BLOCK + BLOCK > n, np.roll(each, 1, axis=2), each), "
          "block, axis=2)[:, :, :n, None]+}", "scale-blocks", **BLOCKS),
    wrong("blocks-from-the-next-token", "numbers_first/spread", BY_BLOCK + "{+np.repeat(each, "
          "block, axis=2)[:, :, np.minimum(np.arange(n) + 1, n - 1), None]+}", "scale-blocks",
          **BLOCKS),
)  # fmt: skip
