"""How far a long command is, on a terminal: how many of how many, and the time left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

__all__ = ["followed", "following"]

R = TypeVar("R")


@contextmanager
def following(what: str, console: Console) -> Iterator[Callable[[float, int], None] | None]:
    """Return what is to be called as ``progress(done, all)``; None where there is no terminal."""
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def followed(rows: Iterable[R], total: int, console: Console) -> list[R]:
    """Return all rows; while they come, a terminal shows how many, and the time left."""
    found = list[R]()
    with following("audits", console) as progress:
        for row in rows:
            found.append(row)
            if progress is not None:
                progress(len(found), total)
    return found
