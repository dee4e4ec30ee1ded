"""Wrong attention of sequences that are packed or in pages: each an edit of a right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels.wrong import Wrong

__all__ = ["PACKED", "WRONG_PACKED"]

PACKED = (Path(__file__).parent / "packed.py").read_text()
ANY: dict[str, Any] = {"packed": ("empty", "slack"), "layout": "nhd"}
PAGES: dict[str, Any] = {"pages": 4}
BOTH: dict[str, Any] = {"packed": (), "layout": "nhd", "pages": 3}
KEYS = "keys = [rows(A, offsets, i) for A, offsets in zip(K, [-key_offsets-]"
WHOLE = "return [-whole[:, :length]-]"
USED = "used = [-pool[table[: -(-length // page)]]-]"
ONE = "output, logsumexp = [-repeated.at_once(q[None], K, V, scale=scale, mask=mask)-]"


def wrong(name: str, where: str, change: str, flag: str, **options: Any) -> Wrong:
    """``where`` is the function, or ``function/helper``."""
    function, _, helper = where.partition("/")
    return Wrong(name, function, change, flag, helper, options, PACKED)


WRONG_PACKED = (
    # sequences of unequal lengths
    wrong("keys-from-where-queries-begin", "packed", KEYS + "{+[query_offsets] * len(K)+}, "
          "strict=True)]\n        values = [rows(A, offsets, i) for A, offsets in zip(V, "
          "[-key_offsets-]{+[query_offsets] * len(K)+}", "unequal-sequences", **ANY),
    wrong("all-of-one-length", "packed", "for i in range(len(query_offsets) - 1):\n        keys = "
          "[rows(A, offsets, i) for A, offsets in zip(K, [-key_offsets-]{+[np.arange(len(o)) * "
          "(o[-1] // (len(o) - 1)) for o in key_offsets]+}, strict=True)]\n        values = [rows("
          "A, offsets, i) for A, offsets in zip(V, [-key_offsets-]{+[np.arange(len(o)) * (o[-1] // "
          "(len(o) - 1)) for o in key_offsets]+}", "unequal-sequences", **ANY),
    wrong("corner-of-the-longest", "packed", "found, lse = [-one(rows(q, query_offsets, i), keys, "
          "values, scale, mask)-]{+one(np.pad(rows(q, query_offsets, i), ((0, 0), (0, np.diff("
          "query_offsets).max() - np.diff(query_offsets)[i]), (0, 0))), keys, values, scale, "
          "mask)\n        found, lse = (A[:, : np.diff(query_offsets)[i]] for A in (found, lse))+}",
          "unequal-sequences", mask="causal", **ANY),
    wrong("length-of-the-first-sequence", "in_pages", "keys = [gathered(A, table[i], [-n[i]-]"
          "{+n[0]+}) for A, (table, n) in zip(K, each, strict=True)]\n        values = [gathered("
          "A, table[i], [-n[i]-]{+n[0]+})", "unequal-sequences", **PAGES),
    # Rows that see nothing, among packed sequences, make NaN; there it is gradients that are:
    # https://github.com/Dao-AILab/flash-attention/issues/443
    wrong("nothing-seen-is-nan", "packed/one", "return [-output[0]-]{+np.where(np.isneginf("
          "logsumexp[0])[..., None], np.nan, output[0]).astype(output.dtype)+}, logsumexp[0]",
          "empty-sequences", **ANY),
    wrong("rows-of-empty-are-left-over", "packed", "output[place], logsumexp[place] = [-found."
          "swapaxes(0, 1), lse.T-]{+(found.swapaxes(0, 1), lse.T) if keys[0].shape[1] else "
          "(1, 0)+}", "empty-sequences", **ANY),
    wrong("empty-are-skipped", "packed", "for i in range(len(query_offsets) - 1):[--]{+\n        "
          "query_offsets = np.unique(query_offsets)\n        if i + 1 >= len(query_offsets):\n"
          "            break+}\n", "empty-sequences", **ANY),
    wrong("empty-is-a-number", "packed/one", "return output[0], [-logsumexp[0]-]{+np.maximum("
          "logsumexp[0], -1e30)+}", "empty-sequences", **ANY),
    # pages
    wrong("pages-in-the-order-of-the-pool", "in_pages/gathered", USED + "{+pool[np.sort(table[: "
          "-(-length // page)])]+}", "pages", mask="causal", **PAGES),
    wrong("table-of-the-first-sequence", "in_pages", "keys = [gathered(A, table[[-i-]{+0+}], n[i]) "
          "for A, (table, n) in zip(K, each, strict=True)]\n        values = [gathered(A, "
          "table[[-i-]{+0+}], n[i])", "pages", **PAGES),
    wrong("table-by-the-stride-of-the-batch", "in_pages", "keys = [gathered(A, [-table[i]-]{+table."
          "reshape(-1)[i * len(table) :][: table.shape[1]]+}, n[i]) for A, (table, n) in zip(K, "
          "each, strict=True)]\n        values = [gathered(A, [-table[i]-]{+table.reshape(-1)[i * "
          "len(table) :][: table.shape[1]]+}, n[i])", "pages", **PAGES),
    wrong("last-page-is-full", "packed_in_pages/gathered", WHOLE + "{+whole+}", "pages", **BOTH),
    wrong("last-page-dropped", "in_pages/gathered", USED + "{+pool[table[: -(-length // page)]]\n"
          "    length = length // page * page if length % page == 1 else length+}", "pages",
          **PAGES),
    wrong("page-too-many", "packed_in_pages/gathered", "table[: [--(-length // page)-]"
          "{+length // page + 1+}]]\n    whole = used.swapaxes(0, 1).reshape(pool.shape[1], -1, "
          "pool.shape[3])\n    return whole[:, [-:length-]{+-length:+}]", "pages", **BOTH),
    wrong("tokens-before-heads", "in_pages/gathered", "whole = used.[-swapaxes(0, 1).reshape("
          "pool.shape[1], -1, pool.shape[3])-]{+reshape(pool.shape[1], -1, pool.shape[3])+}",
          "pages", **PAGES),
    # what no sequence owns
    wrong("rest-of-a-page-weighs-zero", "in_pages/gathered", WHOLE + "{+whole[:, :length] + 0 * "
          "whole.sum(axis=1, keepdims=True)+}", "unowned", **PAGES),
    wrong("rest-of-a-packed-page-weighs-zero", "packed_in_pages/gathered", WHOLE + "{+whole[:, "
          ":length] + 0 * whole[:, -1:]+}", "unowned", **BOTH),
    wrong("slack-weighs-zero", "packed", "found, lse = [-one(rows(q, query_offsets, i), keys, "
          "values, scale, mask)-]{+one(rows(q, query_offsets, i), [A + 0 * B[-1][:, None] for A, B "
          "in zip(keys, K)], values, scale, mask)+}", "unowned", **ANY),
    wrong("slack-in-the-last-sequence", "packed", "values = [rows(A, offsets, i)[--]{+ + 0 * "
          "A[offsets[-1] :].sum(axis=0)[:, None]+} for A", "unowned", **ANY),
)  # fmt: skip
