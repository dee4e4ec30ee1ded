"""Where sweeps run: processes of this machine, or a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

from kvfloor import InputError
from kvfloor.inputs import as_count

__all__ = ["executor"]

CONNECT_SECONDS = 10


@contextmanager
def executor(jobs: int | None, dask: str | None) -> Iterator[Executor]:
    """Give an executor, and end it: with ``dask``, of the cluster at that address.

    Raises
    ------
    InputError
        If ``jobs`` is below 1, or Dask is not installed.
    OSError
        If the cluster cannot be reached.
    """
    if dask is not None:
        try:
            from distributed import Client  # noqa: PLC0415 (an extra)
        except ImportError:
            expected = "Dask to be installed: pip install 'kvfloor[dask]'"
            raise InputError("--dask", expected, "none") from None
        with Client(dask, timeout=CONNECT_SECONDS) as client:  # type: ignore[no-untyped-call]
            yield client.get_executor()
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    workers = cores or 1 if jobs is None else as_count(jobs, "jobs", 1)
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
    """Undo what a forked worker inherits: handlers that raise would only fail one audit."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
