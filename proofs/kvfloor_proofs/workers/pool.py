"""Worker processes that end when they are told to."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

__all__ = ["cores", "processes"]


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of processes, and end it: at once if anything is raised, else when it is done."""
    pool = ProcessPoolExecutor(workers, initializer=_end_when_told)
    try:
        yield pool
    except BaseException:  # Ctrl-C above all: do not wait for what is running
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    pool.shutdown()


def _end_when_told() -> None:
    """Undo what a forked worker inherits: handlers that raise would only fail one task."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
