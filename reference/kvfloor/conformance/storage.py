"""Hypothesis without the folder ``.hypothesis`` that it keeps in the working directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import configuration

__all__ = ["unstored"]

NOWHERE = Path(os.devnull) / "hypothesis"  # no folder can be made there, which it puts up with


@contextmanager
def unstored() -> Iterator[None]:
    """Have Hypothesis write no file: neither examples nor what it finds in local modules."""
    before: Any = configuration.storage_directory()
    configuration.set_hypothesis_home_dir(NOWHERE)
    try:
        yield
    finally:
        configuration.set_hypothesis_home_dir(getattr(before, "path", before))
