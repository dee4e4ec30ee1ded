"""What a command or a plugin was told to use, from its name."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

from kvfloor.errors import InputError, Terminated

__all__ = ["load"]


def load(spec: str, argument: str, expected: str = "MODULE:NAME") -> Any:
    """Return what ``MODULE:NAME`` names; modules of the working directory are found.

    Parameters
    ----------
    spec : str
    argument : str
        Where it came from, for the error.
    expected : str
        What was expected, for the error.

    Raises
    ------
    InputError
        If there is no such thing, or its module fails.
    """
    module, _, name = spec.partition(":")
    if not module or not name:
        raise InputError(argument, expected, repr(spec))
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` finds them
    try:
        found = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Terminated:
        raise
    except (Exception, SystemExit) as error:  # the module's code may raise anything
        came = f"{spec!r} ({type(error).__name__}: {error})"
        raise InputError(argument, expected, came) from None
    return found
