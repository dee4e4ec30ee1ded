"""The page docs/api.md: ``python -m kvfloor_proofs.pages.api FILE``."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Mapping, Sequence
from importlib import import_module
from numbers import Number
from pathlib import Path

__all__ = ["MODULES", "table"]

MODULES = (
    "kvfloor",
    "kvfloor.floors",
    "kvfloor.families.keys",
    "kvfloor.traces",
    "kvfloor.caches",
    "kvfloor.audit",
    "kvfloor.certificates",
    "kvfloor.adapters",
    "kvfloor.cost",
    "kvfloor.conformance",
    "kvfloor.conformance.strategies",
)
HEADER = """\
# API

What can be imported, by module. `help(NAME)` in Python, and below each table the site made of these
pages, have shapes, units, errors and sources.
"""
AUTOMODULE = """
```{{eval-rst}}
.. automodule:: {module}
   :members:
   :imported-members:
   :ignore-module-all:{index}
```
"""


def table() -> str:
    """Return the page."""
    return HEADER + "".join(map(_section, MODULES))


def _section(name: str) -> str:
    module = import_module(name)
    names = [public for public in module.__all__ if not public.startswith("__")]
    rows = "".join(f"| `{public}` | {_first(getattr(module, public))} |\n" for public in names)
    index = "" if name == MODULES[0] else "\n   :no-index:"
    head = f"\n## {name}\n\n{inspect.getdoc(module)}\n\n| name | |\n|---|---|\n"
    return head + rows + AUTOMODULE.format(module=name, index=index)


def _first(thing: object) -> str:
    """The first line of what is said of it; of data, which has no such line, what it is."""
    if isinstance(thing, Number | str):
        return f"`{thing}`"
    if isinstance(thing, Mapping | Sequence):
        return f"{'mapping' if isinstance(thing, Mapping) else 'sequence'} of {len(thing)}"
    if typing.get_origin(thing) is not None:
        return f"`{thing}`".replace("|", "\\|")
    first = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(table(), encoding="utf-8")
