"""Worker processes that end when they are told to, and when there is nobody left to tell them."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

from kvfloor.workers.lifeline import end_with

__all__ = ["cores", "processes"]


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of processes, and end it: at once if anything is raised, else when nothing runs.

    However this process ends, the others end within a second or two.
    """
    others = set(multiprocessing.active_children())
    method = multiprocessing.get_start_method()
    # A fork server would be the parent of the workers, and leave its folder if it is killed.
    context = multiprocessing.get_context("spawn" if method == "forkserver" else method)
    pool = ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin, initargs=(os.getpid(),)
    )
    try:
        yield pool
    except BaseException:  # Ctrl-C above all: do not wait for what is running
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        pool.shutdown(wait=False)  # what waits fails with its processes; cancelled, that would fail
        raise
    # What waits is cancelled: a few that are already make Python 3.11.2 wait for ever (gh-94440).
    pool.shutdown(cancel_futures=True)


def _begin(parent: int) -> None:
    """Undo what a forked worker inherits, as handlers that raise would only fail one task."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with(parent, lambda: os._exit(1))
