"""The `kvfloor` command: a file for each subcommand, which imports what is heavy when it runs."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import BrokenExecutor
from typing import NoReturn

import click

from kvfloor_proofs.cli.audit import audit, sweep
from kvfloor_proofs.cli.check import check
from kvfloor_proofs.cli.conform import conform, vectors
from kvfloor_proofs.cli.files import printable
from kvfloor_proofs.cli.verify import verify

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line; bad usage is one line on standard error and exit status 2."""
    signal.signal(signal.SIGTERM, _terminated)
    if "" not in sys.path:
        sys.path.insert(0, "")  # modules in the working directory, as `python -m` finds them
    try:
        code = cli.main(standalone_mode=False, prog_name="kvfloor")
    except click.ClickException as error:
        _complain(error.format_message())
    except click.Abort:
        click.echo("kvfloor: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (ValueError, OSError, BrokenExecutor) as error:
        _complain(str(error))
    sys.exit(code or 0)


def _terminated(number: int, _frame: object) -> NoReturn:
    sys.exit(128 + number)  # through every finally, so that workers end too


def _complain(message: str) -> NoReturn:
    click.echo("kvfloor: " + printable(" ".join(message.split())), err=True)
    sys.exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(package_name="kvfloor")
@click.pass_context
def cli(context: click.Context) -> None:
    """Tensor attention, exactly, and the lower bounds on its KV cache.

    Example: kvfloor verify
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (verify, check, audit, sweep, conform, vectors):
    cli.add_command(command)
