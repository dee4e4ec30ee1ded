"""What takes long and is the same for all tests, made by one process of a run for all of them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TypeVar

import pytest
from filelock import FileLock

__all__ = ["once", "started"]

T = TypeVar("T")


def once(request: pytest.FixtureRequest, name: str, make: Callable[[], T]) -> T:
    """Return what ``make`` returns: the first process of pytest-xdist makes it, others wait."""
    return _made(_folder(request), name, make)


def started(request: pytest.FixtureRequest, name: str, make: Callable[[], object]) -> None:
    """Begin to make it, so that whoever needs it later waits less; failures are theirs to meet."""
    folder = _folder(request)

    def begin() -> None:
        with suppress(Exception):
            _made(folder, name, make)

    Thread(target=begin, daemon=True).start()


def _folder(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue("tmp_path_factory").getbasetemp()
    # with pytest-xdist the folder above is that of the whole run
    return folder.parent if hasattr(request.config, "workerinput") else folder


def _made(folder: Path, name: str, make: Callable[[], T]) -> T:
    file = folder / f"{name}.pickle"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            file.write_bytes(pickle.dumps(make()))
        made: T = pickle.loads(file.read_bytes())
        return made
