"""How the named targets of the conformance kit are shown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:  # with it comes Hypothesis, which other commands do not wait for
    from kvfloor.conformance import NamedTarget

__all__ = ["show_named"]

COLUMNS = ("name", "package", "formats", "m", "masks")


def show_named(targets: Iterable[NamedTarget], console: Console) -> None:
    """Show a row for each; what is declared by default comes first in a cell."""
    table = Table(*COLUMNS, box=box.SIMPLE_HEAD, show_edge=False, padding=0, show_lines=True)
    for named in targets:
        cells = (
            (named.name,),
            (named.package, named.version or "not installed"),
            named.formats,
            (" ".join(map(str, named.orders)),),
            named.masks,
        )
        table.add_row(*(Text("\n".join(lines)) for lines in cells))
    console.print(table)
