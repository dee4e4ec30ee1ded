"""`kvfloor audit` and `kvfloor sweep`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from kvfloor_proofs.cli.certificates import write_certificates
from kvfloor_proofs.cli.failing import is_verbose, verbose
from kvfloor_proofs.cli.files import check_folder, check_writable, printable, quiet, write
from kvfloor_proofs.cli.in_model import audit_model, model_options, without_models
from kvfloor_proofs.cli.picture import check_picture, draw_picture
from kvfloor_proofs.cli.settings import combined, configured, importable
from kvfloor_proofs.cli.verdicts import SEVERITY, VERDICT_CODES

__all__ = ["audit", "sweep"]

ARGUMENT = "factory"
OPTIONS = (
    click.option("--order", default=2, show_default=True, help="Slots; 1 is plain attention."),
    click.option("--family", default="auto", show_default=True, help="Of the instances."),
    click.option("--eta", default="0", show_default=True, help="Relative part of the guarantee."),
    click.option("--alpha", default="1/8", show_default=True, help="Absolute part."),
    click.option("--delta", default="0", show_default=True, help="How often coins may fail it."),
    click.option("--confidence", default="0.999999", show_default=True, help="Of random choices."),
    click.option("--tosses", default=2**16, show_default=True, help="Of coins at most, for delta."),
    click.option("--traces", metavar="FILE", help="Keys, values, queries: .npz, .safetensors."),
    click.option("--seconds", default=10.0, show_default=True, help="Time limit for each answer."),
    click.option("--seed", default=0, show_default=True, help="Of instances and coins."),
    click.option("--plot", metavar="FILE", help="Draw a picture (needs kvfloor[plot])."),
    quiet,
    verbose,
)


def _audit_options(command: Callable[..., int]) -> Callable[..., int]:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("factory", metavar="MODULE:FACTORY", required=False)
@click.option("-n", type=int, required=True, help="Tokens.")
@click.option("-d", type=int, required=True, help="Dimension of keys and of values.")
@click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help="Option of the cache.")
@click.option("--json", "json_file", metavar="FILE", help="Write the result; - for stdout.")
@click.option("--certificates", metavar="FOLDER", help="Write those of the findings there.")
@click.option("--picture", metavar="FILE", help="A drawing stored, read back: .svg, .html, .png.")
@click.option("--jobs", default=1, show_default=True, help="Processes that search a collision.")
@_audit_options
@model_options
@click.pass_context
def audit(
    context: click.Context,
    /,
    *,
    factory: str | None,
    in_model: str | None,
    settings: tuple[str, ...],
    json_file: str | None,
    plot: str | None,
    picture: str | None,
    certificates: str | None,
    quiet: bool,
    **terms: Any,
) -> int:
    """Find out whether a cache can be right, and where it is wrong.

    Exit status 0 if it is within the guarantee, 1 if it is refuted or violates it, 2 if it
    misbehaves or the audit itself failed, 3 if that is undecided.

    Example: kvfloor audit mycaches:Mine -n 64 -d 16 --json result.json
    """
    from kvfloor import audit as run
    from kvfloor import draw
    from kvfloor.audit import canvas
    from kvfloor.isolation import READING, WRITING, warm
    from kvfloor_proofs.report import Output, show_audit

    if in_model is not None:
        return audit_model(context, in_model)
    terms = without_models(context, terms)
    for option, file in (("--json", json_file), ("--plot", plot), ("--picture", picture)):
        if file is not None:
            check_writable(file, option)
    if plot is not None:
        canvas()  # before the work is done
    if picture is not None:
        check_picture(picture)
    if certificates is not None:
        check_folder(certificates, "--certificates")
    warm(WRITING, READING)  # while the cache is looked at
    cache = importable(configured(factory, settings), ARGUMENT)
    result = run(cache, **terms)
    show_audit(result, Output(stderr=json_file == "-"), quiet=quiet, verbose=is_verbose())
    if plot is not None:
        draw([result], plot)
    if picture is not None:
        draw_picture(cache, result.cache, picture, terms)
    write_certificates(result.findings, certificates)
    if json_file is not None:
        write(json_file, json.dumps(result.to_json(), indent=2) + "\n")
    return VERDICT_CODES[result.verdict]


@click.command()
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
    quiet: bool,
    **terms: Any,
) -> int:
    """Audit caches of several shapes and options; exit status as for the worst audit.

    Example: kvfloor sweep mycaches:Mine -n 32 -n 64 -d 16 --set bits=2,4,8 --output sweep.jsonl
    """
    from kvfloor import Task, draw
    from kvfloor import sweep as run
    from kvfloor.audit import canvas, take_up
    from kvfloor.numbers import as_count
    from kvfloor_proofs.report import Output, followed, show_rows
    from kvfloor_proofs.workers import cluster

    for option, file in (("--output", output), ("--plot", plot)):
        if file is not None:
            check_writable(file, option)
    if plot is not None:
        canvas()
    tasks = [
        Task(factory, n, d, order, terms)
        for factory in [importable(made, ARGUMENT) for made in combined(factories, settings)]
        for n in lengths
        for d in dimensions
    ]
    if output is not None and (torn := take_up(output).torn):
        click.echo(printable(f"{output}: cut off {torn} bytes of a torn line"), err=True)
    workers = None if jobs is None else as_count(jobs, "jobs", 1)
    with cluster(dask) as executor:
        audits = run(tasks, output=output, executor=executor, workers=workers)
        rows = followed(audits, len(tasks), Output(stderr=True))
    show_rows(rows, Output(), quiet=quiet, verbose=is_verbose())
    if plot is not None:
        draw(rows, plot)
    return VERDICT_CODES[max((row.audit["verdict"] for row in rows), key=SEVERITY.index)]
