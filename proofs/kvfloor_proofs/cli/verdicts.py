"""Exit statuses of audits."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["SEVERITY", "VERDICT_CODES"]

VERDICT_CODES: Mapping[str, int] = MappingProxyType(
    {
        "within-guarantee": 0,
        "undecided": 3,
        "refuted": 1,
        "violates": 1,
        "not-served": 2,
        "misbehaves": 2,
        "error": 2,
    }
)
SEVERITY = tuple(VERDICT_CODES)  # the last is the worst
