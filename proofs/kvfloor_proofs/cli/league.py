"""`kvfloor league`."""

from __future__ import annotations

from pathlib import Path

import click

from kvfloor_proofs.cli.failing import verbose
from kvfloor_proofs.cli.files import check_folder, write
from kvfloor_proofs.cli.settings import combined, importable

__all__ = ["league"]


@click.command()
@click.argument("folder", metavar="FOLDER")
@click.option("-n", default=64, show_default=True, help="Tokens.")
@click.option("-d", default=16, show_default=True, help="Dimension of keys and of values.")
@click.option("--order", default=1, show_default=True, help="Slots of keys and values.")
@click.option("--trace", default="", metavar="FILE", help="Keys, values, queries: .npz.")
@click.option("--name", default="league", show_default=True, help="Of the files.")
@click.option("--alpha", default="1/32", show_default=True, help="Accuracy of the answers.")
@click.option("--instances", default=2, show_default=True, help="That count, for each cache.")
@click.option("--seed", default=0, show_default=True, help="Of instances and coins.")
@click.option("--only", metavar="CACHE", multiple=True, help="Who plays.  [default: all]")
@click.option("--cache", "caches", metavar="MODULE:FACTORY", multiple=True, help="Plays as well.")
@click.option("--set", "settings", metavar="NAME=V1,V2,…", multiple=True, help="Option of those.")
@click.option("--jobs", type=int, help="Processes.  [default: one a core]")
@click.option("--dask", metavar="ADDRESS", help="Run on a Dask cluster (needs kvfloor[dask]).")
@verbose
def league(
    *,
    folder: str,
    n: int,
    d: int,
    order: int,
    trace: str,
    name: str,
    alpha: str,
    instances: int,
    seed: int,
    only: tuple[str, ...],
    caches: tuple[str, ...],
    settings: tuple[str, ...],
    jobs: int | None,
    dask: str | None,
) -> int:
    """Measure every cache that ships, and your own, at several budgets on the same instances.

    Writes league.md, .csv and .png, league-errors.png, at order 1 league-drawings.png, and
    league.jsonl, from which it goes on where it was interrupted.

    Example: kvfloor league docs --cache mycaches:Mine --set bits=2,4,8
    """
    from kvfloor.audit import Terms, canvas, draw_drawings, draw_errors, draw_league, guest, matches
    from kvfloor.audit import league as play
    from kvfloor.numbers import as_count, as_fraction
    from kvfloor_proofs.pages import in_order, league_csv, league_page
    from kvfloor_proofs.report import Output, followed
    from kvfloor_proofs.workers import cluster

    place = Path(folder)
    check_folder(folder, "FOLDER")
    canvas()  # before the work is done
    count = as_count(instances, "instances", 1)
    terms = Terms(
        n,
        d,
        order=as_count(order, "order", 1),
        alpha=as_fraction(alpha, "alpha"),
        instances=count,
        seed=as_count(seed, "seed"),
        trace=trace,
    )
    if settings and not caches:
        raise click.UsageError("--set: expected --cache with it")
    guests = [guest(importable(one, "--cache")) for one in combined(caches, settings)]
    total, rows = len(matches(terms, only, guests)), str(place / f"{name}.jsonl")
    workers = None if jobs is None else as_count(jobs, "jobs", 1)
    place.mkdir(exist_ok=True)
    with cluster(dask) as executor:
        playing = play(
            terms, only=only, guests=guests, output=rows, executor=executor, workers=workers
        )
        results = followed(playing, total, Output(stderr=True))
    results = in_order(results, terms, guests)
    write(str(place / f"{name}.md"), league_page(results, terms, name, only, guests))
    write(str(place / f"{name}.csv"), league_csv(results, terms))
    draw_league(results, place / f"{name}.png")
    draw_errors(results, terms, place / f"{name}-errors.png")
    if terms.order == 1:
        draw_drawings(results, place / f"{name}-drawings.png")
    return 0
