"""How much is tried of what is alike: a few quickly, more with ``-m long``, all by ``thorough``.

`thorough` is a profile of Hypothesis (`conftest`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

__all__ = ["LAST_SEED", "THOROUGH", "shared_out"]

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
LAST_SEED = 51 if THOROUGH else 9  # of false alarms


def shared_out(cases: Iterable[Any], names: Sequence[str]) -> list[Any]:
    """Each case with one name quickly, with another among the long ones, and with all of them."""
    found = []
    for k, case in enumerate(cases):
        for i, name in enumerate(names):
            turn = (i - k) % len(names)
            if turn < 2 or THOROUGH:
                marks = pytest.mark.long if turn else ()
                found.append(pytest.param(name, case, marks=marks, id=f"{name}-{case}"))
    return found
