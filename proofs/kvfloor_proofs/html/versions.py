"""What a page was made with."""

from __future__ import annotations

import platform
from importlib.metadata import version

__all__ = ["versions"]

LIBRARIES = ("kvfloor", "sympy", "python-flint", "hypothesis", "numpy", "matplotlib")


def versions() -> str:
    """Return the versions of Python and of the libraries that results depend on, as a line."""
    python = f"Python {platform.python_version()}"
    return ", ".join([python, *(f"{name} {version(name)}" for name in LIBRARIES)])
