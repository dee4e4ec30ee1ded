"""The `kvfloor` command. What is heavy is imported by the command that needs it."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import BrokenExecutor
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from kvfloor.caches import CacheFactory

__all__ = ["main"]

STATUS_CODES = {"ok": 0, "invalid": 1, "malformed": 2}
VERDICT_CODES = {"within-guarantee": 0, "refuted": 1, "violates": 1, "error": 2}


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
@click.option("--html", "html_file", metavar="FILE", help="Write a page to look at; - for stdout.")
@click.option("--kernel", is_flag=True, help="Have Coq check the theorems too (a minute or two).")
def verify(
    slugs: tuple[str, ...],
    examples: int,
    seed: int,
    jobs: int | None,
    json_file: str | None,
    html_file: str | None,
    kernel: bool,
) -> int:
    """Run claims: derivations, properties, certificates.

    Without a SLUG, all of them. Exit status 0 only if every verdict is what the registry says.

    Example: kvfloor verify four-cache --examples 200
    """
    from rich.console import Console

    from kvfloor_proofs.claims import SLUGS, load
    from kvfloor_proofs.kernel import audit, sources
    from kvfloor_proofs.report import show, to_json
    from kvfloor_proofs.verify import verify as run
    from kvfloor_proofs.verify import with_theorems

    files = {"--json": json_file, "--html": html_file}
    for option, file in files.items():
        if file is not None:
            _check_writable(file, option)
    if list(files.values()).count("-") > 1:
        raise click.UsageError("--html: expected a file, as --json is on standard output, got '-'")
    page = None if html_file is None else _page()
    wanted = tuple(dict.fromkeys(slugs)) or SLUGS
    claims = [load(slug) for slug in wanted]
    audited = audit(sources()) if kernel else None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    results = run(
        wanted, examples=examples, seed=seed, jobs=jobs if jobs is not None else cores or 1
    )
    if audited is not None:
        results = (with_theorems(result, audited.theorems) for result in results)
    ordered = show(claims, results, Console(stderr="-" in files.values()), kernel=kernel)
    if json_file is not None:
        _write(json_file, to_json(ordered, audited))
    if html_file is not None and page is not None:
        _write(html_file, page(claims, ordered, examples=examples, seed=seed))
    return 0 if all(result.ok for result in ordered) else 1


@cli.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--cache", metavar="MODULE:FACTORY", help="Replay the instances on this cache.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Option of the cache.")
def check(files: tuple[str, ...], cache: str | None, settings: tuple[str, ...]) -> int:
    """Check certificates.

    Exit status 0 if all hold, 1 if one is invalid, 2 if one is malformed or cannot be read.

    Example: kvfloor check collision.json --cache mycaches:Mine
    """
    from kvfloor.certificate import MOST_CHARACTERS
    from kvfloor.certificate import check as check_text

    factory = None if cache is None else _one(_factory(cache), settings)
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


OPTIONS = (
    click.option("--order", default=2, show_default=True, help="Slots of keys and values."),
    click.option("--family", default="auto", show_default=True, help="Of the instances."),
    click.option("--eta", default="0", show_default=True, help="Relative part of the guarantee."),
    click.option("--alpha", default="1/8", show_default=True, help="Absolute part."),
    click.option("--delta", default="0", show_default=True, help="How often coins may fail it."),
    click.option("--confidence", default="0.999999", show_default=True, help="Of random choices."),
    click.option("--seconds", default=10.0, show_default=True, help="Time limit for each answer."),
    click.option("--seed", default=0, show_default=True, help="Of instances and coins."),
    click.option("--plot", metavar="FILE", help="Draw a picture (needs kvfloor[plot])."),
)


def _audit_options(command: Callable[..., int]) -> Callable[..., int]:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@cli.command()
@click.argument("factory", metavar="MODULE:FACTORY")
@click.option("-n", type=int, required=True, help="Tokens.")
@click.option("-d", type=int, required=True, help="Dimension of keys and of values.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Option of the cache.")
@click.option("--json", "json_file", metavar="FILE", help="Write the result; - for stdout.")
@click.option("--certificates", metavar="FOLDER", help="Write those of the findings there.")
@click.option("--jobs", default=1, show_default=True, help="Processes that search a collision.")
@_audit_options
def audit(
    *,
    factory: str,
    settings: tuple[str, ...],
    json_file: str | None,
    plot: str | None,
    certificates: str | None,
    **terms: Any,
) -> int:
    """Find out whether a cache can be right, and where it is wrong.

    Exit status 0 if it is within the guarantee, 1 if it is refuted or violates it, 2 if it
    misbehaved.

    Example: kvfloor audit mycaches:Mine -n 64 -d 16 --json result.json
    """
    from rich.console import Console

    from kvfloor import audit as run
    from kvfloor import draw
    from kvfloor_proofs.audit_table import show_audit

    for option, file in (("--json", json_file), ("--plot", plot)):
        if file is not None:
            _check_writable(file, option)
    if certificates is not None and not Path(certificates).is_dir():
        raise click.UsageError(f"--certificates: expected a folder, got {certificates!r}")
    result = run(_one(factory, settings), **terms)
    show_audit(result, Console(stderr=json_file == "-"))
    if plot is not None:
        draw([result], plot)
    for finding in result.findings:
        if certificates is not None and finding.certificate is not None:
            file = str(Path(certificates) / f"{finding.kind}.json")
            _write(file, json.dumps(finding.certificate, indent=2) + "\n")
    if json_file is not None:
        _write(json_file, json.dumps(result.to_json(), indent=2) + "\n")
    return VERDICT_CODES[result.verdict]


@cli.command()
@click.argument("factories", metavar="MODULE:FACTORY...", nargs=-1, required=True)
@click.option("-n", "lengths", type=int, required=True, multiple=True, help="Tokens.")
@click.option("-d", "dimensions", type=int, required=True, multiple=True, help="Dimension.")
@click.option(
    "--set", "settings", metavar="NAME=V1,V2,…", multiple=True, help="Option of the caches."
)
@click.option("--output", metavar="FILE", help="JSON lines, one an audit; resumed if it is there.")
@click.option("--jobs", type=int, help="Processes.  [default: one a core]")
@click.option("--dask", metavar="ADDRESS", help="Run on a Dask cluster (needs kvfloor[dask]).")
@_audit_options
def sweep(
    *,
    factories: tuple[str, ...],
    lengths: tuple[int, ...],
    dimensions: tuple[int, ...],
    settings: tuple[str, ...],
    output: str | None,
    jobs: int | None,
    dask: str | None,
    plot: str | None,
    order: int,
    **terms: Any,
) -> int:
    """Audit caches of several shapes and options; exit status as for the worst audit.

    Example: kvfloor sweep mycaches:Mine -n 32 -n 64 -d 16 --set bits=2,4,8 --output sweep.jsonl
    """
    from rich.console import Console

    from kvfloor import Task, draw
    from kvfloor import sweep as run
    from kvfloor_proofs.audit_table import followed, show_rows
    from kvfloor_proofs.executors import executor

    for option, file in (("--output", output), ("--plot", plot)):
        if file is not None:
            _check_writable(file, option)
    tasks = [
        Task(factory, n, d, order, terms)
        for factory in _configured(factories, settings)
        for n in lengths
        for d in dimensions
    ]
    with executor(jobs, dask) as pool:
        rows = followed(run(tasks, output=output, executor=pool), len(tasks), Console(stderr=True))
    show_rows(rows, Console())
    if plot is not None:
        draw(rows, plot)
    return max(VERDICT_CODES[row.audit["verdict"]] for row in rows)


def _one(factory: Any, settings: Sequence[str]) -> Any:
    """The factory with the values that are set."""
    configured, *others = _configured([factory], settings)
    if others:
        raise click.UsageError("--set: expected one value for each name; sweep takes more")
    return configured


def _configured(factories: Sequence[Any], settings: Sequence[str]) -> list[Any]:
    """The factories with all combinations of the values that are set."""
    from kvfloor.caches import configure

    choices = []
    for setting in settings:
        name, equals, values = setting.partition("=")
        if not name.isidentifier() or not equals:
            raise click.UsageError(f"--set: expected NAME=VALUE, got {setting!r}")
        choices.append([(name, _value(value)) for value in values.split(",")])
    combinations = [dict(chosen) for chosen in product(*choices)]
    return [
        configure(factory, **options) if options else factory
        for factory in factories
        for options in combinations
    ]


def _value(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def _factory(spec: str) -> CacheFactory:
    module, _, name = spec.partition(":")
    if not module or not name:
        raise click.UsageError(f"--cache: expected MODULE:FACTORY, got {spec!r}")
    try:
        found: CacheFactory = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # the module's code may raise anything
        came = f"{spec!r} ({type(error).__name__}: {error})"
        raise click.UsageError(f"--cache: expected MODULE:FACTORY, got {came}") from None
    return found


def _page() -> Callable[..., str]:
    """What makes the page, found before the work is done; its libraries are an extra."""
    try:
        from kvfloor_proofs.html import page
    except ModuleNotFoundError as error:
        needed = "expected the extra of kvfloor named report (pip install 'kvfloor[report]')"
        raise click.UsageError(f"--html: {needed}, got no module {error.name}") from None
    return page


def _check_writable(file: str, option: str) -> None:
    """Refuse what `_write` could not write, before the work is done."""
    target = Path(file)
    if file != "-" and (not file or target.is_dir() or not target.resolve().parent.is_dir()):
        raise click.UsageError(f"{option}: expected a file in a folder that exists, got {file!r}")


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
