"""How a command fails: in one line, with the status that says whose fault it is."""

from __future__ import annotations

import os
import sys
import traceback
from concurrent.futures import BrokenExecutor
from contextlib import suppress
from typing import Any, NoReturn

import click

from kvfloor_proofs.cli.files import printable

__all__ = ["Group", "complain", "fail", "is_verbose", "settle", "verbose"]


def _note(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
    context.ensure_object(dict)["verbose"] = value


verbose = click.option(
    *("-v", "--verbose"),
    is_flag=True,
    expose_value=False,
    callback=_note,
    help="Show the traceback of an error.",
)


def is_verbose() -> bool:
    """Whether the command that runs is to show tracebacks."""
    return bool(click.get_current_context().ensure_object(dict).get("verbose"))


class Group(click.Group):
    """A group of commands that knows which was meant, whatever click does."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command; end quietly if whoever read its output has seen enough."""
        try:
            return super().invoke(context)
        except BrokenPipeError:  # click would exit with the status of a refusal
            settle(141)

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; one that is not there is bad usage."""
        from kvfloor.errors import meant

        name = arguments[0]
        if self.get_command(context, name) is None and not name.startswith("-"):
            words = ", ".join(self.commands)
            hint = meant(name, self.commands)
            raise click.UsageError(f"command: expected one of {words}, got {name!r}{hint}")
        return super().resolve_command(context, arguments)


def fail(error: Exception, told: dict[str, Any]) -> NoReturn:
    """Say what went wrong, in one line: bad input, or else an error of this program."""
    from kvfloor.errors import InputError, described
    from kvfloor_proofs.kernel import KernelError

    if isinstance(error, InputError | KernelError | OSError | BrokenExecutor):
        complain(str(error))
    if told.get("verbose"):
        with suppress(OSError):
            traceback.print_exception(error)
        settle(2)
    complain(f"error: {described(error)} (a fault of this program; -v shows where)")


def complain(message: str) -> NoReturn:
    """End with one line on standard error and exit status 2."""
    with suppress(OSError):
        click.echo("kvfloor: " + printable(" ".join(message.split())), err=True)
    settle(2)


def settle(code: int) -> NoReturn:
    """End with an exit status; what can no longer be written is not complained about again."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)
