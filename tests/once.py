"""What takes long and is the same for all tests, made by one process of a run for all of them."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock

__all__ = ["once"]

T = TypeVar("T")


def once(request: pytest.FixtureRequest, name: str, make: Callable[[], T]) -> T:
    """Return what ``make`` returns: the first process of pytest-xdist makes it, others wait."""
    folder: Path = request.getfixturevalue("tmp_path_factory").getbasetemp()
    if hasattr(request.config, "workerinput"):  # the folder above is that of the whole run
        folder = folder.parent
    file = folder / f"{name}.pickle"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            file.write_bytes(pickle.dumps(make()))
        made: T = pickle.loads(file.read_bytes())
        return made
