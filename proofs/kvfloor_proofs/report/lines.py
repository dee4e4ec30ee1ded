"""Lines: on a terminal broken between words, elsewhere left whole for other programs."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

__all__ = ["WIDTH", "Output", "write_line"]

WIDTH = 160  # where no terminal says how wide it is


class Output(Console):
    """A console that leaves it to the command what a closed pipe means."""

    def on_broken_pipe(self) -> None:
        """Raise the `BrokenPipeError` again; Rich would exit with the status of a refusal."""
        raise  # noqa: PLE0704 (called where it is caught)


def write_line(console: Console, line: str) -> None:
    """Write a line as it is: nothing in it is taken for markup."""
    console.print(Text(line), soft_wrap=not console.is_terminal)
