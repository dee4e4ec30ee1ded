"""How an efficiency is shown: a line for each number, so that it is whole at any width."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kvfloor import Efficiency

__all__ = ["show_efficiency"]


def show_efficiency(found: Efficiency, console: Console) -> None:
    """Show what was measured, numbers rounded down where they bound something."""
    lines = {
        "cache": found.cache,
        "shape": f"m = {found.order}, n = {found.n}, d = {found.d}, d_v = {found.d_v}",
        "accuracy": f"α = {found.guarantee.alpha}, η = {found.guarantee.eta}",
        "instances": f"{found.instances} of {found.family}, L = {found.levels}",
        "wrong": f"{found.wrong} of {found.symbols} symbols that were asked for",
        "bits kept": str(found.bits),
        "bits back": str(found.retrieved // 1),
        "efficiency": f"{found.efficiency * 1000 // 1 / 1000:.3f}",
        "seconds": f"{found.seconds:.1f}",
    }
    table = Table.grid(padding=(0, 2))
    for name, value in lines.items():
        table.add_row(name, Text(value, overflow="fold"))
    console.print(table)
