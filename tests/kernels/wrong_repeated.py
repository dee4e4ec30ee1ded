"""Wrong attention that does not repeat itself, or splits: each an edit of a right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels.wrong import Wrong

__all__ = ["REPEATED", "SPLITS", "WRONG_REPEATED"]

REPEATED = (Path(__file__).parent / "repeated.py").read_text()
SPLITS: dict[str, Any] = {"splits": (1, 2, 5)}
ALONE: dict[str, Any] = {"bitwise": ("row-alone",)}
MOVED: dict[str, Any] = {"bitwise": ("row-moved",)}
SUM = "total = [-weights.sum(axis=-1)-]"


def wrong(name: str, where: str, change: str, flag: str, **options: Any) -> Wrong:
    """``where`` is the function, or ``function/helper``."""
    function, _, helper = where.partition("/")
    return Wrong(name, function, change, flag, helper, options, REPEATED)


WRONG_REPEATED = (
    wrong("order-of-every-other-call", "at_once/state", SUM + '{+(weights[..., :: (-1) ** len('
          'vars(finish).setdefault("calls", []))] + 0 * (vars(finish)["calls"].append(0) or 0)).sum'
          "(axis=-1)+}", "repeat"),
    wrong("first-call-is-another", "at_once/state", SUM + '{+weights.sum(axis=-1) * vars(finish)'
          '.get("warm", ACCUMULATE(1))\n    vars(finish)["warm"] = ACCUMULATE(1 + 2**-22)+}',
          "repeat"),
    wrong("sums-by-the-batch", "at_once/state", SUM + "{+(np.cumsum(weights, axis=-1)[..., -1] if "
          "len(weights) == 1 else weights.sum(axis=-1))+}", "row-alone", **ALONE),
    wrong("scaled-first-when-alone", "at_once/logits_of", "logits = [-q.astype(ACCUMULATE) @ "
          "products(K).swapaxes(2, 3) * ACCUMULATE(scale)-]{+np.where(len(q) == 1, (q.astype("
          "ACCUMULATE) * ACCUMULATE(scale)) @ products(K).swapaxes(2, 3), q.astype(ACCUMULATE) @ "
          "products(K).swapaxes(2, 3) * ACCUMULATE(scale))+}", "row-alone", **ALONE),
    wrong("odd-rows-from-the-end", "at_once/state", SUM + "{+np.where(np.arange(len(weights))[:, "
          "None, None] % 2, weights[..., ::-1].sum(axis=-1), weights.sum(axis=-1))+}", "row-moved",
          **MOVED),
    wrong("last-row-in-blocks", "at_once/state", SUM + "{+np.where(np.arange(len(weights))[:, "
          "None, None] == len(weights) - 1, np.cumsum(weights, axis=-1)[..., -1], weights.sum("
          "axis=-1))+}", "row-moved", **MOVED),
    # splits
    wrong("rest-after-the-splits-dropped", "split", "size = [--(-logits.shape[3] // splits)-]"
          "{+max(1, logits.shape[3] // splits)+}", "splits", **SPLITS),
    wrong("empty-split-is-nan", "split/finish", "total = [-np.where(empty, ACCUMULATE(1), "
          "total)-]{+total+}\n    logsumexp", "splits", **SPLITS),
    wrong("empty-split-counts", "split/finish", "np.where(empty, ACCUMULATE([--np.inf-]{+0+})",
          "splits", **SPLITS),
    wrong("splits-weigh-the-same", "split", "weights = np.exp([-logsumexps - top-]{+0 * "
          "(logsumexps - top)+})", "splits", **SPLITS),
    wrong("splits-by-the-first-maximum", "split", "top = [-logsumexps.max(axis=0)-]{+np.where("
          "np.isneginf(logsumexps[0]), logsumexps.max(axis=0), logsumexps[0])+}", "splits",
          **SPLITS),
    wrong("other-bits-by-splits", "split", "return output.astype(q.dtype), [-logsumexp-]"
          "{+logsumexp + 0+}", "splits", bitwise=("splits",), **SPLITS),
)  # fmt: skip
