"""How an efficiency is shown: one row."""

from __future__ import annotations

import os

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kvfloor import Efficiency
from kvfloor_proofs.report.lines import WIDTH

__all__ = ["show_efficiency"]

COLUMNS = ("cache", "m", "n", "d", "d_v", "alpha", "family", "L", "wrong", "of", "bits", "back",
           "efficiency", "s")  # fmt: skip


def show_efficiency(found: Efficiency, console: Console) -> None:
    """Show what was measured, numbers rounded down where they bound something."""
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH
    table = Table(box=box.SIMPLE)
    for k, name in enumerate(COLUMNS):
        table.add_column(name, justify="left" if k in (0, 6) else "right", overflow="fold")
    table.add_row(
        *map(
            Text,
            (
                found.cache,
                str(found.order),
                str(found.n),
                str(found.d),
                str(found.d_v),
                str(found.guarantee.alpha),
                found.family,
                str(found.levels),
                str(found.wrong),
                str(found.symbols),
                str(found.bits),
                str(found.retrieved // 1),
                f"{found.efficiency * 1000 // 1 / 1000:.3f}",
                f"{found.seconds:.1f}",
            ),
        )
    )
    console.print(table)
