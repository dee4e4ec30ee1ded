"""`kvfloor league`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kvfloor_proofs.cli.failing import verbose
from kvfloor_proofs.cli.files import check_folder, check_writable, html_pages, write
from kvfloor_proofs.cli.settings import combined, importable

if TYPE_CHECKING:
    from kvfloor.audit import Result, Terms

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
@click.option("--html", "html_file", metavar="FILE", help="The page in one file, to be sorted.")
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
    html_file: str | None,
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
    from kvfloor.audit import Terms, canvas, guest, matches
    from kvfloor.audit import league as play
    from kvfloor.numbers import as_count, as_fraction
    from kvfloor_proofs.pages import in_order, league_csv, league_page
    from kvfloor_proofs.report import Output, followed
    from kvfloor_proofs.workers import cluster

    place = Path(folder)
    check_folder(folder, "FOLDER")
    canvas()  # before the work is done
    if html_file is not None:
        check_writable(html_file, "--html")
        document = html_pages().league_document
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
    page = league_page(results, terms, name, only, guests)
    write(str(place / f"{name}.md"), page)
    write(str(place / f"{name}.csv"), league_csv(results, terms))
    pictures = _drawn(results, terms, place / name)
    if html_file is not None:
        write(html_file, document(page, {file.name: file.read_bytes() for file in pictures}))
    return 0


def _drawn(results: Sequence[Result], terms: Terms, stem: Path) -> list[Path]:
    """Draw the pictures of a league, files whose names begin so, and return them."""
    from kvfloor.audit import draw_drawings, draw_errors, draw_league

    ends = ["", "-errors", *["-drawings"] * (terms.order == 1)]
    files = [stem.with_name(f"{stem.name}{end}.png") for end in ends]
    draw_league(results, files[0])
    draw_errors(results, terms, files[1])
    if terms.order == 1:
        draw_drawings(results, files[2])
    return files
