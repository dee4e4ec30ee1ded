"""Where sweeps run: processes of this machine, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from kvfloor import InputError
from kvfloor.numbers import as_count
from kvfloor.workers import cores, processes

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
    with processes(cores() if jobs is None else as_count(jobs, "jobs", 1)) as pool:
        yield pool
