"""Where sweeps run, if not in processes of this machine: a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from kvfloor import InputError

__all__ = ["cluster"]

CONNECT_SECONDS = 10


@contextmanager
def cluster(address: str | None) -> Iterator[Executor | None]:
    """Give an executor of the cluster at an address, and end it; None without one.

    Raises
    ------
    InputError
        If Dask is not installed.
    OSError
        If the cluster cannot be reached.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client  # noqa: PLC0415 (an extra)
    except ImportError:
        expected = "Dask to be installed: pip install 'kvfloor[dask]'"
        raise InputError("--dask", expected, "none") from None
    with Client(address, timeout=CONNECT_SECONDS) as client:  # type: ignore[no-untyped-call]
        yield client.get_executor()
