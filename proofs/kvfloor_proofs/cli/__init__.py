"""The `kvfloor` command: a file for each subcommand, which imports what is heavy when it runs."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Any, NoReturn

import click

from kvfloor_proofs.cli.audit import audit, sweep
from kvfloor_proofs.cli.check import check
from kvfloor_proofs.cli.conform import conform, vectors
from kvfloor_proofs.cli.efficiency import efficiency
from kvfloor_proofs.cli.ending import end_when_told
from kvfloor_proofs.cli.failing import Group, complain, fail, settle
from kvfloor_proofs.cli.floor import floor
from kvfloor_proofs.cli.league import league
from kvfloor_proofs.cli.verify import verify

__all__ = ["main"]


def main() -> NoReturn:
    """Run the command line.

    Bad usage, a full disk and an error of this program are one line on standard error and exit
    status 2.
    """
    told: dict[str, Any] = {}
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a letter that it cannot encode ends no run
            stream.reconfigure(errors="backslashreplace")
    end_when_told()
    if "" not in sys.path:
        sys.path.insert(0, "")  # modules in the working directory, as `python -m` finds them
    try:
        code = cli.main(standalone_mode=False, prog_name="kvfloor", obj=told)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.ClickException as error:
        complain(error.format_message())
    except click.Abort:
        click.echo("kvfloor: interrupted", err=True)
        settle(130)
    except BrokenPipeError:  # whoever read the output has seen enough
        settle(141)
    except Exception as error:
        fail(error, told)
    sys.exit(code or 0)


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.version_option(package_name="kvfloor")
@click.pass_context
def cli(context: click.Context) -> None:
    """Tensor attention, exactly, and the lower bounds on its KV cache.

    Example: kvfloor verify
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for command in (verify, floor, check, audit, efficiency, league, sweep, conform, vectors):
    cli.add_command(command)
