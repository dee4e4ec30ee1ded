"""Wrong attention that reads memory by other strides: each an edit of a right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kernels.wrong import Wrong

__all__ = ["VIEWS", "WRONG_VIEWS"]

VIEWS = (Path(__file__).parent / "views.py").read_text()
OWN = "strides = [-A.strides-]"
START = "start = [-A.ctypes.data - A.base.ctypes.data-]"
VALUES = "[-[read(A) for A in V]-]"
PAGES: dict[str, Any] = {"pages": 4, "order": 1}


def wrong(name: str, where: str, change: str, flag: str, **options: Any) -> Wrong:
    """``where`` is the function, or ``function/helper``."""
    function, _, helper = where.partition("/")
    return Wrong(name, function, change, flag, helper, options, VIEWS)


WRONG_VIEWS = (
    wrong("contiguous-assumed", "attention/read", OWN + "{+contiguous(A)+}", "strided"),
    wrong("strides-of-keys-for-values", "attention", "q, K, V = read(q), [read(A) for A in K], "
          + VALUES + "{+[A if A.base is None else at(A, B.strides, A.ctypes.data - A.base.ctypes."
          "data) for A, B in zip(V, K)]+}", "strided"),
    wrong("heads-taken-for-their-tokens", "attention/read", OWN + "{+(A.strides[0], A.strides[2] * "
          "A.shape[2], *A.strides[2:])+}", "strided"),
    # Pages hold more than keys, there scales of tokens, and their stride is computed without that:
    # https://github.com/ovg-project/kvcached/issues/424
    wrong("page-taken-for-its-tokens", "in_pages/read", OWN + "{+(A.strides[1] * A.shape[1], "
          "*A.strides[1:])+}", "strided", **PAGES),
    wrong("columns-side-by-side", "attention/read", OWN + "{+(*A.strides[:-1], A.itemsize)+}",
          "columns-apart"),
    wrong("columns-of-values-side-by-side", "attention", VALUES + "{+[A if A.base is None else "
          "at(A, (*A.strides[:-1], A.itemsize), A.ctypes.data - A.base.ctypes.data) for A in V]+}",
          "columns-apart"),
    wrong("from-the-start-of-memory", "attention/read", START + "{+0+}", "offset"),
    wrong("from-where-it-is-aligned", "attention/read", START
          + "{+(A.ctypes.data - A.base.ctypes.data) // 16 * 16+}", "offset"),
    wrong("zero-strides-are-none", "attention/read", OWN + "{+tuple(s or c for s, c in zip("
          "A.strides, contiguous(A)))+}", "expanded"),
    wrong("shared-query-is-scaled", "attention", "q, K, V = [-read(q)-]{+[row.__imul__(2) for row "
          "in q] and read(q)+}, [read(A) for A in K], [read(A) for A in V]\n    return repeated."
          "at_once(q, K, V, scale=[-scale-]{+scale / 2+}", "expanded"),
)  # fmt: skip
