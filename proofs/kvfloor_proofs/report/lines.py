"""Lines: on a terminal broken between words, elsewhere left whole for other programs."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

__all__ = ["write_line"]


def write_line(console: Console, line: str) -> None:
    """Write a line as it is: nothing in it is taken for markup."""
    console.print(Text(line), soft_wrap=not console.is_terminal)
