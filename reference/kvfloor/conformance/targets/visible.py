"""What a query sees as an array, as functions of packages are told it."""

from __future__ import annotations

from typing import Any

from kvfloor.attention import Window

__all__ = ["visible"]


def visible(mask: Any, key_masks: Any) -> Any:
    """Return a mask that is an array and key masks as one, shape (b or 1, 1, n_q or 1, n).

    None if there are neither; masks that have a name are told in another way.
    """
    named = mask is None or isinstance(mask, str | Window)
    whole = None if named else mask[None, None]
    if key_masks is None:
        return whole
    shown = key_masks[0][:, None, None]
    return shown if whole is None else whole & shown
