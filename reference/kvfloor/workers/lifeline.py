"""A process that ends soon after whoever started it, in whatever way that one ended.

A parent that is killed tells nobody. Its children notice by themselves: the system gives them
another parent. To look for that needs no pipe that a sibling may hold open, and no signal that
comes when a mere thread of the parent ends.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from threading import Thread

__all__ = ["end_with"]

PAUSE = 0.5  # seconds between two looks


def end_with(parent: int, last: Callable[[], object]) -> None:
    """Call ``last`` in a thread of its own once the parent of this process has ended.

    Parameters
    ----------
    parent : int
        The process that started this one.
    last : callable
        Ends this process, and what it has started.
    """
    Thread(target=_watch, args=(parent, last), name="lifeline", daemon=True).start()


def _watch(parent: int, last: Callable[[], object]) -> None:
    while os.getppid() == parent:
        time.sleep(PAUSE)
    last()
