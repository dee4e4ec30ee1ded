"""The `kvfloor` command. What is heavy is imported by the command that needs it."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from kvfloor.caches import CacheFactory

__all__ = ["main"]

STATUS_CODES = {"ok": 0, "invalid": 1, "malformed": 2}


def main() -> NoReturn:
    """Run the command line; bad usage is one line on standard error and exit status 2."""
    try:
        code = cli.main(standalone_mode=False, prog_name="kvfloor")
    except click.ClickException as error:
        _complain(error.format_message())
    except click.Abort:
        click.echo("kvfloor: interrupted", err=True)
        sys.exit(130)
    except (ValueError, OSError) as error:
        _complain(str(error))
    sys.exit(code or 0)


def _complain(message: str) -> NoReturn:
    click.echo("kvfloor: " + " ".join(message.split()), err=True)
    sys.exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="kvfloor")
def cli() -> None:
    """Tensor attention, exactly, and the lower bounds on its KV cache."""


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

    if json_file not in (None, "-") and not Path(json_file).parent.is_dir():
        raise click.UsageError(f"--json: expected a file in a folder that exists, got {json_file}")
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
    from kvfloor.certificate import check as check_text

    factory = None if cache is None else _factory(cache)
    worst = 0
    for file in files:
        try:
            outcome = check_text(Path(file).read_bytes(), cache=factory)
        except OSError as error:
            click.echo(f"{file}: cannot be read: {error.strerror}", err=True)
            worst = 2
            continue
        notes = (
            [outcome.reason] if outcome.reason else [f"unchecked: {u}" for u in outcome.unchecked]
        )
        click.echo(": ".join([file, outcome.status, *notes]))
        worst = max(worst, STATUS_CODES[outcome.status])
    return worst


def _factory(spec: str) -> CacheFactory:
    module, _, name = spec.partition(":")
    if not module or not name:
        raise click.UsageError(f"--cache: expected MODULE:FACTORY, got {spec!r}")
    if "" not in sys.path:
        sys.path.insert(0, "")  # modules in the working directory, as `python -m` finds them
    try:
        found: CacheFactory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise click.UsageError(f"--cache: expected MODULE:FACTORY, got {spec!r}: {error}") from None
    return found


def _write(file: str, text: str) -> None:
    """Write a whole file or none; ``-`` is standard output."""
    if file == "-":
        click.echo(text, nl=False)
        return
    target = Path(file)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=target.name, text=True)
    try:
        with open(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


if __name__ == "__main__":
    main()
