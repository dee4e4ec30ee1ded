"""The `kvfloor` command. What is heavy is imported by the command that needs it."""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import BrokenExecutor
from pathlib import Path
from typing import NoReturn

import click

__all__ = ["main"]

STATUS_CODES = {"ok": 0, "invalid": 1, "malformed": 2}


def main() -> NoReturn:
    """Run the command line; bad usage is one line on standard error and exit status 2."""
    signal.signal(signal.SIGTERM, _terminated)
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


def printable(text: str) -> str:
    """Escape what could forge a line or steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, invoke_without_command=True)
@click.version_option(package_name="kvfloor")
@click.pass_context
def cli(context: click.Context) -> None:
    """Tensor attention, exactly, and the lower bounds on its KV cache."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command()
@click.argument("slugs", metavar="[SLUG]...", nargs=-1)
@click.option("--examples", default=50, show_default=True, help="Instances for each property.")
@click.option("--seed", default=0, show_default=True, help="Of instances and check points.")
@click.option("--jobs", type=int, help="Processes.  [default: one a core]")
@click.option("--json", "json_file", metavar="FILE", help="Write the results; - for stdout.")
def verify(
    slugs: tuple[str, ...], examples: int, seed: int, jobs: int | None, json_file: str | None
) -> int:
    """Run claims: derivations, properties, certificates.

    Without a SLUG, all of them. Exit status 0 only if every verdict is what the registry says.

    Example: kvfloor verify four-cache --examples 200
    """
    from rich.console import Console

    from kvfloor_proofs.claims import SLUGS, load
    from kvfloor_proofs.report import show, to_json
    from kvfloor_proofs.verify import verify as run

    if json_file is not None:
        _check_writable(json_file)
    wanted = tuple(dict.fromkeys(slugs)) or SLUGS
    claims = [load(slug) for slug in wanted]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    results = run(
        wanted, examples=examples, seed=seed, jobs=jobs if jobs is not None else cores or 1
    )
    ordered = show(claims, results, Console(stderr=json_file == "-"))
    if json_file is not None:
        _write(json_file, to_json(ordered))
    return 0 if all(result.ok for result in ordered) else 1


@cli.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--cache", metavar="MODULE:FACTORY", help="Replay the instances on this cache.")
def check(files: tuple[str, ...], cache: str | None) -> int:
    """Check certificates.

    Exit status 0 if all hold, 1 if one is invalid, 2 if one is malformed or cannot be read.

    Example: kvfloor check collision.json --cache mycaches:Mine
    """
    from kvfloor.certificate import MOST_CHARACTERS
    from kvfloor.certificate import check as check_text
    from kvfloor.loading import load

    factory = None if cache is None else load(cache, "--cache", "MODULE:FACTORY")
    worst = 0
    for file in files:
        try:
            with open(file, "rb") as stream:
                text = stream.read(MOST_CHARACTERS + 1)
        except OSError as error:
            click.echo(printable(f"{file}: cannot be read: {error.strerror}"), err=True)
            worst = 2
            continue
        outcome = check_text(text, cache=factory)
        notes = (
            [outcome.reason] if outcome.reason else [f"unchecked: {u}" for u in outcome.unchecked]
        )
        click.echo(printable(": ".join([file, outcome.status, *notes])))
        worst = max(worst, STATUS_CODES[outcome.status])
    return worst


@cli.command()
@click.argument("target", metavar="MODULE:FUNCTION")
@click.option("--dtype", help="Format of the inputs.")
@click.option("--accumulate", help="Format of the arithmetic.")
@click.option("--order", type=int, help="Slots of keys and values.  [default: 2]")
@click.option("--layout", help="Axes: batch, heads, tokens, columns.  [default: bhnd]")
@click.option("--scale", help="A number, or 1/sqrt(d).  [default: 1/sqrt(d)]")
@click.option("--mask", help="causal, boolean, or window,W1,W2.  [default: none]")
@click.option("--returns", help="output, or output,logsumexp.  [default: output,logsumexp]")
@click.option("--block", help="Tokens of a block of an online softmax, or one number a slot.")
@click.option("--weights", help="Format of stored weights.  [default: that of the arithmetic]")
@click.option("--exp-ulps", type=float, help="What exp and log are within.  [default: 4]")
@click.option("--empty", help="Output of a row without a tuple: zero or nan.  [default: zero]")
@click.option("--grouped", is_flag=True, default=None, help="Heads may share keys and values.")
@click.option("--arrays", help="numpy, torch, jax or a module.  [default: numpy]")
@click.option("--examples", default=10, show_default=True, help="Drawn cases for each entry.")
@click.option("--seed", default=0, show_default=True, help="Of all that is drawn.")
@click.option("--json", "json_file", metavar="FILE", help="Write the report; - for stdout.")
def conform(
    target: str, examples: int, seed: int, json_file: str | None, **declared: str | float | None
) -> int:
    """Compare an implementation of attention with the correctly rounded results.

    MODULE:FUNCTION is called as f(q, (K1, ...), (V1, ...), scale=..., mask=...); or it names a
    kvfloor.conformance.Target, which says everything itself. Exit status 0 if every number is
    within its derived bound, 1 if not.

    Example: kvfloor conform mine:attention --dtype bfloat16 --accumulate float32 --mask causal
    """
    from kvfloor_proofs.conforming import as_target

    if json_file is not None:
        _check_writable(json_file)
    made = as_target(target, {k: v for k, v in declared.items() if v is not None})
    from kvfloor.conformance import run

    report = run(made, examples=examples, seed=seed)
    click.echo(str(report), err=json_file == "-")
    if json_file is not None:
        _write(json_file, report.to_json())
    return 0 if report.ok else 1


@cli.command()
@click.option("--out", metavar="DIR", required=True, help="A folder; it is made if need be.")
def vectors(out: str) -> int:
    """Write test vectors: inputs and correctly rounded results, one file a format.

    Example: kvfloor vectors --out vectors
    """
    from kvfloor.conformance.vectors import write

    for path in write(Path(out)):
        click.echo(str(path))
    return 0


def _check_writable(file: str) -> None:
    """Refuse what `_write` could not write, before the work is done."""
    target = Path(file)
    if file != "-" and (not file or target.is_dir() or not target.resolve().parent.is_dir()):
        raise click.UsageError(f"--json: expected a file in a folder that exists, got {file!r}")


def _write(file: str, text: str) -> None:
    """Write a whole file or none; ``-`` is standard output, devices and pipes are written to."""
    if file == "-":
        click.echo(text, nl=False)
        return
    target = Path(file).resolve()
    if target.exists() and not target.is_file():
        target.write_text(text, encoding="utf-8")
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
