"""Limits that no clock decides: work is counted, and a wait ends at an event or is a hang."""

from __future__ import annotations

import select
from collections.abc import Callable
from cProfile import Profile
from typing import Any, TypeVar

T = TypeVar("T")
HANG = 1800  # seconds that only a hang takes, on however busy a machine


def counted(function: Callable[..., T], *arguments: Any, **options: Any) -> tuple[T, int]:
    """What a function returns, and how many calls it makes of functions, compiled ones too."""
    profile = Profile()
    result = profile.runcall(function, *arguments, **options)
    return result, sum(entry.callcount for entry in profile.getstats())


def ended(pidfd: int, within: float = HANG) -> bool:
    """Whether a process ends; ``os.pidfd_open`` names one for good, unlike its number."""
    return bool(select.select([pidfd], [], [], within)[0])
