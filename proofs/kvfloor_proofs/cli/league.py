"""`kvfloor league`."""

from __future__ import annotations

from pathlib import Path

import click

from kvfloor_proofs.cli.failing import verbose
from kvfloor_proofs.cli.files import write

__all__ = ["league"]


@click.command()
@click.argument("folder", metavar="FOLDER")
@click.option("-n", default=64, show_default=True, help="Tokens.")
@click.option("-d", default=16, show_default=True, help="Dimension of keys and of values.")
@click.option("--alpha", default="1/32", show_default=True, help="Accuracy of the answers.")
@click.option("--instances", default=2, show_default=True, help="That count, for each cache.")
@click.option("--seed", default=0, show_default=True, help="Of instances and coins.")
@click.option("--jobs", type=int, help="Processes.  [default: one a core]")
@click.option("--dask", metavar="ADDRESS", help="Run on a Dask cluster (needs kvfloor[dask]).")
@verbose
def league(
    *,
    folder: str,
    n: int,
    d: int,
    alpha: str,
    instances: int,
    seed: int,
    jobs: int | None,
    dask: str | None,
) -> int:
    """Measure every cache that ships, at a ladder of budgets, on the same instances.

    Writes league.md, .csv and .png, league-drawings.png, and league.jsonl, from which it goes on
    where it was interrupted.

    Example: kvfloor league docs
    """
    from kvfloor.audit import Terms, canvas, draw_drawings, draw_league, matches
    from kvfloor.audit import league as play
    from kvfloor.numbers import as_count, as_fraction
    from kvfloor_proofs.pages import in_order, league_csv, league_page
    from kvfloor_proofs.report import Output, followed
    from kvfloor_proofs.workers import cluster

    place = Path(folder)
    if not place.is_dir():
        raise click.UsageError(f"FOLDER: expected a folder that exists, got {folder!r}")
    canvas()  # before the work is done
    count = as_count(instances, "instances", 1)
    terms = Terms(n, d, as_fraction(alpha, "alpha"), count, as_count(seed, "seed"))
    total, rows = len(matches(terms)), str(place / "league.jsonl")
    workers = None if jobs is None else as_count(jobs, "jobs", 1)
    with cluster(dask) as executor:
        playing = play(terms, output=rows, executor=executor, workers=workers)
        results = followed(playing, total, Output(stderr=True))
    results = in_order(results, terms)
    write(str(place / "league.md"), league_page(results, terms))
    write(str(place / "league.csv"), league_csv(results))
    draw_league(results, place / "league.png")
    draw_drawings(results, place / "league-drawings.png")
    return 0
