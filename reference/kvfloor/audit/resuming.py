"""Work that goes on where it was interrupted: what came of it are lines of a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol, TypeVar

from kvfloor.errors import InputError
from kvfloor.files import append_line, cut_torn_line
from kvfloor.numbers import as_count
from kvfloor.workers import cores, processes

__all__ = ["resumed", "taken_up"]

BEGINNING = b'{"task": '  # of every row


class Keyed(Protocol):
    """What is run once: told from others by a JSON object."""

    @property
    def key(self) -> dict[str, Any]:
        """That object."""


class Line(Protocol):
    """What came of it: a line of the output."""

    @property
    def task(self) -> dict[str, Any]:
        """The key."""

    @property
    def failed(self) -> bool:
        """Whether it is to be run again."""

    def line(self) -> bytes:
        """Return the line."""


K = TypeVar("K", bound=Keyed)
R = TypeVar("R", bound=Line)


def resumed(
    tasks: Sequence[K],
    run: Callable[[K], R],
    read: Callable[[bytes], R | None],
    *,
    output: str | os.PathLike[str] | None,
    executor: Executor | None,
    workers: int | None,
) -> Iterator[R]:
    """Yield what the output has of the tasks, then run the others; see `sweep`."""
    done = [] if output is None else taken_up(output, read)[0]
    left = []
    for task in tasks:
        known = next((row for row in done if row.task == task.key and not row.failed), None)
        if known is None:
            left.append(task)
        else:
            yield known
    with ExitStack() as stack:
        pool = executor
        if pool is None:
            count = cores() if workers is None else as_count(workers, "workers", 1)
            pool = stack.enter_context(processes(count))
        futures = [pool.submit(run, task) for task in left]
        if executor is not None:  # our own ends with all that waits
            stack.callback(lambda: [future.cancel() for future in futures])
        for future in as_completed(futures):
            row = future.result()
            if output is not None:
                append_line(output, row.line())
            yield row


def taken_up(
    output: str | os.PathLike[str], read: Callable[[bytes], R | None]
) -> tuple[list[R], int]:
    """Return the rows of an output, and how many bytes were cut off; see `take_up`."""
    path = Path(output)
    if not path.exists():
        return [], 0
    text = path.read_bytes() if path.is_file() else b"no file"
    whole, newline, torn = text.rpartition(b"\n")
    rows = [row for line in whole.splitlines() if (row := read(line)) is not None]
    if text and not rows and (newline or not torn.startswith(BEGINNING)):
        raise InputError("output", "a new file, or one that a sweep has written", str(path))
    return rows, cut_torn_line(path)
