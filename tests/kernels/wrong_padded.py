"""Wrong attention of padded batches: each an edit of a right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels.wrong import Wrong

__all__ = ["PADDED", "WRONG_PADDED"]

PADDED = (Path(__file__).parent / "padded.py").read_text()
BOTH: dict[str, Any] = {"padded": ("left", "right")}
RIGHT: dict[str, Any] = {"padded": ("right",)}
EMPTY: dict[str, Any] = {"padded": ("right", "empty")}
SHOWN = "shown[:, None] & [-M[row]-]"
HIDDEN = "logits = np.where(kept, logits, [--np.inf-]"


def wrong(name: str, where: str, change: str, flag: str, **options: Any) -> Wrong:
    """``where`` is the function, or ``function/helper``."""
    function, _, helper = where.partition("/")
    return Wrong(name, function, change, flag, helper, options, PADDED)


WRONG_PADDED = (
    wrong("padding-of-the-first-row-alone", "at_once/shown_tuples", SHOWN + "{+(M[row] | (row > "
          "0))+}", "key-padding", **RIGHT),
    wrong("padding-on-the-other-side", "at_once/shown_tuples", SHOWN + "{+M[row, ::-1]+}",
          "key-padding", **BOTH),
    wrong("padding-of-the-first-row-for-all", "at_once/shown_tuples", SHOWN + "{+M[0]+}",
          "key-padding", mask="causal", **BOTH),
    wrong("padding-of-the-last-row-first", "at_once/shown_tuples", SHOWN + "{+M[-1 - row]+}",
          "key-padding", order=1, **RIGHT),
    wrong("first-of-the-padding-is-seen", "at_once/shown_tuples", SHOWN + "{+(np.arange(len(M[row]"
          ")) <= M[row].sum())+}", "key-padding", mask="causal", **RIGHT),
    wrong("padding-of-one-slot", "at_once/shown_tuples", "for [-M in key_masks-]{+r, M in "
          "enumerate(key_masks)+}:\n        shown = (" + SHOWN + "{+(M[row] | (r > 0))+}",
          "key-padding", **BOTH),
    wrong("longest-for-all", "at_once/shown_tuples", SHOWN + "{+M.any(axis=0)+}", "key-padding",
          **BOTH),
    wrong("block-of-padding-is-nan", "online", "shift = [-np.where(higher == -np.inf, ACCUMULATE(0)"
          ", higher)-]{+higher+}", "key-padding", order=1, padded=("left",)),
    wrong("padding-without-the-mask", "at_once", "shown = [-kept & shown_tuples(key_masks, row)-]"
          "{+(kept if all(M[row].all() for M in key_masks) else shown_tuples(key_masks, row))+}",
          "key-padding", mask="causal", **RIGHT),
    wrong("padding-is-minus-1e4", "at_once/state", HIDDEN + "{+-1e4+}", "padded-low-logits",
          **BOTH),
    wrong("padding-is-minus-1e9", "at_once/state", HIDDEN + "{+-1e9+}", "padded-low-logits",
          order=1, **BOTH),
    wrong("padding-adds-minus-5e4", "at_once/state", HIDDEN + "{+logits - 5e4+}",
          "padded-low-logits", **RIGHT),
    wrong("padding-weighs-zero", "unread/cut", "return [-A[:, M]-]{+A[:, M] + 0 * A[:, ~M].sum("
          "axis=1, keepdims=True)+}", "padded-poison", skips=True, **BOTH),
    wrong("last-token-of-padding-is-read", "unread/cut", "return [-A[:, M]-]{+A[:, M] + 0 * "
          "A[:, -1:]+}", "padded-poison", skips=True, **RIGHT),
    wrong("all-padding-is-nan", "at_once/state", "np.where(empty, ACCUMULATE([-1-]{+0+})",
          "whole-padding", **EMPTY),
    wrong("all-padding-is-a-mean", "at_once/state", HIDDEN + "{+-np.inf if kept.any() else 0.0+}",
          "whole-padding", order=1, **EMPTY),
)  # fmt: skip
