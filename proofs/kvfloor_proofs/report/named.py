"""How the named targets of the conformance kit are shown."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kvfloor.conformance import NamedTarget

__all__ = ["show_named"]

COLUMNS = {"name": 27, "package": 20, "formats": 8, "m": 5, "masks": 15}  # and their least widths


def show_named(targets: Iterable[NamedTarget], console: Console) -> None:
    """Show a row for each; what is declared by default comes first in a cell."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_lines=True)
    for column, width in COLUMNS.items():
        table.add_column(column, min_width=width)
    for named in targets:
        cells = (
            named.name,
            f"{named.package} {named.version or 'not installed'}",
            " ".join(named.formats),
            " ".join(map(str, named.orders)),
            " ".join(named.masks),
        )
        table.add_row(*map(Text, cells))
    console.print(table)
